package ivr_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
)

// FuzzLoad: no text makes loading panic; a text is either refused with places
// that exist in it, or gives a flow whose sessions keep their promises.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/flows/*.yaml", "testdata/broken/*.yaml", "../configs/flows/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds %s: %v", pattern, err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	c := catalogue(f, "testdata/prompts/*.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		flow, problems := ivr.Load("fuzz.yaml", src, c)
		if (flow == nil) == (len(problems) == 0) {
			t.Fatalf("flow %v with problems %v", flow, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" {
				t.Fatalf("a problem without a place or a word: %+v", p)
			}
		}
		if flow != nil {
			newWatched(t, flow, c, ivr.Options{}).play([]byte("\x00\x01\x01\x0212*#\x03\x01\x02"))
		}
	})
}

// FuzzSession: any inputs in any order keep the session's promises.
func FuzzSession(f *testing.F) {
	f.Add([]byte{}, byte(0))
	f.Add([]byte("\x00\x01\x01\x02\x02\x01\x02\x01\x02\x01"), byte(0))
	f.Add([]byte("\x00112424200#\x01\x02"), byte(1))
	f.Add([]byte("\x009\x05\x019\x05\x01"), byte(2))
	f.Add([]byte("\x00\x011#2###**\x06\x022\x07\x04"), byte(3))
	c := catalogue(f, "testdata/prompts/*.yaml")
	flows := []*ivr.Flow{
		loadFlow(f, "testdata/flows/desk.yaml", c), loadFlow(f, "testdata/flows/strict.yaml", c),
		loadFlow(f, "../configs/flows/front-door.yaml", product(f)), loadFlow(f, "../configs/flows/straight-to-queue.yaml", product(f)),
	}
	f.Fuzz(func(t *testing.T, inputs []byte, which byte) {
		i := int(which) % len(flows)
		known := c
		if i >= 2 {
			known = product(t)
		}
		newWatched(t, flows[i], known, ivr.Options{Dialled: "101", CLI: contact.CLIPresented}).play(inputs)
	})
}

// watched is a session under an auditor that knows only the effects.
type watched struct {
	t       testing.TB
	flow    *ivr.Flow
	known   *ivr.Catalogue
	opts    ivr.Options
	session *ivr.Session

	started, gone bool
	playing       ivr.PlayID
	timing        ivr.TimerID
	plays         ivr.PlayID
	timers        ivr.TimerID
	last          ivr.Effect // a Route, Transfer or Hangup in force
}

func newWatched(t testing.TB, flow *ivr.Flow, known *ivr.Catalogue, opts ivr.Options) *watched {
	return &watched{t: t, flow: flow, known: known, opts: opts, session: ivr.NewSession(flow, opts)}
}

// play turns bytes into inputs: small ones are events, others keys.
func (w *watched) play(inputs []byte) {
	for _, b := range inputs {
		switch b {
		case 0:
			w.step(ivr.Start{})
		case 1:
			w.step(ivr.PlayDone{ID: w.playing})
		case 2:
			w.step(ivr.TimerFired{ID: w.timing})
		case 3:
			w.step(ivr.PlayFailed{ID: w.playing})
		case 4:
			w.step(ivr.HungUp{})
		case 5:
			w.step(ivr.TransferFailed{})
		case 6:
			w.step(ivr.PlayDone{ID: w.plays - 1})
			w.step(ivr.TimerFired{ID: w.timers - 1})
		case 7:
			w.move()
		case 8:
			w.step(ivr.Start{Language: "pl"})
		default:
			w.step(ivr.Digit{Key: b})
		}
	}
	w.hangUpFromHere()
	w.doNothing()
}

func (w *watched) step(in ivr.Input) {
	w.t.Helper()
	effects := w.session.Step(in)
	switch in := in.(type) {
	case ivr.Start:
		w.started = w.started || !w.gone
	case ivr.PlayDone:
		w.ended(in.ID)
	case ivr.PlayFailed:
		w.ended(in.ID)
	case ivr.TimerFired:
		if in.ID == w.timing {
			w.timing = 0
		}
	case ivr.HungUp:
		w.gone, w.playing = true, 0
	case ivr.TransferFailed:
		if _, is := w.last.(ivr.Transfer); is && len(effects) > 0 {
			w.last = nil
		}
	}
	for _, e := range effects {
		w.audit(in, e)
	}
	if w.started && !w.gone && w.last == nil && (w.playing == 0) == (w.timing == 0) {
		w.t.Fatalf("after %#v the session awaits playback %d and timer %d", in, w.playing, w.timing)
	}
	if (w.gone || w.last != nil) && (w.playing != 0 || w.timing != 0) {
		w.t.Fatalf("after %#v the session is over and awaits playback %d and timer %d", in, w.playing, w.timing)
	}
	if open := w.session.Ending() == ivr.Open; open != (!w.gone && w.last == nil) {
		w.t.Fatalf("after %#v the ending is %q; gone %v, last effect %#v", in, w.session.Ending(), w.gone, w.last)
	}
}

func (w *watched) ended(id ivr.PlayID) {
	if id == w.playing {
		w.playing = 0
	}
}

func (w *watched) audit(in ivr.Input, e ivr.Effect) {
	if w.last != nil {
		w.t.Fatalf("%#v after %#v", e, w.last)
	}
	if _, stop := e.(ivr.StopTimer); w.gone && !stop {
		w.t.Fatalf("%#v for a caller who is gone", e)
	}
	switch e := e.(type) {
	case ivr.Answer:
		if _, is := in.(ivr.Start); !is {
			w.t.Fatalf("answered on %#v", in)
		}
	case ivr.Play:
		if w.playing != 0 || w.timing != 0 || e.ID != w.plays+1 || len(e.Prompts) == 0 {
			w.t.Fatalf("%+v while playback %d and timer %d are on, after playback %d", e, w.playing, w.timing, w.plays)
		}
		for _, p := range e.Prompts {
			if text, ok := w.known.Text(p); !ok || text == "" {
				w.t.Fatalf("prompt %+v is not in the catalogue", p)
			}
		}
		w.playing, w.plays = e.ID, e.ID
	case ivr.StopPlay:
		if e.ID != w.playing {
			w.t.Fatalf("stopped playback %d while %d is on", e.ID, w.playing)
		}
		w.playing = 0
	case ivr.StartTimer:
		if w.playing != 0 || w.timing != 0 || e.ID != w.timers+1 || e.After <= 0 {
			w.t.Fatalf("%+v while playback %d and timer %d are on, after timer %d", e, w.playing, w.timing, w.timers)
		}
		w.timing, w.timers = e.ID, e.ID
	case ivr.StopTimer:
		if e.ID != w.timing {
			w.t.Fatalf("stopped timer %d while %d is on", e.ID, w.timing)
		}
		w.timing = 0
	case ivr.Route:
		if e.Language == "" || e.Answers == nil || len(e.Labels) != len(e.Answers) {
			w.t.Fatalf("incomplete route %+v", e)
		}
		w.last = e
	case ivr.Transfer, ivr.Hangup:
		w.last = e
	}
}

// move takes the session over by its JSON state; nothing may be lost.
func (w *watched) move() {
	b, err := json.Marshal(w.session.State())
	if err != nil {
		w.t.Fatal(err)
	}
	var st ivr.State
	if err := json.Unmarshal(b, &st); err != nil {
		w.t.Fatal(err)
	}
	again, err := ivr.Restore(w.flow, w.opts, st)
	if err != nil {
		w.t.Fatalf("the session's own state %s: %v", b, err)
	}
	if !reflect.DeepEqual(again.State(), w.session.State()) {
		w.t.Fatalf("state %+v became %+v", w.session.State(), again.State())
	}
	w.session = again
}

// hangUpFromHere: a caller who goes now ends the session.
func (w *watched) hangUpFromHere() {
	copied, err := ivr.Restore(w.flow, w.opts, w.session.State())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range copied.Step(ivr.HungUp{}) {
		if _, stop := e.(ivr.StopTimer); !stop {
			w.t.Fatalf("%#v for a caller who is gone", e)
		}
	}
	if copied.Ending() == ivr.Open {
		w.t.Fatal("the session is open after the caller hung up")
	}
}

// doNothing: a caller who presses nothing more comes to an end, and to a hangup
// only if they had chosen it.
func (w *watched) doNothing() {
	for range 300 {
		switch {
		case w.playing != 0:
			w.step(ivr.PlayDone{ID: w.playing})
		case w.timing != 0:
			w.step(ivr.TimerFired{ID: w.timing})
		default:
			return
		}
	}
	w.t.Fatal("a caller who presses nothing is still in the IVR after 300 events")
}
