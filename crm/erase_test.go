package crm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// dump is everything in Redis as one text.
func (w *world) dump() string {
	w.t.Helper()
	var b strings.Builder
	keys, err := w.redis.Keys(w.t.Context(), "*").Result()
	w.must(err)
	for _, k := range keys {
		switch kind, _ := w.redis.Type(w.t.Context(), k).Result(); kind {
		case "string":
			fmt.Fprintln(&b, k, w.redis.Get(w.t.Context(), k).Val())
		case "hash":
			fmt.Fprintln(&b, k, w.redis.HGetAll(w.t.Context(), k).Val())
		case "zset":
			fmt.Fprintln(&b, k, w.redis.ZRange(w.t.Context(), k, 0, -1).Val())
		case "set":
			fmt.Fprintln(&b, k, w.redis.SMembers(w.t.Context(), k).Val())
		}
	}
	return b.String()
}

func (w *world) ended(id contact.ID) {
	w.t.Helper()
	w.must(w.Ended(w.t.Context(), crm.Ending{ID: id, Queue: "crime", Handler: "ann", Answered: w.at(), At: w.at(), Ending: contact.Answered}))
}

// A contact stands on the timelines of all its person was merged into since.
func TestAContactIsErasedWhereverMergesCopiedIt(t *testing.T) {
	for name, after := range map[string]func(w *world, a, b crm.Person){
		"merged":           func(*world, crm.Person, crm.Person) {},
		"merged and split": func(w *world, a, _ crm.Person) { w.must(w.SplitPerson(t.Context(), a.ID, "two sisters")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.person(crm.Person{Name: "Ada", Numbers: []string{"07700 900301"}})
			b := w.person(crm.Person{Name: "Bea", Numbers: []string{"07700 900302"}})
			w.call("c1", "07700 900301")
			_, err := w.SaveNote(t.Context(), "c1", 0, "about the rhododendron", "ann")
			w.must(err)
			_, err = w.AddMessage(t.Context(), crm.Message{ID: "m1", Contact: "c1", Channel: contact.Email, Direction: crm.Incoming, Text: "the rhododendron"})
			w.must(err)
			w.ended("c1")
			w.must(w.MergePeople(t.Context(), a.ID, b.ID, "same"))
			after(w, a, b)
			gone, err := w.EraseContact(t.Context(), "c1")
			w.must(err)
			if len(gone) != 2 {
				t.Errorf("gone: %v", gone)
			}
			if text := w.dump(); strings.Contains(text, "rhododendron") {
				i := strings.Index(text, "rhododendron")
				t.Errorf("it is left: …%s…", text[max(0, i-200):i+20])
			}
			for _, p := range []crm.Person{a, b} {
				if tl, err := w.PersonTimeline(t.Context(), p.ID, 0, 10); err != nil || len(tl) != 0 {
					t.Errorf("%s's timeline: %v, %v", p.Name, tl, err)
				}
			}
			// Nothing is theirs any more: they may go, together or each.
			if name == "merged" {
				_, err = w.ErasePerson(t.Context(), b.ID)
				w.must(err)
			} else {
				for _, p := range []crm.Person{a, b} {
					_, err = w.ErasePerson(t.Context(), p.ID)
					w.must(err)
				}
			}
			for _, word := range []string{"Ada", "Bea", "same"} {
				if strings.Contains(w.dump(), word) {
					t.Errorf("%q is left", word)
				}
			}
		})
	}
}

// Who was merged had contacts that were copied; one of them turns out to be
// somebody else's.
func TestAContactMovedAfterAMergeLeavesEveryTimelineItWasOn(t *testing.T) {
	w := newWorld(t)
	a, b, x := w.person(crm.Person{Name: "Ada", Numbers: []string{"07700 900303"}}), w.person(crm.Person{Name: "Bea"}), w.person(crm.Person{Name: "Xan"})
	w.call("c1", "07700 900303")
	_, err := w.AddMessage(t.Context(), crm.Message{ID: "m1", Contact: "c1", Channel: contact.Email, Direction: crm.Incoming, Text: "hello"})
	w.must(err)
	w.must(w.MergePeople(t.Context(), a.ID, b.ID, "same"))
	w.must(w.Attach(t.Context(), "c1", x.ID))
	for p, want := range map[*crm.Person]int{&a: 0, &b: 0, &x: 2} {
		if tl, err := w.PersonTimeline(t.Context(), p.ID, 0, 10); err != nil || len(tl) != want {
			t.Errorf("%s's timeline has %d entries, %v; want %d", p.Name, len(tl), err, want)
		}
	}
}

func TestWhatHoldsARecord(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []string{"person", "report", "contact", "message"} {
		if err := w.SetHold(t.Context(), kind, "nobody", "inquiry"); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("a hold on a %s that is not there: %v", kind, err)
		}
	}
	a := w.person(crm.Person{Name: "Ada", Numbers: []string{"07700 900304"}})
	b, c := w.person(crm.Person{Name: "Bea"}), w.person(crm.Person{Name: "Cyd"})
	w.call("c1", "07700 900304")
	_, err := w.AddMessage(t.Context(), crm.Message{ID: "m1", Contact: "c1", Channel: contact.Email, Direction: crm.Incoming, Text: "hello"})
	w.must(err)
	w.ended("c1")
	w.must(w.MergePeople(t.Context(), a.ID, b.ID, "same"))
	w.must(w.MergePeople(t.Context(), c.ID, b.ID, "same too"))
	due := func() string {
		held := ""
		w.must(w.EachDisposable(t.Context(), func(d crm.Disposable) error {
			if d.Kind == "contact" && d.ID == "c1" {
				held = d.Held
			}
			return nil
		}))
		return held
	}
	for _, hold := range [][2]string{{"message", "m1"}, {"contact", "c1"}, {"person", string(a.ID)}, {"person", string(b.ID)}, {"person", string(c.ID)}} {
		w.must(w.SetHold(t.Context(), hold[0], hold[1], "inquiry"))
		if _, err := w.EraseContact(t.Context(), "c1"); !errors.Is(err, crm.ErrHeld) {
			t.Errorf("hold on %s: the contact is erased: %v", hold, err)
		}
		if _, err := w.EraseMessage(t.Context(), "m1"); !errors.Is(err, crm.ErrHeld) {
			t.Errorf("hold on %s: the message is erased: %v", hold, err)
		}
		if due() != "inquiry" {
			t.Errorf("hold on %s: the contact is listed as held by %q", hold, due())
		}
		w.must(w.SetHold(t.Context(), hold[0], hold[1], ""))
	}
	r := w.create(crm.Report{Summary: "x", Parties: []crm.Party{victim(a)}, Status: crm.StatusOpen}, "c1")
	if _, err := w.EraseReport(t.Context(), r.ID); !errors.Is(err, crm.ErrHeld) || !strings.Contains(err.Error(), "not closed") {
		t.Errorf("an open report: %v", err)
	}
	r = w.report(r.ID)
	r.Status = crm.StatusWithdrawn
	_, err = w.SaveReport(w.as("ann", ""), r)
	w.must(err)
	if _, err := w.EraseReport(t.Context(), r.ID); !errors.Is(err, crm.ErrHeld) || !strings.Contains(err.Error(), "review") {
		t.Errorf("a report before its review: %v", err)
	}
	w.wait(20 * 365 * contact.Day)
	for _, hold := range [][2]string{{"message", "m1"}, {"contact", "c1"}, {"report", string(r.ID)}, {"person", string(c.ID)}} {
		w.must(w.SetHold(t.Context(), hold[0], hold[1], "inquiry"))
		if _, err := w.EraseReport(t.Context(), r.ID); !errors.Is(err, crm.ErrHeld) {
			t.Errorf("hold on %s: the report is erased: %v", hold, err)
		}
		w.must(w.SetHold(t.Context(), hold[0], hold[1], ""))
	}
	_, err = w.EraseReport(t.Context(), r.ID)
	w.must(err)
}

// What one record loses another may still need: two messages that came with the
// same id, and with the same file.
func TestErasingOneOfTwoLeavesTheOther(t *testing.T) {
	w := newWorld(t)
	file := crm.Attachment{ID: "1", Blob: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
	for _, id := range []string{"1", "2"} {
		w.call(contact.ID("c"+id), "")
		_, err := w.AddMessage(t.Context(), crm.Message{
			ID: crm.MessageID("m" + id), Contact: contact.ID("c" + id), Channel: contact.Email, Direction: crm.Incoming, Text: "hello",
			MessageID: "same@example.org", Attachments: []crm.Attachment{file},
		})
		w.must(err)
		w.ended(contact.ID("c" + id))
	}
	_, err := w.EraseContact(t.Context(), "c2")
	w.must(err)
	if m, err := w.MessageByHeader(t.Context(), "same@example.org"); err != nil || m.ID != "m1" {
		t.Errorf("the other's id leads to %q, %v", m.ID, err)
	}
	left, err := w.Leaving(t.Context())
	w.must(err)
	named, err := w.NamedBlobs(t.Context(), nil)
	w.must(err)
	if len(left) != 1 || !named[left[0]] {
		t.Errorf("leaving: %v, named: %v", left, named)
	}
}
