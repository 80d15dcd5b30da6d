package edge

import (
	"math"
	"testing"
	"time"
)

func TestHowLongTheNextByteIsWaitedFor(t *testing.T) {
	form := Patience{Stall: 30 * time.Second, Rate: 1000, Most: 30 * time.Second}
	file := Patience{Stall: 30 * time.Second, Rate: 1000, Most: time.Hour}
	begin := time.Unix(0, 0)
	for _, c := range []struct {
		name  string
		p     Patience
		after time.Duration // since it began
		moved int64
		want  time.Duration // since it began
	}{
		{"a form has 30 seconds", form, 0, 0, 30 * time.Second},
		{"a form that moves has no more", form, 20 * time.Second, 1 << 20, 30 * time.Second},
		{"a file that begins", file, 0, 0, 30 * time.Second},
		{"a file that moves", file, 10 * time.Minute, 1 << 20, 10*time.Minute + 30*time.Second},
		{"a file that drips has had its time", file, 10 * time.Minute, 20, 31 * time.Second},
		{"a file at its bound", file, time.Hour - time.Second, 1 << 30, time.Hour},
		{"a file of any size overflows nothing", file, time.Minute, math.MaxInt64 - 1000, 90 * time.Second},
	} {
		if got := c.p.until(begin, begin.Add(c.after), c.moved).Sub(begin); got != c.want {
			t.Errorf("%s: until %s, want %s", c.name, got, c.want)
		}
	}
	if got := (Patience{}).until(begin, begin, 0); !got.IsZero() {
		t.Errorf("no patience set: until %s, want never", got)
	}
	if got := file.writing(begin, 10_000).Sub(begin); got != 40*time.Second {
		t.Errorf("10 kB to a client: until %s, want 40s", got)
	}
}
