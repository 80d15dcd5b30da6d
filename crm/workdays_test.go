package crm_test

import (
	"testing"
	"time"

	"example.org/c3i/crm"
)

// The dates are those published for England and Wales.
func TestBankHolidaysOfEnglandAndWales(t *testing.T) {
	published := map[string]bool{}
	for _, d := range []string{
		"2024-01-01", "2024-03-29", "2024-04-01", "2024-05-06", "2024-05-27", "2024-08-26", "2024-12-25", "2024-12-26",
		"2025-01-01", "2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25", "2025-12-25", "2025-12-26",
		"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28",
		"2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28",
		"2021-01-01", "2021-04-02", "2021-04-05", "2021-05-03", "2021-05-31", "2021-08-30", "2021-12-27", "2021-12-28",
	} {
		published[d] = true
	}
	c := crm.EnglandAndWales{}
	for _, year := range []int{2021, 2024, 2025, 2026, 2027} {
		for day := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
			weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
			want := !weekend && !published[day.Format(time.DateOnly)]
			if got := c.WorkingDay(day); got != want {
				t.Errorf("%s %s: working day %v, want %v", day.Weekday(), day.Format(time.DateOnly), got, want)
			}
		}
	}
	// New Year's Day 2022 was a Saturday, 2023 a Sunday.
	for _, d := range []string{"2022-01-03", "2023-01-02"} {
		if day, _ := time.Parse(time.DateOnly, d); c.WorkingDay(day) {
			t.Errorf("%s is a working day", d)
		}
	}
	moved := crm.EnglandAndWales{Extra: []string{"2022-06-02", "2022-06-03"}, Not: []string{"2022-05-30"}}
	for d, want := range map[string]bool{"2022-06-02": false, "2022-06-03": false, "2022-05-30": true, "2022-05-31": true} {
		if day, _ := time.Parse(time.DateOnly, d); moved.WorkingDay(day) != want {
			t.Errorf("%s: working day %v, want %v", d, !want, want)
		}
	}
}
