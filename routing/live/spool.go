package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"example.org/c3i/routing/journal"
)

const spoolName = "journal.spool"

// spool keeps records on local disk while the journal cannot take them. Each
// line is a checksum and a record as JSON. With no folder it keeps nothing.
type spool struct {
	dir  string
	file *os.File
	last uint64 // highest record on disk
}

func openSpool(dir string) (*spool, error) {
	s := &spool{dir: dir}
	if dir == "" {
		return s, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, spoolName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("live: open the spool: %w", err)
	}
	s.file = f
	return s, nil
}

// write returns once the records are on disk.
func (s *spool) write(records []journal.Record) error {
	if s.file == nil {
		return nil
	}
	var b bytes.Buffer
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("live: spool: %w", err)
		}
		fmt.Fprintf(&b, "%08x %s\n", crc32.ChecksumIEEE(line), line)
	}
	end, err := s.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("live: spool: %w", err)
	}
	if _, err := s.file.Write(b.Bytes()); err != nil {
		// Half a line must not come before whole ones.
		return fmt.Errorf("live: spool: %w", errors.Join(err, s.file.Truncate(end)))
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("live: spool: %w", err)
	}
	s.last = records[len(records)-1].Seq
	return nil
}

// holds reports whether all records are on disk.
func (s *spool) holds(records []journal.Record) bool {
	return s.file != nil && s.last != 0 && records[len(records)-1].Seq <= s.last
}

// read returns the records a former process left. A last line cut short is
// dropped: what it described was never released.
func (s *spool) read() ([]journal.Record, error) {
	if s.file == nil {
		return nil, nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("live: read the spool: %w", err)
	}
	var list []journal.Record
	in := bufio.NewReader(s.file)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("live: read the spool: %w", err)
		}
		sum, text, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		want, errSum := strconv.ParseUint(string(sum), 16, 32)
		var r journal.Record
		if !ok || errSum != nil || crc32.ChecksumIEEE(text) != uint32(want) || json.Unmarshal(text, &r) != nil {
			return list, &damagedSpool{line: len(list) + 1}
		}
		list = append(list, r)
	}
}

// damagedSpool says that a line other than a last one cut short is unreadable.
type damagedSpool struct{ line int }

func (e *damagedSpool) Error() string {
	return fmt.Sprintf("live: line %d of the spool is damaged", e.line)
}

// setAside renames the spool so that a person can look at it, and begins anew.
func (s *spool) setAside(epoch uint64) (string, error) {
	name := filepath.Join(s.dir, fmt.Sprintf("%s.aside-%d", spoolName, epoch))
	if err := errors.Join(s.file.Close(), os.Rename(filepath.Join(s.dir, spoolName), name)); err != nil {
		return "", fmt.Errorf("live: set the spool aside: %w", err)
	}
	fresh, err := openSpool(s.dir)
	if err != nil {
		return "", err
	}
	*s = *fresh
	return name, nil
}

// reset empties the spool.
func (s *spool) reset() error {
	s.last = 0
	if s.file == nil {
		return nil
	}
	if err := errors.Join(s.file.Truncate(0), s.file.Sync()); err != nil {
		return fmt.Errorf("live: empty the spool: %w", err)
	}
	return nil
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
