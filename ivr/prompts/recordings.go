package prompts

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"example.org/c3i/ivr"
)

// maxRecording bounds a recording: ten minutes at 48 kHz.
const maxRecording = 64 << 20

// soundFiles are endings that somebody may expect to be played.
var soundFiles = []string{".wav", ".wave", ".wav16", ".mp3", ".ogg", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff", ".gsm", ".ulaw", ".alaw", ".sln", ".sln16", ".g722"}

// shelf is a tree that may hold recordings, <code>/<prompt>.wav, and what it is
// called in messages.
type shelf struct {
	files fs.FS
	name  string
}

// recording is a file on a shelf.
type recording struct {
	on   shelf
	file string
}

func (r recording) String() string { return path.Join(r.on.name, r.file) }

// recordings finds the recordings of a language by the name of the prompt. A
// sound file that would replace nothing is an error, because whoever put it
// there believes it is heard.
func recordings(shelves []shelf, lang ivr.Language) (map[string]recording, []error) {
	found := map[string]recording{}
	var bad []error
	for _, on := range shelves {
		entries, err := fs.ReadDir(on.files, lang.Code)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recordings in %s cannot be listed", path.Join(on.name, lang.Code)), err})
			continue
		}
		for _, e := range entries {
			ending := path.Ext(e.Name())
			name, rec := strings.TrimSuffix(e.Name(), ending), recording{on, path.Join(lang.Code, e.Name())}
			other, twice := found[name]
			switch {
			case e.IsDir() || !slices.Contains(soundFiles, strings.ToLower(ending)):
			case !strings.EqualFold(ending, ".wav"):
				bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recording %s is not a .wav file: save it as mono 16-bit PCM WAV", rec), nil})
			case lang.Prompts[name] == "":
				bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recording %s replaces nothing: %s has no prompt %q", rec, lang.English, name), nil})
			case twice:
				bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recordings %s and %s are of the same prompt: keep one", other, rec), nil})
			default:
				found[name] = rec
			}
		}
	}
	return found, bad
}

// read reads and checks the recording. Its level is left alone.
func (r recording) read() ([]byte, sound, error) {
	bad := func(err error) ([]byte, sound, error) {
		return nil, sound{}, &Error{CodeRecording, fmt.Sprintf("the recording %s cannot be used", r), err}
	}
	if info, err := fs.Stat(r.on.files, r.file); err != nil {
		return bad(err)
	} else if info.Size() > maxRecording {
		return bad(fmt.Errorf("it has %d bytes; at most %d are read", info.Size(), maxRecording))
	}
	b, err := fs.ReadFile(r.on.files, r.file)
	if err != nil {
		return bad(err)
	}
	s, err := decodeWAV(b, false)
	if err != nil {
		return bad(err)
	}
	return b, s, nil
}
