package email_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/c3i/crm"
	"example.org/c3i/intake/email"
)

// eicar is the string that every scanner takes for malware, in two halves so that
// none takes this file for it.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// standIn speaks clamd's INSTREAM protocol and stands in for clamd: it scans
// nothing, and finds the EICAR string alone.
type standIn struct {
	mu      sync.Mutex
	scanned []string
	// answer, if set, is said instead of what was found.
	answer func(content []byte) string
	// deaf reads nothing and says nothing.
	deaf bool
	most int
}

func (s *standIn) start(t *testing.T, network string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var open sync.Map
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			serving.Go(func() {
				defer func() { _ = c.Close() }()
				if s.deaf {
					_, _ = io.Copy(io.Discard, c)
					return
				}
				_, _ = io.WriteString(c, s.serve(bufio.NewReader(c)))
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil || true })
		serving.Wait()
	})
	return l.Addr().String()
}

func (s *standIn) serve(in *bufio.Reader) string {
	command, err := in.ReadString(0)
	if err != nil || command != "zINSTREAM\x00" {
		return "UNKNOWN COMMAND\x00"
	}
	var content bytes.Buffer
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return "INSTREAM: cut off ERROR\x00"
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&content, in, n); err != nil {
			return "INSTREAM: cut off ERROR\x00"
		}
		if s.most > 0 && content.Len() > s.most {
			return "INSTREAM size limit exceeded. ERROR\x00"
		}
	}
	s.mu.Lock()
	s.scanned = append(s.scanned, content.String())
	s.mu.Unlock()
	switch {
	case s.answer != nil:
		return s.answer(content.Bytes())
	case bytes.Contains(content.Bytes(), []byte(eicar)):
		return "stream: Eicar-Test-Signature FOUND\x00"
	}
	return "stream: OK\x00"
}

func TestAFileIsWhatClamdSaysAndNeverCleanOtherwise(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 300_000) // many chunks, the last of them short
	for _, c := range []struct {
		name    string
		clamd   *standIn
		content []byte
		want    crm.ScanResult
	}{
		{"a letter", &standIn{}, []byte("a letter"), crm.Clean},
		{"nothing", &standIn{}, nil, crm.Clean},
		{"a large file", &standIn{}, large, crm.Clean},
		{"EICAR", &standIn{}, []byte(eicar), crm.Infected},
		{"EICAR at the end of a large file", &standIn{}, append(bytes.Clone(large), eicar...), crm.Infected},
		{"larger than clamd takes", &standIn{most: 1 << 20}, large, crm.ScanFailed},
		{"an error", &standIn{answer: func([]byte) string { return "stream: Can't allocate memory ERROR\x00" }}, []byte("x"), crm.ScanFailed},
		{"an answer that is cut off", &standIn{answer: func([]byte) string { return "stream: OK" }}, []byte("x"), crm.ScanFailed},
		{"no answer", &standIn{answer: func([]byte) string { return "" }}, []byte("x"), crm.ScanFailed},
		{"a file that is named like an answer", &standIn{answer: func([]byte) string { return "stream: OK FOUND\x00" }}, []byte("x"), crm.Infected},
		{"another program", &standIn{answer: func([]byte) string { return "220 mx ESMTP\x00" }}, []byte("x"), crm.ScanFailed},
	} {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(c.name+" over "+network, func(t *testing.T) {
				clamd := email.Clamd{Addr: c.clamd.start(t, network)}
				if got := clamd.Scan(t.Context(), c.content); got != c.want {
					t.Fatalf("%s, want %s", got, c.want)
				}
				if c.want == crm.Clean && c.clamd.scanned[len(c.clamd.scanned)-1] != string(c.content) {
					t.Error("what was scanned is not what was given")
				}
			})
		}
	}
	deaf := email.Clamd{Addr: (&standIn{deaf: true}).start(t, "tcp"), Time: 50 * time.Millisecond}
	if got := deaf.Scan(t.Context(), []byte("x")); got != crm.ScanFailed {
		t.Errorf("a clamd that says nothing: %s", got)
	}
	away := email.Clamd{Addr: filepath.Join(t.TempDir(), "nobody")}
	if got := away.Scan(t.Context(), []byte("x")); got != crm.ScanFailed {
		t.Errorf("a clamd that is away: %s", got)
	}
	if got := (email.Clamd{}).Scan(t.Context(), []byte(eicar)); got != crm.NotScanned {
		t.Errorf("no clamd: %s", got)
	}
}

// A message is not lost and not held up for its files: each is filed with what the
// scanner said, and the desk gives out none that it did not find clean.
func TestAttachmentsAreFiledWithWhatTheScannerSaid(t *testing.T) {
	boundary := "Content-Type: multipart/mixed; boundary=b"
	files := "--b\nContent-Type: text/plain\n\nSee the files.\n" +
		"--b\nContent-Type: text/plain; name=letter.txt\nContent-Disposition: attachment; filename=letter.txt\n\nA letter.\n" +
		"--b\nContent-Type: application/octet-stream; name=tool.exe\nContent-Disposition: attachment; filename=tool.exe\n\n" + eicar + "\n--b--"
	for name, c := range map[string]struct {
		clamd  func(t *testing.T) email.Clamd
		letter crm.ScanResult
		tool   crm.ScanResult
	}{
		"clamd is there": {func(t *testing.T) email.Clamd { return email.Clamd{Addr: (&standIn{}).start(t, "unix")} }, crm.Clean, crm.Infected},
		"clamd is away":  {func(t *testing.T) email.Clamd { return email.Clamd{Addr: filepath.Join(t.TempDir(), "nobody")} }, crm.ScanFailed, crm.ScanFailed},
	} {
		t.Run(name, func(t *testing.T) {
			clamd := c.clamd(t)
			w := newWorld(t, func(o *email.WorkerOptions, _ *email.OutboxOptions) { o.Scanner = clamd })
			w.take(mail("files@example.org", "Files", files, "MIME-Version: 1.0", boundary))
			w.work()
			m := w.messages(w.router.contacts()[0].Contact)[0]
			got := map[string]crm.ScanResult{}
			for _, a := range m.Attachments {
				got[a.Name] = a.Scan
			}
			if len(got) != 2 || got["letter.txt"] != c.letter || got["tool.exe"] != c.tool {
				t.Errorf("filed as %v", got)
			}
			if !strings.Contains(m.Text, "See the files.") {
				t.Errorf("the text reads %q", m.Text)
			}
		})
	}
}
