package email_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	wordings "example.org/c3i/configs/mail"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/email"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// router stands for the engine: a contact seen before is refused, harmlessly.
type router struct {
	mu      sync.Mutex
	arrived []routing.ContactArrived
	seen    map[contact.ID]int
	over    map[contact.ID]bool // ended, which the CRM may not know yet
	fail    error
}

func (r *router) SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error) {
	j, joined := ev.(routing.MessageJoined)
	if !joined {
		return nil, r.Submit(ctx, ev)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fail != nil:
		return nil, r.fail
	case r.seen[j.Contact] == 0:
		return []routing.Action{routing.Refused{Event: ev.Kind(), Code: routing.RefusedContact, Contact: j.Contact}}, nil
	case r.over[j.Contact]:
		return []routing.Action{routing.Refused{Event: ev.Kind(), Code: routing.RefusedContactEnded, Contact: j.Contact}}, nil
	}
	return nil, nil
}

func (r *router) Submit(_ context.Context, ev routing.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	a := ev.(routing.ContactArrived)
	if r.seen[a.Contact]++; r.seen[a.Contact] == 1 {
		r.arrived = append(r.arrived, a)
	}
	return nil
}

func (r *router) contacts() []routing.ContactArrived {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]routing.ContactArrived(nil), r.arrived...)
}

// world is the receipt point on a real Redis, a real CRM and a real folder.
type world struct {
	t       *testing.T
	redis   *redis.Client
	server  *redistest.Server
	store   *crm.Store
	blobs   *blob.Dir
	inbox   *inbox.Inbox
	threads *email.Threads
	outbox  *email.Outbox
	worker  *email.Worker
	gate    email.Gate
	boxes   email.Mailboxes
	router  *router
	ids     *contact.IDs
	out     string
	blobDir string
}

type option func(*email.WorkerOptions, *email.OutboxOptions)

func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	w := &world{t: t, server: redistest.New(t), router: &router{seen: map[contact.ID]int{}}, ids: contact.NewIDs(nil), out: t.TempDir()}
	w.redis = w.server.Client()
	var err error
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.store, err = crm.Open(t.Context(), crm.Options{Redis: w.redis, Region: "GB", IDs: w.ids})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { w.store.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.blobDir = t.TempDir()
	w.blobs, err = blob.OpenDir(w.blobDir, blob.Options{Floor: -1})
	must(err)
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.threads, err = email.OpenThreads(t.Context(), w.redis)
	must(err)
	templates, err := email.LoadTemplates(wordings.Files)
	must(err)
	maildir, err := email.NewMaildir(w.out)
	must(err)
	quick := inbox.Options{Redis: w.redis, Poll: 5 * time.Millisecond, Lease: 200 * time.Millisecond, Backoff: func(int) time.Duration { return 2 * time.Millisecond }}
	w.inbox = inbox.New(quick)
	w.boxes = email.NewMailboxes([]email.Mailbox{
		{Name: "101", Address: "101@police.example.org", SenderName: "Police 101", Language: "en", Receipt: true},
		{Name: "lost", Address: "lost@police.example.org", Aliases: []string{"found@police.example.org"}, Language: "en", Receipt: false, Answers: map[string]string{"hint": "property"}},
	})
	oo := email.OutboxOptions{
		Redis: w.redis, Records: w.store, Blobs: w.blobs, Threads: w.threads, Mailboxes: w.boxes, Templates: templates, Transport: maildir,
		NewID: w.ids.New, Inbox: quick, Backoff: func(int) time.Duration { return 2 * time.Millisecond }, GiveUpAfter: 4,
	}
	wo := email.WorkerOptions{
		Records: w.store, Router: w.router, Blobs: w.blobs, Threads: w.threads, Mailboxes: w.boxes, Largest: 1 << 20, Languages: []string{"en", "pl", "bn"},
	}
	for _, o := range options {
		o(&wo, &oo)
	}
	w.outbox = email.NewOutbox(oo)
	wo.Outbox = w.outbox
	w.worker = email.NewWorker(wo)
	w.gate = email.Gate{Blobs: w.blobs, Inbox: w.inbox, Largest: 1 << 20, NewID: w.ids.New, Now: time.Now}
	return w
}

// take accepts a message for a mailbox, as a receiver does.
func (w *world) take(raw string, mailbox ...string) {
	w.t.Helper()
	if len(mailbox) == 0 {
		mailbox = []string{"101"}
	}
	if _, err := w.gate.Take(w.t.Context(), strings.NewReader(raw), mailbox, map[string]string{"from": "alex@example.org"}); err != nil {
		w.t.Fatal(err)
	}
}

// work runs inbox and outbox until nothing is left to do.
func (w *world) work() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { w.inbox.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Email: w.worker}) })
	wg.Go(func() { w.outbox.Run(ctx) })
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for ctx.Err() == nil {
		in, err := w.inbox.Pending(ctx, inbox.Email)
		out, err2 := w.outbox.Pending(ctx)
		if err == nil && err2 == nil && in.Pending == 0 && out.Pending == 0 {
			break
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		w.t.Error("the work did not end in time")
	}
	cancel()
	wg.Wait()
}

// sent reads the outgoing folder.
func (w *world) sent() []string {
	w.t.Helper()
	var out []string
	err := filepath.WalkDir(filepath.Join(w.out, "new"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			out = append(out, string(b))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) messages(id contact.ID) []crm.Message {
	w.t.Helper()
	list, err := w.store.MessagesOf(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) end(id contact.ID) {
	w.t.Helper()
	if err := w.store.Ended(w.t.Context(), crm.Ending{ID: id, At: contact.At(time.Now()), Ending: contact.Answered}); err != nil {
		w.t.Fatal(err)
	}
}

// mail writes a message; more are further header lines.
func mail(id, subject, text string, more ...string) string {
	h := "From: Alex Example <alex@example.org>\nTo: 101@police.example.org\nSubject: " + subject + "\nDate: Sun, 3 May 2026 10:00:00 +0100\n"
	if id != "" {
		h += "Message-ID: <" + id + ">\n"
	}
	for _, m := range more {
		h += m + "\n"
	}
	return strings.ReplaceAll(h+"\n"+text+"\n", "\n", "\r\n")
}

func parse(t *testing.T, raw string) email.Parsed {
	t.Helper()
	return email.Parse(t.Context(), []byte(raw), email.DefaultLimits)
}

func read(t *testing.T, b blob.Store, ref blob.Ref) string {
	t.Helper()
	r, err := b.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pendingItem reads the one e-mail that waits: of those worked the blob is gone.
func pendingItem(t *testing.T, w *world) inbox.Item {
	t.Helper()
	keys, err := w.redis.Keys(t.Context(), "{in:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var waits []inbox.Item
	for _, key := range keys {
		text, err := w.redis.HGet(t.Context(), key, "item").Bytes()
		if err != nil {
			t.Fatal(err)
		}
		var it inbox.Item
		if err := json.Unmarshal(text, &it); err != nil {
			t.Fatal(err)
		}
		if it.Kind == inbox.Email && it.Blob != "" {
			waits = append(waits, it)
		}
	}
	if len(waits) != 1 {
		t.Fatalf("%d e-mails wait", len(waits))
	}
	return waits[0]
}

// newWorldWorker is a second worker of the same world, as after a restart.
func newWorldWorker(w *world) *email.Worker {
	return email.NewWorker(email.WorkerOptions{
		Records: w.store, Router: w.router, Blobs: w.blobs, Threads: w.threads, Mailboxes: w.boxes, Outbox: w.outbox, Largest: 1 << 20,
	})
}
