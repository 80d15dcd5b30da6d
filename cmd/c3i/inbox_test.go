package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/inbox"
)

// stuck is a worker that can work nothing, and one that a person takes from.
type stuck struct{ cause error }

func (s stuck) Work(context.Context, inbox.Item) error          { return s.cause }
func (s stuck) GiveUp(context.Context, inbox.Item, error) error { return nil }

// An operator sees what is in quarantine without seeing whom it is about, unless
// they say why.
func TestWhatIsInQuarantineIsSeenTriedAgainAndLetGo(t *testing.T) {
	client, data := redistest.Start(t), t.TempDir()
	files, err := blob.OpenDir(filepath.Join(data, blobsDir), blob.Options{Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	const letter = "From: alex@example.org\r\nSubject: My bicycle\r\n\r\nIt was blue.\r\n"
	ref, _, err := files.Put(t.Context(), strings.NewReader(letter), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	items := []inbox.Item{
		{Key: "a", Kind: inbox.Email, Contact: "mail-1", Blob: ref, Envelope: map[string]string{"mailbox": "101", "from": "alex@example.org", "remote": "192.0.2.7"}},
		{Key: "b", Kind: inbox.Web, Contact: "web-1", Body: []byte(`{"kind":"report","ids":{"reference":"BCDF-GHJK-M","secret":"not to be shown"},"answers":{"surname":"Example"}}`), Envelope: map[string]string{"what": "report"}},
	}
	b := inbox.New(inbox.Options{Redis: client, MaxAttempts: 1, Poll: 5 * time.Millisecond})
	for _, it := range items {
		it.At = contact.At(time.Now())
		if _, _, err := b.Accept(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	until := func(w inbox.Worker, done func(email, web inbox.Figures) bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			b.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Email: w, inbox.Web: w})
			close(ended)
		}()
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for {
			email, err := b.Pending(ctx, inbox.Email)
			web, err2 := b.Pending(ctx, inbox.Web)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if done(email, web) {
				break
			}
			<-look.C
		}
		cancel()
		<-ended
	}
	until(stuck{errors.New("no such person: alex@example.org, 07700 900123")}, func(email, web inbox.Figures) bool {
		return email.Quarantined == 1 && web.Quarantined == 1 && email.Pending+web.Pending == 0
	})

	c3i := func(want int, args ...string) (out, errOut string) {
		t.Helper()
		var o, e strings.Builder
		args = append(args, "--data_dir", data, "--redis.addrs", client.Options().Addr)
		if code := run(t.Context(), args, nil, &o, &e); code != want {
			t.Fatalf("c3i %s: code %d, %s%s", strings.Join(args, " "), code, &o, &e)
		}
		return o.String(), e.String()
	}
	hides := func(text string, secrets ...string) {
		t.Helper()
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%q is shown:\n%s", s, text)
			}
		}
	}
	says := func(text string, wants ...string) {
		t.Helper()
		for _, s := range wants {
			if !strings.Contains(text, s) {
				t.Errorf("%q is not said:\n%s", s, text)
			}
		}
	}
	personal := []string{"alex@example.org", "900123", "192.0.2.7", "bicycle", "Example", "not to be shown"}

	out, _ := c3i(exitOK, "inbox", "list")
	says(out, "mail-1", "web-1", "101", "no such person: …@…, …")
	hides(out, personal...)
	out, _ = c3i(exitOK, "inbox", "list", "--json")
	says(out, `"id": "mail-1"`, `"kind": "web"`)
	hides(out, personal...)
	out, errOut := c3i(exitOK, "inbox", "show", "mail-1")
	says(out, "mailbox", "101", "(hidden)", "no such person: …@…, …")
	hides(out+errOut, personal...)

	_, errOut = c3i(exitUsage, "inbox", "show", "mail-1", "--reason", " ")
	says(errOut, "--reason: say why")
	out, errOut = c3i(exitOK, "inbox", "show", "mail-1", "--reason", "fault 4711")
	if out != letter {
		t.Errorf("the mail reads %q, and it came as %q", out, letter)
	}
	says(errOut, "alex@example.org", "192.0.2.7", "no such person: alex@example.org")
	out, _ = c3i(exitOK, "inbox", "show", "web-1", "--reason", "fault 4711")
	says(out, "Example", "BCDF-GHJK-M")
	hides(out, "not to be shown")

	_, errOut = c3i(exitFailed, "inbox", "show", "mail-2")
	says(errOut, "mail-2 is not in quarantine; c3i inbox list shows what is")
	_, errOut = c3i(exitUsage, "inbox", "retry")
	says(errOut, "give the id that c3i inbox list shows, or --all")
	c3i(exitUsage, "inbox", "retry", "mail-1", "--all")
	_, errOut = c3i(exitUsage, "inbox", "release", "web-1")
	says(errOut, "--reason: say why")

	out, _ = c3i(exitOK, "inbox", "release", "web-1", "--reason", "filed by hand")
	says(out, "web-1 is out of quarantine")
	c3i(exitFailed, "inbox", "release", "web-1", "--reason", "filed by hand")
	out, _ = c3i(exitOK, "inbox", "retry", "--all")
	says(out, "in line again: 1")
	out, _ = c3i(exitOK, "inbox", "list")
	says(out, "nothing is in quarantine")
	until(stuck{}, func(email, web inbox.Figures) bool { return email == (inbox.Figures{}) && web == (inbox.Figures{}) })

	out, _ = c3i(exitOK, "audit", "read", "--object", "inbox", "--json")
	says(out, `"consult"`, `"erase"`, `"alter"`, "fault 4711", "filed by hand", `"object_id": "web-1"`, `"masked"`)
	hides(out, personal...)
}
