package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// Info is what is known of a blob without reading it.
type Info struct {
	Ref  Ref
	Size int64
	// Put is when it was put last.
	Put time.Time
}

// Each calls f for every blob, in order of name, until f fails or ctx ends.
func (d *Dir) Each(ctx context.Context, f func(Info) error) error {
	return fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // erased meanwhile
		case err != nil:
			return fmt.Errorf("blob: list: %w", err)
		case e.IsDir() && name == tmp:
			return fs.SkipDir
		}
		ref := Ref(path.Base(name))
		if !e.Type().IsRegular() || !ref.Valid() || name != fileOf(ref) {
			return nil
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("blob: list: %w", err)
		}
		return f(Info{Ref: ref, Size: st.Size(), Put: st.ModTime()})
	})
}

// Check reads a blob whole and compares it with its name: ErrCorrupt when it
// differs.
func (d *Dir) Check(ctx context.Context, ref Ref) (err error) {
	f, err := d.open(ref)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return check(ctx, f, ref)
}

// Unreferenced lists blobs put before a moment that nobody speaks of, as
// referenced tells. A blob is put before the record that names it is written:
// before must leave that time, an hour or more.
func (d *Dir) Unreferenced(ctx context.Context, before time.Time, referenced func(context.Context, Ref) (bool, error)) ([]Info, error) {
	var out []Info
	err := d.Each(ctx, func(i Info) error {
		if !i.Put.Before(before) {
			return nil
		}
		named, err := referenced(ctx, i.Ref)
		if err == nil && !named {
			out = append(out, i)
		}
		return err
	})
	return out, err
}

// sweep removes unfinished files older than before.
func (d *Dir) sweep(before time.Time) error {
	es, err := fs.ReadDir(d.root.FS(), tmp)
	if err != nil {
		return err
	}
	for _, e := range es {
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if st.ModTime().Before(before) {
			if err := d.root.Remove(path.Join(tmp, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
