package contact_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
)

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]contact.Duration{
		"30s": 30 * contact.Second, "4h": 4 * contact.Hour, "2d": 2 * contact.Day, "1m30s": 90 * contact.Second,
	} {
		got, err := contact.ParseDuration(in)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "30", "soon", "2d3", "d"} {
		if _, err := contact.ParseDuration(in); err == nil || !strings.Contains(err.Error(), "length of time") {
			t.Errorf("ParseDuration(%q) error = %v; want one that says what to write", in, err)
		}
	}
}

func TestDurationRoundTripsAsText(t *testing.T) {
	b, err := json.Marshal(90 * contact.Second)
	if err != nil || string(b) != `"1m30s"` {
		t.Fatalf("marshal = %s, %v", b, err)
	}
	var d contact.Duration
	if err := json.Unmarshal(b, &d); err != nil || d != 90*contact.Second {
		t.Fatalf("unmarshal = %v, %v", d, err)
	}
	if err := json.Unmarshal([]byte("90"), &d); err == nil {
		t.Fatal("a bare number was taken for a length of time")
	}
}

func TestLocalFollowsSummerTime(t *testing.T) {
	london, err := contact.LoadZone("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	winter := contact.At(time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC))
	summer := contact.At(time.Date(2026, 7, 5, 23, 30, 0, 0, time.UTC))
	if got, want := london.Local(winter), (contact.Local{Date: "2026-01-05", Weekday: 1, Minute: 570}); got != want {
		t.Errorf("winter = %+v, want %+v", got, want)
	}
	if got, want := london.Local(summer), (contact.Local{Date: "2026-07-06", Weekday: 1, Minute: 30}); got != want {
		t.Errorf("summer = %+v, want %+v", got, want)
	}
	if _, err := contact.LoadZone("Europe/Londn"); err == nil {
		t.Error("an unknown zone was accepted")
	}
}

func TestIDsSortInOrderMade(t *testing.T) {
	fixed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := contact.NewIDs(func() time.Time { return fixed })
	last := ""
	for range 1000 {
		id := ids.New()
		if id <= last {
			t.Fatalf("%s does not sort after %s", id, last)
		}
		last = id
	}
}
