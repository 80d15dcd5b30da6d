package telephony

import (
	"errors"
	"testing"
	"time"
)

func TestMailboxKeepsEverythingInOrderAndRaisesTheAlarmOnce(t *testing.T) {
	alarms := 0
	m := newMailbox(10, func(depth int) {
		alarms++
		if depth != 11 {
			t.Errorf("alarm at depth %d", depth)
		}
	})
	var got []int
	for i := range 1000 {
		m.put(func() { got = append(got, i) })
	}
	for _, f := range m.take() {
		f()
	}
	if len(got) != 1000 || alarms != 1 {
		t.Fatalf("%d of 1000 kept, %d alarms", len(got), alarms)
	}
	for i, v := range got {
		if v != i {
			t.Fatalf("mail %d came as %d", v, i)
		}
	}
	for range 11 {
		m.put(func() {})
	}
	if alarms != 2 {
		t.Errorf("%d alarms after filling again", alarms)
	}
}

func TestErrorShowsCodesNotMessages(t *testing.T) {
	cause := errors.New("connection reset")
	err := &Error{Op: "originate", Kind: ErrUnavailable, Status: 500, Message: "no route to 02079460123", Err: cause}
	if got := err.Error(); got != "originate: switch unavailable (status 500): connection reset" {
		t.Errorf("Error() = %q", got)
	}
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, cause) || errors.Is(err, ErrNotFound) {
		t.Error("errors.Is does not see kind and cause")
	}
	for want, kind := range map[string]error{
		"": nil, "not_found": ErrNotFound, "conflict": ErrConflict, "unreachable": ErrUnreachable, "refused": ErrRefused,
		"switch_unavailable": ErrUnavailable, "error": cause,
	} {
		if got := errCode(kind); got != want {
			t.Errorf("errCode(%v) = %q, want %q", kind, got, want)
		}
	}
}

func TestMaskKeepsTwoDigitsOfALongNumber(t *testing.T) {
	for in, want := range map[string]string{"": "", "101": "***", "9999": "****", "02079460123": "*********23"} {
		if got := mask(in); got != want {
			t.Errorf("mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGoneChannelsAreForgottenOldestFirst(t *testing.T) {
	var g gonelist
	for i := range len(g.ring) + 1 {
		g.add(ChannelID(time.Duration(i).String()))
		g.add(ChannelID(time.Duration(i).String()))
	}
	if g.has("0s") || !g.has("1ns") || len(g.set) > len(g.ring)+1 {
		t.Errorf("0s %v, 1ns %v, %d kept", g.has("0s"), g.has("1ns"), len(g.set))
	}
}
