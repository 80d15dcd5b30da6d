package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"example.org/c3i/intake/web"
)

// call makes a signed request; change may spoil it.
func (w *world) call(method, path string, body []byte, nonce, key string, change func(*http.Request)) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.http.URL+path, bytes.NewReader(body))
	must(w.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Authorization", web.Sign("k1", "a secret of at least 32 characters", method, path, w.clock.now(), nonce, body))
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(w.t, err)
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		w.t.Fatalf("%s %s answers %d %q", method, path, resp.StatusCode, text)
	}
	if resp.StatusCode >= 400 && resp.Header.Get("Content-Type") != "application/problem+json" {
		w.t.Errorf("a problem of type %s", resp.Header.Get("Content-Type"))
	}
	return resp.StatusCode, out
}

func jsonOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

func TestAPartnerMakesAReportOnceAndReadsIt(t *testing.T) {
	w := newWorld(t)
	in := web.ExampleReport()
	in.Files = []web.NewFile{{Name: "../x/window.jpg", Content: base64.StdEncoding.EncodeToString([]byte(jpeg))}}
	body := jsonOf(t, in)
	status, made := w.call("POST", "/api/v1/reports", body, "nonce-number-0001", "key-1", nil)
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, made)
	}
	status, again := w.call("POST", "/api/v1/reports", body, "nonce-number-0002", "key-1", nil)
	if status != http.StatusCreated || again["reference"] != made["reference"] || again["secret"] != made["secret"] {
		t.Errorf("repeated: %d %v", status, again)
	}
	if items := w.accepted(); len(items) != 1 {
		t.Errorf("%d items were accepted", len(items))
	}
	reference, _ := made["reference"].(string)
	if status, s := w.call("GET", "/api/v1/reports/"+reference, nil, "nonce-number-0003", "", nil); status != http.StatusOK || s["status"] != "received" || s["external_reference"] != "PORTAL-2026-0017" {
		t.Errorf("before it was filed: %d %v", status, s)
	}
	w.work()
	if status, s := w.call("GET", "/api/v1/reports/"+reference, nil, "nonce-number-0004", "", nil); status != http.StatusOK || s["status"] != "new" || s["incident_number"] == nil {
		t.Errorf("filed: %d %v", status, s)
	}
	if status, s := w.call("GET", "/api/v1/reports/AAAA", nil, "nonce-number-0005", "", nil); status != http.StatusNotFound {
		t.Errorf("somebody else's report: %d %v", status, s)
	}
	if status, s := w.call("POST", "/api/v1/reports/"+reference+"/information", []byte(`{"text":"the receipt was found"}`), "nonce-number-0006", "key-2", nil); status != http.StatusAccepted {
		t.Errorf("more: %d %v", status, s)
	}
	w.work()
	in.Answers["what"] = "something else"
	if status, p := w.call("POST", "/api/v1/reports", jsonOf(t, in), "nonce-number-0007", "key-1", nil); status != http.StatusUnprocessableEntity || p["type"] != "/api/problems/key-reused" {
		t.Errorf("a key used again: %d %v", status, p)
	}
}

func TestAnAPIRequestIsRefusedByName(t *testing.T) {
	w := newWorld(t)
	good := jsonOf(t, web.ExampleReport())
	answers := func(change func(map[string]string)) []byte {
		in := web.ExampleReport()
		change(in.Answers)
		return jsonOf(t, in)
	}
	n := 0
	for name, c := range map[string]struct {
		body    []byte
		change  func(*http.Request)
		status  int
		kind    string
		pointer string
		code    string
	}{
		"unsigned":     {good, func(r *http.Request) { r.Header.Del("Authorization") }, 401, "unauthorised", "", ""},
		"another body": {good, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")); r.ContentLength = 2 }, 401, "unauthorised", "", ""},
		"an unknown key": {good, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "k1", "k2", 1))
		}, 401, "unauthorised", "", ""},
		"an old request": {good, func(r *http.Request) {
			r.Header.Set("Authorization", web.Sign("k1", "a secret of at least 32 characters", "POST", "/api/v1/reports", w.clock.now().Add(-6*time.Minute), "nonce-of-an-old-one", good))
		}, 401, "unauthorised", "", ""},
		"no key":          {good, func(r *http.Request) { r.Header.Del("Idempotency-Key") }, 400, "key-missing", "", ""},
		"no JSON":         {[]byte("<report/>"), nil, 400, "malformed", "", ""},
		"bad UTF-8":       {[]byte("{\"language\":\"\xff\"}"), nil, 400, "malformed", "", ""},
		"a wrong type":    {[]byte(`{"answers":7}`), nil, 422, "invalid", "/answers", "invalid"},
		"an unknown name": {answers(func(a map[string]string) { a["a/b"] = "x" }), nil, 422, "invalid", "/answers/a~1b", "unknown"},
		"no such choice":  {answers(func(a map[string]string) { a["category"] = "treason" }), nil, 422, "invalid", "/answers/category", "choose"},
		"missing":         {answers(func(a map[string]string) { delete(a, "surname") }), nil, 422, "invalid", "/answers/surname", "missing"},
		"high harm":       {answers(func(a map[string]string) { a["harm"] = "weapon" }), nil, 422, "invalid", "/answers/harm", "stop"},
		"no items":        {[]byte(strings.Replace(string(good), `"items":`, `"files":[],"x":`, 1)), nil, 400, "malformed", "", ""},
		"a bad day":       {answers(func(a map[string]string) { a["from_date"] = "yesterday" }), nil, 422, "invalid", "/answers/from_date", "invalid"},
	} {
		n++
		status, p := w.call("POST", "/api/v1/reports", c.body, strings.Repeat("n", 16+n), name, c.change)
		if status != c.status || p["type"] != "/api/problems/"+c.kind {
			t.Errorf("%s: %d %v", name, status, p)
			continue
		}
		if c.pointer == "" {
			continue
		}
		errs, _ := p["errors"].([]any)
		found := false
		for _, e := range errs {
			f, _ := e.(map[string]any)
			found = found || f["pointer"] == c.pointer && f["code"] == c.code
		}
		if !found {
			t.Errorf("%s: no %s at %s: %v", name, c.code, c.pointer, p)
		}
	}
	if len(w.accepted()) != 0 {
		t.Error("something was accepted")
	}
	nonce := "a nonce used twice"
	w.call("GET", "/api/v1/reports/AAAA", nil, nonce, "", nil)
	if status, _ := w.call("GET", "/api/v1/reports/AAAA", nil, nonce, "", nil); status != http.StatusUnauthorized {
		t.Errorf("the same request again: %d", status)
	}
}

// TestTheDescriptionIsCurrent holds docs/openapi.json to the program. To renew it
// run with UPDATE_OPENAPI=1.
func TestTheDescriptionIsCurrent(t *testing.T) {
	w := newWorld(t)
	resp, err := http.Get(w.http.URL + "/api/openapi.json")
	must(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	must(t, err)
	const file = "../../docs/openapi.json"
	if os.Getenv("UPDATE_OPENAPI") != "" {
		must(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the program serves", file)
	}
}

func TestExamplesFitTheDescription(t *testing.T) {
	w := newWorld(t)
	resp, err := http.Get(w.http.URL + "/api/openapi.json")
	must(t, err)
	defer resp.Body.Close()
	doc, err := jsonschema.UnmarshalJSON(resp.Body)
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("https://example.org/openapi.json", doc))
	checked := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			schema, _ := v["schema"].(map[string]any)
			ref, _ := schema["$ref"].(string)
			if example, ok := v["example"]; ok && ref != "" {
				s, err := c.Compile("https://example.org/openapi.json" + ref)
				must(t, err)
				if err := s.Validate(example); err != nil {
					t.Errorf("the example of %s: %v", ref, err)
				}
				checked++
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(doc)
	if checked < 5 {
		t.Errorf("only %d examples", checked)
	}
}

func FuzzAPIBody(f *testing.F) {
	w := newWorld(f)
	f.Add([]byte(`{"answers":{"emergency":"no"},"items":[{}],"files":[{"name":"a","content":"/9j/"}]}`))
	f.Add([]byte(`{"answers":null}`))
	f.Add([]byte("{\"answers\":{\"\xff\":\"~/\"}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		w.t = t
		w.clock.pass(time.Second)
		status, p := w.call("POST", "/api/v1/reports", body, w.clock.now().Format(time.RFC3339Nano), "k", nil)
		if status >= 500 {
			t.Errorf("%d %v", status, p)
		}
	})
}
