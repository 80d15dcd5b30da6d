package crm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// Over what a repeat was seen.
const (
	RepeatNumber  = "number"
	RepeatPerson  = "person"
	RepeatAddress = "address"
	// RepeatTold means that a handler marked it: they were told.
	RepeatTold = "told"
)

// mark computes the vulnerability and repeat markers of a report. A repeat is an
// earlier report of the same person, from the same number or at the same address
// in the months before it. Was is the report before the change, nil for a new one.
func (s *Store) mark(ctx context.Context, d *reportDocument, was *Report, people map[contact.PersonID]Person) error {
	told := slices.Contains(d.RepeatBecause, RepeatTold) || d.RepeatVictim && (was == nil || !was.RepeatVictim)
	d.RepeatBecause = nil
	type look struct {
		because string
		key     string
	}
	var looks []look
	for _, p := range d.Parties {
		if p.Person == "" || !slices.Contains(p.Roles, RoleVictim) && !slices.Contains(p.Roles, RoleReporter) {
			continue
		}
		if people[p.Person].Vulnerable {
			d.Vulnerable = true
		}
		root, err := s.root(ctx, p.Person)
		if err != nil {
			return err
		}
		looks = append(looks, look{RepeatPerson, personReportKeys(root)[0]})
	}
	for _, line := range d.Lines {
		looks = append(looks, look{RepeatNumber, lineReportsKey(line)})
	}
	if a := s.address(d.Place); a != "" {
		looks = append(looks, look{RepeatAddress, addressReportsKey(a)})
	}
	if len(looks) > 0 {
		until := milliseconds(d.Created)
		since := milliseconds(contact.At(d.Created.Time().AddDate(0, -s.clocks.Repeat, 0)))
		found := make([]*redis.StringSliceCmd, len(looks))
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, l := range looks {
				found[i] = p.ZRangeArgs(ctx, redis.ZRangeArgs{Key: l.key, Start: since, Stop: until, ByScore: true, Count: 2})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("crm: look for earlier reports: %w", err)
		}
		for i, l := range looks {
			earlier := slices.ContainsFunc(found[i].Val(), func(id string) bool { return id != string(d.ID) })
			if earlier && !slices.Contains(d.RepeatBecause, l.because) {
				d.RepeatBecause = append(d.RepeatBecause, l.because)
			}
		}
	}
	if told {
		d.RepeatBecause = append(d.RepeatBecause, RepeatTold)
	}
	slices.Sort(d.RepeatBecause)
	d.RepeatVictim = len(d.RepeatBecause) > 0
	return nil
}

// address is the keyed hash of a place that can be told from its neighbours, or
// "". A postcode alone is a street of them.
func (s *Store) address(p Place) string {
	premises, street := folded(p.Premises), folded(p.Street)
	switch {
	case p.Postcode != "" && premises != "":
		return s.hash("address:" + p.Postcode + "|" + premises)
	case p.Postcode != "" && strings.ContainsAny(street, "0123456789"):
		return s.hash("address:" + p.Postcode + "|" + strings.Trim(firstWord(street), ","))
	case premises != "" && street != "" && p.Town != "":
		return s.hash("address:" + premises + "|" + street + "|" + folded(p.Town))
	}
	return ""
}

func firstWord(s string) string {
	first, _, _ := strings.Cut(s, " ")
	return first
}

func addressReportsKey(hash string) string { return "{a:" + hash + "}:reports" }
