package crm_test

import (
	"errors"
	"fmt"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

func TestNumberToRingBackIsKept(t *testing.T) {
	s, c := open(t)
	arrive(t, s, "c1", "07700 900123", start)
	if _, err := s.Callback(t.Context(), "c1"); !errors.Is(err, crm.ErrNotFound) {
		t.Fatalf("a number nobody kept: %v", err)
	}
	if err := s.KeepCallback(t.Context(), "c1", "020 7946 0018"); err != nil {
		t.Fatal(err)
	}
	// Another process reads it: it is in Redis.
	other, err := crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := other.Callback(t.Context(), "c1"); err != nil || n != "+442079460018" {
		t.Errorf("rung on %q, %v", n, err)
	}
	if r, err := s.Record(t.Context(), "c1"); err != nil || r.CallbackNumber != "+442079460018" || r.Number != "+447700900123" {
		t.Errorf("the record has %+v, %v", r, err)
	}
	// A record that is not there yet does not lose it.
	if err := s.KeepCallback(t.Context(), "c2", "07700 900124"); err != nil {
		t.Fatal(err)
	}
	arrive(t, s, "c2", "", start)
	if n, err := s.Callback(t.Context(), "c2"); err != nil || n != "+447700900124" {
		t.Errorf("rung on %q, %v", n, err)
	}
}

func TestNumbersThatAreNotRung(t *testing.T) {
	s, _ := open(t)
	save(t, s, crm.Person{Name: "marked", Safe: crm.SafeContact{UnsafeNumbers: []string{"07700 900200"}}, Numbers: []string{"07700 900201"}})
	save(t, s, crm.Person{Name: "never", Safe: crm.SafeContact{Rule: "never"}, Numbers: []string{"07700 900202"}})
	save(t, s, crm.Person{Name: "by post", Safe: crm.SafeContact{Rule: "limited", Methods: []string{"post"}}, Numbers: []string{"07700 900203"}})
	save(t, s, crm.Person{Name: "by telephone", Safe: crm.SafeContact{Rule: "limited", Methods: []string{"phone"}}, Numbers: []string{"07700 900204"}})
	for number, allowed := range map[string]bool{
		"07700 900201": true, "07700 900204": true, "020 7946 0018": true, "+44 121 496 0000": true, "0808 157 0192": true,
		"07700 900200": false, "07700 900202": false, "07700 900203": false,
		"999": false, "101": false, "18000": false, "": false, "alice": false,
		"0909 879 0000": false, "0871 123 4567": false, "070 1234 5678": false, "+1 202 555 0143": false, "+44": false,
	} {
		err := s.KeepCallback(t.Context(), "c", number)
		if allowed != (err == nil) || !allowed && !errors.Is(err, crm.ErrUnsafe) {
			t.Errorf("%q: %v, may be rung is %v", number, err, allowed)
		}
	}
	// Marked after it was kept.
	if err := s.KeepCallback(t.Context(), "c", "07700 900205"); err != nil {
		t.Fatal(err)
	}
	save(t, s, crm.Person{Name: "late", Safe: crm.SafeContact{UnsafeNumbers: []string{"+447700900205"}}})
	if _, err := s.Callback(t.Context(), "c"); !errors.Is(err, crm.ErrUnsafe) {
		t.Errorf("marked meanwhile: %v", err)
	}
}

func TestUnsafeLinesAreKnownOnArrival(t *testing.T) {
	s, _ := open(t)
	if f := arrive(t, s, "a", "07700 900300", start); f.UnsafeToCall {
		t.Error("a line nobody knows is unsafe")
	}
	p := save(t, s, crm.Person{Name: "one", Numbers: []string{"07700 900300"}})
	if f := arrive(t, s, "b", "07700 900300", start); f.UnsafeToCall {
		t.Error("a line nobody marked is unsafe")
	}
	p.Safe.UnsafeNumbers = []string{"07700 900300"}
	save(t, s, p)
	if f := arrive(t, s, "c", "07700 900300", start); !f.UnsafeToCall || f.Person != p.ID {
		t.Errorf("a marked line: %+v", f)
	}
	// It is enough that one of those who share it marked it.
	save(t, s, crm.Person{Name: "two", Numbers: []string{"07700 900300"}})
	f := arrive(t, s, "d", "07700 900300", start)
	if !f.UnsafeToCall || f.Person != "" {
		t.Errorf("a marked line of two people: %+v", f)
	}
	if r, err := s.Record(t.Context(), "d"); err != nil || !r.Facts.UnsafeToCall {
		t.Errorf("the record has %+v, %v", r.Facts, err)
	}
}

func TestHandlerWhoSpokeToThemLastIsPreferred(t *testing.T) {
	s, _ := open(t)
	day := func(n int) contact.Instant { return start.Add(contact.Duration(n) * contact.Day) }
	talked := func(id contact.ID, number, handler string, at contact.Instant) {
		t.Helper()
		arrive(t, s, id, number, at)
		e := crm.Ending{ID: id, Queue: "general", At: at.Add(contact.Minute), Ending: contact.AbandonedInQueue}
		if handler != "" {
			e.Handler, e.Answered, e.Ending = handler, at.Add(contact.Second), contact.Answered
		}
		if err := s.Ended(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	preferred := func(what string, number string, at contact.Instant, want string) {
		t.Helper()
		id := contact.ID(fmt.Sprint("asked ", what))
		f := arrive(t, s, id, number, at)
		if f.Preferred != want {
			t.Errorf("%s: prefers %q, want %q", what, f.Preferred, want)
		}
	}
	const line, mobile = "020 7946 0030", "07700 900400"
	preferred("nobody known", line, day(0), "")
	talked("c1", line, "ann", day(1))
	preferred("a line", line, day(2), "ann")
	talked("c2", line, "ben", day(3))
	talked("c3", line, "", day(4))
	preferred("the last who answered", line, day(5), "ben")
	preferred("too long ago", line, day(40), "")
	preferred("withheld", "", day(5), "")
	// A person has their own history, on whatever line.
	p := save(t, s, crm.Person{Name: "one", Numbers: []string{line, mobile}})
	arrive(t, s, "c4", mobile, day(6))
	if err := s.Ended(t.Context(), crm.Ending{ID: "c4", Handler: "cy", Answered: day(6), At: day(6), Ending: contact.Answered}); err != nil {
		t.Fatal(err)
	}
	f := arrive(t, s, "c5", line, day(7))
	if f.Person != p.ID || f.Preferred != "cy" {
		t.Errorf("a person who rings from another line: %+v", f)
	}
}
