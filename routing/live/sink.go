package live

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/rs/zerolog"

	"example.org/c3i/routing"
)

// sinkQueue is one sink's unbounded queue and its goroutine.
type sinkQueue struct {
	name    string
	sink    Sink
	log     zerolog.Logger
	metrics *Metrics

	mu        sync.Mutex
	queue     []routing.Action
	given     uint64 // actions ever put
	performed uint64 // actions ever handed over, whatever came of them
	awaited   []awaited
	closed    bool
	wake      chan struct{}
	done      chan struct{}
}

// awaited is closed once so many actions were performed.
type awaited struct {
	performed uint64
	done      chan struct{}
}

func newSinkQueue(name string, sink Sink, log zerolog.Logger, m *Metrics) *sinkQueue {
	return &sinkQueue{
		name: name, sink: sink, log: log.With().Str("sink", name).Logger(), metrics: m,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

func (q *sinkQueue) put(actions []routing.Action) {
	if len(actions) == 0 {
		return
	}
	q.mu.Lock()
	q.queue = append(q.queue, actions...)
	q.given += uint64(len(actions))
	n := len(q.queue)
	q.mu.Unlock()
	q.metrics.sinkLength.WithLabelValues(q.name).Set(float64(n))
	q.signal()
}

func (q *sinkQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *sinkQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

// run hands actions over until the queue is closed and empty, or ctx ends.
func (q *sinkQueue) run(ctx context.Context) {
	defer close(q.done)
	for {
		q.mu.Lock()
		batch, closed := q.queue, q.closed
		q.queue = nil
		q.mu.Unlock()
		for i, a := range batch {
			if ctx.Err() != nil {
				q.log.Warn().Int("actions", len(batch)-i).Msg("actions were left undone when routing stopped")
				return
			}
			if err := q.do(ctx, a); err != nil {
				q.metrics.sinkErrors.WithLabelValues(q.name).Inc()
				q.log.Error().Err(err).Str("action", a.ActionKind()).Msg("an action failed")
			}
			q.didOne()
		}
		q.metrics.sinkLength.WithLabelValues(q.name).Set(float64(q.length()))
		if len(batch) > 0 {
			continue
		}
		if closed {
			return
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (q *sinkQueue) didOne() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.performed++
	for len(q.awaited) > 0 && q.awaited[0].performed <= q.performed {
		close(q.awaited[0].done)
		q.awaited = q.awaited[1:]
	}
}

// wait returns once all that was put before is performed.
func (q *sinkQueue) wait(ctx context.Context) error {
	q.mu.Lock()
	if q.performed == q.given {
		q.mu.Unlock()
		return nil
	}
	w := awaited{q.given, make(chan struct{})}
	q.awaited = append(q.awaited, w)
	q.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-q.done:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *sinkQueue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue)
}

// do shields the other sinks, and the next action, from a panic.
func (q *sinkQueue) do(ctx context.Context, a routing.Action) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.metrics.sinkPanics.WithLabelValues(q.name).Inc()
			q.log.Error().Bytes("stack", debug.Stack()).Msg("a sink panicked")
			err = fmt.Errorf("panic in %s", a.ActionKind())
		}
	}()
	return q.sink.Do(ctx, a)
}
