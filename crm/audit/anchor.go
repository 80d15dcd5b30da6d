package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/c3i/contact"
)

// Anchor is the end of a trail at some moment: the newest entry's number and
// hash. It holds nothing that is personal.
type Anchor struct {
	Seq  uint64
	Hash string
	At   contact.Instant
}

// String writes an anchor as one line, for a file or a log.
func (a Anchor) String() string {
	return fmt.Sprintf("c3i-audit 1 %d %s %s", a.Seq, a.Hash, a.At)
}

// ParseAnchor reads what String wrote.
func ParseAnchor(line string) (Anchor, error) {
	f := strings.Fields(line)
	if len(f) != 5 || f[0] != "c3i-audit" || f[1] != "1" {
		return Anchor{}, errors.New("audit: not an anchor: it reads c3i-audit 1 NUMBER HASH TIME")
	}
	seq, err := strconv.ParseUint(f[2], 10, 64)
	if err != nil || seq == 0 {
		return Anchor{}, fmt.Errorf("audit: an anchor's number is %q", f[2])
	}
	if len(f[3]) != 64 || strings.Trim(f[3], "0123456789abcdef") != "" {
		return Anchor{}, errors.New("audit: an anchor's hash must be 64 hexadecimal digits")
	}
	at, err := time.Parse(time.RFC3339, f[4])
	if err != nil {
		return Anchor{}, fmt.Errorf("audit: an anchor's time: %w", err)
	}
	return Anchor{Seq: seq, Hash: f[3], At: contact.At(at)}, nil
}

// Anchors is a file of anchors, one a line, only ever appended to. Its worth is
// where it lies: on a machine or medium that nobody who can write to Redis can
// write to.
type Anchors struct {
	mu   sync.Mutex
	path string
	last uint64
}

// OpenAnchors opens a file of anchors, which need not exist yet.
func OpenAnchors(path string) (*Anchors, error) {
	a := &Anchors{path: path}
	known, err := a.Read()
	for _, k := range known {
		a.last = max(a.last, k.Seq)
	}
	return a, err
}

// Add appends an anchor and returns once it is on the disk. One that says no more
// than the newest is not written again.
func (a *Anchors) Add(at Anchor) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Seq <= a.last {
		return nil
	}
	f, err := os.OpenFile(a.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err = f.WriteString(a.torn() + at.String() + "\n"); err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	a.last = at.Seq
	return nil
}

// cutShort marks a line that a crash cut short when the next is written.
const cutShort = " (cut short)"

// torn ends a last line that a crash cut short.
func (a *Anchors) torn() string {
	b, err := os.ReadFile(a.path)
	if err != nil || len(b) == 0 || b[len(b)-1] == '\n' {
		return ""
	}
	return cutShort + "\n"
}

// Read gives the anchors in the file, for Verify. A line that a crash cut short is
// left out; any other that cannot be read is an error.
func (a *Anchors) Read() (out []Anchor, err error) {
	f, err := os.Open(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit: anchors: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var bad error
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if bad != nil {
			return nil, bad
		}
		if strings.TrimSpace(s.Text()) == "" || strings.HasSuffix(s.Text(), cutShort) {
			continue
		}
		k, err := ParseAnchor(s.Text())
		if err != nil {
			bad = fmt.Errorf("%s line %d: %w", a.path, n, err)
			continue
		}
		out = append(out, k)
	}
	return out, s.Err()
}
