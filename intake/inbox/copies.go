package inbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"

	"example.org/c3i/crm/blob"
)

// A Redis that writes to disk every second forgets the last of them when the power
// fails, and a sender who was told 250 does not send again. So what comes from
// outside is on this machine's disk as well before anybody is told, for as long as
// Redis may need.
const (
	copyFor   = time.Minute      // a file is kept so long after its last line
	copyFresh = 10 * time.Second // one file takes lines so long
)

// copies are the items accepted lately, a line each, in files of a folder of their
// own. Those who write at the same time share one flush.
type copies struct {
	dir string
	now func() time.Time

	mu      sync.Mutex // guards what follows
	file    *os.File
	began   time.Time
	size    int64
	written uint64 // lines ever
	full    []full // the files before, oldest first

	flush   sync.Mutex // is held by who flushes
	flushed uint64     // lines that are on disk; guarded by flush
}

// full is a file that takes no more lines.
type full struct {
	path string
	at   time.Time
}

// put returns once an item is on disk. blob.ErrFull tells that there is no room.
func (c *copies) put(it Item) error {
	line, err := json.Marshal(it)
	if err != nil {
		return err
	}
	mine, err := c.write(append(line, '\n'))
	if err == nil {
		err = c.sync(mine)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("inbox: copy: %w: %w", blob.ErrFull, err)
	}
	if err != nil {
		return fmt.Errorf("inbox: copy: %w", err)
	}
	return nil
}

// write adds a line and returns its number.
func (c *copies) write(line []byte) (uint64, error) {
	c.mu.Lock()
	fresh := c.file != nil && c.now().Sub(c.began) < copyFresh
	c.mu.Unlock()
	if !fresh {
		if err := c.turn(); err != nil {
			return 0, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return 0, os.ErrClosed
	}
	if _, err := c.file.WriteAt(line, c.size); err != nil {
		return 0, err // the next line is written over what there is of it
	}
	c.size += int64(len(line))
	c.written++
	return c.written, nil
}

// sync flushes the file unless somebody has flushed the line meanwhile.
func (c *copies) sync(line uint64) error {
	c.flush.Lock()
	defer c.flush.Unlock()
	if c.flushed >= line {
		return nil
	}
	c.mu.Lock()
	file, all := c.file, c.written
	c.mu.Unlock()
	if file == nil {
		return os.ErrClosed
	}
	if err := file.Sync(); err != nil {
		// What a flush failed on once may be lost though the next one succeeds.
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closeFile()
		return err
	}
	c.flushed = all
	return nil
}

// closeFile has the next line begin a file. It needs mu.
func (c *copies) closeFile() {
	if c.file != nil {
		c.full = append(c.full, full{c.file.Name(), c.now()})
		_ = c.file.Close()
		c.file = nil
	}
}

// turn begins a file and removes those that are old enough. What was written to the
// one before is on disk by then.
func (c *copies) turn() error {
	c.flush.Lock()
	defer c.flush.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil && c.now().Sub(c.began) < copyFresh {
		return nil // somebody was faster
	}
	if c.file != nil {
		err := c.file.Sync()
		c.closeFile()
		if err != nil {
			return err
		}
		c.flushed = c.written
	}
	for len(c.full) > 0 && c.now().Sub(c.full[0].at) > copyFor {
		if err := os.Remove(c.full[0].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		c.full = c.full[1:]
	}
	name := ulid.MustNew(ulid.Timestamp(c.now()), ulid.DefaultEntropy()).String() + ".jsonl"
	file, err := os.OpenFile(filepath.Join(c.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a name of our own
	if err != nil {
		return err
	}
	if err := syncDir(c.dir); err != nil {
		return errors.Join(err, file.Close())
	}
	c.file, c.began, c.size = file, c.now(), 0
	return nil
}

// names lists the files, oldest first.
func (c *copies) names() ([]string, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder of the settings
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Recover accepts anew what was accepted before this process, shortly before a
// failure of power perhaps, and is not in Redis any more. What is there stays as it
// is. It is to be called before Run. found counts what was missing.
func (b *Inbox) Recover(ctx context.Context) (found int, err error) {
	if b.copies == nil {
		return 0, nil
	}
	names, err := b.copies.names()
	if err != nil {
		return 0, fmt.Errorf("inbox: recover: %w", err)
	}
	for _, name := range names {
		path := filepath.Join(b.o.Copies, name)
		n, err := b.recoverFile(ctx, path)
		found += n
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return found, fmt.Errorf("inbox: recover: %w", err)
		}
	}
	if found > 0 {
		b.o.Log.Warn().Int("items", found).Msg("what was accepted before the last stop was missing in Redis and is accepted anew")
	}
	return found, nil
}

func (b *Inbox) recoverFile(ctx context.Context, path string) (found int, err error) {
	f, err := os.Open(path) //nolint:gosec // a name of our own
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return found, nil // a line without an end was never answered for
		}
		if err != nil {
			return found, err
		}
		var it Item
		if json.Unmarshal(line, &it) != nil || it.check() != nil {
			continue // nor was one that is damaged: its flush did not come back
		}
		_, repeat, err := b.accept(ctx, it)
		if err != nil {
			return found, err
		}
		if repeat {
			continue
		}
		found++
		if err := b.copies.put(it); err != nil {
			return found, err
		}
	}
}
