package prompts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/c3i/ivr"
)

// maxRecording bounds a recording: ten minutes at 48 kHz.
const maxRecording = 64 << 20

// soundFiles are endings that somebody may expect to be played.
var soundFiles = []string{".wav", ".wave", ".wav16", ".mp3", ".ogg", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff", ".gsm", ".ulaw", ".alaw", ".sln", ".sln16", ".g722"}

// recordings finds the recordings of a language: name of the prompt → file. A
// sound file that would replace nothing is an error, because whoever put it
// there believes it is heard.
func recordings(dir string, lang ivr.Language) (map[string]string, []error) {
	entries, err := os.ReadDir(filepath.Join(dir, lang.Code))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{&Error{CodeRecording, fmt.Sprintf("the recordings in %s cannot be listed", filepath.Join(dir, lang.Code)), err}}
	}
	found := map[string]string{}
	var bad []error
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		name, path := strings.TrimSuffix(e.Name(), ending), filepath.Join(dir, lang.Code, e.Name())
		switch {
		case e.IsDir() || !slices.Contains(soundFiles, strings.ToLower(ending)):
		case !strings.EqualFold(ending, ".wav"):
			bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recording %s is not a .wav file: save it as mono 16-bit PCM WAV", path), nil})
		case lang.Prompts[name] == "":
			bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recording %s replaces nothing: %s has no prompt %q", path, lang.English, name), nil})
		case found[name] != "":
			bad = append(bad, &Error{CodeRecording, fmt.Sprintf("the recordings %s and %s are of the same prompt: keep one", found[name], path), nil})
		default:
			found[name] = path
		}
	}
	return found, bad
}

// readRecording reads and checks a recording. Its level is left alone.
func readRecording(path string) ([]byte, sound, error) {
	bad := func(err error) ([]byte, sound, error) {
		return nil, sound{}, &Error{CodeRecording, fmt.Sprintf("the recording %s cannot be used", path), err}
	}
	if info, err := os.Stat(path); err != nil {
		return bad(err)
	} else if info.Size() > maxRecording {
		return bad(fmt.Errorf("it has %d bytes; at most %d are read", info.Size(), maxRecording))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return bad(err)
	}
	s, err := decodeWAV(b, false)
	if err != nil {
		return bad(err)
	}
	return b, s, nil
}
