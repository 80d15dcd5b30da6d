package e2e

import (
	"testing"
	"time"

	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
)

const passphrase = "three random words"

// deskTab opens the desk in a browser whose microphone hears the handler's tone,
// signs on with the one-time password, and goes ready.
func deskTab(t *testing.T, s *harness.System, user string) *harness.Tab {
	t.Helper()
	tab := harness.Chromium(t, handlerTone).Open("desk-"+user, s.URL+"/desk")
	tab.SignOn(user, s.Passwords[user], passphrase)
	tab.WaitText("Browser phone ready")
	tab.Press("Ready")
	tab.WaitText("You are ready")
	return tab
}

func TestABrowserHandlerTakesACall(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	desk := deskTab(t, s, "handler1")
	desk.Screenshot("desk-ready.png")
	ctx := limit(t, 3*time.Minute)

	call := ring(t, s, "07700900321", "11")
	must(t, "caller's tone", call.SendTone(callerTone))
	desk.WaitText("07700 900321")
	desk.WaitText("Report a crime")
	desk.Screenshot("desk-ringing.png")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.WaitHears(callerTone)
	must(t, "caller hears the browser", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	desk.Press("Mute")
	must(t, "muted: caller hears silence", call.WaitSilence(ctx, 400*time.Millisecond))
	desk.Press("Muted")
	must(t, "unmuted: caller hears", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	desk.Press("Hold")
	desk.WaitText("On hold")
	desk.WaitNotHears(callerTone)
	desk.Screenshot("desk-held.png")
	desk.Press("Resume")
	desk.WaitHears(callerTone)
	must(t, "resumed: caller hears", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	desk.Fill("Note", "Two panniers taken from a bicycle at the library")
	desk.WaitText("Saved ")
	desk.Screenshot("desk-talking.png")
	if err := call.SaveWAV(harness.Artefact(t, "caller-heard.wav")); err != nil {
		t.Error(err)
	}
	desk.Press("Hang up")
	must(t, "the caller is hung up too", waitEnded(ctx, call))
	desk.WaitText("Wrap-up")
	desk.Choose("Outcome", "Crime recorded")
	desk.Screenshot("desk-wrapup.png")
	desk.Press("Finish")
	desk.WaitText("You are ready")

	// The same number rings again, and hangs up itself.
	call = ring(t, s, "+447700900321", "11")
	desk.WaitText("Two panniers taken from a bicycle at the library")
	desk.WaitText("Crime recorded")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.Resize(1920, 1080)
	desk.Screenshot("desk-second-call-1920.png")
	must(t, "caller hangs up", call.Hangup(ctx))
	desk.WaitText("Wrap-up")
}

func TestNewcomerRings101FromTheCallPage(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	desk := deskTab(t, s, "handler1")
	caller := harness.Chromium(t, callerTone).Open("call", s.URL+"/call")
	caller.Screenshot("call-start.png")
	caller.Fill("Your phone number (optional)", "020 7946 0018")
	caller.Press("Call 101")
	caller.WaitText("Connected to 101")
	caller.Screenshot("call-menu.png")
	caller.Keys("1")
	caller.Keys("1")
	desk.WaitText("020 7946 0018")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.WaitHears(callerTone)
	caller.WaitHears(handlerTone)
	caller.Press("Hang up")
	desk.WaitText("Wrap-up")
	desk.Choose("Outcome", "Advice given")
	desk.Press("Finish")

	caller.Fill("Your phone number (optional)", "+44 20 7946 0018")
	caller.Press("Call 101 again")
	caller.WaitText("Connected to 101")
	caller.Keys("0")
	caller.Keys("0")
	desk.WaitText("Advice given")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.Press("Hang up")
	caller.WaitText("The call has ended")
}

func TestClosingTheTab(t *testing.T) {
	s := harness.Start(t, harness.Options{Config: phones})
	ctx := limit(t, 3*time.Minute)
	_, phone := handlerAt(t, s, "h17", "crime-desk-polish")
	first := deskTab(t, s, "handler1")

	// While it rings: the call goes to the next handler within ten seconds.
	call := ring(t, s, "07700900322", "11")
	first.WaitText("Ringing")
	closed := time.Now()
	first.Close()
	next := incoming(t, phone)
	if took := time.Since(closed); took > 10*time.Second {
		t.Errorf("the dead browser kept the call for %s", took)
	}
	must(t, "answer", next.Answer(ctx, sipphone.AnswerOptions{}))
	must(t, "tone", next.SendTone(handlerTone))
	must(t, "the caller hears the next handler", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))
	must(t, "hang up", call.Hangup(ctx))
}

func TestASecondTabTakesOver(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	b := harness.Chromium(t, 0)
	first := b.Open("first", s.URL+"/desk")
	first.SignOn("handler2", s.Passwords["handler2"], passphrase)
	first.WaitText("Browser phone ready")
	second := b.Open("second", s.URL+"/desk")
	second.WaitText("Browser phone ready")
	first.WaitText("another")
	first.Screenshot("desk-taken-over.png")
}
