package main

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/e2e/bench/bareari"
)

// The two systems C3i is compared with serve a backlog on a real Asterisk, each
// caller by one phone, so that what is measured of them is their best.
func TestTheOthersServeABacklog(t *testing.T) {
	ctx := testContext(t)
	dir := asterisktest.Dir(t)
	r, err := newRig(ctx, dir, 3, 2)
	must(t, err)
	t.Cleanup(func() { must(t, r.close()) })

	bare, cancel := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan error, 1)
	a := r.asterisk.Settings()
	go func() {
		ended <- bareari.Run(bare, bareari.Options{
			URL: r.asterisk.URL(), User: a.ARIUser, Password: a.ARIPassword, App: bareApp, Phones: dialStrings(2),
			Ready: func() { close(ready) },
			Fault: func(err error) { t.Errorf("bare program: %v", err) },
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	for name, number := range map[string]string{"bare": numberBare, "app_queue": numberFewQueue} {
		t.Run(name, func(t *testing.T) {
			s := &system{name: name, target: r.uri(number), controller: os.Getpid()}
			f, err := once(ctx, r, s, load{rate: 20, calls: 10, hold: 300 * time.Millisecond, backlog: 2, patience: 30 * time.Second})
			must(t, err)
			f.finish()
			if len(f.Faults) > 0 {
				t.Errorf("faults %q", f.Faults)
			}
			if f.Ring.Count != 10 || f.Time.Count < 2 || f.Time.Median <= 0 {
				t.Errorf("figures %+v of %d rings", f.Time, f.Ring.Count)
			}
		})
	}
	cancel()
	must(t, <-ended)
}

func TestSettingsOfTheEnvironmentDoNotReachTheProgram(t *testing.T) {
	got := ownSettings([]string{"HOME=/root", "C3I_HTTP_LISTEN=127.0.0.1:1", "C3I_CONFIG=x", "C3I_PROMPTS_ESPEAK=/usr/bin/espeak-ng"})
	if want := []string{"HOME=/root", "C3I_PROMPTS_ESPEAK=/usr/bin/espeak-ng"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
