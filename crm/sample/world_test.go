package sample_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm"
	"example.org/c3i/crm/sample"
)

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "crm"}})
}

var now = contact.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

func world(seed uint64) sample.World {
	return sample.New(sample.Options{Seed: seed, People: 20_000, Contacts: 9_001, Reports: 1_500, Now: now})
}

func TestTheSameSeedMakesTheSameWorld(t *testing.T) {
	a, b, other := world(1), world(1), world(2)
	for _, n := range []int{0, 1, 77, 8_999} {
		if diff := cmp.Diff(a.Person(n), b.Person(n)); diff != "" {
			t.Errorf("person %d differs: %s", n, diff)
		}
		if diff := cmp.Diff(a.Contact(n), b.Contact(n)); diff != "" {
			t.Errorf("contact %d differs: %s", n, diff)
		}
		if a.Person(n).ID == other.Person(n).ID || a.Contact(n).ID == other.Contact(n).ID {
			t.Errorf("another seed makes the same %d", n)
		}
	}
}

func TestNobodyReal(t *testing.T) {
	w := world(1)
	number := regexp.MustCompile(`^(\+447700900\d{3}|\+442079460\d{3}|\+44(113|114|115|116|117|118|121|131|141|151|161)4960\d{3}|\+441914980\d{3}|\+442896496\d{3}|\+442920180\d{3}|\+441632960\d{3}|\+999\d{9})$`)
	address := regexp.MustCompile(`^[a-z]+\.[a-z]*[0-9]+@(mail\.)?example\.(org|com|net)$`)
	postcode := regexp.MustCompile(`^ZY\d{1,2} \d[A-Z]{2}$`)
	seen := map[string]bool{}
	for n := range w.People() {
		p := w.Person(n)
		for _, v := range p.Numbers {
			if !number.MatchString(v) {
				t.Fatalf("number %s is not one kept for drama", v)
			}
			if strings.HasPrefix(v, "+999") != (n >= sample.Numbers) {
				t.Fatalf("person %d has number %s", n, v)
			}
			if crm.Canonical(v, "GB") != v {
				t.Fatalf("number %s is not canonical: %s", v, crm.Canonical(v, "GB"))
			}
			if seen[v] {
				t.Fatalf("number %s is two people's", v)
			}
			seen[v] = true
		}
		for _, v := range p.Emails {
			if !address.MatchString(v) {
				t.Fatalf("address %s", v)
			}
		}
		for _, a := range p.Addresses {
			if !postcode.MatchString(a.Postcode) {
				t.Fatalf("postcode %s", a.Postcode)
			}
		}
	}
}

func TestContactsAndReportsBelongTogether(t *testing.T) {
	w := world(3)
	byReport := map[crm.ReportID]crm.Record{}
	ids := map[contact.ID]bool{}
	channels := map[contact.Channel]int{}
	var last contact.Instant
	for n := range w.Contacts() {
		c := w.Contact(n)
		if ids[c.ID] {
			t.Fatalf("two contacts have id %s", c.ID)
		}
		ids[c.ID] = true
		channels[c.Channel]++
		if c.Arrival > now || c.Arrival < last.Add(-3*contact.Day) {
			t.Fatalf("contact %d came at %s after one at %s", n, c.Arrival, last)
		}
		last = c.Arrival
		if c.Ended < c.Arrival || c.Ending == "" || c.Ending == contact.Answered && (c.Handler == "" || c.Outcome.Code == "") {
			t.Fatalf("contact %d did not end: %+v", n, c)
		}
		if c.Report != "" {
			byReport[c.Report] = c
		}
	}
	if len(byReport) != w.Reports() {
		t.Fatalf("%d contacts made reports, want %d", len(byReport), w.Reports())
	}
	for n := range w.Reports() {
		r, from := w.Report(n)
		c, ok := byReport[r.ID]
		if !ok || c.ID != from.ID {
			t.Fatalf("report %d was made in no contact", n)
		}
		delete(byReport, r.ID)
		if (len(r.Parties) > 0) != (c.Person != "") || len(r.Parties) > 0 && r.Parties[0].Person != c.Person {
			t.Fatalf("report %d has parties %+v, its contact is %s's", n, r.Parties, c.Person)
		}
		if r.Summary == "" || strings.ContainsAny(r.Summary, "{}") {
			t.Fatalf("report %d says %q", n, r.Summary)
		}
	}
	if channels[contact.Phone] < 7000 || channels[contact.Email] < 500 || channels[contact.Web] < 200 {
		t.Errorf("channels = %v", channels)
	}
}

func BenchmarkContact(b *testing.B) {
	w := sample.New(sample.Options{Seed: 1, People: 1_000_000, Contacts: 3_000_000, Reports: 500_000, Now: now})
	n := 0
	for b.Loop() {
		w.Contact(n % w.Contacts())
		n += 7919
	}
}
