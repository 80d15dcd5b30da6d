package agentdesk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/crm"
)

// history writes endings to the CRM in the order they came. While the store is
// away they wait in memory; none is dropped as long as the process lives.
type history struct {
	records Records
	log     zerolog.Logger
	metrics *metrics

	mu    sync.Mutex
	queue []crm.Ending
	wake  chan struct{} // capacity 1
	turn  chan struct{} // held by the one writer
}

func newHistory(r Records, log zerolog.Logger, m *metrics) *history {
	return &history{records: r, log: log, metrics: m, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
}

func (h *history) add(e crm.Ending) {
	h.mu.Lock()
	h.queue = append(h.queue, e)
	h.metrics.spooled.Set(float64(len(h.queue)))
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *history) head() (crm.Ending, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		return crm.Ending{}, false
	}
	return h.queue[0], true
}

func (h *history) pop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = h.queue[1:]
	h.metrics.spooled.Set(float64(len(h.queue)))
}

// run writes until ctx is done.
func (h *history) run(ctx context.Context) {
	for {
		_ = h.drain(ctx)
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
	}
}

// flush writes what is left; the error says how many endings could not be
// written before ctx was done.
func (h *history) flush(ctx context.Context) error {
	err := h.drain(ctx)
	h.mu.Lock()
	left := len(h.queue)
	h.mu.Unlock()
	if left > 0 {
		return fmt.Errorf("agentdesk: %d endings of contacts could not be written to the CRM: %w", left, err)
	}
	return nil
}

// drain writes until the queue is empty or ctx is done.
func (h *history) drain(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.turn }()
	pause := 50 * time.Millisecond
	for {
		e, waiting := h.head()
		if !waiting {
			return nil
		}
		one, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := h.records.Ended(one, e)
		cancel()
		switch {
		case err == nil:
			h.pop()
			pause = 50 * time.Millisecond
			continue
		case errors.Is(err, crm.ErrInvalid):
			// It would never be taken, and must not hold the others up.
			h.log.Error().Err(err).Str("contact", string(e.ID)).Msg("the CRM refused an ending for good")
			h.pop()
			continue
		}
		h.log.Warn().Err(err).Str("contact", string(e.ID)).Msg("an ending could not be written to the CRM; trying again")
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}
