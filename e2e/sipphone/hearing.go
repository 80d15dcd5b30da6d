package sipphone

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// ear takes in decoded audio, keeps a recording and tells those who listen.
// All times are those of arrival.
type ear struct {
	mu         sync.Mutex
	limit      int // samples kept
	recording  []int16
	began      time.Time // arrival of the first frame
	firstSound time.Time
	lastSound  time.Time
	listeners  map[listener]struct{}
}

// listener hears each frame as it arrives, under the ear's lock, and returns
// true when it has heard enough.
type listener interface {
	hear(pcm []int16, level float64) bool
}

func newEar(limit time.Duration) *ear {
	return &ear{
		limit:     int(limit.Seconds() * sampleRate),
		listeners: map[listener]struct{}{},
	}
}

// hear takes the frame that arrived at the time given.
func (e *ear) hear(pcm []int16, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began.IsZero() {
		e.began = at
	}
	// Keep the recording in step with the clock when packets stop for a while:
	// 60 ms is more than the jitter of a busy loopback.
	due := int(at.Sub(e.began).Seconds() * sampleRate)
	if gap := min(due, e.limit) - len(e.recording); gap > 3*frameSize {
		e.recording = append(e.recording, make([]int16, gap)...)
	}
	if room := e.limit - len(e.recording); room > 0 {
		e.recording = append(e.recording, pcm[:min(room, len(pcm))]...)
	}
	level := dBFS(pcm)
	if level >= loudLevel {
		if e.firstSound.IsZero() {
			e.firstSound = at
		}
		e.lastSound = at
	}
	for l := range e.listeners {
		if l.hear(pcm, level) {
			delete(e.listeners, l)
		}
	}
}

func (e *ear) attach(l listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners[l] = struct{}{}
}

func (e *ear) detach(l listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, l)
}

// toneListener waits for an unbroken run of windows with the tone.
type toneListener struct {
	hz       float64
	need     int // samples
	heard    chan struct{}
	window   []int16
	run      int
	windows  int
	matching int
	loudest  float64
}

func (t *toneListener) hear(pcm []int16, level float64) bool {
	t.loudest = max(t.loudest, level)
	t.window = append(t.window, pcm...)
	for len(t.window) >= toneWindow {
		t.windows++
		switch {
		case !hasTone(t.window[:toneWindow], t.hz):
			t.run = 0
		case t.run == 0:
			t.matching++
			t.run = toneWindow
		default:
			t.matching++
			t.run += toneHop
		}
		if t.run >= t.need {
			close(t.heard)
			return true
		}
		t.window = append(t.window[:0], t.window[toneHop:]...)
	}
	return false
}

func (t *toneListener) found() string {
	if t.windows == 0 {
		return "no audio arrived"
	}
	return fmt.Sprintf("%d of %d windows of 50 ms held it, the loudest frame was %.0f dBFS", t.matching, t.windows, t.loudest)
}

// soundListener waits for one frame that is not silence.
type soundListener struct{ heard chan struct{} }

func (s *soundListener) hear(_ []int16, level float64) bool {
	if level < loudLevel {
		return false
	}
	close(s.heard)
	return true
}

// WaitTone waits until a pure tone of hz Hz has been heard without a break for
// at least, counted from the call of WaitTone: what arrived before does not
// count. A tone is heard in a 50 ms window when 80 % of its energy lies within
// about 8 Hz of hz and its level is above -45 dBFS, so speech, noise, and each
// half of a dual tone are not tones. The error is CodeNotHeard when ctx ends first
// (and says what was heard instead), CodeEnded when the call does, CodeNoMedia when the
// call has no audio.
func (c *Call) WaitTone(ctx context.Context, hz float64, atLeast time.Duration) error {
	const op = "wait tone"
	if !(hz > 0 && hz < sampleRate/2) {
		return fail(CodeBadInput, op, nil, "hz is %v, must be between 0 and 4000", hz)
	}
	e, err := c.hearing(op)
	if err != nil {
		return err
	}
	t := &toneListener{
		hz:      hz,
		need:    max(toneWindow, int(math.Ceil(atLeast.Seconds()*sampleRate))),
		heard:   make(chan struct{}),
		loudest: math.Inf(-1),
	}
	e.attach(t)
	defer e.detach(t)
	return c.await(ctx, op, t.heard, func() string {
		e.mu.Lock()
		defer e.mu.Unlock()
		return fmt.Sprintf("no tone of %.0f Hz for %v: %s", hz, atLeast, t.found())
	})
}

// WaitAudio waits until a frame louder than -45 dBFS arrives, counted from the
// call of WaitAudio. Errors are those of [Call.WaitTone].
func (c *Call) WaitAudio(ctx context.Context) error {
	const op = "wait audio"
	e, err := c.hearing(op)
	if err != nil {
		return err
	}
	s := &soundListener{heard: make(chan struct{})}
	e.attach(s)
	defer e.detach(s)
	return c.await(ctx, op, s.heard, func() string { return "only silence arrived" })
}

// WaitSilence waits until nothing louder than -45 dBFS has arrived for the
// duration, counted from the call of WaitSilence at the earliest. No packets at
// all are silence too. Errors are those of [Call.WaitTone].
func (c *Call) WaitSilence(ctx context.Context, duration time.Duration) error {
	const op = "wait silence"
	e, err := c.hearing(op)
	if err != nil {
		return err
	}
	quiet := time.Now()
	for {
		e.mu.Lock()
		if e.lastSound.After(quiet) {
			quiet = e.lastSound
		}
		e.mu.Unlock()
		left := time.Until(quiet.Add(duration))
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-c.ended:
			timer.Stop()
			return c.endedError(op)
		case <-ctx.Done():
			timer.Stop()
			return fail(CodeNotHeard, op, context.Cause(ctx), "no silence of %v: the last sound came %v ago",
				duration, time.Since(quiet).Round(time.Millisecond))
		}
	}
}

// Recording returns a copy of the audio received so far, 8 kHz mono, from the
// first packet on, with silence where none came. It holds at most
// [Options.MaxRecording].
func (c *Call) Recording() []int16 {
	if c.audio() == nil {
		return nil
	}
	c.audio().ear.mu.Lock()
	defer c.audio().ear.mu.Unlock()
	return append([]int16(nil), c.audio().ear.recording...)
}

// SaveWAV writes [Call.Recording] to path as 16-bit mono WAV at 8 kHz, whether
// the call has ended or not.
func (c *Call) SaveWAV(path string) error {
	const op = "save recording"
	if c.audio() == nil {
		return fail(CodeNoMedia, op, nil, "the call has no audio")
	}
	if err := writeWAV(path, c.Recording()); err != nil {
		return fail(CodeNetwork, op, err, "could not write the file")
	}
	return nil
}

// hearing returns the ear of a call with audio that has not ended.
func (c *Call) hearing(op string) (*ear, error) {
	if c.audio() == nil {
		return nil, fail(CodeNoMedia, op, nil, "the call has no audio")
	}
	return c.audio().ear, nil
}

// await waits for done, the end of the call or of ctx.
func (c *Call) await(ctx context.Context, op string, done <-chan struct{}, missing func() string) error {
	select {
	case <-done:
		return nil
	case <-c.ended:
	case <-ctx.Done():
		select {
		case <-done:
			return nil
		default:
		}
		return fail(CodeNotHeard, op, context.Cause(ctx), "%s", missing())
	}
	select {
	case <-done:
		return nil
	default:
		return c.endedError(op)
	}
}
