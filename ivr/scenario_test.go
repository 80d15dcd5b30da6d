package ivr_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// TestCalls plays the calls in testdata/calls. A file is blocks of commands, a
// line ---- and the effects; -update rewrites the effects, for review as a diff.
//
//	flow FILE         begin with a flow of testdata/flows or configs/flows
//	dialled NUMBER    the number rung; before start
//	start [LANGUAGE]  the call comes in, with a language remembered
//	press KEYS        one key after another
//	heard             the playback ends by itself
//	broken            the playback fails
//	silence           the timer fires
//	late play N       the end of playback N, whether or not it is the current one
//	late timer N      timer N fires, likewise
//	transfer fails
//	hang up
//	move              another process takes the session over by its JSON state
//	path              how the caller went, and the ending
func TestCalls(t *testing.T) {
	files, err := filepath.Glob("testdata/calls/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no calls: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCall(t, string(src))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(src) {
				t.Errorf("the call went otherwise:\n%s\nwant\n%s", got, src)
			}
		})
	}
}

// call is one session and what it awaits.
type call struct {
	t       *testing.T
	flow    *ivr.Flow
	opts    ivr.Options
	session *ivr.Session
}

func runCall(t *testing.T, src string) string {
	t.Helper()
	c := &call{t: t}
	var out strings.Builder
	var results []string
	expected := false
	for _, line := range strings.Split(strings.TrimRight(src, "\n"), "\n") {
		switch {
		case line == "----":
			out.WriteString(line + "\n" + strings.Join(results, ""))
			results, expected = nil, true
		case strings.TrimSpace(line) == "":
			out.WriteString("\n")
			expected = false
		case expected:
		case strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
		default:
			out.WriteString(line + "\n")
			results = append(results, c.do(line)...)
		}
	}
	if len(results) > 0 {
		t.Fatalf("commands without ---- after them gave %q", results)
	}
	return out.String()
}

func (c *call) do(line string) []string {
	verb, rest, _ := strings.Cut(line, " ")
	var awaited ivr.State
	if c.session != nil {
		awaited = c.session.State()
	}
	switch verb {
	case "flow":
		if strings.HasPrefix(rest, "front-door") {
			c.flow = loadFlow(c.t, "../configs/flows/"+rest, product(c.t))
		} else {
			c.flow = loadFlow(c.t, "testdata/flows/"+rest, catalogue(c.t, "testdata/prompts/*.yaml"))
		}
		return nil
	case "dialled":
		c.opts.Dialled = rest
		return nil
	case "start":
		c.session = ivr.NewSession(c.flow, c.opts)
		return c.step(ivr.Start{Language: rest})
	case "press":
		var out []string
		for i := range len(rest) {
			out = append(out, c.step(ivr.Digit{Key: rest[i]})...)
		}
		return out
	case "heard":
		return c.step(ivr.PlayDone{ID: awaited.Play})
	case "broken":
		return c.step(ivr.PlayFailed{ID: awaited.Play})
	case "silence":
		return c.step(ivr.TimerFired{ID: awaited.Timer})
	case "late":
		var what string
		var id int
		if _, err := fmt.Sscanf(rest, "%s %d", &what, &id); err != nil {
			c.t.Fatalf("%q: %v", line, err)
		}
		if what == "timer" {
			return c.step(ivr.TimerFired{ID: ivr.TimerID(id)})
		}
		return c.step(ivr.PlayDone{ID: ivr.PlayID(id)})
	case "transfer":
		return c.step(ivr.TransferFailed{})
	case "hang":
		return c.step(ivr.HungUp{})
	case "move":
		c.move()
		return nil
	case "path":
		var out []string
		for _, v := range c.session.Path() {
			out = append(out, fmt.Sprintf("%s: %s\n", v.Step, v.Left))
		}
		ending := string(c.session.Ending())
		if ending == "" {
			ending = "still open"
		}
		return append(out, "ending: "+ending+"\n")
	}
	c.t.Fatalf("no command %q", line)
	return nil
}

func (c *call) move() {
	b, err := json.Marshal(c.session.State())
	if err != nil {
		c.t.Fatal(err)
	}
	var st ivr.State
	if err := json.Unmarshal(b, &st); err != nil {
		c.t.Fatal(err)
	}
	if c.session, err = ivr.Restore(c.flow, c.opts, st); err != nil {
		c.t.Fatal(err)
	}
}

func (c *call) step(in ivr.Input) []string {
	var out []string
	for _, e := range c.session.Step(in) {
		out = append(out, describe(e)+"\n")
	}
	if len(out) == 0 {
		out = []string{"nothing\n"}
	}
	return out
}

func describe(e ivr.Effect) string {
	switch e := e.(type) {
	case ivr.Answer:
		return "answer"
	case ivr.Play:
		var names []string
		for _, p := range e.Prompts {
			names = append(names, p.Name+"."+p.Language)
		}
		how := ""
		if !e.Interruptible {
			how = " to the end"
		}
		return fmt.Sprintf("play %d%s: %s", e.ID, how, strings.Join(names, " "))
	case ivr.StopPlay:
		return fmt.Sprintf("stop play %d", e.ID)
	case ivr.StartTimer:
		return fmt.Sprintf("start timer %d: %s", e.ID, e.After)
	case ivr.StopTimer:
		return fmt.Sprintf("stop timer %d", e.ID)
	case ivr.SetLanguage:
		return "language " + e.Code
	case ivr.Route:
		var words []string
		for _, l := range e.Labels {
			words = append(words, fmt.Sprintf("\n  %s=%s (%s: %s)", l.Name, l.Value, l.Question, l.Answer))
		}
		if len(e.Answers) != len(e.Labels) {
			words = append(words, fmt.Sprintf("\n  labels leave out answers: %v", e.Answers))
		}
		queue := e.Queue
		if queue == "" {
			queue = "by the rules"
		}
		return fmt.Sprintf("route to %s in %s%s", queue, e.Language, strings.Join(words, ""))
	case ivr.Transfer:
		return fmt.Sprintf("transfer to %s in %s %v", e.Destination, e.Language, e.Answers)
	case ivr.Hangup:
		return "hang up: " + string(e.Reason)
	}
	return fmt.Sprintf("unknown effect %#v", e)
}

func TestStateOfAnotherFlowIsRefused(t *testing.T) {
	c := catalogue(t, "testdata/prompts/*.yaml")
	desk, strict := loadFlow(t, "testdata/flows/desk.yaml", c), loadFlow(t, "testdata/flows/strict.yaml", c)
	s := ivr.NewSession(desk, ivr.Options{})
	s.Step(ivr.Start{})
	good := s.State()
	for name, spoil := range map[string]func(*ivr.State){
		"another flow":               func(st *ivr.State) { st.Flow = strict.Hash() },
		"no such step":               func(st *ivr.State) { st.Step = "cellar" },
		"awaits nothing":             func(st *ivr.State) { st.Play = 0 },
		"branch that waits":          func(st *ivr.State) { st.Step = "by-number" },
		"no such language":           func(st *ivr.State) { st.Language = "xx" },
		"transferred from a message": func(st *ivr.State) { st.Ending = ivr.Transferred },
	} {
		bad := good
		spoil(&bad)
		if _, err := ivr.Restore(desk, ivr.Options{}, bad); err == nil {
			t.Errorf("%s: the state was taken", name)
		}
	}
	if _, err := ivr.Restore(desk, ivr.Options{}, good); err != nil {
		t.Errorf("a good state was refused: %v", err)
	}
}

func TestStateSharesNothing(t *testing.T) {
	desk := loadFlow(t, "testdata/flows/desk.yaml", catalogue(t, "testdata/prompts/*.yaml"))
	s := ivr.NewSession(desk, ivr.Options{Dialled: "101", CLI: contact.CLIWithheld})
	s.Step(ivr.Start{})
	st := s.State()
	st.Answers["menu"] = "spoilt"
	st.Path[0].Step = "spoilt"
	if again := s.State(); again.Answers["menu"] != "" || again.Path[0].Step != "hello" {
		t.Errorf("changing a copy changed the session: %+v", again)
	}
}
