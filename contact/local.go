package contact

import (
	"fmt"
	"time"
)

// Zone is a place's civil time, for opening hours. The zero value is UTC.
type Zone struct{ loc *time.Location }

// LoadZone finds a zone by its IANA name, for example "Europe/London".
func LoadZone(name string) (Zone, error) {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return Zone{}, fmt.Errorf("time zone %q is not known: use an IANA name such as Europe/London: %w", name, err)
	}
	return Zone{loc}, nil
}

// Local is a civil date and minute in some zone.
type Local struct {
	Date    string // 2006-01-02
	Weekday int    // 0 Sunday … 6 Saturday
	Minute  int    // minutes since midnight, 0 … 1439
}

// Local tells the civil time at an instant.
func (z Zone) Local(i Instant) Local {
	loc := z.loc
	if loc == nil {
		loc = time.UTC
	}
	t := i.Time().In(loc)
	return Local{Date: t.Format("2006-01-02"), Weekday: int(t.Weekday()), Minute: t.Hour()*60 + t.Minute()}
}
