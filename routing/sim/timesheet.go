package sim

import "example.org/c3i/contact"

// timesheet adds up handlers' time by hour of the day.
type timesheet struct {
	from, to contact.Instant
	// since is when adding up begins.
	since         contact.Instant
	hourOf        []uint8 // local hour of the day for each hour since from
	busy, staffed [24]float64
}

func (t *timesheet) addBusy(from, to contact.Instant)    { t.add(&t.busy, from, to) }
func (t *timesheet) addStaffed(from, to contact.Instant) { t.add(&t.staffed, from, to) }

func (t *timesheet) add(sum *[24]float64, from, to contact.Instant) {
	from, to = max(from, t.since), min(to, t.to)
	for from < to {
		n := int(from.Sub(t.from) / contact.Hour)
		end := min(to, t.from.Add(contact.Duration(n+1)*contact.Hour))
		sum[t.hour(from)] += end.Sub(from).Std().Seconds()
		from = end
	}
}

// hour is the local hour of the day at an instant.
func (t *timesheet) hour(at contact.Instant) int {
	n := int(at.Sub(t.from) / contact.Hour)
	if n < 0 || n >= len(t.hourOf) {
		return 0
	}
	return int(t.hourOf[n])
}

// hoursOf tells the local hour of the day for each hour of a period.
func hoursOf(zone contact.Zone, from, to contact.Instant) []uint8 {
	var list []uint8
	for at := from; at < to; at = at.Add(contact.Hour) {
		list = append(list, uint8(zone.Local(at).Minute/60))
	}
	return list
}

// hoursChanges lists when the plan's queues open and close in a period; those
// open at its beginning open at its first instant.
func hoursChanges(queues []queueHours, zone contact.Zone, from, to contact.Instant) []hoursChange {
	var list []hoursChange
	open := make([]bool, len(queues))
	calendars := false
	for _, q := range queues {
		calendars = calendars || q.open != nil
	}
	for at := from; at < to; at += contact.Instant(contact.Minute) - at%contact.Instant(contact.Minute) {
		var local contact.Local
		if calendars {
			local = zone.Local(at)
		}
		for i, q := range queues {
			if now := q.open == nil || q.open(local); now != open[i] {
				open[i] = now
				list = append(list, hoursChange{at, q.id, now})
			}
		}
		if !calendars {
			break
		}
	}
	return list
}
