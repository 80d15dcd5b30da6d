package crm

import (
	"context"

	"example.org/c3i/contact"
)

// Settle pays at once what Run would pay later.
func (s *Store) Settle(ctx context.Context) error { return s.settle(ctx, -contact.Day) }

// Sound tells how a name sounds.
func Sound(name string) string { return sound(name) }

// CheckName gives the code a name is refused with, or "".
func CheckName(name string) string {
	var f faults
	checkName(&f, "name", oneSpaced(name))
	if errs := FieldErrors(f.err()); len(errs) > 0 {
		return errs[0].Code
	}
	return ""
}
