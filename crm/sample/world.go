package sample

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// Options say how large a world is.
type Options struct {
	Seed     uint64
	People   int
	Contacts int
	// Reports is how many of the contacts made a report; a sixth when negative.
	Reports int
	// Now is when the world ends; contacts lie in the years before.
	Now contact.Instant
}

// World is a town's people and what they told. Everything is made when it is asked
// for and depends on the seed and its number alone, so that a world of millions
// takes no memory and may be made in any order.
type World struct{ o Options }

// New makes a world.
func New(o Options) World {
	if o.Reports < 0 {
		o.Reports = o.Contacts / 6
	}
	o.Reports = min(o.Reports, o.Contacts)
	return World{o}
}

// People tells how many there are.
func (w World) People() int { return w.o.People }

// Contacts tells how many there are.
func (w World) Contacts() int { return w.o.Contacts }

// Reports tells how many there are.
func (w World) Reports() int { return w.o.Reports }

// span is how far back contacts lie: less than what is kept without a report.
const span = 700 * contact.Day

// Streams keep what is drawn for one kind of thing apart from the others.
const (
	ofPerson = iota + 1
	ofContact
	ofReport
)

func (w World) draw(stream, n int) *rand.Rand {
	return rand.New(rand.NewPCG(w.o.Seed, uint64(stream)<<48|uint64(n)))
}

// id makes a ULID of a moment; the same for the same thing.
func id(r *rand.Rand, at contact.Instant) string {
	var e [10]byte
	binary.BigEndian.PutUint64(e[:], r.Uint64())
	binary.BigEndian.PutUint16(e[8:], uint16(r.Uint32()))
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(at.Time())) // fails after the year 10889
	_ = u.SetEntropy(e[:])                   // fails for other than ten bytes
	return u.String()
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// common picks one of a list whose first are the most common.
func common[T any](r *rand.Rand, of []T) T {
	f := r.Float64()
	return of[int(f*f*float64(len(of)))]
}

// Person makes the n-th person.
func (w World) Person(n int) crm.Person {
	r := w.draw(ofPerson, n)
	created := w.o.Now.Add(-contact.Duration(r.Int64N(int64(span))))
	g, s := common(r, given), common(r, surnames)
	if r.IntN(60) == 0 {
		s += "-" + pick(r, surnames)
	}
	p := crm.Person{
		ID: contact.PersonID(id(r, created)), Created: created, Changed: created, Name: g + " " + s, GivenName: g, Surname: s, Language: "en",
		DateOfBirth: w.o.Now.Time().AddDate(-16-min(r.IntN(70), r.IntN(90)), 0, -r.IntN(365)).Format(time.DateOnly),
		Gender:      []string{"Female", "Male", "Female", "Male", ""}[r.IntN(5)],
	}
	if n := number(n); n != "" {
		p.Numbers = []string{n}
	}
	if r.IntN(3) > 0 {
		p.Emails = []string{fmt.Sprintf("%s.%s%d@%s", plain(g), plain(s), n, pick(r, []string{"example.org", "example.com", "example.net", "mail.example.org"}))}
	}
	p.Addresses = []crm.Place{w.place(r)}
	switch r.IntN(20) {
	case 0:
		p.Language, p.WrittenLanguage = "pl", "pl"
	case 1:
		p.Language, p.WrittenLanguage = "bn", "bn"
	}
	p.Vulnerable, p.RepeatVictim = r.IntN(50) == 0, r.IntN(75) == 0
	if p.Vulnerable {
		p.Needs = []string{pick(r, needs)}
	}
	if r.IntN(8) == 0 {
		p.Remarks = pick(r, []string{"Prefers to be rung in the evening.", "Works nights.", "Speak slowly.", "Has a dog.", "The bell does not work."})
	}
	return p
}

// place makes an address in an area that does not exist.
func (w World) place(r *rand.Rand) crm.Place {
	return crm.Place{
		Premises: fmt.Sprint(1 + r.IntN(180)), Street: pick(r, streets) + " " + pick(r, ways), Town: common(r, towns), Source: "caller",
		Postcode: fmt.Sprintf("ZY%d %d%c%c", 1+r.IntN(60), r.IntN(10), "ABDEFGHJLNPQRSTUWXYZ"[r.IntN(20)], "ABDEFGHJLNPQRSTUWXYZ"[r.IntN(20)]),
	}
}

// plain spells a name for an address.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if i := strings.IndexRune("ąćęłńóśźżşéêãí", r); i >= 0 {
			return []rune("acelnoszzseeai")[len([]rune("ąćęłńóśźżşéêãí"[:i]))]
		}
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// drama are the ranges that Ofcom keeps for drama, a thousand numbers each:
// everything but its last three digits.
var drama = []string{
	"+447700900", "+44207946", "+44113496", "+44114496", "+44115496", "+44116496", "+44117496", "+44118496", "+44121496", "+44131496", "+44141496",
	"+44151496", "+44161496", "+44191498", "+44289649", "+44292018", "+441632960",
}

// Numbers is how many numbers are kept for drama. People beyond have one under a
// country code nobody has.
var Numbers = len(drama) * 1000

// number is the n-th person's: the reserved ranges' in turn, so that a small town
// has numbers of every kind.
func number(n int) string {
	if n >= Numbers {
		return fmt.Sprintf("+999%09d", n)
	}
	prefix := drama[n%len(drama)]
	local := n / len(drama)
	switch prefix {
	case "+447700900", "+441632960":
		return fmt.Sprintf("%s%03d", prefix, local)
	case "+44289649":
		return fmt.Sprintf("%s6%03d", prefix, local)
	}
	return fmt.Sprintf("%s0%03d", prefix, local)
}

// hours and days are how contacts spread, in per mille, for what is no emergency.
var (
	hours = []int{8, 5, 4, 3, 3, 5, 12, 30, 55, 78, 82, 78, 70, 68, 66, 64, 66, 68, 62, 54, 45, 35, 24, 15}
	days  = []int{133, 173, 134, 137, 137, 144, 142} // from Sunday
)

func weighted(r *rand.Rand, of []int) int {
	total := 0
	for _, w := range of {
		total += w
	}
	n := r.IntN(total)
	for i, w := range of {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}

// at is when the n-th contact came: they are in order, evenly over the days and
// by the hour within one.
func (w World) at(r *rand.Rand, n int) contact.Instant {
	day := w.o.Now.Add(-span).Add(contact.Duration(float64(span) * float64(n) / float64(max(w.o.Contacts, 1)))).Time().Truncate(24 * time.Hour)
	if r.IntN(170) > days[day.Weekday()] { // a quieter day gives some to its neighbour
		day = day.AddDate(0, 0, -1)
	}
	t := day.Add(time.Duration(weighted(r, hours))*time.Hour + time.Duration(r.IntN(3600))*time.Second)
	return min(contact.At(t), w.o.Now)
}

// approach is what is drawn first of a contact.
type approach struct {
	id      contact.ID
	at      contact.Instant
	channel contact.Channel
	who     int // a person's number, -1 for nobody
}

// approach draws the n-th contact's. Some people ring often, most once or twice,
// and some never say who they are.
func (w World) approach(n int) (approach, *rand.Rand) {
	r := w.draw(ofContact, n)
	a := approach{at: w.at(r, n), channel: contact.Phone, who: -1}
	a.id = contact.ID(id(r, a.at))
	switch c := r.IntN(100); {
	case c < 8:
		a.channel = contact.Email
	case c < 12:
		a.channel = contact.Web
	}
	if w.o.People > 0 && r.IntN(12) > 0 {
		a.who = r.IntN(w.o.People)
		if r.IntN(5) == 0 {
			a.who = r.IntN(max(1, w.o.People/100))
		}
	}
	return a, r
}

// Contact makes the n-th contact.
func (w World) Contact(n int) crm.Record {
	a, r := w.approach(n)
	rec := crm.Record{ID: a.id, Arrival: a.at, Channel: a.channel, Queue: pick(r, []string{"crime", "crime", "existing", "enquiries", "general"})}
	if a.who >= 0 {
		p := w.Person(a.who)
		rec.Person, rec.Facts.Person, rec.Facts.Language = p.ID, p.ID, p.Language
		rec.Facts.Vulnerable, rec.Facts.RepeatVictim = p.Vulnerable, p.RepeatVictim
		switch {
		case rec.Channel == contact.Phone && len(p.Numbers) > 0:
			rec.Number = p.Numbers[0]
			rec.Caller = contact.Caller{Number: rec.Number, CLI: contact.CLIPresented, Dialled: "101"}
		case rec.Channel == contact.Email && len(p.Emails) > 0:
			rec.Email = p.Emails[0]
		}
	}
	if rec.Channel == contact.Phone && rec.Number == "" {
		rec.Caller = contact.Caller{CLI: contact.CLIWithheld, Dialled: "101"}
	}
	rec.Facts.CLI, rec.Facts.Dialled = rec.Caller.CLI, rec.Caller.Dialled
	w.end(r, &rec)
	if w.reported(n) {
		r, cat := w.report(n)
		rec.Report = crm.ReportID(id(r, a.at))
		rec.Outcome.Code = "incident_recorded"
		if cat.crime {
			rec.Outcome.Code = "crime_recorded"
		}
	}
	return rec
}

// end lets a contact be handled, or given up.
func (w World) end(r *rand.Rand, rec *crm.Record) {
	waited := contact.Duration(r.ExpFloat64() * float64(40*contact.Second))
	if rec.Channel == contact.Phone && r.IntN(100) < 7 {
		rec.Ending, rec.Ended = contact.AbandonedInQueue, rec.Arrival.Add(waited)
		return
	}
	if rec.Channel != contact.Phone {
		waited = contact.Duration(r.ExpFloat64() * float64(2*contact.Hour))
		rec.Subject = pick(r, []string{"Report", "Question", "My report", "Something I saw", "Lost property"})
	}
	rec.Ending, rec.Handler = contact.Answered, fmt.Sprintf("handler%d", 1+r.IntN(40))
	rec.Answered = rec.Arrival.Add(waited)
	rec.Ended = rec.Answered.Add(contact.Duration(60+r.IntN(600)) * contact.Second)
	rec.Outcome.Code = pick(r, []string{"advice_given", "advice_given", "referred", "report_updated", "call_back", "misdirected"})
	if r.IntN(2) == 0 {
		rec.Note = crm.Note{Text: w.tell(r, categories[w.kind(r)]), Revision: 1, Author: rec.Handler, SavedAt: rec.Ended}
	}
}

// reported tells whether the n-th contact made a report: evenly so many.
func (w World) reported(n int) bool {
	return w.o.Reports > 0 && (n+1)*w.o.Reports/w.o.Contacts > n*w.o.Reports/w.o.Contacts
}

// contactOf is the contact that made the n-th report.
func (w World) contactOf(n int) int {
	c := ((n+1)*w.o.Contacts - 1) / w.o.Reports
	for ; c > 0 && (c+1)*w.o.Reports/w.o.Contacts > n+1; c-- {
	}
	for ; !w.reported(c) || (c+1)*w.o.Reports/w.o.Contacts != n+1; c++ {
	}
	return c
}

func (w World) kind(r *rand.Rand) int {
	weights := make([]int, len(categories))
	for i, c := range categories {
		weights[i] = c.weight
	}
	return weighted(r, weights)
}

// report draws the report that the n-th contact made.
func (w World) report(n int) (*rand.Rand, category) {
	r := w.draw(ofReport, n)
	return r, categories[w.kind(r)]
}

// tell makes up what was told.
func (w World) tell(r *rand.Rand, c category) string {
	return strings.NewReplacer(
		"{colour}", pick(r, colours), "{make}", pick(r, makes), "{thing}", pick(r, things), "{place}", pick(r, places), "{time}", pick(r, times),
	).Replace(pick(r, c.texts)) + " " + pick(r, tails)
}

// Report makes the n-th report and names the contact it was made in.
func (w World) Report(n int) (crm.Report, crm.Record) {
	c := w.contactOf(n)
	from := w.Contact(c)
	r, cat := w.report(c)
	rep := crm.Report{
		ID: crm.ReportID(id(r, from.Arrival)), Kind: crm.KindIncident, Created: from.Arrival, Changed: from.Arrival, Status: crm.StatusClosed, Channel: from.Channel,
		Category: cat.name, Opening: cat.opening, Summary: w.tell(r, cat), Place: w.place(r), Language: from.Facts.Language,
		From:       from.Arrival.Add(-contact.Duration(1+r.IntN(48)) * contact.Hour),
		Vulnerable: from.Facts.Vulnerable, RepeatVictim: from.Facts.RepeatVictim, Contacts: []contact.ID{from.ID},
	}
	if w.o.Now.Sub(rep.Created) < 30*contact.Day {
		rep.Status = crm.StatusOpen
	}
	rep.Retention = crm.Retention{Group: 3, Review: rep.Created.Add(6 * 365 * contact.Day)}
	if a, _ := w.approach(c); a.who >= 0 {
		p := w.Person(a.who)
		roles := []crm.PartyRole{crm.RoleReporter}
		if cat.crime {
			roles = append(roles, crm.RoleVictim)
		}
		rep.Parties = append(rep.Parties, crm.Party{Person: p.ID, Name: p.Name, Roles: roles})
	}
	switch cat.name {
	case "theft", "bicycle", "lost_property", "found_property":
		status := map[string]string{"lost_property": "lost", "found_property": "found"}[cat.name]
		if status == "" {
			status = "stolen"
		}
		rep.Property = []crm.Property{{
			ID: "1", Status: status, Category: cat.name, Description: pick(r, things), Make: pick(r, makes), Colour: pick(r, colours),
			ValuePence: int64(2000 + r.IntN(90000)), Unique: fmt.Sprintf("%c%c%06d", 'A'+rune(r.IntN(26)), 'A'+rune(r.IntN(26)), r.IntN(1_000_000)), UniqueType: "serial",
		}}
	case "vehicle":
		rep.Vehicles = []crm.Vehicle{{ID: "1", Status: "damaged", VRM: vrm(r), Make: pick(r, makes), Colour: pick(r, colours)}}
	}
	return rep, from
}

// vrm makes a vehicle's mark with the letters Q and I, which current marks do not
// have in these places.
func vrm(r *rand.Rand) string {
	l := func() rune { return 'A' + rune(r.IntN(26)) }
	return fmt.Sprintf("Q%c%02d%cI%c", l(), r.IntN(100), l(), l())
}
