package crm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// Clues are what somebody said about who they are. Any may be empty.
type Clues struct {
	Name        string // whole, when it is not known which part is which
	Given       string
	Surname     string
	DateOfBirth string // YYYY-MM-DD
	Numbers     []string
	Emails      []string
	Postcode    string
}

// How sure a match is. Nobody is merged on either: a person decides.
const (
	Certain = "certain"
	Maybe   = "maybe"
)

// Match is somebody the clues may mean. Because names what fits: number, email,
// name, name_sounds, date_of_birth, postcode; and what does not:
// date_of_birth_differs, name_differs.
type Match struct {
	Person    Person   `json:"person"`
	Certainty string   `json:"certainty"`
	Because   []string `json:"because"`
}

// candidates bounds how many people one key may propose.
const candidates = 300

// matchesListed bounds the answer of FindPeople.
const matchesListed = 50

// FindPeople tells whom clues may mean, the surest first. Certain is somebody
// whose name and date of birth fit and who is reached by a number, an address or
// a postcode given, or whose name and number or address fit when nobody else's do
// and nothing speaks against it; everybody else is maybe. No match means somebody
// new.
func (s *Store) FindPeople(ctx context.Context, c Clues) ([]Match, error) {
	s.tidyClues(&c)
	people, err := s.candidates(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("crm: find people: %w", err)
	}
	var out []Match
	for _, p := range people {
		m, ok := match(c, p)
		if !ok {
			continue
		}
		if p.MergedInto != "" {
			root, err := s.root(ctx, p.ID)
			if err != nil {
				return nil, err
			}
			if m.Person, err = s.person(ctx, root); errors.Is(err, ErrNotFound) {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		out = surest(out, m)
	}
	oneOf(out)
	slices.SortStableFunc(out, func(a, b Match) int {
		return cmp.Or(strings.Compare(a.Certainty, b.Certainty), cmp.Compare(weight(b), weight(a)),
			strings.Compare(a.Person.Name, b.Person.Name), strings.Compare(string(a.Person.ID), string(b.Person.ID)))
	})
	out = out[:min(len(out), matchesListed)]
	if err := s.seen(ctx, audit.Entry{Operation: audit.Search, Object: "person"}); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Person = redacted(ctx, []Person{out[i].Person})[0]
	}
	return out, nil
}

// surest adds a match, or lets it stand for its person when it says more than what
// was known: somebody may fit as what they were merged from.
func surest(out []Match, m Match) []Match {
	i := slices.IndexFunc(out, func(o Match) bool { return o.Person.ID == m.Person.ID })
	switch {
	case i < 0:
		return append(out, m)
	case m.Certainty == Certain && out[i].Certainty != Certain, m.Certainty == out[i].Certainty && weight(m) > weight(out[i]):
		out[i] = m
	}
	return out
}

func (s *Store) tidyClues(c *Clues) {
	c.Name, c.Given, c.Surname = oneSpaced(c.Name), oneSpaced(c.Given), oneSpaced(c.Surname)
	if c.Given == "" && c.Surname == "" {
		c.Given, c.Surname = parts(c.Name)
	}
	if _, err := time.Parse(time.DateOnly, c.DateOfBirth); err != nil {
		c.DateOfBirth = ""
	}
	var ignored faults
	c.Numbers = s.canonicalNumbers(&ignored, "", c.Numbers)
	c.Emails = canonicalEmails(&ignored, "", c.Emails)
	c.Postcode, _ = CanonicalPostcode(c.Postcode)
}

// parts takes the last word of a name for the surname.
func parts(name string) (given, surname string) {
	if i := strings.LastIndexByte(name, ' '); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// names are a person's given name and surname, from the whole when they are not
// kept apart.
func (p Person) names() (given, surname string) {
	if p.GivenName == "" && p.Surname == "" {
		return parts(p.Name)
	}
	return p.GivenName, p.Surname
}

// personKeys are the keyed hashes somebody is found under besides their lines.
func (s *Store) personKeys(p Person) []string {
	var postcodes []string
	for _, a := range p.Addresses {
		postcodes = append(postcodes, a.Postcode)
	}
	given, surname := p.names()
	return s.clueKeys(given, surname, p.DateOfBirth, postcodes)
}

func (s *Store) clueKeys(given, surname, born string, postcodes []string) []string {
	var keys []string
	if full := strings.TrimSpace(sound(given) + "/" + sound(surname)); full != "/" {
		keys = append(keys, s.hash("sounds:"+full))
	}
	if born != "" {
		keys = append(keys, s.hash("born:"+born))
	}
	for _, code := range postcodes {
		if code != "" {
			keys = append(keys, s.hash("postcode:"+code))
		}
	}
	return keys
}

func peopleByKey(hash string) string { return "{k:" + hash + "}:people" }

// candidates reads everybody who stands under any of the clues.
func (s *Store) candidates(ctx context.Context, c Clues) ([]Person, error) {
	var lines []*redis.StringSliceCmd
	var keyed []*redis.StringSliceCmd
	keys := s.clueKeys(c.Given, c.Surname, c.DateOfBirth, []string{c.Postcode})
	if len(c.Numbers)+len(c.Emails)+len(keys) == 0 {
		return nil, nil
	}
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, n := range c.Numbers {
			lines = append(lines, p.HKeys(ctx, linePeopleKey(s.line(n))))
		}
		for _, e := range c.Emails {
			lines = append(lines, p.HKeys(ctx, linePeopleKey(s.mailLine(e))))
		}
		for _, k := range keys {
			keyed = append(keyed, p.ZRange(ctx, peopleByKey(k), 0, candidates-1))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var ids []contact.PersonID
	for _, cmd := range append(lines, keyed...) {
		for _, id := range cmd.Val() {
			ids = append(ids, contact.PersonID(id))
		}
	}
	slices.Sort(ids)
	return s.people(ctx, slices.Compact(ids))
}

// match says what of the clues fits somebody, and whether that is enough to show
// them.
func match(c Clues, p Person) (Match, bool) {
	m := Match{Person: p, Certainty: Maybe}
	because := func(yes bool, what string) bool {
		if yes {
			m.Because = append(m.Because, what)
		}
		return yes
	}
	number := because(overlap(c.Numbers, p.Numbers), "number")
	mail := because(overlap(c.Emails, p.Emails), "email")
	given, surname := p.names()
	named := c.Given+c.Surname != "" && given+surname != ""
	same := named && folded(c.Given+" "+c.Surname) == folded(given+" "+surname)
	alike := named && !same && sound(c.Given) == sound(given) && sound(c.Surname) == sound(surname)
	because(same, "name")
	because(alike, "name_sounds")
	born := because(c.DateOfBirth != "" && c.DateOfBirth == p.DateOfBirth, "date_of_birth")
	post := because(c.Postcode != "" && slices.ContainsFunc(p.Addresses, func(a Place) bool { return a.Postcode == c.Postcode }), "postcode")
	half := named && !same && !alike && (c.Surname != "" && sound(c.Surname) == sound(surname) || c.Given != "" && sound(c.Given) == sound(given))
	// What one person alone can be asked about is shown: a shared birthday or
	// street is not enough.
	if enough := number || mail || same || alike || half && (born || post); !enough {
		return m, false
	}
	differs := because(c.DateOfBirth != "" && p.DateOfBirth != "" && !born, "date_of_birth_differs")
	because(named && !same && !alike, "name_differs")
	if same && !differs && (born && (number || mail || post) || number || mail) {
		m.Certainty = Certain
	}
	return m, true
}

// oneOf keeps certain only where it can be: of several whose name and number or
// address fit, only one whose date of birth fits too is certain.
func oneOf(matches []Match) {
	sure := 0
	for _, m := range matches {
		if m.Certainty == Certain {
			sure++
		}
	}
	if sure < 2 {
		return
	}
	born := slices.IndexFunc(matches, func(m Match) bool { return m.Certainty == Certain && slices.Contains(m.Because, "date_of_birth") })
	others := 0
	for i := range matches {
		if matches[i].Certainty == Certain && slices.Contains(matches[i].Because, "date_of_birth") {
			others++
		}
	}
	for i := range matches {
		if i != born || others > 1 {
			matches[i].Certainty = Maybe
		}
	}
}

func weight(m Match) int {
	w := 0
	for _, b := range m.Because {
		w += map[string]int{"number": 4, "email": 5, "name": 4, "name_sounds": 2, "date_of_birth": 4, "postcode": 2, "date_of_birth_differs": -3, "name_differs": -2}[b]
	}
	return w
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}
