package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/inbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "crm/blob"}})
}

// desk is a worker that counts what reaches routing, by contact.
type desk struct {
	mu      sync.Mutex
	arrived map[contact.ID]int
	given   map[contact.ID]int
	fail    func(inbox.Item) error
	changed chan struct{}
}

func newDesk() *desk {
	return &desk{arrived: map[contact.ID]int{}, given: map[contact.ID]int{}, changed: make(chan struct{}, 1000)}
}

func (d *desk) Work(_ context.Context, it inbox.Item) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(it); err != nil {
			return err
		}
	}
	d.arrived[it.Contact]++
	d.changed <- struct{}{}
	return nil
}

func (d *desk) GiveUp(_ context.Context, it inbox.Item, _ error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.given[it.Contact]++
	d.changed <- struct{}{}
	return nil
}

func item(n int) inbox.Item {
	return inbox.Item{
		Key: fmt.Sprintf("key-%d", n), Kind: inbox.Email, Contact: contact.ID(fmt.Sprintf("contact-%d", n)),
		At: contact.At(time.Now()), Body: []byte("body"),
	}
}

func quick(o inbox.Options) inbox.Options {
	o.Backoff = func(int) time.Duration { return time.Millisecond }
	o.Poll, o.Lease = 5*time.Millisecond, 100*time.Millisecond
	return o
}

// run works the inbox until done says so, or the test's patience ends.
func run(t *testing.T, b *inbox.Inbox, w inbox.Worker, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() { b.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Email: w}); close(ended) }()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !done() && ctx.Err() == nil {
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		t.Error("the inbox did not get there in time")
	}
	cancel()
	<-ended
}

func empty(t *testing.T, b *inbox.Inbox) func() bool {
	return func() bool {
		f, err := b.Pending(context.Background(), inbox.Email)
		if err != nil {
			t.Error(err)
		}
		return f.Pending == 0
	}
}

func TestAKeyIsAcceptedOnceAndTheFirstItemIsReturned(t *testing.T) {
	b := inbox.New(inbox.Options{Redis: redistest.Start(t)})
	first, dup, err := b.Accept(t.Context(), item(1))
	if err != nil || dup {
		t.Fatalf("Accept = duplicate %v, %v", dup, err)
	}
	again := item(1)
	again.Contact = "another"
	kept, dup, err := b.Accept(t.Context(), again)
	if err != nil || !dup || kept.Contact != first.Contact || string(kept.Body) != "body" {
		t.Errorf("accepted again: %+v, duplicate %v, %v; want the first item", kept, dup, err)
	}
	f, err := b.Pending(t.Context(), inbox.Email)
	if err != nil || f.Pending != 1 || f.Oldest != first.At/1e6*1e6 {
		t.Errorf("figures %+v, %v; want one pending, as old as the first", f, err)
	}
	d := newDesk()
	run(t, b, d, empty(t, b))
	if kept, dup, err = b.Accept(t.Context(), again); err != nil || !dup || kept.Contact != first.Contact {
		t.Errorf("accepted after it was worked: %+v, duplicate %v, %v; want the first item's contact", kept, dup, err)
	}
	run(t, b, d, empty(t, b))
	if d.arrived["contact-1"] != 1 || len(d.arrived) != 1 {
		t.Errorf("arrived %v, want contact-1 once", d.arrived)
	}
}

func TestManyAcceptTheSameKeyAtOnce(t *testing.T) {
	b := inbox.New(inbox.Options{Redis: redistest.Start(t)})
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, contacts := 0, map[contact.ID]bool{}
	for n := range 20 {
		wg.Go(func() {
			it := item(1)
			it.Contact = contact.ID(fmt.Sprint("contact-", n))
			kept, dup, err := b.Accept(t.Context(), it)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			contacts[kept.Contact] = true
			if !dup {
				fresh++
			}
		})
	}
	wg.Wait()
	if fresh != 1 || len(contacts) != 1 {
		t.Errorf("%d were told to be first, contacts %v; want one of each", fresh, contacts)
	}
}

func TestWhatCannotBeAcceptedIsNamed(t *testing.T) {
	b := inbox.New(inbox.Options{Redis: redistest.Start(t)})
	for field, change := range map[string]func(*inbox.Item){
		"key":     func(it *inbox.Item) { it.Key = "" },
		"kind":    func(it *inbox.Item) { it.Kind = "fax" },
		"contact": func(it *inbox.Item) { it.Contact = "" },
		"at":      func(it *inbox.Item) { it.At = 0 },
		"body":    func(it *inbox.Item) { it.Body = make([]byte, inbox.BodyLimit+1) },
	} {
		it := item(1)
		change(&it)
		_, _, err := b.Accept(t.Context(), it)
		if !errors.Is(err, inbox.ErrInvalid) || err.Error()[:len("inbox: invalid: "+field)] != "inbox: invalid: "+field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// A worker that is killed between any two of its steps leaves the item where
// the next one finds it, and the item arrives at routing under one contact.
func TestAWorkerKilledAtAnyStepLosesAndDoublesNothing(t *testing.T) {
	for _, step := range []string{"claimed", "begun", "worked", "settled"} {
		t.Run(step, func(t *testing.T) {
			client := redistest.Start(t)
			first := inbox.New(quick(inbox.Options{Redis: client, Parallel: 1}))
			if _, _, err := first.Accept(t.Context(), item(1)); err != nil {
				t.Fatal(err)
			}
			d := newDesk()
			reached := first.CrashAt(step)
			run(t, first, d, func() bool {
				select {
				case <-reached:
					return true
				default:
					return false
				}
			})
			next := inbox.New(quick(inbox.Options{Redis: client}))
			run(t, next, d, empty(t, next))
			// Routing refuses a contact it has seen, so being handed over again after
			// "worked" is harmless; under another id it would not be.
			if len(d.arrived) != 1 || d.arrived["contact-1"] < 1 || len(d.given) != 0 {
				t.Errorf("arrived %v, given up %v; want contact-1 alone", d.arrived, d.given)
			}
		})
	}
}

func TestAWorkerKilledWhileGivingUpStillHandsTheItemToAPerson(t *testing.T) {
	for _, step := range []string{"giving_up", "given_up", "quarantined"} {
		t.Run(step, func(t *testing.T) {
			client := redistest.Start(t)
			o := quick(inbox.Options{Redis: client, Parallel: 1, MaxAttempts: 2})
			first := inbox.New(o)
			if _, _, err := first.Accept(t.Context(), item(1)); err != nil {
				t.Fatal(err)
			}
			d := newDesk()
			d.fail = func(inbox.Item) error { return errors.New("cannot be read") }
			reached := first.CrashAt(step)
			run(t, first, d, func() bool {
				select {
				case <-reached:
					return true
				default:
					return false
				}
			})
			next := inbox.New(o)
			run(t, next, d, empty(t, next))
			q, err := next.Quarantine(t.Context(), inbox.Email, 10)
			if err != nil || len(q) != 1 || q[0].Cause != "cannot be read" || q[0].Item.Contact != "contact-1" || string(q[0].Item.Body) != "body" {
				t.Fatalf("quarantine %+v, %v; want the whole item and why", q, err)
			}
			if d.given["contact-1"] < 1 || len(d.arrived) != 0 {
				t.Errorf("given %v, arrived %v", d.given, d.arrived)
			}
		})
	}
}

// An item that ends the process itself counts too: it cannot crash C3i for ever.
func TestAnItemThatKillsEachWorkerEndsInQuarantine(t *testing.T) {
	client := redistest.Start(t)
	o := quick(inbox.Options{Redis: client, Parallel: 1, MaxAttempts: 3})
	b := inbox.New(o)
	if _, _, err := b.Accept(t.Context(), item(1)); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	var died chan struct{}
	d.fail = func(inbox.Item) error { close(died); return inbox.ErrCrashed }
	for range 3 {
		died = make(chan struct{})
		run(t, inbox.New(o), d, func() bool {
			select {
			case <-died:
				return true
			default:
				return false
			}
		})
	}
	d.fail = func(inbox.Item) error { t.Error("it was worked a fourth time"); return nil }
	run(t, b, d, empty(t, b))
	if d.given["contact-1"] != 1 {
		t.Errorf("given up %v, want contact-1 once", d.given)
	}
}

func TestAnItemThatFailsBlocksNobodyAndComesBackOnRequest(t *testing.T) {
	b := inbox.New(quick(inbox.Options{Redis: redistest.Start(t), Parallel: 1, MaxAttempts: 3}))
	for n := range 20 {
		if _, _, err := b.Accept(t.Context(), item(n)); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk()
	tries := 0
	d.fail = func(it inbox.Item) error {
		switch it.Key {
		case "key-0":
			tries++
			return errors.New("odd")
		case "key-1":
			panic("odder")
		}
		return nil
	}
	run(t, b, d, empty(t, b))
	if len(d.arrived) != 18 || len(d.given) != 2 || tries != 3 {
		t.Errorf("%d arrived, %d given up, %d tries; want 18, 2 and 3", len(d.arrived), len(d.given), tries)
	}
	f, err := b.Pending(t.Context(), inbox.Email)
	if err != nil || f.Quarantined != 2 || f.Pending != 0 {
		t.Errorf("figures %+v, %v; want two in quarantine", f, err)
	}
	d.fail = nil
	if err := b.Retry(t.Context(), inbox.Email, "key-0"); err != nil {
		t.Fatal(err)
	}
	run(t, b, d, empty(t, b))
	if f, err = b.Pending(t.Context(), inbox.Email); err != nil || d.arrived["contact-0"] != 1 || f.Quarantined != 1 {
		t.Errorf("after a retry: arrived %d times, figures %+v, %v", d.arrived["contact-0"], f, err)
	}
	if err := b.Retry(t.Context(), inbox.Email, "key-0"); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("retry of what is not in quarantine: %v", err)
	}
}

// A full disk is not the item's fault: it waits as long as the trouble lasts.
func TestTroubleThatIsNotTheItemsNeverLeadsToQuarantine(t *testing.T) {
	b := inbox.New(quick(inbox.Options{Redis: redistest.Start(t), MaxAttempts: 2}))
	if _, _, err := b.Accept(t.Context(), item(1)); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	n := 0
	d.fail = func(inbox.Item) error {
		if n++; n < 10 {
			return inbox.Later(errors.New("disk full"))
		}
		return nil
	}
	run(t, b, d, empty(t, b))
	if d.arrived["contact-1"] != 1 || len(d.given) != 0 {
		t.Errorf("arrived %v, given up %v", d.arrived, d.given)
	}
}

func TestAnAcceptanceBrokenOffIsMadeGoodWhenTheSenderRepeats(t *testing.T) {
	b := inbox.New(quick(inbox.Options{Redis: redistest.Start(t)}))
	if err := b.BreakOff(t.Context(), item(1)); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	seen := 0
	run(t, b, d, func() bool { seen++; return seen > 20 }) // workers meet the name and leave it
	if f, _ := b.Pending(t.Context(), inbox.Email); f.Pending != 1 {
		t.Fatalf("the place in line is gone: %+v", f)
	}
	if _, dup, err := b.Accept(t.Context(), item(1)); err != nil || dup {
		t.Fatalf("Accept = duplicate %v, %v", dup, err)
	}
	run(t, b, d, empty(t, b))
	if d.arrived["contact-1"] != 1 {
		t.Errorf("arrived %v", d.arrived)
	}
}

func TestRedisGoneMeansNotAcceptedAndWhatWasAcceptedIsWorkedAfterwards(t *testing.T) {
	server := redistest.New(t)
	b := inbox.New(quick(inbox.Options{Redis: server.Client()}))
	if _, _, err := b.Accept(t.Context(), item(1)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, _, err := b.Accept(t.Context(), item(2)); err == nil {
		t.Error("accepted while Redis was away")
	}
	server.Start()
	d := newDesk()
	run(t, b, d, empty(t, b))
	if d.arrived["contact-1"] != 1 || d.arrived["contact-2"] != 0 {
		t.Errorf("arrived %v, want contact-1 alone", d.arrived)
	}
}

// Two processes on one line work each item once.
func TestTwoProcessesShareTheLine(t *testing.T) {
	client := redistest.Start(t)
	o := quick(inbox.Options{Redis: client})
	o.Lease = 10 * time.Second
	a, b := inbox.New(o), inbox.New(o)
	for n := range 50 {
		if _, _, err := a.Accept(t.Context(), item(n)); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { a.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Email: d}) })
	run(t, b, d, empty(t, b))
	cancel()
	wg.Wait()
	for id, n := range d.arrived {
		if n != 1 {
			t.Errorf("%s was worked %d times", id, n)
		}
	}
	if len(d.arrived) != 50 {
		t.Errorf("%d arrived, want 50", len(d.arrived))
	}
}

// Retry put an item in line before it was no longer in quarantine: a worker that was
// quick took it out of line again, and nobody ever worked it.
func TestARetryThatIsBrokenOffLosesNothing(t *testing.T) {
	client := redistest.Start(t)
	b := inbox.New(quick(inbox.Options{Redis: client, MaxAttempts: 1}))
	d := newDesk()
	d.fail = func(inbox.Item) error { return errors.New("it cannot be read") }
	if _, _, err := b.Accept(t.Context(), item(0)); err != nil {
		t.Fatal(err)
	}
	run(t, b, d, func() bool {
		f, err := b.Pending(t.Context(), inbox.Email)
		return err == nil && f.Quarantined == 1 && f.Pending == 0
	})
	d.mu.Lock()
	d.fail = nil
	d.mu.Unlock()
	b.CrashAt("retried")
	if err := b.Retry(t.Context(), inbox.Email, "key-0"); err == nil {
		t.Fatal("the retry was not broken off")
	}
	again := inbox.New(quick(inbox.Options{Redis: client}))
	if q, err := again.Find(t.Context(), "contact-0"); err != nil || q.Item.Key != "key-0" {
		t.Fatalf("after the retry was broken off: %+v, %v", q, err)
	}
	if err := again.Retry(t.Context(), inbox.Email, "key-0"); err != nil {
		t.Fatal(err)
	}
	run(t, again, d, func() bool {
		f, err := again.Pending(t.Context(), inbox.Email)
		return err == nil && f == (inbox.Figures{})
	})
	if d.arrived["contact-0"] != 1 {
		t.Errorf("arrived %d times", d.arrived["contact-0"])
	}
	if err := again.Retry(t.Context(), inbox.Email, "key-0"); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("a retry of what was worked: %v", err)
	}
}

func TestWhatIsReleasedIsGoneAndIsNotAcceptedAgain(t *testing.T) {
	client := redistest.Start(t)
	b := inbox.New(quick(inbox.Options{Redis: client, MaxAttempts: 1}))
	d := newDesk()
	d.fail = func(inbox.Item) error { return errors.New("it cannot be read") }
	if _, _, err := b.Accept(t.Context(), item(0)); err != nil {
		t.Fatal(err)
	}
	run(t, b, d, func() bool {
		f, err := b.Pending(t.Context(), inbox.Email)
		return err == nil && f.Quarantined == 1 && f.Pending == 0
	})
	q, err := b.Find(t.Context(), "contact-0")
	if err != nil || string(q.Item.Body) != "body" || q.Cause == "" {
		t.Fatalf("in quarantine: %+v, %v", q, err)
	}
	if err := b.Release(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Pending(t.Context(), inbox.Email); err != nil || f != (inbox.Figures{}) {
		t.Errorf("afterwards: %+v, %v", f, err)
	}
	if err := b.Release(t.Context(), q); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("released twice: %v", err)
	}
	if err := b.Retry(t.Context(), inbox.Email, "key-0"); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("tried again after that: %v", err)
	}
	kept, repeat, err := b.Accept(t.Context(), item(0))
	if err != nil || !repeat || len(kept.Body) != 0 {
		t.Errorf("accepted again: %t, with %q, %v", repeat, kept.Body, err)
	}
}

// Whatever lies in Redis under an item's name, reading it ends.
func FuzzDecode(f *testing.F) {
	f.Add(`{"key":"a","kind":"email","contact":"c","at":1,"envelope":{"from":"a@example.org"}}`, "3")
	f.Add(`{"body":"AAAA","attempts":-1}`, "")
	f.Fuzz(func(t *testing.T, text, attempts string) {
		it, err := inbox.Decode(text, attempts)
		if err != nil {
			return
		}
		again, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		back, err := inbox.Decode(string(again), strconv.Itoa(it.Attempts))
		if err != nil {
			t.Fatalf("%s is not read back: %v", again, err)
		}
		if third, err := json.Marshal(back); err != nil || string(third) != string(again) {
			t.Errorf("%s is read back as %s, %v", again, third, err)
		}
	})
}
