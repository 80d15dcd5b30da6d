package sim

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
)

func smallReport(t *testing.T, name string) *Report {
	t.Helper()
	return run(t, Options{
		Plans:  []PlanInput{{"plan.yaml", smallPlan}, {name, strings.Replace(smallPlan, "queue: crime}", "queue: crime, risk_to_life: true}", 1)}},
		Source: modelled(t, small(t), 1), Replications: 3, Seed: 8,
	})
}

// The page must stand alone, must not run anything, must not trust a plan's name,
// and must give each chart's figures as a table.
func TestPage(t *testing.T) {
	r := smallReport(t, `<script>alert("x")</script>`)
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "src=", "@import", "url(", "<link", "http-equiv", "onload", "NaN", "Inf"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, address := range regexp.MustCompile(`https?://[^"]*`).FindAllString(page, -1) {
		if address != "http://www.w3.org/2000/svg" {
			t.Errorf("the page points to %s", address)
		}
	}
	charts := strings.Count(page, `role="img"`)
	if tables := strings.Count(page, ": table</summary>"); charts < 5 || tables != charts {
		t.Errorf("%d charts, %d tables of theirs", charts, tables)
	}
	for _, want := range []string{`<html lang="en-GB">`, "At / (A + B)", "Skip to the figures", "paired", "not significant", "Seed 8", "Skip"} {
		if !strings.Contains(html.UnescapeString(page), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if opened, closed := strings.Count(page, "<table"), strings.Count(page, "</table>"); opened != closed {
		t.Errorf("%d tables opened, %d closed", opened, closed)
	}
}

func TestTextCSVAndJSONTellTheSame(t *testing.T) {
	r := smallReport(t, "draft.yaml")
	var text, table bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"seed 8", "SL-3 = At / (A + B)", "PLAN plan.yaml", "PLAN draft.yaml", "DIFFERENCE draft.yaml less plan.yaml", "not significant", "By hour of arrival"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not hold %q", want)
		}
	}
	if err := r.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cells := map[string]string{}
	for _, l := range lines[1:] {
		cells[strings.Join(l[:5], "|")] = l[5]
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for _, p := range back.Plans {
		for _, rows := range [][]Row{{p.Total}, p.Queues, p.Channels, p.Hours, p.Cells} {
			if len(rows) == 0 {
				t.Errorf("%s: rows are missing", p.Name)
			}
			for _, row := range rows {
				hour := ""
				if row.Hour >= 0 {
					hour = plain(float64(row.Hour))
				}
				key := strings.Join([]string{p.Name, string(row.Queue), string(row.Channel), hour, string(Offered)}, "|")
				if got := cells[key]; got != plain(row.Figure(Offered).Mean) {
					t.Errorf("%s: CSV %q, JSON %g", key, got, row.Figure(Offered).Mean)
				}
			}
		}
	}
}

// domain.md's example of the five formulas.
func TestServiceLevelFormulas(t *testing.T) {
	s := &sums{answered: 1000, within: 860, short: 10, long: 50, leftWithin: 20}
	want := map[string]float64{"SL-1": 0.830, "SL-2": 0.860, "SL-3": 0.811, "SL-4": 0.827, "SL-5": 0.821}
	for _, f := range Formulas() {
		near(t, f.Name, f.of(s), want[f.Name], 0.0005)
		delete(want, f.Name)
	}
	if len(want) != 0 || Formulas()[0].Name != "SL-3" {
		t.Errorf("missing: %v; the default is %s", want, Formulas()[0].Name)
	}
}

func TestVerdicts(t *testing.T) {
	up := Definition{Better: 1}
	for want, e := range map[string]Estimate{"better": {2, 1, 5}, "worse": {-2, 1, 5}, "not significant": {1, 2, 5}, "the same": {0, 0, 5}, "one replication: cannot tell": estimate([]float64{3})} {
		if got := Verdict(up, e); got != want {
			t.Errorf("%+v is %q, want %q", e, got, want)
		}
	}
	if got := Verdict(Definition{}, Estimate{-2, 1, 5}); got != "lower" {
		t.Errorf("%q", got)
	}
	for v, want := range map[float64]string{-0.0004: "0.0 %", 0.123: "12.3 %", -0.5: "−50.0 %"} {
		if got := (Definition{Unit: Share}).value(v); got != want {
			t.Errorf("%g is written %q, want %q", v, got, want)
		}
	}
	if got := (Definition{Unit: Count}).value(1234567); got != "1,234,567" {
		t.Errorf("%q", got)
	}
}

func TestStaffMeetsTheTargetAndWastesLittle(t *testing.T) {
	m := small(t)
	m.PerDay = 600
	o := Options{Plans: []PlanInput{{"small", smallPlan}}, Source: modelled(t, m, 1), Replications: 4, Seed: 6}
	if raced {
		o.Replications = 2
	}
	t.Log("seed 6")
	p, err := Staff(t.Context(), o, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Met || p.Trials < 2 {
		t.Fatalf("met %t after %d trials", p.Met, p.Trials)
	}
	sum := 0
	for _, h := range p.Hours {
		if h.Arrivals > 0 && h.ServiceLevel.Mean < 0.8 {
			t.Errorf("%02d:00 has %.2f", h.Hour, h.ServiceLevel.Mean)
		}
		if h.Profiles["all"]+h.Profiles["general"] != h.Handlers {
			t.Errorf("%02d:00: %+v are not %d", h.Hour, h.Profiles, h.Handlers)
		}
		sum += h.Handlers
	}
	if sum != p.HandlerHours || sum > 24*12 {
		t.Errorf("%d handler hours, told %d", sum, p.HandlerHours)
	}
	var b bytes.Buffer
	if err := p.WriteText(&b); err != nil || !strings.Contains(b.String(), "per_hour: [") {
		t.Errorf("%v: %s", err, b.String())
	}
	if _, err := Staff(t.Context(), Options{Plans: o.Plans, Source: script{}}, 0.8); err == nil {
		t.Error("shifts that are facts were searched")
	}
}
