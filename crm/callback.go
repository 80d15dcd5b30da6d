package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// KeepCallback keeps the number a contact's caller asked to be rung back on, in the
// contact's record. ErrUnsafe refuses one that is marked unsafe for anybody, and one
// that is not an ordinary line of the region: nobody can have the police ring an
// emergency line, a premium rate or the other side of the world.
func (s *Store) KeepCallback(ctx context.Context, id contact.ID, number string) error {
	n := Canonical(number, s.region)
	if err := s.mayRing(ctx, n); err != nil {
		return err
	}
	if err := s.set(ctx, id, aboutContact(audit.Alter, id, "callback_number"), []any{"callback_number", n}); err != nil {
		return fmt.Errorf("crm: keep the number to ring back: %w", err)
	}
	return nil
}

// Callback is the number a contact's caller is to be rung back on. ErrNotFound says
// that none is kept, ErrUnsafe that it has been marked unsafe since.
func (s *Store) Callback(ctx context.Context, id contact.ID) (string, error) {
	n, err := s.redis.HGet(ctx, contactKey(id), "callback_number").Result()
	if errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("number to ring contact %s back: %w", id, ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("crm: read the number to ring back: %w", err)
	}
	if err := s.mayRing(ctx, n); err != nil {
		return "", err
	}
	return n, nil
}

func (s *Store) mayRing(ctx context.Context, number string) error {
	if !ordinary(number, s.region) {
		return fmt.Errorf("number to ring back: %w", ErrUnsafe)
	}
	people, err := s.redis.HGetAll(ctx, linePeopleKey(s.line(number))).Result()
	if err != nil {
		return fmt.Errorf("crm: look whose number it is: %w", err)
	}
	marked, err := unsafeFor(number, people)
	if err != nil {
		return err
	}
	if marked {
		return fmt.Errorf("number to ring back: %w", ErrUnsafe)
	}
	return nil
}

// unsafeFor tells whether a number must not be rung for the sake of any of the people it
// may belong to.
func unsafeFor(number string, people map[string]string) (bool, error) {
	for _, text := range people {
		var p Person
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return false, fmt.Errorf("a person of the line cannot be read: %w", err)
		}
		if !p.Safe.mayRing(number) {
			return true, nil
		}
	}
	return false, nil
}

// mayRing tells whether a person may be rung on a number.
func (s SafeContact) mayRing(number string) bool {
	return s.Rule != "never" && (s.Rule != "limited" || slices.Contains(s.Methods, "phone")) && !slices.Contains(s.UnsafeNumbers, number)
}

// extraCharge are kinds of numbers that cost more than a call to somebody.
var extraCharge = []phonenumbers.PhoneNumberType{
	phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PERSONAL_NUMBER, phonenumbers.UAN, phonenumbers.PAGER,
}

// ordinary tells whether a canonical number is a line of the region that costs no more
// than a call to somebody. Numbers that no registry lists, such as those reserved for
// drama, count by how they begin: unlisted ones in ranges of extra charge are refused.
func ordinary(number, region string) bool {
	if !strings.HasPrefix(number, "+") {
		return false // a short code, or something that is no number
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) || int(parsed.GetCountryCode()) != phonenumbers.GetCountryCodeForRegion(region) {
		return false
	}
	if kind := phonenumbers.GetNumberType(parsed); kind != phonenumbers.UNKNOWN {
		return !slices.Contains(extraCharge, kind)
	}
	national := strconv.FormatUint(parsed.GetNationalNumber(), 10)
	return region != "GB" || strings.Trim(national[:1], "1237") == "" && !strings.HasPrefix(national, "70")
}
