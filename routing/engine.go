package routing

import "example.org/c3i/contact"

// Engine is the routing state machine. It is not safe for concurrent use: one
// goroutine owns it.
type Engine struct{}

// New returns an engine that knows nothing yet; the first event is normally a
// PlanPublished.
func New() *Engine { return &Engine{} }

// Step advances the engine by one event and returns what must now be done, in
// order. Instants must not go back; one that does is treated as the latest seen.
// Deadlines due at or before at are acted on first.
func (e *Engine) Step(at contact.Instant, ev Event) []Action { return nil }

// NextDeadline reports when Step(at, Tick{}) must next be called, if ever.
func (e *Engine) NextDeadline() (contact.Instant, bool) { return 0, false }
