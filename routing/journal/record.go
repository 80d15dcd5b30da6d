package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"example.org/c3i/contact"
)

// Record is one journalled event.
type Record struct {
	// Seq counts from 1 without a gap.
	Seq uint64 `json:"seq"`
	// At is the instant the event was stepped at; it never goes back.
	At contact.Instant `json:"at"`
	// Epoch is the writer's.
	Epoch uint64 `json:"epoch"`
	// Kind and Event are the event as [Encode] gives it.
	Kind  string          `json:"kind"`
	Event json.RawMessage `json:"event"`
	// Hash is the engine's state hash before this event, that is after the record
	// before it; some records have it.
	Hash []byte `json:"hash,omitempty"`
	// Chain is Link of the record before and this one: it shows exactly which
	// record was changed, lost or put in.
	Chain []byte `json:"chain"`
}

// Link gives a record's Chain from the Chain of the record before it, nil before
// the first: 16 bytes of a SHA-256 over both. The epoch and the hash are not in
// it.
func Link(before []byte, r Record) []byte {
	h := sha256.New()
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	number(uint64(len(before)))
	h.Write(before)
	number(r.Seq)
	number(uint64(r.At))
	number(uint64(len(r.Kind)))
	h.Write([]byte(r.Kind))
	h.Write(r.Event)
	return h.Sum(nil)[:16]
}

// Snapshot is the engine's state after the event Seq.
type Snapshot struct {
	Seq   uint64          `json:"seq"`
	At    contact.Instant `json:"at"`
	Hash  []byte          `json:"hash"`
	Chain []byte          `json:"chain"` // of the record Seq
	State []byte          `json:"state"`
}
