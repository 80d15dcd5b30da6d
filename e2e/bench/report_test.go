package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/e2e/bench/measure"
	"example.org/c3i/routing/routingbench"
)

func sum(median, p99 float64) measure.Summary {
	return measure.Summary{Count: 10, Median: median, P90: p99, P99: p99, Max: p99}
}

func goodReport() *report {
	return &report{
		Arrivals: []callFigure{
			{System: "C3i", Rate: 20, Time: sum(6, 20), Pop: sum(5, 15)},
			{System: "app_queue", Rate: 20, Time: sum(3, 5)},
			{System: "bare ARI", Rate: 20, Time: sum(4, 10)},
		},
		Backlog: []callFigure{
			{System: "C3i", Rate: 50, Time: sum(6, 20)},
			{System: "app_queue", Rate: 50, Time: sum(400, 900)},
			{System: "bare ARI", Rate: 50, Time: sum(4, 10)},
		},
		Engine: []engineFigure{
			{Result: routingbench.Result{Handlers: 2000, Waiting: 5000, EventsPerSecond: 400_000, NsPerEvent: 2500}},
			{Result: routingbench.Result{Handlers: 2000, Waiting: 10000, EventsPerSecond: 390_000, NsPerEvent: 2560}, Growth: 1.02},
		},
		Pops: []popFigure{{People: 1000, Load: "2000 desks", Both: sum(1, 3)}},
	}
}

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		change func(*report)
		missed []string
	}{
		"all met":              {func(*report) {}, nil},
		"too slow to ring":     {func(r *report) { r.Arrivals[0].Time = sum(6.1, 20) }, []string{"median, C3i to bare ARI"}},
		"long tail":            {func(r *report) { r.Arrivals[0].Time = sum(6, 51) }, []string{"p99 of C3i"}},
		"near app_queue":       {func(r *report) { r.Backlog[1].Time = sum(299, 900) }, []string{"C3i to app_queue"}},
		"slow engine":          {func(r *report) { r.Engine[1].EventsPerSecond = 199_999 }, []string{"events with 10000 waiting"}},
		"engine that grows":    {func(r *report) { r.Engine[1].Growth = 1.16 }, []string{"dearer per doubling"}},
		"slow pop":             {func(r *report) { r.Pops[0].Both = sum(1, 31) }, []string{"p99 with 1000 people"}},
		"slow desk":            {func(r *report) { r.Arrivals[0].Pop = sum(5, 31) }, []string{"person on the desk"}},
		"nothing was measured": {func(r *report) { r.Arrivals[0].Time, r.Arrivals[2].Time = sum(0, 0), sum(0, 0) }, []string{"median, C3i to bare ARI", "p99 of C3i"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := goodReport()
			test.change(r)
			r.judge()
			var missed []string
			for _, g := range r.Targets {
				if !g.Met {
					missed = append(missed, g.What)
				}
			}
			if len(missed) != len(test.missed) || r.missed() != len(missed) {
				t.Fatalf("missed %q, want %q", missed, test.missed)
			}
			for i, want := range test.missed {
				if !strings.Contains(missed[i], want) {
					t.Errorf("missed %q, want %q", missed[i], want)
				}
			}
		})
	}
}

func TestReportSaysWhatWentWrong(t *testing.T) {
	r := goodReport()
	r.Arrivals[1].Faults = []string{"a caller was not answered", "a caller was not answered"}
	r.Arrivals[1].Failed = 2
	r.Backlog[0].Time = sum(9, 20)
	r.judge()
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"app_queue at 20 calls/s: 2 × a caller was not answered", "NOT MET", "2 FAULTS", "events/s", "screen-pop", "Screen-pop"} {
		if want != "screen-pop" && !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "exactly one phone") {
		t.Error("the report praises what failed")
	}
}

func TestReportAsJSON(t *testing.T) {
	r := goodReport()
	r.Arrivals[2].Time = measure.Summary{} // a ratio to nothing is no JSON number
	r.judge()
	name := filepath.Join(t.TempDir(), "figures.json")
	must(t, r.save(name))
	b, err := os.ReadFile(name)
	must(t, err)
	var back report
	must(t, json.Unmarshal(b, &back))
	if len(back.Targets) != len(r.Targets) || back.Backlog[1].Time.Median != 400 {
		t.Errorf("read back %+v", back)
	}
}

func TestPoolingRounds(t *testing.T) {
	var f callFigure
	for _, ms := range []int{4, 8} {
		f.add(callFigure{
			Calls: 2, Faults: []string{"x"}, samples: []time.Duration{time.Duration(ms) * time.Millisecond},
			took: time.Second, busyController: 6 * time.Millisecond, busyAsterisk: 8 * time.Millisecond, busyOthers: time.Second / 2,
		})
	}
	f.finish()
	if f.Calls != 4 || f.Failed != 2 || f.Time != (measure.Summary{Count: 2, Median: 4, P90: 8, P99: 8, Max: 8}) {
		t.Errorf("pooled %+v", f)
	}
	if f.CPU != (usage{Controller: 3, Asterisk: 4}) || f.Others != 0.5 {
		t.Errorf("processor time %+v, others %v", f.CPU, f.Others)
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, n := range []int{4, 10, 11, 150, 1000} {
		total := 0
		for round := range 4 {
			total += share(n, 4, round)
		}
		if total != n {
			t.Errorf("the shares of %d are %d", n, total)
		}
	}
	if share(1, 4, 0) != 1 {
		t.Error("a round has no call")
	}
}

func TestPerDoubling(t *testing.T) {
	tests := map[string]struct {
		a, b float64
		m, n int
		want float64
	}{
		"one doubling":  {100, 110, 5000, 10000, 1.1},
		"two doublings": {100, 121, 1000, 4000, 1.1},
		"nothing":       {0, 110, 5000, 10000, 0},
		"the same size": {100, 110, 5000, 5000, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := perDoubling(test.a, test.b, test.m, test.n); got < test.want-1e-9 || got > test.want+1e-9 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		args []string
		bad  string
	}{
		"defaults":        {nil, ""},
		"one part":        {[]string{"--parts", "engine"}, ""},
		"unknown part":    {[]string{"--parts", "engines"}, "--parts"},
		"unknown flag":    {[]string{"--part", "engine"}, "not defined"},
		"stray argument":  {[]string{"engine"}, "not a flag"},
		"rate not number": {[]string{"--rates", "fast", "--calls", "1"}, "--rates"},
		"rate of nothing": {[]string{"--rates", "0", "--calls", "1"}, "--rates"},
		"rate NaN":        {[]string{"--rates", "NaN", "--calls", "1"}, "--rates"},
		"lists differ":    {[]string{"--rates", "1,2", "--calls", "1"}, "as many"},
		"no handlers":     {[]string{"--handlers", "0"}, "--handlers"},
		"too few phones":  {[]string{"--handlers", "5"}, "--backlog-handlers"},
		"no rounds":       {[]string{"--rounds", "0"}, "--rounds"},
		"too many people": {[]string{"--people", "2000000"}, "--people"},
		"negative hold":   {[]string{"--hold", "-1s"}, "--hold"},
		"too many calls":  {[]string{"--rates", "1", "--calls", "9000"}, "--calls"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			_, err := parse(test.args, &said)
			switch {
			case test.bad == "" && err != nil:
				t.Error(err)
			case test.bad != "" && (err == nil || !strings.Contains(err.Error(), test.bad)):
				t.Errorf("got %v, want something about %q", err, test.bad)
			}
		})
	}
	var out, said bytes.Buffer
	if code := run(t.Context(), []string{"--parts", "none"}, &out, &said); code != 2 || out.Len() > 0 || said.Len() == 0 {
		t.Errorf("wrong flags give code %d", code)
	}
}
