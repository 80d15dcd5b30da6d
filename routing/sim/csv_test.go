package sim

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
)

const goodTable = `time,channel,queue,language,dialled,answers.menu,vulnerable,contacts_30d,handling,wrap_up,patience
2014-10-31T09:00:05Z,phone,,en,101,crime,true,2,5m,60s,90
2014-10-31 08:00:00,email,,,,,,,,,
2014-10-31T09:00:01+00:00,phone,crime,pl,"101",other,no,,240,,
`

func london(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTable(t *testing.T) {
	table, err := ParseCSV("good.csv", strings.NewReader("\ufeff"+goodTable), london(t))
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != 3 {
		t.Fatalf("%d contacts", table.Len())
	}
	mail, pl, en := table.records[0], table.records[1], table.records[2]
	if mail.channel != contact.Email || !math.IsNaN(mail.talk) || !math.IsNaN(mail.patience) || mail.at.String() != "2014-10-31T08:00:00.000Z" {
		t.Errorf("%+v", mail)
	}
	if pl.facts.Language != "pl" || pl.queue != "crime" || pl.talk != 240 || pl.wrapUp != 0 || pl.facts.Vulnerable {
		t.Errorf("%+v", pl)
	}
	if en.talk != 240 || en.wrapUp != 60 || en.patience != 90 || !en.facts.Vulnerable || en.facts.Contacts30d != 2 || en.facts.Answers["menu"] != "crime" || en.facts.Dialled != "101" {
		t.Errorf("%+v %+v", en, en.facts)
	}
	// What the table gives is taken, the rest drawn from the model.
	source := FromTable(table, small(t))
	out, err := source.Outside(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if a := out.Arrivals[2]; a.Talk != 240 || a.WrapUp != 60 || a.Patience != 90 {
		t.Errorf("%+v", a)
	}
	if a := out.Arrivals[0]; !(a.Talk > 0) || a.Channel != contact.Email {
		t.Errorf("%+v", a)
	}
	if from, to := source.Period(); to.Sub(from) != contact.Day {
		t.Errorf("the period is %s", to.Sub(from))
	}
	r := run(t, Options{Plans: []PlanInput{{"small", smallPlan}}, Source: source, Replications: 2, Seed: 1})
	if e := r.Plans[0].Total.Figure(Offered); e.Mean != 3 {
		t.Errorf("%+v offered", e)
	}
}

func TestBadTables(t *testing.T) {
	head := "time,channel,handling,wrap_up\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":            {"", "bad.csv:1:1: a first line with the names of the columns is expected"},
		"no contact":         {head, "bad.csv:1:1: the table holds no contact"},
		"unknown column":     {"time,chanel\n", "bad.csv:1:6: chanel: no such column is known"},
		"column twice":       {"time,cli,cli\n", "bad.csv:1:10: cli: this column is named twice"},
		"no time":            {"channel\nphone\n", "bad.csv:1:1: time: a column time is expected"},
		"empty label":        {"time,answers.\n", "bad.csv:1:6: answers.: no such column"},
		"bad time":           {head + "2014-10-31T09:00:00Z,phone,,\nyesterday,phone,,\n", `bad.csv:3:1: time: "yesterday" is not a time: one such as 2014-10-31T18:05:00Z`},
		"time missing":       {head + ",phone,,\n", "bad.csv:2:1: time:"},
		"year 9999":          {head + "9999-10-31T09:00:00Z,phone,,\n", "from 1990 to 2100"},
		"unknown channel":    {head + "2014-10-31T09:00:00Z,pigeon,,\n", `bad.csv:2:22: channel: phone, email or web is expected, not "pigeon"`},
		"bad length":         {head + "2014-10-31T09:00:00Z,phone,soon,\n", `bad.csv:2:28: handling: a length of time such as 30s`},
		"negative length":    {head + "2014-10-31T09:00:00Z,phone,-3,\n", "bad.csv:2:28: handling: a length of time from 0 to 365 days"},
		"not a number":       {head + "2014-10-31T09:00:00Z,phone,NaN,\n", "bad.csv:2:28: handling:"},
		"wrap-up above all":  {head + "2014-10-31T09:00:00Z,phone,10,20\n", "bad.csv:2: handling: the handling time is expected to include the wrap-up"},
		"too few fields":     {head + "2014-10-31T09:00:00Z,phone\n", "bad.csv:2:1: this line has another number of fields"},
		"a quote left open":  {head + "\"2014,phone,,\n", "bad.csv:3:0"},
		"a quote in a field": {head + "2014-10-31T09:00:00Z,ph\"one,,\n", "bad.csv:2:24"},
		"a century":          {head + "2000-01-01T00:00:00Z,phone,,\n2099-01-01T00:00:00Z,phone,,\n", "bad.csv:3: time: all contacts are expected within 400 days"},
		"a very long field":  {head + "2014-10-31T09:00:00Z," + strings.Repeat("x", 300) + ",,\n", "at most 200 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCSV("bad.csv", strings.NewReader(c.text), london(t))
			var bad *InputError
			if !errors.As(err, &bad) {
				t.Fatalf("the error is %v", err)
			}
			if c.want == "bad.csv:3:0" {
				if bad.Line < 2 || bad.Code != "bad_csv" {
					t.Errorf("the error is %v", err)
				}
			} else if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzCSV(f *testing.F) {
	f.Add(goodTable)
	f.Add("time\n2014-10-31T09:00:00Z\n")
	f.Add("time,answers.\x00\n\"2014\n")
	f.Add("time,handling,wrap_up,patience\n2014-10-31 09:00:00,1e400,-0,0x1p3\n")
	location := time.UTC
	m, err := ParseModel("small.yaml", []byte(smallModel))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := ParseCSV("fuzz.csv", strings.NewReader(text), location)
		if err != nil {
			var bad *InputError
			if !errors.As(err, &bad) || bad.Line < 1 || bad.File != "fuzz.csv" || bad.Text == "" {
				t.Fatalf("the error does not tell where: %v", err)
			}
			return
		}
		s := FromTable(table, m)
		from, to := s.Period()
		out, err := s.Outside(1, 0)
		if err != nil {
			t.Fatal(err)
		}
		last := from
		for _, a := range out.Arrivals {
			if a.At < last || a.At >= to || !(a.Talk >= 0) || !(a.WrapUp >= 0) || !(a.Patience >= 0) {
				t.Fatalf("arrival %+v in %s to %s", a, from, to)
			}
			last = a.At
		}
	})
}
