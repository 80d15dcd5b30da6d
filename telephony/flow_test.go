package telephony_test

import (
	"io/fs"
	"testing"
	"time"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// frontDoor is the flow callers of the product meet.
func frontDoor(t *testing.T) *ivr.Flow {
	t.Helper()
	names, err := fs.Glob(configs.Files, "prompts/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no prompts: %v", err)
	}
	var files []ivr.PromptFile
	for _, n := range names {
		src, err := configs.Files.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, ivr.PromptFile{Name: n, Src: src})
	}
	catalogue, problems := ivr.LoadCatalogue(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	src, err := configs.Files.ReadFile("flows/front-door.yaml")
	if err != nil {
		t.Fatal(err)
	}
	flow, problems := ivr.Load("front-door.yaml", src, catalogue)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return flow
}

func TestTheFrontDoor(t *testing.T) {
	flow := frontDoor(t)
	through := func(o *telephony.Options) { o.Sessions = telephony.FlowSessions(func() *ivr.Flow { return flow }) }
	t.Run("a caller reports a crime and is answered", func(t *testing.T) {
		inBubble(t, through, func(t *testing.T, r *rig) {
			r.router.SignOn("ann")
			ch := r.call()
			r.pass(500 * time.Millisecond)
			r.sw.Press(ch, "1") // English, over the welcome
			r.pass(500 * time.Millisecond)
			r.sw.Press(ch, "1") // a crime
			r.pass(4 * time.Second)
			ev, ok := switchtest.First[routing.ContactArrived](r.router.Events())
			if !ok || ev.Facts.Answers["menu"] != "crime" || ev.Facts.Language != "en" {
				t.Fatalf("arrived = %+v", ev)
			}
			if !r.sw.Now().Hear(ch, r.leg()) {
				t.Errorf("not connected: %+v", r.sw.Now())
			}
			r.sw.HangUp(ch)
		})
	})
	t.Run("a caller in danger presses 9", func(t *testing.T) {
		inBubble(t, through, func(t *testing.T, r *rig) {
			ch := r.call()
			r.sw.Press(ch, "9")
			r.pass(0)
			if v := r.sw.Now(); len(v.Handed) != 1 || v.Handed[0].To.Context != "emergency" {
				t.Fatalf("handed = %+v", v.Handed)
			}
			r.verdict("transferred", 1)
		})
	})
	t.Run("a caller who presses nothing comes to a handler", func(t *testing.T) {
		inBubble(t, through, func(t *testing.T, r *rig) {
			ch := r.call()
			r.pass(3 * time.Minute)
			r.state(telephony.StateWaiting)
			r.sw.HangUp(ch)
		})
	})
	t.Run("a caller hangs up at every second", func(t *testing.T) {
		for s := range 30 {
			inBubble(t, through, func(t *testing.T, r *rig) {
				ch := r.call()
				r.pass(time.Duration(s) * time.Second)
				r.sw.HangUp(ch)
				r.pass(time.Second)
				if got := r.ledger.Entries(); len(got) != 1 || got[0].Ending != contact.LeftInIVR {
					t.Errorf("after %d s: ledger = %+v", s, got)
				}
			})
		}
	})
}
