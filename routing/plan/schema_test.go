package plan

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The flag is that of the tests outside the package, which share the binary.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

func TestSchemaIsCurrent(t *testing.T) {
	want, err := makeSchema()
	if err != nil {
		t.Fatal(err)
	}
	if updating() {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(Schema()) != string(want) {
		t.Error("schema.json is not what makeSchema gives: run go test ./routing/plan -update")
	}
}

// everything uses every key a plan may have.
const everything = `time_zone: Europe/London
default_queue: a
max_credit: 5m
short_abandon: 5s
ring_back_window: 0
announce: {first: 20s, every: 60s}
answer_within: {phone: 30s, email: 4h, web: 1d}
holidays: {2026-12-25: closed}
skills: {s: S}
profiles: {p: {skills: {s: 3}, capacity: {phone: 1, email: 2, web: 1}, interruptible: [email]}}
queues:
  a:
    label: A
    answer_within: {phone: 30s}
    needs: {s: 2}
    language_skill: true
    hours: {mon-fri: 08:00-18:00}
    closed_announcement: closed
    wrap_up: {limit: 1m, extension: 1m}
    relax: {steps: [{after: 1m, name: n, needs: {s: 1}, any_language: true}], last: n}
    overflow: [{after: 1m, to: b}]
    preferred: {wait: 30s}
    announce: never
  b: {}
rota: {p: {mon-fri: 06:00-22:00}}
surges: {x: {label: X, queues: {a: {answer_within: {phone: 1m}, overflow: [], announce: {every: 1m}}}}}
rules: [{name: r, when: true, queue: a, credit: 1m, risk_to_life: true, needs: {s: 1}}]
offer: {ring_for: {phone: 20s}, no_answer_rest: 30s, decline_rest: 10s, failed_rest: 10s, alert_after: 3}
wrap_up: {limit: 1m, extension: 1m}
not_ready_reasons: {b: B}
outcomes: {o: O}
`

// TestSchemaHasTheKeysTheReaderKnows reads a plan with every key and compares
// what the reader took at each place with what the schema offers there.
func TestSchemaHasTheKeysTheReaderKnows(t *testing.T) {
	b := newBuilder("p", []byte(everything))
	known := map[string][]string{}
	b.r.watch = func(path string, keys []string) { known[path] = keys }
	b.read([]byte(everything))
	if b.r.problems.HasErrors() {
		t.Fatalf("the plan with every key is wrong:\n%s", b.r.problems)
	}
	var root node
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	if len(known) < 15 {
		t.Fatalf("only %d mappings were read", len(known))
	}
	for path, keys := range known {
		at := root
		for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
			at = child(root, at, part)
		}
		properties, _ := resolve(root, at)["properties"].(node)
		got := sortedKeys(properties)
		keys = slices.Sorted(slices.Values(keys))
		if !reflect.DeepEqual(got, keys) {
			t.Errorf("%q: the schema offers %v, the reader knows %v", path, got, keys)
		}
	}
}

// resolve follows references, and takes the mapping of alternatives.
func resolve(root, n node) node {
	if ref, is := n["$ref"].(string); is {
		return resolve(root, root["$defs"].(node)[strings.TrimPrefix(ref, "#/$defs/")].(node))
	}
	if choices, is := n["anyOf"].([]any); is {
		for _, a := range choices {
			if a := a.(node); a["type"] == "object" {
				return a
			}
		}
	}
	return n
}

func child(root, n node, part string) node {
	n = resolve(root, n)
	if item, is := n["items"].(node); is && strings.HasSuffix(part, "]") {
		return item
	}
	properties, _ := n["properties"].(node)
	if p, is := properties[part].(node); is {
		return p
	}
	p, _ := n["additionalProperties"].(node)
	return p
}

// TestSchemaJudges validates plans with the few words of JSON Schema it uses.
func TestSchemaJudges(t *testing.T) {
	var root node
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	seed, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ src, want string }{
		"every key":                     {everything, ""},
		"the seed":                      {string(seed), ""},
		"misspelt key":                  {strings.Replace(everything, "preferred:", "prefered:", 1), "queues.a: prefered is not offered"},
		"no last step":                  {strings.Replace(everything, ", last: n", "", 1), "queues.a.relax: last is missing"},
		"level 9":                       {strings.Replace(everything, "needs: {s: 2}", "needs: {s: 9}", 1), "queues.a.needs.s: 9 is out of range"},
		"bare number":                   {strings.Replace(everything, "max_credit: 5m", "max_credit: 5", 1), "max_credit: none of the alternatives"},
		"capital letter":                {strings.Replace(everything, "b: {}", "B: {}", 1), "queues: \"B\" does not match"},
		"interrupts web form and phone": {strings.Replace(everything, "[email]", "[web, phone]", 1), "profiles.p.interruptible[1]: phone is not one of"},
		"list for a mapping":            {strings.Replace(everything, "surges: {x", "surges: [] #{x", 1), "surges: not of type object"},
	} {
		t.Run(name, func(t *testing.T) {
			var doc any
			if err := yaml.Unmarshal([]byte(c.src), &doc); err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			doc = nil
			if err := json.Unmarshal(b, &doc); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(judge(root, root, doc, ""), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("judged:\n%s\nwant %q", got, c.want)
			}
		})
	}
}

func judge(root, n node, doc any, path string) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
	}
	if ref, is := n["$ref"].(string); is {
		return judge(root, root["$defs"].(node)[strings.TrimPrefix(ref, "#/$defs/")].(node), doc, path)
	}
	if alternatives, is := n["anyOf"].([]any); is {
		for _, a := range alternatives {
			if len(judge(root, a.(node), doc, path)) == 0 {
				return nil
			}
		}
		fault("none of the alternatives")
		return faults
	}
	if c, is := n["const"]; is && !reflect.DeepEqual(c, doc) {
		fault("not %v", c)
	}
	if enum, is := n["enum"].([]any); is && !slices.Contains(enum, doc) {
		fault("%v is not one of %v", doc, enum)
	}
	if kind := n["type"]; kind != nil && !strings.Contains(fmt.Sprint(kind), kindOf(doc)) {
		fault("not of type %v", kind)
		return faults
	}
	switch doc := doc.(type) {
	case string:
		if p, is := n["pattern"].(string); is && !regexp.MustCompile(p).MatchString(doc) {
			fault("%q does not match %s", doc, p)
		}
	case float64:
		if least, is := n["minimum"].(float64); is && (doc < least || doc > n["maximum"].(float64)) {
			fault("%v is out of range", doc)
		}
	case []any:
		for i, item := range doc {
			faults = append(faults, judge(root, n["items"].(node), item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case node:
		properties, _ := n["properties"].(node)
		required, _ := n["required"].([]any)
		for _, key := range required {
			if _, is := doc[key.(string)]; !is {
				fault("%s is missing", key)
			}
		}
		for _, key := range sortedKeys(doc) {
			if names, is := n["propertyNames"].(node); is && !regexp.MustCompile(names["pattern"].(string)).MatchString(key) {
				fault("%q does not match", key)
			}
			next, is := properties[key].(node)
			if !is {
				next, is = n["additionalProperties"].(node)
			}
			if !is {
				fault("%s is not offered", key)
				continue
			}
			faults = append(faults, judge(root, next, doc[key], path+"."+key)...)
		}
	}
	return faults
}

func kindOf(doc any) string {
	switch v := doc.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case node:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}
