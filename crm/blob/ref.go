package blob

import (
	"context"
	"errors"
	"io"
)

// Ref names a blob: the lower-case hex SHA-256 of its bytes.
type Ref string

// Errors to test for with errors.Is.
var (
	// ErrNotFound means that no blob has that name, or it was erased.
	ErrNotFound = errors.New("blob: not found")
	// ErrTooLarge means that more came than Put was to take; nothing was kept.
	ErrTooLarge = errors.New("blob: too large")
	// ErrFull means that the disk or the quota is full: a temporary failure, to be
	// answered as one.
	ErrFull = errors.New("blob: no space left")
)

// Store keeps blobs. It is safe for concurrent use, by several processes too.
type Store interface {
	// Put reads r to its end, at most most bytes, and returns the blob's name and
	// size once it is durable. Putting the same bytes again is harmless.
	Put(ctx context.Context, r io.Reader, most int64) (Ref, int64, error)
	// Open reads a blob; the caller closes it.
	Open(ctx context.Context, ref Ref) (io.ReadSeekCloser, error)
	// Erase removes a blob. Erasing what is not there is no error.
	Erase(ctx context.Context, ref Ref) error
}
