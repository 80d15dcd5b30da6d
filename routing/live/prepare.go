package live

import (
	"errors"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// prepared is a plan compiled before its turn.
type prepared struct {
	version int
	source  string
	plan    *routing.Plan
	zone    contact.Zone
}

func (p *prepared) is(version int, source string) bool {
	return p != nil && p.version == version && p.source == source
}

func (d *Driver) prepare(version int, source string) (*prepared, error) {
	compiled, err := d.o.Compile(version, source)
	if err != nil {
		return nil, err
	}
	if compiled == nil {
		return nil, errors.New("the compiler gave no plan")
	}
	return &prepared{version, source, compiled, d.zone(version, source)}, nil
}

// zone is the plan's time zone, or UTC when it cannot be told: opening hours
// then run on UTC, which is said aloud and stops nobody from routing.
func (d *Driver) zone(version int, source string) contact.Zone {
	zone, err := d.o.Zone(source)
	if err != nil {
		d.o.Log.Error().Err(err).Int("plan_version", version).Msg("the plan's time zone is not known: opening hours are taken in UTC")
		return contact.Zone{}
	}
	return zone
}

// compile gives the plan that was prepared, or compiles another source, as text
// that JSON had to mend is.
func (d *Driver) compile(version int, source string) (*routing.Plan, error) {
	if d.prepared.is(version, source) {
		return d.prepared.plan, nil
	}
	return d.o.Compile(version, source)
}
