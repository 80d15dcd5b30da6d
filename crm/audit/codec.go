package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// EntryLimit bounds an entry as kept, in bytes.
const EntryLimit = 16 << 10

// ErrInvalid means that an entry was refused because it may hold a value, or too
// much; the error's text names the field.
var ErrInvalid = errors.New("audit: invalid entry")

// encode gives the bytes an entry is kept as, and their hash. The hash is taken
// over the bytes kept, so that entries of an older version verify for ever.
func encode(e Entry) (body []byte, hash string, err error) {
	e.Hash = ""
	if body, err = json.Marshal(e); err != nil {
		return nil, "", err
	}
	if len(body) > EntryLimit {
		return nil, "", fmt.Errorf("%w: an entry holds at most %d bytes, this one has %d", ErrInvalid, EntryLimit, len(body))
	}
	return body, sum(body), nil
}

// sum is the hash of an entry as kept. The body names the hash before it.
func sum(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}

// decode reads an entry as kept. It refuses what is not one JSON object of
// reasonable size; fields that a newer version added are left out.
func decode(body []byte, hash string) (Entry, error) {
	if len(body) > EntryLimit {
		return Entry{}, fmt.Errorf("audit: an entry of %d bytes", len(body))
	}
	if !utf8.Valid(body) {
		return Entry{}, errors.New("audit: an entry is not text")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	var e Entry
	if err := d.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("audit: an entry cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Entry{}, errors.New("audit: something follows an entry")
	}
	e.Hash = hash
	return e, nil
}

// check refuses an entry whose names could be values.
func check(e Entry) error {
	if e.Operation == "" || !name(string(e.Operation), 32, "_") {
		return fmt.Errorf("%w: operation: %q is not the name of one", ErrInvalid, e.Operation)
	}
	if !name(e.Object, 32, "_") {
		return fmt.Errorf("%w: object: it must be the name of a kind, such as person", ErrInvalid)
	}
	if len(e.ObjectID) > 128 || strings.ContainsAny(e.ObjectID, " @\n\t") {
		return fmt.Errorf("%w: object_id: it must be an id, at most 128 characters without spaces", ErrInvalid)
	}
	if len(e.Fields) > 200 {
		return fmt.Errorf("%w: fields: at most 200", ErrInvalid)
	}
	for _, f := range e.Fields {
		if !name(f, 80, "_.[]-:*") {
			return fmt.Errorf("%w: fields: one is not the name of a field", ErrInvalid)
		}
	}
	for field, v := range map[string]string{
		"actor.id": e.Actor.ID, "actor.reason": e.Actor.Reason, "actor.workstation": e.Actor.Workstation, "actor.session": e.Actor.Session,
		"purpose": e.Purpose, "recipient": e.Recipient, "outcome": e.Outcome,
	} {
		if len(v) > 1000 {
			return fmt.Errorf("%w: %s: at most 1000 bytes", ErrInvalid, field)
		}
	}
	return nil
}

// name tells whether s is a name of a program's and not somebody's words.
func name(s string, most int, also string) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(also, r):
		default:
			return false
		}
	}
	return s[0] > '9' // no name begins with a digit, every number does
}
