package sim

import (
	"context"
	"math"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// What comes next is like what came: volume, mix, times and patience.
func TestTheRecentPastBecomesAModel(t *testing.T) {
	t.Log("seed 21")
	store, w := recordDay(t, 21)
	h, err := ReadHistory(context.Background(), store, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	base := small(t)
	base.PerDay *= 7 // wrong on purpose
	m := base.Recent(h, 10, h.To)
	near(t, "volume", m.expected(h.From, h.To), float64(len(w.visits)), 0.01*float64(len(w.visits)))
	shares := map[string]float64{}
	total := 0.0
	for _, k := range m.mix {
		shares[string(k.channel)+k.facts[0].Answers["menu"]] += k.share
		total += k.share
	}
	near(t, "all shares", total, 1, 1e-9)
	seen := map[string]float64{}
	for _, a := range w.out.Arrivals {
		seen[string(a.Channel)+a.Facts.Answers["menu"]] += 1 / float64(len(w.out.Arrivals))
	}
	for key, share := range seen {
		near(t, "share of "+key, shares[key], share, 0.01)
	}
	l := m.laws()[contact.Phone]
	mean := 0.0
	for _, x := range h.Talk[contact.Phone] {
		mean += x / float64(len(h.Talk[contact.Phone]))
	}
	near(t, "mean talk", l.talk.Mean(), mean, 0.1*mean)
	for _, says := range []string{"contacts in the journal's last", "mix: the journal's", "handling times, phone:", "Kaplan and Meier"} {
		if !strings.Contains(m.Source, says) {
			t.Errorf("source does not say %q: %s", says, m.Source)
		}
	}
}

// With no past the profile stands in, at the size of the centre.
func TestWithoutAPastTheProfileIsScaled(t *testing.T) {
	base := small(t)
	at := monday.Add(10 * contact.Hour)
	staffed := 0
	for _, n := range base.perHour(at, at.Add(1)) {
		staffed += n[0]
	}
	m := base.Recent(nil, 2*staffed, at)
	near(t, "volume", m.hourly(at), 2*base.hourly(at), 1e-6)
	if !strings.Contains(m.Source, "the profile "+base.Name) {
		t.Errorf("source: %s", m.Source)
	}
	few := &History{From: at, To: at.Add(contact.Hour), Contacts: 3, Talk: map[contact.Channel][]float64{}, WrapUp: map[contact.Channel][]float64{}}
	m = base.Recent(few, 2, at)
	near(t, "volume of three contacts", m.expected(few.From, few.To), 3, 0.01)
	if !strings.Contains(m.Source, "only 3 contacts") {
		t.Errorf("source: %s", m.Source)
	}
}

// A history that begins at a snapshot knows who was on duty then.
func TestAHistoryFromASnapshotKnowsItsShifts(t *testing.T) {
	t.Log("seed 22")
	store, _ := recordDay(t, 22)
	from := monday.Add(9 * contact.Hour)
	whole, err := ReadHistory(context.Background(), store, from, from.Add(2*contact.Hour))
	if err != nil {
		t.Fatal(err)
	}
	again := journal.NewMemory(journal.Retention{})
	writer, err := again.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	engine := routing.New()
	var kept journal.Snapshot
	err = store.Read(context.Background(), 1, func(r journal.Record) error {
		ev, err := journal.Decode(r.Kind, r.Event, plan.Load)
		if err != nil {
			return err
		}
		if r.At >= from.Add(-30*contact.Minute) && kept.Seq == 0 && r.Seq > 1 {
			state, err := engine.Snapshot()
			if err != nil {
				return err
			}
			h := engine.Hash()
			kept = journal.Snapshot{Seq: r.Seq - 1, At: r.At - 1, Hash: h[:], State: state}
		}
		engine.Step(r.At, ev)
		return writer.Append(context.Background(), []journal.Record{r})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.SaveSnapshot(context.Background(), kept); err != nil {
		t.Fatal(err)
	}
	part, err := ReadHistory(context.Background(), again, from, from.Add(2*contact.Hour))
	if err != nil {
		t.Fatal(err)
	}
	hours := func(h *History) (sum float64) {
		for _, s := range h.shifts {
			sum += s.To.Sub(s.From).Std().Hours()
		}
		return sum
	}
	if part.Contacts != whole.Contacts || part.Answered != whole.Answered || math.Abs(hours(part)-hours(whole)) > 1e-6 || hours(whole) == 0 {
		t.Errorf("from a snapshot: %d contacts, %d answered, %.3f hours on duty; from the beginning %d, %d, %.3f",
			part.Contacts, part.Answered, hours(part), whole.Contacts, whole.Answered, hours(whole))
	}
}
