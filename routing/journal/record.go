package journal

import (
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
	// Hash is the engine's state hash after this event, present on some records.
	Hash []byte `json:"hash,omitempty"`
}

// Snapshot is the engine's state after the event Seq.
type Snapshot struct {
	Seq   uint64          `json:"seq"`
	At    contact.Instant `json:"at"`
	Hash  []byte          `json:"hash"`
	State []byte          `json:"state"`
}
