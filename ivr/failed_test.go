package ivr_test

import (
	"slices"
	"testing"

	"example.org/c3i/ivr"
)

// A caller whose transfer failed in the dialplan comes back as a new session,
// which begins at what the flow says for that.
func TestASessionBeginsWhereATransferFailed(t *testing.T) {
	front := loadFlow(t, "../configs/flows/front-door.yaml", product(t))
	for _, c := range []struct {
		failed string
		step   string
		answer string
	}{
		{"emergency", "emergency-failed", "not_connected"},
		{"", "welcome", ""},
		{"nowhere", "welcome", ""},
	} {
		s := ivr.NewSession(front, ivr.Options{Failed: c.failed})
		out := s.Step(ivr.Start{})
		i := slices.IndexFunc(out, func(e ivr.Effect) bool { _, is := e.(ivr.Play); return is })
		if i < 1 || out[0] != (ivr.Answer{}) {
			t.Fatalf("failed %q: effects %v", c.failed, out)
		}
		if path := s.Path(); path[0].Step != c.step {
			t.Errorf("failed %q: begins at %q, want %q", c.failed, path[0].Step, c.step)
		}
		out = s.Step(ivr.PlayDone{ID: out[i].(ivr.Play).ID})
		if r, routed := last(out).(ivr.Route); routed != (c.answer != "") || r.Answers["emergency"] != c.answer {
			t.Errorf("failed %q: after the message %v", c.failed, out)
		}
	}
}

func last(out []ivr.Effect) ivr.Effect {
	if len(out) == 0 {
		return nil
	}
	return out[len(out)-1]
}
