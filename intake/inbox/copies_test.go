package inbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/inbox"
)

func lines(t *testing.T, dir string) (files, lines int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v %v", name, info.Mode(), err)
		}
	}
	return len(names), lines
}

// A Redis that is emptied stands for one that forgot its last second when the power
// failed: all that was accepted and not worked comes once, what was worked and is
// remembered does not come again.
func TestWhatRedisForgotIsAcceptedAnew(t *testing.T) {
	client, dir := redistest.Start(t), t.TempDir()
	before := inbox.New(quick(inbox.Options{Redis: client, Copies: dir}))
	if _, _, err := before.Accept(t.Context(), item(0)); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	run(t, before, d, empty(t, before))

	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			if _, _, err := before.Accept(t.Context(), item(1+n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	send := item(99)
	send.Kind = inbox.Sending
	if _, _, err := before.Accept(t.Context(), send); err != nil {
		t.Fatal(err)
	}
	if _, n := lines(t, dir); n != 41 {
		t.Fatalf("%d copies are kept, want those of 41 items from outside", n)
	}

	// Power fails while a line is being written.
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v", names, err)
	}
	f, err := os.OpenFile(names[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\x00\x00 damaged\n" + `{"key":"half`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if state, err := client.HGet(t.Context(), key, "state").Result(); err == nil && state == "done" {
			continue
		}
		if err := client.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
	}

	after := inbox.New(quick(inbox.Options{Redis: client, Copies: dir}))
	for want := 40; want >= 0; want -= 40 { // asked again, nothing is missing
		if n, err := after.Recover(t.Context()); err != nil || n != want {
			t.Fatalf("%d items were missing, want %d: %v", n, want, err)
		}
	}
	run(t, after, d, empty(t, after))
	if len(d.arrived) != 41 {
		t.Errorf("%d items arrived, want 41", len(d.arrived))
	}
	for id, n := range d.arrived {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}

func TestCopiesAreKeptForAMinute(t *testing.T) {
	client, dir := redistest.Start(t), t.TempDir()
	var passed atomic.Int64
	b := inbox.New(inbox.Options{Redis: client, Copies: dir, Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
	accept := func(n int) {
		t.Helper()
		if _, _, err := b.Accept(t.Context(), item(n)); err != nil {
			t.Fatal(err)
		}
	}
	accept(1)
	passed.Add(int64(11 * time.Second))
	accept(2) // a file of its own
	if files, n := lines(t, dir); files != 2 || n != 2 {
		t.Fatalf("%d files with %d lines", files, n)
	}
	passed.Add(int64(55 * time.Second))
	accept(3)
	if files, n := lines(t, dir); files != 3 || n != 3 {
		t.Fatalf("%d files with %d lines before a minute has passed", files, n)
	}
	passed.Add(int64(11 * time.Second))
	accept(4)
	if files, n := lines(t, dir); files != 3 || n != 3 {
		t.Fatalf("%d files with %d lines: the first is over a minute old", files, n)
	}
}

// What cannot be copied is not accepted.
func TestNoPlaceForACopyMeansNotAccepted(t *testing.T) {
	client, dir := redistest.Start(t), filepath.Join(t.TempDir(), "gone")
	b := inbox.New(inbox.Options{Redis: client, Copies: dir})
	if _, _, err := b.Accept(t.Context(), item(1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("accepted without a copy: %v", err)
	}
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("Redis has %d keys, %v", n, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, repeat, err := b.Accept(t.Context(), item(1)); err != nil || repeat {
		t.Errorf("once there is room: %v %v", repeat, err)
	}
}
