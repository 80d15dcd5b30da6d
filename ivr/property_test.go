package ivr_test

import (
	"strings"
	"testing"

	"example.org/c3i/ivr"

	"pgregory.net/rapid"
)

// TestSessionsKeepTheirPromises walks the flows at random under the auditor of
// the fuzz tests; likely inputs come more often than there.
func TestSessionsKeepTheirPromises(t *testing.T) {
	small, all := catalogue(t, "testdata/prompts/*.yaml"), product(t)
	for name, of := range map[string]struct {
		flow  *ivr.Flow
		known *ivr.Catalogue
	}{
		"desk":       {loadFlow(t, "testdata/flows/desk.yaml", small), small},
		"strict":     {loadFlow(t, "testdata/flows/strict.yaml", small), small},
		"front door": {loadFlow(t, "../configs/flows/front-door.yaml", all), all},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				inputs := rapid.SliceOfN(rapid.SampledFrom([]byte("\x01\x01\x01\x02\x02\x03\x05\x06\x070123456789*#A")), 0, 60).Draw(r, "inputs")
				newWatched(t, of.flow, of.known, ivr.Options{Dialled: "101"}).play(append([]byte{0}, inputs...))
			})
		})
	}
}

// TestEveryStateCanBeLeft visits every state that a bounded number of inputs
// can bring about in the front door, and hangs up and waits in each.
func TestEveryStateCanBeLeft(t *testing.T) {
	all := product(t)
	flow := loadFlow(t, "../configs/flows/front-door.yaml", all)
	inputs := []byte("\x01\x02\x0512479*#")
	seen := map[string]bool{}
	for paths := [][]byte{{0}}; len(paths) > 0; paths = paths[1:] {
		path := paths[0]
		key := stateKey(ivr.NewSession(flow, ivr.Options{}), path)
		if seen[key] || len(path) > 8 {
			continue
		}
		seen[key] = true
		newWatched(t, flow, all, ivr.Options{}).play(path)
		for _, in := range inputs {
			paths = append(paths, append(append([]byte(nil), path...), in))
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d states were visited", len(seen))
	}
}

// stateKey plays the path and tells states apart by what decides the future.
func stateKey(s *ivr.Session, path []byte) string {
	for _, b := range path {
		st := s.State()
		switch b {
		case 0:
			s.Step(ivr.Start{})
		case 1:
			s.Step(ivr.PlayDone{ID: st.Play})
		case 2:
			s.Step(ivr.TimerFired{ID: st.Timer})
		case 5:
			s.Step(ivr.TransferFailed{})
		default:
			s.Step(ivr.Digit{Key: b})
		}
	}
	st := s.State()
	key := []byte(st.Step + "|" + string(st.Ending) + "|" + st.Language + "|" + strings.Repeat("d", len(st.Keyed)) + "|" + st.Ahead + "|")
	for _, yes := range []bool{st.Play != 0, st.Leaving, st.Decided, st.Gone} {
		if yes {
			key = append(key, 'y')
		} else {
			key = append(key, 'n')
		}
	}
	return string(append(key, byte('0'+st.Tries)))
}

// A caller, or a machine, that goes round for ever is given to a handler.
func TestGoingRoundForEverEnds(t *testing.T) {
	c := catalogue(t, "testdata/prompts/*.yaml")
	for name, keys := range map[string]struct{ first, again string }{
		"menu that repeats itself": {"1", "*"},
		"number begun again":       {"12", "4*"},
	} {
		w := newWatched(t, loadFlow(t, "testdata/flows/desk.yaml", c), c, ivr.Options{})
		w.step(ivr.Start{})
		w.step(ivr.Digit{Key: keys.first[0]})
		w.step(ivr.PlayDone{ID: w.playing})
		for i := 1; i < len(keys.first); i++ {
			w.step(ivr.Digit{Key: keys.first[i]})
		}
		for i := 0; i < 1000 && w.last == nil; i++ {
			for j := range len(keys.again) {
				w.step(ivr.Digit{Key: keys.again[j]})
			}
		}
		if _, routed := w.last.(ivr.Route); !routed {
			t.Errorf("%s: ended with %#v, want a route", name, w.last)
		}
		path := w.session.Path()
		if got := path[len(path)-1].Left; got != ivr.LeftTooLong {
			t.Errorf("%s: the path ends with %q", name, got)
		}
	}
}

func TestBeforeTheStartNothingHappens(t *testing.T) {
	flow := loadFlow(t, "testdata/flows/desk.yaml", catalogue(t, "testdata/prompts/*.yaml"))
	s := ivr.NewSession(flow, ivr.Options{})
	for _, in := range []ivr.Input{ivr.Digit{Key: '1'}, ivr.PlayDone{ID: 1}, ivr.PlayDone{}, ivr.TimerFired{}, ivr.TransferFailed{}} {
		if got := s.Step(in); len(got) != 0 {
			t.Errorf("%#v before the start gave %v", in, got)
		}
	}
	if s.Step(ivr.HungUp{}); s.Ending() != ivr.LeftInIVR {
		t.Errorf("ending = %q", s.Ending())
	}
	if got := s.Step(ivr.Start{}); len(got) != 0 {
		t.Errorf("a start after the caller had gone gave %v", got)
	}
}
