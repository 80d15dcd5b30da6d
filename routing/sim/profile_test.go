package sim

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
)

func TestModelMakesWhatItSays(t *testing.T) {
	m := small(t)
	s := modelled(t, m, 28)
	out, err := s.Outside(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := float64(len(out.Arrivals))
	near(t, "contacts in four weeks", n, 28*900, 4*math.Sqrt(28*900))
	var mails, crime, vulnerable, hour17, talk float64
	last := out.From
	for _, a := range out.Arrivals {
		if a.At < last {
			t.Fatal("arrivals are not in order of time")
		}
		last = a.At
		if a.Channel == contact.Email {
			mails++
		}
		if a.Facts.Answers["menu"] == "crime" {
			crime++
			talk += a.Talk
			if a.Facts.Vulnerable {
				vulnerable++
			}
		}
		if m.Zone.Local(a.At).Minute/60 == 17 {
			hour17++
		}
	}
	near(t, "share of mail", mails/n, 0.15, 0.01)
	near(t, "share of crime", crime/n, 0.40, 0.015)
	near(t, "share of vulnerable", vulnerable/crime, 0.1, 0.012)
	near(t, "share of the hour from 17:00", hour17/n, 8.0/108, 0.006)
	near(t, "mean talk", talk/crime, 180, 8)
}

func TestGrowthWeekdaysAndSummerTime(t *testing.T) {
	text := strings.Replace(smallModel, "per_day: 900", "per_day: 700\nweekdays: {mon: 2, tue: 1, wed: 1, thu: 1, fri: 1, sat: 1, sun: 0}", 1)
	m, err := ParseModel("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// 26 October 2014 has 25 hours in London.
	s, err := m.Modelled("2014-10-20", 7, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	from, to := s.Period()
	if to.Sub(from) != 7*contact.Day+contact.Hour {
		t.Errorf("the week has %s", to.Sub(from))
	}
	out, _ := s.Outside(2, 0)
	var days [7]float64
	for _, a := range out.Arrivals {
		days[m.Zone.Local(a.At).Weekday]++
	}
	near(t, "Monday", days[1], 2100, 150)
	near(t, "Tuesday", days[2], 1050, 110)
	near(t, "Sunday", days[0], 0, 0)
	for _, bad := range []struct {
		start  string
		days   int
		growth float64
	}{{"yesterday", 1, 0}, {"", -1, 0}, {"", 4000, 0}, {"", 1, -1}, {"", 1, math.NaN()}} {
		if _, err := m.Modelled(bad.start, bad.days, bad.growth); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestShiftsFollowTheNumbers(t *testing.T) {
	shifts := shiftsOf("x", monday, []int{1, 2, 2, 0, 1})
	want := []Shift{
		{"x-0001", "x", monday, monday.Add(3 * contact.Hour)},
		{"x-0001", "x", monday.Add(4 * contact.Hour), monday.Add(5 * contact.Hour)},
		{"x-0002", "x", monday.Add(contact.Hour), monday.Add(3 * contact.Hour)},
	}
	if len(shifts) != len(want) {
		t.Fatalf("%+v", shifts)
	}
	for i := range want {
		if shifts[i] != want[i] {
			t.Errorf("shift %d is %+v, want %+v", i, shifts[i], want[i])
		}
	}
}

func TestBadProfiles(t *testing.T) {
	change := func(old, next string) string {
		if !strings.Contains(smallModel, old) {
			t.Fatalf("the model does not hold %q", old)
		}
		return strings.Replace(smallModel, old, next, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"not yaml":          {"name: [", "bad.yaml:1:"},
		"nothing":           {"", "bad.yaml:1:1: name"},
		"a list":            {"- 1\n", "bad.yaml:1:"},
		"unknown key":       {change("per_day: 900", "per_dya: 900"), "bad.yaml:5:1: unknown field \"per_dya\""},
		"wrong type":        {change("per_day: 900", "per_day: lots"), "bad.yaml:5:10"},
		"no volume":         {change("per_day: 900", "per_day: -4"), "bad.yaml:5:10: per_day: contacts a day are expected"},
		"bad date":          {change("start: 2014-10-27", "start: soon"), "bad.yaml:4:8: start: \"soon\" is not a date"},
		"23 hours":          {change("hours: [1, ", "hours: ["), "24 shares are expected, from midnight, not all of them 0; there are 23"},
		"a negative share":  {change("hours: [1, ", "hours: [-1, "), "bad.yaml:6:8: hours: shares of 0 or more"},
		"unknown law":       {change("law: exponential", "law: gaussian"), "bad.yaml:9:17: patience.law: constant, exponential, lognormal, empirical or never is expected, not \"gaussian\""},
		"mean under median": {change("median: 60s, mean: 100s", "median: 60s, mean: 10s"), "bad.yaml:8:10: wrap_up: the mean of a log-normal law is not below its median"},
		"no mean":           {change("law: exponential, mean: 2m", "law: exponential"), "patience.mean: mean is expected"},
		"bad length":        {change("mean: 2m", "mean: a while"), `bad.yaml:9:36: patience.mean: "a while" is not a length of time`},
		"missed above one":  {change("missed: 0.03", "missed: 3"), "answering.missed: a share from 0 to 1"},
		"unknown channel":   {change("channel: email", "channel: pigeon"), "bad.yaml:15:38: mix[3].channel: phone, email or web is expected"},
		"no share":          {change("share: 40", "share: 0"), "bad.yaml:12:26: mix[0].share: a share above 0"},
		"too many handlers": {change("per_hour: [1,", "per_hour: [100000,"), "bad.yaml:18:31: staff[0].per_hour[0]: a number of handlers"},
		"23 hours of staff": {change("per_hour: [1, ", "per_hour: ["), "24 numbers are expected, from midnight; there are 23"},
		"unknown day":       {change("{profile: all, ", "{profile: all, days: [noday], "), "staff[0].days: sun, mon"},
		"unknown weekday":   {change("per_day: 900", "per_day: 900\nweekdays: {noday: 1}"), "bad.yaml:6:19: weekdays.noday"},
		"six days":          {change("per_day: 900", "per_day: 900\nweekdays: {mon: 1}"), "all seven days"},
		"unknown zone":      {change("per_day: 900", "per_day: 900\ntime_zone: Mars/Olympus"), "bad.yaml:6:12: time_zone"},
		"too deep":          {"a: " + strings.Repeat("[", 500), "nested too deep"},
		"too large":         {strings.Repeat("# x\n", 100_000), "at most 262144 bytes"},
		"two documents":     {smallModel + "\n---\nname: other\n", "one document is expected"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseModel("bad.yaml", []byte(c.text))
			var bad *InputError
			if !errors.As(err, &bad) {
				t.Fatalf("the error is %v", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

// The profiles shipped work with the plan shipped, and the collapse shows the
// shares that were published when 999 goes first: 53 % of 101 and 3.9 % of 999
// not completed.
func TestShippedProfiles(t *testing.T) {
	names, err := filepath.Glob("../../configs/profiles/*.yaml")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d profiles: %v", len(names), err)
	}
	shipped := PlanInput{"plan.yaml", read(t, "../../configs/plan.yaml")}
	first := PlanInput{"999-first.yaml", read(t, "../../configs/profiles/plans/999-first.yaml")}
	replications := 2
	if raced {
		replications = 1
	}
	for _, name := range names {
		m, err := ParseModel(name, []byte(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		if m.Source == "" || m.Name+".yaml" != filepath.Base(name) {
			t.Errorf("%s is called %q and says of its source %q", name, m.Name, m.Source)
		}
		s, err := m.Modelled("", 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if raced && !strings.Contains(m.Name, "collapse") {
			continue // a busy day takes seconds under the race detector
		}
		plans := []PlanInput{shipped, first}
		if !strings.Contains(m.Name, "collapse") {
			plans = plans[:1]
		}
		r := run(t, Options{Plans: plans, Source: s, Replications: replications, Seed: 1})
		total := r.Plans[0].Total
		t.Logf("%s: %s offered, service level %s, abandon rate %s", m.Name, Definition{Unit: Count}.Write(total.Figure(Offered)),
			Definition{Unit: Share}.Write(total.Figure(ServiceLevel)), Definition{Unit: Share}.Write(total.Figure(AbandonRate)))
		if !strings.Contains(m.Name, "collapse") {
			if total.Figure(AbandonRate).Mean > 0.15 {
				t.Errorf("%s: %.1f %% abandon", m.Name, 100*total.Figure(AbandonRate).Mean)
			}
			continue
		}
		var offered, answered float64
		for _, row := range r.Plans[1].Queues {
			if row.Queue == "emergency-line" {
				near(t, "999 not completed", 1-row.Figure(Answered).Mean/row.Figure(Offered).Mean, 0.039, 0.01)
				continue
			}
			offered += row.Figure(Offered).Mean
			answered += row.Figure(Answered).Mean
		}
		near(t, "101 not completed", 1-answered/offered, 0.53, 0.03)
	}
}

func FuzzProfile(f *testing.F) {
	f.Add(smallModel)
	f.Add("name: x\nmix: [{share: .nan}]\n")
	f.Add("hours: &a [*a]\n")
	f.Add("talk: {law: empirical, times: [1, 2]}\n")
	if b, err := os.ReadFile("../../configs/profiles/large-force-2017-collapse.yaml"); err == nil {
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseModel("fuzz.yaml", []byte(text))
		if err != nil {
			var bad *InputError
			if !errors.As(err, &bad) || bad.Line < 1 || bad.Column < 1 || bad.Text == "" {
				t.Fatalf("the error does not tell where: %v", err)
			}
			return
		}
		m.PerDay = math.Min(m.PerDay, 2000)
		s, err := m.Modelled("", 1, 0)
		if err != nil {
			t.Fatalf("a model that was read cannot be used: %v", err)
		}
		out, err := s.Outside(1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range out.Arrivals {
			if a.At < out.From || a.At >= out.To || !(a.Talk >= 0) || !(a.WrapUp >= 0) || !(a.Patience >= 0) || a.Facts == nil {
				t.Fatalf("arrival %+v", a)
			}
		}
		if _, err := time.Parse(time.DateOnly, m.Start); err != nil {
			t.Fatal(err)
		}
	})
}
