package sim

import (
	"context"
	"errors"
	"math"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// record plays a day of the small centre and journals it.
func recordDay(t *testing.T, seed uint64) (*journal.Memory, *world) {
	t.Helper()
	o := Options{Plans: []PlanInput{{"small", smallPlan}}, Source: modelled(t, small(t), 1), Seed: seed}
	p, err := prepare(o.Plans[0], 1, &o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.Source.Outside(seed, 0)
	if err != nil {
		t.Fatal(err)
	}
	store := journal.NewMemory(journal.Retention{})
	writer, err := store.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var records []journal.Record
	var chain []byte
	keep := func(at contact.Instant, ev routing.Event) {
		kind, data, err := journal.Encode(ev)
		if err != nil {
			t.Fatal(err)
		}
		r := journal.Record{Seq: uint64(len(records) + 1), At: at, Epoch: writer.Epoch(), Kind: kind, Event: data}
		r.Chain = journal.Link(chain, r)
		chain = r.Chain
		records = append(records, r)
	}
	engine := routing.New()
	published := routing.PlanPublished{Version: 1, Source: smallPlan, Plan: p.plan}
	engine.Step(out.From, published)
	keep(out.From, published)
	w := newWorld(engine, p.plan, out, p.hours, p.hourOf, idMark)
	w.listen = keep
	if err := w.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := writer.Append(context.Background(), records); err != nil {
		t.Fatal(err)
	}
	return store, w
}

// A journal tells what happened, and the same plan over it gives about the same
// again: the arrivals are exactly those, and waits and abandonment are near.
func TestAJournalIsMeasuredAndRunAgain(t *testing.T) {
	t.Log("seed 11")
	store, w := recordDay(t, 11)
	h, err := ReadHistory(context.Background(), store, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	answered, left, talks := 0, 0, 0
	var waited float64
	for _, v := range w.visits {
		if v.answered != 0 {
			answered++
			waited += v.answered.Sub(v.arrived).Std().Seconds()
			if v.over != 0 && v.channel == 0 {
				talks++
			}
		}
		if v.stage == leftShort || v.stage == leftLong {
			left++
		}
	}
	if h.Contacts != len(w.visits) || h.Answered != answered || h.Abandoned != left || len(h.Talk[contact.Phone]) != talks {
		t.Errorf("the journal tells %d contacts, %d answered, %d left, %d talks; there were %d, %d, %d, %d",
			h.Contacts, h.Answered, h.Abandoned, len(h.Talk[contact.Phone]), len(w.visits), answered, left, talks)
	}
	if h.Patience.Ended != left {
		t.Errorf("%d ends of patience, %d left", h.Patience.Ended, left)
	}
	near(t, "share missed", float64(h.Missed)/float64(h.Offers), float64(w.missed)/float64(w.offered), 0.008)
	if mean, err := h.Patience.ExponentialMean(); err != nil || math.Abs(mean-120) > 40 {
		t.Errorf("mean patience %.0f s (%v), drawn with 120 s", mean, err)
	}
	source := h.Source()
	if got := len(source.Profiles()); got != 2 {
		t.Errorf("%d profiles: %v", got, source.Profiles())
	}
	r := run(t, Options{Plans: []PlanInput{{"small", smallPlan}}, Source: source, Replications: 4, Seed: 12})
	total := r.Plans[0].Total
	near(t, "offered again", total.Figure(Offered).Mean, float64(h.Contacts), 0)
	near(t, "answered again", total.Figure(Answered).Mean, float64(answered), 0.03*float64(answered))
	near(t, "mean wait again", total.Figure(ASA).Mean, waited/float64(answered), 0.25*waited/float64(answered))
}

func TestAPartOfAJournal(t *testing.T) {
	store, w := recordDay(t, 13)
	from, to := monday.Add(9*contact.Hour), monday.Add(12*contact.Hour)
	h, err := ReadHistory(context.Background(), store, from, to)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, v := range w.visits {
		if v.arrived >= from && v.arrived < to {
			want++
		}
	}
	if h.Contacts != want || want == 0 {
		t.Errorf("%d contacts, there were %d", h.Contacts, want)
	}
	for _, s := range h.shifts {
		if s.From < from || s.To > to || s.From >= s.To {
			t.Errorf("shift %+v is not in the period", s)
		}
	}
	if len(h.shifts) < 6 {
		t.Errorf("%d shifts", len(h.shifts))
	}
	if _, err := ReadHistory(context.Background(), store, monday.Add(100*contact.Day), 0); !errors.Is(err, ErrEmptyHistory) {
		t.Errorf("an empty period gives %v", err)
	}
	if _, err := ReadHistory(context.Background(), journal.NewMemory(journal.Retention{}), 0, 0); !errors.Is(err, ErrEmptyHistory) {
		t.Errorf("an empty journal gives %v", err)
	}
}
