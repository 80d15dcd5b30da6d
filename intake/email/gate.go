package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm/blob"
	"example.org/c3i/intake/inbox"
)

// ErrTooLarge means that a message is larger than Gate.Largest.
var ErrTooLarge = errors.New("email: the message is too large")

// Gate takes raw messages: bytes into the blob store, then an item into the
// inbox. When Take returns nil the message is durable.
type Gate struct {
	Blobs blob.Store
	Inbox inbox.Acceptor
	// Largest bounds a message, in bytes.
	Largest int64
	NewID   func() string
	Now     func() time.Time
}

// Take stores a message for mailboxes of ours; one item for each. A message that
// a mailbox has already (the same Message-ID and the same content, or without a
// Message-ID the same content) is taken once: repeats counts those.
func (g Gate) Take(ctx context.Context, r io.Reader, mailboxes []string, envelope map[string]string) (repeats int, err error) {
	id := newIdentity()
	ref, _, err := g.Blobs.Put(ctx, io.TeeReader(r, id), g.Largest)
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return 0, fmt.Errorf("%w: at most %d bytes", ErrTooLarge, g.Largest)
	case err != nil:
		return 0, fmt.Errorf("email: store the message: %w", err)
	}
	for _, box := range mailboxes {
		e := map[string]string{"mailbox": box}
		for k, v := range envelope {
			e[k] = v
		}
		_, repeat, err := g.Inbox.Accept(ctx, inbox.Item{
			Key: box + "\x00" + id.key(), Kind: inbox.Email, Contact: contact.ID(g.NewID()), At: contact.At(g.Now()), Blob: ref, Envelope: e,
		})
		if err != nil {
			return repeats, err
		}
		if repeat {
			repeats++
		}
	}
	return repeats, nil
}

// identity tells, while a message passes by, whether it is the same as another:
// its Message-ID, and its body without regard to how lines end. Header fields that
// each hop adds do not matter, unless there is no Message-ID; then Date, From and
// Subject do.
type identity struct {
	head   []byte
	inBody bool
	body   hash.Hash
	cr     bool
	blank  int // line ends at the end so far: those of the last line do not matter
}

func newIdentity() *identity { return &identity{body: sha256.New()} }

// Write implements io.Writer and never fails.
func (i *identity) Write(b []byte) (int, error) {
	n := len(b)
	if !i.inBody {
		i.head = append(i.head, b...)
		end, size := headerEnd(i.head)
		if end < 0 {
			if len(i.head) < headerLimit {
				return n, nil
			}
			end, size = len(i.head), 0
		}
		b = i.head[end+size:]
		i.head = i.head[:end:end]
		i.inBody = true
	}
	i.add(b)
	return n, nil
}

func headerEnd(b []byte) (at, size int) {
	lf, crlf := bytes.Index(b, []byte("\n\n")), bytes.Index(b, []byte("\r\n\r\n"))
	switch {
	case crlf >= 0 && (lf < 0 || crlf < lf):
		return crlf, 4
	case lf >= 0:
		return lf, 2
	}
	return -1, 0
}

func (i *identity) add(b []byte) {
	for len(b) > 0 {
		n := bytes.IndexAny(b, "\r\n")
		if n != 0 {
			for ; i.blank > 0; i.blank-- {
				i.body.Write([]byte{'\n'})
			}
			if n < 0 {
				n = len(b)
			}
			i.body.Write(b[:n])
			b = b[n:]
			i.cr = false
			continue
		}
		if b[0] == '\r' || !i.cr {
			i.blank++
		}
		i.cr = b[0] == '\r'
		b = b[1:]
	}
}

func (i *identity) key() string {
	h, rest := splitHeader(append(i.head[:len(i.head):len(i.head)], "\n\n"...))
	if !i.inBody || len(h) == 0 {
		i.add(rest)
		if len(h) == 0 && i.inBody {
			i.body.Write([]byte("\x00head"))
			i.body.Write(i.head)
		}
	}
	id := messageID(h.get("message-id"))
	if id == "" {
		id = "\x00" + h.get("date") + "\x00" + h.get("from") + "\x00" + h.get("subject")
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16]) + hex.EncodeToString(i.body.Sum(nil)[:16])
}
