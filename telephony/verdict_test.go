package telephony_test

import (
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
)

// Every ending that can happen, with its verdict; every other pair is our own
// failure and sends the caller to the fallback.
func TestEveryEndingHasAVerdict(t *testing.T) {
	type pair struct {
		s telephony.State
		r telephony.Reason
	}
	const (
		arriving, inIVR, identifying, waiting  = telephony.StateArriving, telephony.StateIVR, telephony.StateIdentifying, telephony.StateWaiting
		offered, connecting, talking, held     = telephony.StateOffered, telephony.StateConnecting, telephony.StateTalking, telephony.StateHeld
		closing, calling, parting              = telephony.StateClosing, telephony.StateCalling, telephony.StateParting
		nobody, handler, sw, us                = telephony.FaultNobody, telephony.FaultHandler, telephony.FaultSwitch, telephony.FaultUs
		nothing, hangup, fallback, announced   = telephony.HeardNothing, telephony.HeardHangup, telephony.HeardFallback, telephony.HeardAnnouncement
		byCaller, byHandler, byFailure, bySelf = routing.ReleasedByCaller, routing.ReleasedByHandler, routing.ReleasedByFailure, routing.ReleasedBySystem
	)
	want := map[pair]telephony.Verdict{
		{arriving, telephony.ReasonCallerGone}:    {"left_in_ivr", nobody, nothing, byCaller, contact.LeftInIVR},
		{inIVR, telephony.ReasonCallerGone}:       {"left_in_ivr", nobody, nothing, byCaller, contact.LeftInIVR},
		{identifying, telephony.ReasonCallerGone}: {"abandoned", us, nothing, byCaller, contact.AbandonedInQueue},
		{waiting, telephony.ReasonCallerGone}:     {"abandoned", us, nothing, byCaller, contact.AbandonedInQueue},
		{offered, telephony.ReasonCallerGone}:     {"abandoned", us, nothing, byCaller, contact.AbandonedInQueue},
		{connecting, telephony.ReasonCallerGone}:  {"abandoned_connecting", us, nothing, byCaller, contact.AbandonedInQueue},
		{talking, telephony.ReasonCallerGone}:     {"caller_hung_up", nobody, nothing, byCaller, contact.Answered},
		{held, telephony.ReasonCallerGone}:        {"abandoned_held", handler, nothing, byCaller, contact.Answered},
		{closing, telephony.ReasonCallerGone}:     {"left_in_announcement", nobody, nothing, byCaller, contact.AbandonedAfterMessage},

		{talking, telephony.ReasonHandlerGone}:  {"handler_hung_up", nobody, hangup, byHandler, contact.Answered},
		{held, telephony.ReasonHandlerGone}:     {"handler_hung_up", nobody, hangup, byHandler, contact.Answered},
		{talking, telephony.ReasonHandlerAsked}: {"handler_asked", nobody, hangup, byHandler, contact.Answered},
		{held, telephony.ReasonHandlerAsked}:    {"handler_asked", nobody, hangup, byHandler, contact.Answered},

		{inIVR, telephony.ReasonFlowDone}:      {"ivr_contained", nobody, announced, bySelf, contact.IVRContained},
		{inIVR, telephony.ReasonTransferred}:   {"transferred", nobody, telephony.HeardDestination, bySelf, contact.IVRContained},
		{closing, telephony.ReasonQueueClosed}: {"queue_closed", nobody, announced, bySelf, contact.AbandonedAfterMessage},

		{identifying, telephony.ReasonNotRouted}: {"not_routed", us, fallback, byFailure, contact.Failed},
		{waiting, telephony.ReasonNotRouted}:     {"not_routed", us, fallback, byFailure, contact.Failed},
		{offered, telephony.ReasonNotRouted}:     {"not_routed", us, fallback, byFailure, contact.Failed},

		{waiting, telephony.ReasonCallback}:     {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{offered, telephony.ReasonCallback}:     {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{parting, telephony.ReasonCallback}:     {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{parting, telephony.ReasonCallerGone}:   {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{parting, telephony.ReasonSwitchFailed}: {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{parting, telephony.ReasonVanished}:     {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{parting, telephony.ReasonDrained}:      {"callback_taken", nobody, announced, bySelf, contact.CallbackTaken},
		{waiting, telephony.ReasonRetracted}:    {"callback_off", nobody, hangup, bySelf, contact.CallbackTaken},
		{offered, telephony.ReasonRetracted}:    {"callback_off", nobody, hangup, bySelf, contact.CallbackTaken},
		{calling, telephony.ReasonRetracted}:    {"callback_off", nobody, hangup, bySelf, contact.CallbackTaken},
		{connecting, telephony.ReasonRetracted}: {"callback_off", nobody, hangup, bySelf, contact.CallbackTaken},

		{talking, telephony.ReasonSwitchFailed}: {"switch_failed_talking", sw, hangup, byFailure, contact.Answered},
		{held, telephony.ReasonSwitchFailed}:    {"switch_failed_talking", sw, hangup, byFailure, contact.Answered},
		{talking, telephony.ReasonVanished}:     {"vanished_talking", sw, hangup, byFailure, contact.Answered},
		{held, telephony.ReasonVanished}:        {"vanished_talking", sw, hangup, byFailure, contact.Answered},
	}
	for _, s := range []telephony.State{arriving, inIVR, identifying, waiting, offered, calling, connecting, closing} {
		want[pair{s, telephony.ReasonSwitchFailed}] = telephony.Verdict{"switch_failed", sw, fallback, byFailure, contact.Failed}
		want[pair{s, telephony.ReasonVanished}] = telephony.Verdict{"vanished", sw, hangup, byFailure, contact.Failed}
		want[pair{s, telephony.ReasonDrained}] = telephony.Verdict{"drained", us, fallback, bySelf, contact.Failed}
	}
	for _, s := range telephony.States() {
		for _, r := range telephony.Reasons() {
			expected, listed := want[pair{s, r}]
			if !listed {
				expected = telephony.Verdict{"impossible", us, fallback, byFailure, contact.Failed}
			}
			if got := telephony.Judge(s, r); got != expected {
				t.Errorf("Judge(%s, %s) = %+v, want %+v", s, r, got, expected)
			}
		}
	}
}

func TestJudgeLeg(t *testing.T) {
	for _, c := range []struct {
		cause    telephony.Cause
		status   string
		code     string
		declined bool
	}{
		{telephony.CauseUserBusy, "", "busy", true},
		{telephony.CauseRejected, "", "rejected", true},
		{telephony.CauseNoAnswer, "", "no_answer", false},
		{telephony.CauseNoResponse, "", "no_response", false},
		{telephony.CauseUnallocated, "", "unknown_phone", false},
		{telephony.CauseAbsent, "", "absent", false},
		{telephony.CauseOutOfOrder, "", "out_of_order", false},
		{telephony.CauseCongestion, "", "network", false},
		{telephony.CauseTemporary, "BUSY", "network", false},
		{telephony.CauseNone, "BUSY", "busy", true},
		{telephony.CauseNone, "NOANSWER", "no_answer", false},
		{telephony.CauseNormal, "CANCEL", "no_answer", false},
		{telephony.CauseNone, "CHANUNAVAIL", "absent", false},
		{telephony.CauseNone, "CONGESTION", "network", false},
		{telephony.CauseNormal, "RINGING", "lost", false},
		{999, "", "lost", false},
	} {
		if got := telephony.JudgeLeg(c.cause, c.status); got != (telephony.LegVerdict{Code: c.code, Declined: c.declined}) {
			t.Errorf("JudgeLeg(%d, %q) = %+v", c.cause, c.status, got)
		}
	}
}
