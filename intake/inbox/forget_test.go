package inbox_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/c3i/crm/redistest"
	"example.org/c3i/intake/inbox"
)

// What lies in quarantine goes with its contact, and its sender's repeat is still
// a repeat.
func TestQuarantineForgetsAContactThatIsErased(t *testing.T) {
	c := redistest.Start(t)
	b := inbox.New(quick(inbox.Options{Redis: c, MaxAttempts: 1}))
	for n := range 2 {
		it := item(n)
		it.Key = "marmalade@example.org-" + it.Key
		it.Body, it.Envelope = []byte("marmalade"), map[string]string{"from": "marmalade@example.org"}
		if _, _, err := b.Accept(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk()
	d.fail = func(it inbox.Item) error {
		if it.Contact == "contact-0" {
			return errors.New("marmalade is odd")
		}
		return nil
	}
	run(t, b, d, empty(t, b))
	if f, err := b.Pending(t.Context(), inbox.Email); err != nil || f.Quarantined != 1 {
		t.Fatalf("figures %+v, %v", f, err)
	}
	if err := b.Forget(t.Context(), "contact-7"); err != nil {
		t.Fatal(err)
	}
	if f, _ := b.Pending(t.Context(), inbox.Email); f.Quarantined != 1 {
		t.Error("another contact's erasure emptied the quarantine")
	}
	for range 2 {
		if err := b.Forget(t.Context(), "contact-0"); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := b.Pending(t.Context(), inbox.Email); err != nil || f.Quarantined != 0 || f.Pending != 0 {
		t.Errorf("figures %+v, %v", f, err)
	}
	keys, err := c.Keys(t.Context(), "{in:*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("items: %v, %v", keys, err)
	}
	for _, k := range keys {
		for _, v := range c.HVals(t.Context(), k).Val() {
			if i := strings.Index(v, "marmalade"); i >= 0 {
				t.Errorf("it is left: %s", v)
			}
			if strings.Contains(v, "bWFybWFsYWRl") {
				t.Errorf("the body is left: %s", v)
			}
		}
	}
	again := item(0)
	again.Key = "marmalade@example.org-" + again.Key
	if kept, repeat, err := b.Accept(t.Context(), again); err != nil || !repeat || kept.Contact != "contact-0" {
		t.Errorf("accepted again: %+v, repeat %v, %v", kept, repeat, err)
	}
}
