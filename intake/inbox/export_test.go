package inbox

import (
	"context"
	"sync/atomic"
)

// ErrCrashed is what a worker returns to end as a killed process would.
var ErrCrashed = errCrashed

// CrashAt makes everything of this Inbox end, once, at the named step, as a kill
// would: the step's goroutine does nothing after it. reached is closed then.
func (b *Inbox) CrashAt(step string) (reached <-chan struct{}) {
	ch := make(chan struct{})
	var hit atomic.Bool
	b.step = func(at string) error {
		if at != step {
			return nil
		}
		if hit.CompareAndSwap(false, true) {
			close(ch)
		}
		return errCrashed
	}
	return ch
}

// BreakOff leaves what an acceptance leaves that dies between its two writes.
func (b *Inbox) BreakOff(ctx context.Context, it Item) error {
	return pendScript.Run(ctx, b.o.Redis, lineKeys(it.Kind)[:2], nameOf(it.Kind, it.Key), b.o.Now().UnixMilli(), milliseconds(it.At)).Err()
}

// Decode reads an item as it lies in Redis.
var Decode = decode
