package ivr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
)

// talk plays a talk about being rung back: digits, * and # are pressed, "." is the
// end of the playback, "t" the timer. It gives what was heard and how it ended.
func talk(t testing.TB, number, script string) (heard []string, end ivr.Effect) {
	t.Helper()
	c := ivr.NewCallback("pl", number)
	var play ivr.PlayID
	var timer ivr.TimerID
	take := func(effects []ivr.Effect) {
		for _, e := range effects {
			if end != nil {
				t.Fatalf("%+v comes after the end", e)
			}
			switch e := e.(type) {
			case ivr.Play:
				if play != 0 || timer != 0 {
					t.Fatal("it speaks while something plays or is timed")
				}
				var names []string
				for _, p := range e.Prompts {
					if p.Language != "pl" {
						t.Fatalf("it speaks %s", p.Language)
					}
					names = append(names, p.Name)
				}
				heard, play = append(heard, strings.Join(names, " ")), e.ID
			case ivr.StopPlay:
				if e.ID != play {
					t.Fatalf("it stops playback %d, %d plays", e.ID, play)
				}
				play = 0
			case ivr.StartTimer:
				if play != 0 || timer != 0 || e.After <= 0 {
					t.Fatal("it waits while something plays or is timed")
				}
				timer = e.ID
			case ivr.StopTimer:
				if e.ID != timer {
					t.Fatalf("it stops timer %d, %d runs", e.ID, timer)
				}
				timer = 0
			case ivr.RingBack, ivr.WaitOn:
				if play != 0 || timer != 0 {
					t.Fatal("it ends while something plays or is timed")
				}
				end = e
			default:
				t.Fatalf("%T is no effect of such a talk", e)
			}
		}
	}
	take(c.Step(ivr.Start{}))
	for _, r := range script {
		switch r {
		case '.':
			id := play
			play = 0
			take(c.Step(ivr.PlayDone{ID: id}))
		case 't':
			id := timer
			timer = 0
			take(c.Step(ivr.TimerFired{ID: id}))
		default:
			take(c.Step(ivr.Digit{Key: byte(r)}))
		}
		if end == nil && (play == 0) == (timer == 0) {
			t.Fatalf("after %q it awaits playback %d and timer %d", r, play, timer)
		}
	}
	return heard, end
}

func TestTalkAboutBeingRungBack(t *testing.T) {
	const mine = "callback_number digit_0 digit_7 digit_7 digit_0 digit_0 digit_9 digit_0 digit_0 digit_1 digit_2 digit_3 callback_confirm"
	const other = "callback_number digit_0 digit_2 digit_0 digit_7 digit_9 digit_4 digit_6 digit_0 digit_0 digit_0 digit_0 callback_confirm"
	const key = "callback_key_number"
	for _, tt := range []struct {
		name, number, script string
		heard                []string
		end                  ivr.Effect
	}{
		{"agrees at once", "07700900123", "1", []string{mine}, ivr.RingBack{Number: "07700900123"}},
		{"hears it out", "07700900123", ".1", []string{mine}, ivr.RingBack{Number: "07700900123"}},
		{"enters after the key", "07700900123", "#1", []string{mine}, ivr.RingBack{Number: "07700900123"}},
		{"would rather wait", "07700900123", "*", []string{mine}, ivr.WaitOn{}},
		{"another number", "07700900123", "202079460000#1", []string{mine, key, other}, ivr.RingBack{Number: "02079460000"}},
		{"another, ended by waiting", "07700900123", ".2.02079460000t.1", []string{mine, key, other}, ivr.RingBack{Number: "02079460000"}},
		{"withheld", "", "02079460000#1", []string{key, other}, ivr.RingBack{Number: "02079460000"}},
		{"withheld, waits on", "", "02*", []string{key}, ivr.WaitOn{}},
		{"not a line of one's own", "101", "", []string{key}, nil},
		{"not digits", "alice", "", []string{key}, nil},
		{"with a plus", "+442079460000", "1", []string{"callback_number digit_4 digit_4 digit_2 digit_0 digit_7 digit_9 digit_4 digit_6 digit_0 digit_0 digit_0 digit_0 callback_confirm"}, ivr.RingBack{Number: "+442079460000"}},
		{"too short", "", "999#", []string{key, "callback_wrong_number " + key}, nil},
		{"nothing keyed", "", "#", []string{key, "callback_wrong_number " + key}, nil},
		{"too long", "", "0123456789012345", []string{key, "callback_wrong_number " + key}, nil},
		{"wrong key", "07700900123", "5.1", []string{mine, "wrong_key " + mine}, ivr.RingBack{Number: "07700900123"}},
		{"silence", "07700900123", ".t.t.t", []string{mine, mine, mine}, ivr.WaitOn{}},
		{"mistakes run out", "", "1#2#3#", []string{key, "callback_wrong_number " + key, "callback_wrong_number " + key}, ivr.WaitOn{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heard, end := talk(t, tt.number, tt.script)
			if !slices.Equal(heard, tt.heard) || end != tt.end {
				t.Errorf("heard\n  %s\nand ended with %+v, want\n  %s\nand %+v", strings.Join(heard, "\n  "), end, strings.Join(tt.heard, "\n  "), tt.end)
			}
		})
	}
}

func TestTalkEndsWithTheCaller(t *testing.T) {
	c := ivr.NewCallback("en", "07700900123")
	c.Step(ivr.Start{})
	c.Step(ivr.HungUp{})
	if out := c.Step(ivr.Digit{Key: '1'}); len(out) != 0 {
		t.Errorf("somebody who is gone agreed: %+v", out)
	}
}

// FuzzCallback: whatever is pressed, the talk keeps its promises, and a number agreed
// to can be dialled.
func FuzzCallback(f *testing.F) {
	f.Add("07700900123", "1")
	f.Add("", ".02079460000#.1")
	f.Add("+44", "2*t..##")
	f.Fuzz(func(t *testing.T, number, script string) {
		if len(script) > 200 {
			return
		}
		script = strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789*#", r) {
				return r
			}
			return -1
		}, script)
		for i := range script {
			_, end := talk(t, number, script[:i+1])
			if end == nil {
				continue
			}
			if agreed, is := end.(ivr.RingBack); is && !ivr.Dialable(agreed.Number) {
				t.Fatalf("%q was agreed to", agreed.Number)
			}
			return
		}
	})
}

// What callers hear of their place never grows when what the engine says does not.
func TestAnnouncementsDoNotGrow(t *testing.T) {
	c := product(t)
	names := c.Names()
	rank := map[string]int{}
	for n := 1; n <= 250; n++ {
		got := ivr.Announcement(n, 0, false, false)
		if len(got) != 1 || !slices.Contains(names, got[0]) {
			t.Fatalf("number %d is said as %v", n, got)
		}
		if _, known := rank[got[0]]; !known {
			rank[got[0]] = n
		} else if n > 1 && ivr.Announcement(n-1, 0, false, false)[0] != got[0] {
			t.Fatalf("number %d is said as %s, a smaller one is not", n, got[0])
		}
	}
	last, said := 0, ""
	for m := range 100 {
		got := ivr.Announcement(0, contact.Duration(m+1)*contact.Minute, false, false)
		if len(got) != 1 || !slices.Contains(names, got[0]) {
			t.Fatalf("%d minutes are said as %v", m+1, got)
		}
		var minutes int
		if _, err := fmt.Sscanf(got[0], "wait_%d", &minutes); err != nil {
			minutes = 1000
		}
		if minutes < last || minutes < m+1 {
			t.Errorf("%d minutes are said as %s, fewer as %s", m+1, got[0], said)
		}
		last, said = minutes, got[0]
	}
	if got := ivr.Announcement(3, 4*contact.Minute, true, true); !slices.Equal(got, []string{"position_3", "wait_4", "wait_longer", "callback_offer"}) {
		t.Errorf("an announcement of everything is %v", got)
	}
}

func TestEveryLanguageSpeaksOfWaiting(t *testing.T) {
	for _, lang := range product(t).Languages {
		for _, name := range slices.Concat(ivr.AnnouncementPrompts(), ivr.CallbackPrompts()) {
			if _, spoken := lang.Prompts[name]; !spoken {
				t.Errorf("%s has no prompt %s", lang.English, name)
			}
		}
	}
}

func TestCallbackStep(t *testing.T) {
	src := `flow: ring
start: menu
safe: queue
steps:
  menu:
    menu: menu
    keys: {"1": ring-back, "2": queue}
  ring-back:
    callback: crime
    set: {}
  queue:
    route:
`
	f, problems := ivr.Load("ring.yaml", []byte(src), product(t))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Queues(), []string{"crime"}) || !slices.Equal(f.Callbacks(), []string{"crime"}) {
		t.Errorf("queues %v, callbacks %v", f.Queues(), f.Callbacks())
	}
	s := ivr.NewSession(f, ivr.Options{})
	s.Step(ivr.Start{})
	out := s.Step(ivr.Digit{Key: '1'})
	if r, is := out[len(out)-1].(ivr.Route); !is || !r.Callback || r.Queue != "crime" || s.Ending() != ivr.Routed {
		t.Errorf("a callback step ends with %+v, %s", out[len(out)-1], s.Ending())
	}
}
