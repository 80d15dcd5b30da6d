package prompts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"example.org/c3i/contact"
)

// cached tells whether both files of a prompt are there and whole, and how long
// the prompt plays.
func cached(path string) (contact.Duration, bool) {
	narrowBytes, ok := dataSize(path+narrowEnding, narrow)
	if !ok {
		return 0, false
	}
	if _, ok := dataSize(path+wideEnding, wide); !ok {
		return 0, false
	}
	return contact.Duration(narrowBytes/2) * contact.Second / narrow, true
}

// dataSize reads the header this package writes and checks it against the
// file's size, so that a damaged file is made again.
func dataSize(path string, rate uint32) (int64, bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var header [headerSize]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return 0, false
	}
	info, err := f.Stat()
	if err != nil {
		return 0, false
	}
	size := int64(binary.LittleEndian.Uint32(header[40:]))
	whole := string(header[:4]) == "RIFF" && string(header[36:40]) == "data" &&
		binary.LittleEndian.Uint32(header[24:]) == rate && size > 0 && info.Size() == headerSize+size
	return size, whole
}

// makeDir makes a directory that others may enter, whatever the umask.
func makeDir(dir string) error {
	fail := func(err error) error {
		return &Error{CodeCache, fmt.Sprintf("the prompt cache %s cannot be made", dir), err}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			return fail(err)
		}
	}
	return nil
}

// writeWhole writes a file that appears at once, complete, readable by all.
func writeWhole(path string, content []byte) error {
	err := func() error {
		f, err := os.CreateTemp(filepath.Dir(path), ".making-*")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name())
		_, err = f.Write(content)
		err = errors.Join(err, f.Chmod(0o644), f.Close())
		if err != nil {
			return err
		}
		return os.Rename(f.Name(), path)
	}()
	if err != nil {
		return &Error{CodeCache, fmt.Sprintf("the prompt file %s cannot be written", path), err}
	}
	return nil
}
