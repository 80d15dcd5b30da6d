package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"
)

// ErrCorrupt means that a blob is not what its name says: the disk, or somebody,
// changed it. It is never given out.
var ErrCorrupt = errors.New("blob: changed on the disk")

// Options configure a Dir. The zero value is usable.
type Options struct {
	// Floor is how many bytes must stay free on the disk after a Put; 0 stands for
	// DefaultFloor, a negative one for none. Redis may share the disk, and must
	// never be the one that finds it full.
	Floor int64
	// Verify has Open read a blob whole and compare it with its name first.
	Verify bool
}

// DefaultFloor is the space kept free.
const DefaultFloor = 256 << 20

// Dir is a Store in a folder: a/b/NAME for a blob whose name begins with a and b
// (two hexadecimal digits each), and tmp for what is being written. Files are
// readable by their owner alone. Nothing outside the folder is ever reached,
// whatever stands in it: it is an os.Root.
type Dir struct {
	root   *os.Root
	floor  int64
	verify bool
}

const tmp = "tmp"

// staleAfter is how old an unfinished file must be to be swept away.
const staleAfter = 24 * time.Hour

// OpenDir opens a folder, which is made if it is not there, and sweeps away what
// a crash left half written.
func OpenDir(folder string, o Options) (*Dir, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	d := &Dir{root: root, floor: o.Floor, verify: o.Verify}
	if d.floor == 0 {
		d.floor = DefaultFloor
	}
	if err := d.mkdir(tmp); err != nil {
		return nil, errors.Join(fmt.Errorf("blob: %w", err), root.Close())
	}
	if err := d.sweep(time.Now().Add(-staleAfter)); err != nil {
		return nil, errors.Join(fmt.Errorf("blob: %w", err), root.Close())
	}
	return d, nil
}

var _ Store = (*Dir)(nil)

// Close gives the folder back. Readers that are open stay so.
func (d *Dir) Close() error { return d.root.Close() }

// Valid tells whether ref can be a blob's name: 64 lower-case hexadecimal digits.
func (ref Ref) Valid() bool {
	if len(ref) != 2*sha256.Size {
		return false
	}
	for i := range len(ref) {
		if c := ref[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func folderOf(ref Ref) string { return path.Join(string(ref[:2]), string(ref[2:4])) }
func fileOf(ref Ref) string   { return path.Join(folderOf(ref), string(ref)) }

// Put implements Store. The same bytes put again replace the file, which mends one
// that the disk changed. Nothing is left of what fails.
func (d *Dir) Put(ctx context.Context, r io.Reader, most int64) (Ref, int64, error) {
	if err := d.room(0); err != nil {
		return "", 0, err
	}
	name := path.Join(tmp, ulid.Make().String())
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, d.failed("make a file", err)
	}
	sum := sha256.New()
	n, err := d.fill(ctx, f, sum, r, most)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	ref := Ref(hex.EncodeToString(sum.Sum(nil)))
	if err == nil {
		err = d.place(name, ref)
	}
	if err != nil {
		_ = d.root.Remove(name) // it is swept later if this fails too
		return "", 0, d.failed("write", err)
	}
	return ref, n, nil
}

// roomEvery is how much is written between two looks at the free space.
const roomEvery = 8 << 20

// fill copies r into f and the hash.
func (d *Dir) fill(ctx context.Context, f *os.File, sum hash.Hash, r io.Reader, most int64) (int64, error) {
	var n int64
	to := io.MultiWriter(f, sum)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		part := min(int64(roomEvery), most+1-n)
		m, err := io.CopyN(to, r, part)
		n += m
		switch {
		case n > most:
			return n, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most)
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
		if err := d.room(0); err != nil {
			return n, err
		}
	}
}

// place gives a finished file its name, durably.
func (d *Dir) place(name string, ref Ref) error {
	if err := d.mkdir(string(ref[:2])); err != nil {
		return err
	}
	if err := d.mkdir(folderOf(ref)); err != nil {
		return err
	}
	if err := d.root.Rename(name, fileOf(ref)); err != nil {
		return err
	}
	return d.sync(folderOf(ref))
}

// mkdir makes a folder if it is not there, durably.
func (d *Dir) mkdir(name string) error {
	err := d.root.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.sync(path.Dir(name))
}

func (d *Dir) sync(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// room refuses when more bytes would leave less free than the floor.
func (d *Dir) room(more int64) error {
	if d.floor < 0 {
		return nil
	}
	f, err := d.root.Open(".")
	if err != nil {
		return d.failed("look for space", err)
	}
	defer func() { _ = f.Close() }()
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &st); err != nil {
		return d.failed("look for space", err)
	}
	free := int64(st.Bavail) * st.Bsize
	if free-more < d.floor {
		return fmt.Errorf("%w: %d MiB are free and %d MiB are to stay so", ErrFull, free>>20, d.floor>>20)
	}
	return nil
}

// failed names what could not be done. A full disk becomes ErrFull.
func (d *Dir) failed(what string, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrFull):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("blob: %s: %w", what, err)
}

// Open implements Store. A blob that is not what its name says gives ErrCorrupt
// when the Dir verifies.
func (d *Dir) Open(ctx context.Context, ref Ref) (io.ReadSeekCloser, error) {
	f, err := d.open(ref)
	if err != nil || !d.verify {
		return f, err
	}
	if err := check(ctx, f, ref); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *Dir) open(ref Ref) (*os.File, error) {
	if !ref.Valid() {
		return nil, fmt.Errorf("%w: %.80q is not a name", ErrNotFound, string(ref))
	}
	f, err := d.root.Open(fileOf(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, ref)
	}
	if err != nil {
		return nil, fmt.Errorf("blob: open: %w", err)
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%w: %s is not a file", ErrCorrupt, ref), err, f.Close())
	}
	return f, nil
}

// check reads a blob whole, compares it with its name and goes back to its start.
func check(ctx context.Context, f io.ReadSeeker, ref Ref) error {
	sum := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("blob: check: %w", err)
		}
		_, err := io.CopyN(sum, f, roomEvery)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("blob: check: %w", err)
		}
	}
	if Ref(hex.EncodeToString(sum.Sum(nil))) != ref {
		return fmt.Errorf("%w: %s", ErrCorrupt, ref)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("blob: check: %w", err)
	}
	return nil
}

// Erase implements Store. The file's name is gone durably when it returns; that
// its bytes cannot be read off the disk is the disk encryption's part.
func (d *Dir) Erase(_ context.Context, ref Ref) error {
	if !ref.Valid() {
		return nil
	}
	err := d.root.Remove(fileOf(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("blob: erase: %w", err)
	}
	if err := d.sync(folderOf(ref)); err != nil {
		return fmt.Errorf("blob: erase: %w", err)
	}
	return nil
}

// EraseOlder erases a blob unless it was put after a moment, and tells whether it
// is gone. Putting it meanwhile is safe: what was put last is there when both have
// returned.
func (d *Dir) EraseOlder(ctx context.Context, ref Ref, before time.Time) (bool, error) {
	if !ref.Valid() {
		return true, nil
	}
	st, err := d.root.Stat(fileOf(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("blob: erase: %w", err)
	}
	if !st.ModTime().Before(before) {
		return false, nil
	}
	// It is looked at again under a name that nobody puts anything under.
	aside := path.Join(tmp, ulid.Make().String())
	err = d.root.Rename(fileOf(ref), aside)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("blob: erase: %w", err)
	}
	st, err = d.root.Stat(aside)
	if err == nil && st.ModTime().Before(before) {
		if err = d.root.Remove(aside); err == nil {
			err = errors.Join(d.sync(tmp), d.sync(folderOf(ref)))
		}
		if err != nil {
			return false, fmt.Errorf("blob: erase: %w", err)
		}
		return true, nil
	}
	// Should it have been put again, that one is replaced by the same bytes.
	if err = errors.Join(err, d.root.Rename(aside, fileOf(ref)), d.sync(folderOf(ref))); err != nil {
		return false, fmt.Errorf("blob: erase: %w", err)
	}
	return false, ctx.Err()
}
