package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/c3i/edge"
)

// short lets forms and answers stand still for an instant, files for long.
var short = edge.Times{
	Short: edge.Patience{Stall: 20 * time.Millisecond, Most: 20 * time.Millisecond},
	Files: edge.Patience{Stall: time.Minute, Most: time.Hour},
}

func start(t *testing.T, times edge.Times, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(edge.Handler(h, times))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func put(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func TestAFormThatStallsEndsAndAFileThatMovesDoesNot(t *testing.T) {
	slow := make(chan error, 1)
	begun := make(chan struct{})
	address := start(t, short, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			edge.ForFiles(r)
			close(begun)
			b, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", b, err)
			return
		}
		_, err := io.ReadAll(r.Body)
		slow <- err
		w.WriteHeader(http.StatusRequestTimeout)
	})
	file := connect(t, address)
	put(t, file, "POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
	<-begun
	form := connect(t, address)
	put(t, form, "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
	if err := <-slow; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the form's body: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(form), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
		t.Errorf("the form was answered %d, closing %t", answer.StatusCode, answer.Close)
	}
	ends(t, form)
	// The file began before and has stood still for longer than a form may.
	put(t, file, "world")
	answer, err = http.ReadResponse(bufio.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(answer.Body)
	if string(b) != "helloworld <nil>" || err != nil {
		t.Errorf("the file arrived as %q, %v", b, err)
	}
	_ = answer.Body.Close()
}

func TestAFileThatDripsEnds(t *testing.T) {
	drip := edge.Times{Short: short.Short, Files: edge.Patience{Stall: 20 * time.Millisecond, Rate: 1 << 20, Most: time.Hour}}
	ended := make(chan error, 1)
	address := start(t, drip, func(_ http.ResponseWriter, r *http.Request) {
		edge.ForFiles(r)
		_, err := io.ReadAll(r.Body)
		ended <- err
	})
	c := connect(t, address)
	put(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	for {
		// A byte at a time, never standing still for long.
		_, werr := io.WriteString(c, "x")
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ended with %v", err)
			}
			return
		default:
		}
		if werr != nil {
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ended with %v", err)
			}
			return
		}
	}
}

func TestABodyNobodyReadsHoldsNoConnection(t *testing.T) {
	address := start(t, short, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	c := connect(t, address)
	put(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhel")
	ends(t, c)
}

func TestAnAnswerThatNobodyTakesEnds(t *testing.T) {
	ended := make(chan error, 1)
	address := start(t, short, func(w http.ResponseWriter, _ *http.Request) {
		part := bytes.Repeat([]byte("x"), 1<<20)
		for range 1000 { // far more than the system buffers
			if _, err := w.Write(part); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	})
	c := connect(t, address)
	put(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

func TestOneRequestsTimesDoNotMeetTheNextOnTheSameConnection(t *testing.T) {
	proceed := make(chan struct{})
	address := start(t, short, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/later" {
			<-proceed
			if err := r.Context().Err(); err != nil {
				t.Errorf("the request ended while it was worked: %v", err)
			}
		}
		_, _ = io.WriteString(w, "done")
	})
	c := connect(t, address)
	in := bufio.NewReader(c)
	answered := func() {
		t.Helper()
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(answer.Body); string(b) != "done" || err != nil {
			t.Errorf("answered %q, %v", b, err)
		}
	}
	put(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
	answered()
	put(t, c, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
	stalled := connect(t, address)
	put(t, stalled, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
	ends(t, stalled) // every time of the first connection has passed as well
	close(proceed)
	answered()
}

func TestAConnectionThatIsTakenOverHasNoDeadlines(t *testing.T) {
	address := start(t, short, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/taken" {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			line, err := rw.ReadString('\n')
			if err != nil {
				t.Errorf("a connection that was taken over: %v", err)
				return
			}
			_, _ = io.WriteString(c, strings.ToUpper(line))
		}()
	})
	taken := connect(t, address)
	put(t, taken, "GET /taken HTTP/1.1\r\nHost: x\r\n\r\n")
	stalled := connect(t, address)
	put(t, stalled, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
	ends(t, stalled)
	put(t, taken, "still here\n")
	if line, err := bufio.NewReader(taken).ReadString('\n'); line != "STILL HERE\n" {
		t.Errorf("heard %q, %v", line, err)
	}
}

func TestTimesHoldForHTTP2Too(t *testing.T) {
	ended := make(chan error, 2)
	s := httptest.NewUnstartedServer(edge.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- err
	}), short))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	never, write := io.Pipe()
	defer func() { _ = write.Close() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, never)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		resp, err := s.Client().Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a stalled body over HTTP/2: %v", err)
	}
}
