package edge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Times are how long requests may take to come in, and their answers to go out.
type Times struct {
	// Short is for what has no files: forms, JSON. Its Most bounds the whole body.
	Short Patience
	// Files is for requests that bring files; see ForFiles.
	Files Patience
}

// DefaultTimes let a form take 30 seconds, and files as long as they move: a large
// photograph on a slow mobile connection arrives, within the hour.
var DefaultTimes = NewTimes(30*time.Second, time.Hour)

// slowest is the rate below which a transfer does not move, in bytes a second: a
// bad mobile connection brings twice that.
const slowest = 4 << 10

// NewTimes makes Times of how long a client may send or take nothing, and how long
// files may take in all.
func NewTimes(stall, files time.Duration) Times {
	return Times{
		Short: Patience{Stall: stall, Rate: slowest, Most: stall},
		Files: Patience{Stall: stall, Rate: slowest, Most: files},
	}
}

// watched is what ForFiles finds in a request's context.
type watchedKey struct{}

// Handler bounds how slowly the requests of next come in and their answers are
// taken. A body is held to t.Short until its handler calls [ForFiles]; reading one
// that is too slow fails with os.ErrDeadlineExceeded, and the handler may still
// answer. A connection (not of HTTP/2) whose request was answered before its body had come is
// closed: nobody waits for the rest. An answer may take t.Short.Stall for each part
// that is written. A connection that is taken over (a websocket) has no deadlines
// left.
func Handler(next http.Handler, t Times) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &writer{ResponseWriter: w, control: http.NewResponseController(w), patience: t.Short, streams: r.ProtoMajor > 1}
		// One request's deadline must not meet the next on the same connection.
		_ = out.control.SetWriteDeadline(time.Time{})
		if r.Body != nil && r.Body != http.NoBody {
			out.in = &body{ReadCloser: r.Body, control: out.control, patience: t.Short, files: t.Files, begin: time.Now()}
			out.in.wait()
			ctx, cancel := out.in.context(r.Context())
			defer cancel()
			r = r.WithContext(context.WithValue(ctx, watchedKey{}, out.in))
			r.Body = out.in
		}
		next.ServeHTTP(out, r)
		if !out.begun && !out.taken {
			out.WriteHeader(http.StatusOK)
		}
		out.wait(0) // what the handler wrote may be in a buffer still
	})
}

// ForFiles gives a request's body the time that files need. A handler calls it
// once it knows that whoever asks may send files.
func ForFiles(r *http.Request) {
	if in, ok := r.Context().Value(watchedKey{}).(*body); ok {
		in.patience = in.files
		in.wait()
	}
}

// body is a request's body whose reader waits only so long.
type body struct {
	io.ReadCloser
	control         *http.ResponseController
	patience, files Patience
	begin           time.Time
	moved           int64
	ended           bool

	mu    sync.Mutex
	until time.Time // the next byte's time; zero when none is waited for
}

// wait sets when the next byte must come. A connection without deadlines is not
// bounded; those of a server have them.
func (b *body) wait() { b.set(b.patience.until(b.begin, time.Now(), b.moved)) }

func (b *body) set(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = until
	_ = b.control.SetReadDeadline(until)
}

func (b *body) late() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero() && !time.Now().Before(b.until)
}

// context ends with outer, but not because the body is late: the server then ends
// outer, as if whoever asked had gone, and they are to be answered.
func (b *body) context(outer context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(outer))
	stop := context.AfterFunc(outer, func() {
		if !b.late() {
			cancel(context.Cause(outer))
		}
	})
	return ctx, func() { stop(); cancel(nil) }
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	b.wait()
	n, err := b.ReadCloser.Read(p)
	b.moved += int64(n)
	if errors.Is(err, io.EOF) {
		// From here on a read deadline would only end what the handler does.
		b.ended = true
		b.set(time.Time{})
	}
	return n, err
}

// writer is an answer whose reader is waited for only so long.
type writer struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience Patience
	in       *body // nil for a request without one
	streams  bool  // HTTP/2: a request's end is not the connection's
	begun    bool
	taken    bool
}

func (w *writer) wait(n int) {
	if !w.taken {
		_ = w.control.SetWriteDeadline(w.patience.writing(time.Now(), n))
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusOK && !w.begun {
		w.begun = true
		if w.in != nil && !w.in.ended && !w.streams {
			w.Header().Set("Connection", "close")
		}
	}
	w.wait(0)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	w.wait(len(p))
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (w *writer) Flush() {
	w.wait(0)
	_ = w.control.Flush()
}

// Hijack implements http.Hijacker.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := w.control.Hijack()
	w.taken = err == nil
	return c, rw, err
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
