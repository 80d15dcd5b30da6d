package prompts

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"example.org/c3i/contact"
)

// program is the real synthesiser: the one the set-up names, else the system's.
func program(t *testing.T) string {
	t.Helper()
	name := os.Getenv("C3I_PROMPTS_ESPEAK")
	if name == "" {
		name = "espeak-ng"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("these tests need espeak-ng: %v", err)
	}
	return path
}

const (
	english = `code: en
name: English
english: English
voice: en-gb
key: "1"
choose: For English, press {key}.
prompts:
  hello: Hello, and welcome.
  long: Hello, and welcome to the police. You are through to the right place.
  dashes: "--version; $(rm -rf x) <b>not markup</b>"
`
	polish = `code: pl
name: Polski
english: Polish
voice: pl
key: "2"
choose: Po polsku, proszę nacisnąć {key}.
prompts:
  hello: Dzień dobry.
`
)

// workplace is a directory of prompt files and an empty cache.
func workplace(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "en.yaml"), []byte(english))
	write(t, filepath.Join(dir, "pl.yaml"), []byte(polish))
	return Options{Dir: dir, Cache: filepath.Join(t.TempDir(), "cache", "prompts"), Program: program(t)}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, o Options) *Set {
	t.Helper()
	set, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func readSound(t *testing.T, path string) sound {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := decodeWAV(b, false)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return s
}

func TestBuildSpeaksEveryPrompt(t *testing.T) {
	// Files must be readable by Asterisk's user whatever the umask here.
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	o := workplace(t)
	set := build(t, o)
	if set.Rendered != 6 {
		t.Errorf("%d rendered, want 4 English and 2 Polish", set.Rendered)
	}
	for _, lang := range set.Catalogue.Languages {
		for name := range lang.Prompts {
			media, ok := set.Media(name, lang.Code)
			path, is := strings.CutPrefix(media, "sound:/")
			if !ok || !is {
				t.Fatalf("media of %s in %s = %q, %v", name, lang.Code, media, ok)
			}
			path = "/" + path
			length, _ := set.Length(name, lang.Code)
			for ending, rate := range map[string]int{".wav": 8000, ".wav16": 16000} {
				s := readSound(t, path+ending)
				if s.rate != rate {
					t.Errorf("%s%s has rate %d", path, ending, s.rate)
				}
				if lasts := contact.Duration(len(s.samples)) * contact.Second / contact.Duration(rate); lasts < length-contact.Millisecond || lasts > length+contact.Millisecond {
					t.Errorf("%s%s lasts %s, want %s", path, ending, lasts, length)
				}
				if level := activeLevel(s); level < 1500 || level > 6000 {
					t.Errorf("%s%s has level %.0f", path, ending, level)
				}
				mode(t, path+ending, 0o644)
			}
			mode(t, filepath.Dir(path), fs.ModeDir|0o755)
			if length < 500*contact.Millisecond || length > 10*contact.Second {
				t.Errorf("%s in %s lasts %s", name, lang.Code, length)
			}
		}
	}
	mode(t, o.Cache, fs.ModeDir|0o755)
	short, _ := set.Length("hello", "en")
	long, _ := set.Length("long", "en")
	if long < 2*short {
		t.Errorf("a longer text lasts %s, a shorter %s", long, short)
	}
	leftovers(t, o.Cache)
}

func mode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
	}
}

func leftovers(t *testing.T, cache string) {
	t.Helper()
	if found, _ := filepath.Glob(filepath.Join(cache, "*", ".making-*")); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

func TestMediaFallsBackToTheDefaultLanguage(t *testing.T) {
	set := build(t, workplace(t))
	english, _ := set.Media("long", "en")
	for _, language := range []string{"pl", "xx", ""} {
		if got, ok := set.Media("long", language); !ok || got != english {
			t.Errorf("media of long in %q = %q, %v; want the English one", language, got, ok)
		}
	}
	if got, ok := set.Media("unheard-of", "en"); ok {
		t.Errorf("a prompt that does not exist gave %q", got)
	}
}

func TestOnlyWhatChangedIsRendered(t *testing.T) {
	o := workplace(t)
	first := build(t, o)
	if again := build(t, o); again.Rendered != 0 {
		t.Errorf("%d rendered the second time, want 0", again.Rendered)
	}
	write(t, filepath.Join(o.Dir, "pl.yaml"), []byte(strings.Replace(polish, "Dzień dobry.", "Dzień dobry Państwu.", 1)))
	changed := build(t, o)
	if changed.Rendered != 1 {
		t.Errorf("%d rendered after one text changed, want 1", changed.Rendered)
	}
	before, _ := first.Path("hello", "pl")
	after, _ := changed.Path("hello", "pl")
	if before == after {
		t.Error("another text has the same file")
	}
	// The old file stays until it is pruned: a call may be hearing it.
	readSound(t, before+".wav")
	if err := changed.Prune(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(before + ".wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old file is still there: %v", err)
	}
	readSound(t, after+".wav16")

	if err := os.Truncate(after+".wav16", 1000); err != nil {
		t.Fatal(err)
	}
	if mended := build(t, o); mended.Rendered != 1 {
		t.Errorf("%d rendered after a file was damaged, want 1", mended.Rendered)
	}
	o.Speed = 120
	if slower := build(t, o); slower.Rendered != 6 {
		t.Errorf("%d rendered at another speed, want 6", slower.Rendered)
	}
}

func TestARecordingReplacesTheText(t *testing.T) {
	o := workplace(t)
	spoken, _ := build(t, o).Path("hello", "en")
	write(t, filepath.Join(o.Dir, "en", "hello.wav"), encodeWAV(tone(44100, 1000, 8000, 1.5)))
	write(t, filepath.Join(o.Dir, "en", "README.txt"), []byte("how these were recorded"))
	set := build(t, o)
	path, _ := set.Path("hello", "en")
	if path == spoken || set.Rendered != 1 {
		t.Fatalf("path %s, %d rendered; want another path and 1", path, set.Rendered)
	}
	for ending, rate := range map[string]int{".wav": 8000, ".wav16": 16000} {
		s := readSound(t, path+ending)
		if at, rest := levels(s, 1000); s.rate != rate || at < 5500 || at > 5800 || rest > 20 {
			t.Errorf("%s: rate %d, level %.0f at 1 kHz and %.0f elsewhere", ending, s.rate, at, rest)
		}
	}
	if length, _ := set.Length("hello", "en"); length != 1500*contact.Millisecond {
		t.Errorf("length = %s", length)
	}
	if err := os.Remove(filepath.Join(o.Dir, "en", "hello.wav")); err != nil {
		t.Fatal(err)
	}
	if back, _ := build(t, o).Path("hello", "en"); back != spoken {
		t.Errorf("without the recording the prompt is %s, want the spoken %s", back, spoken)
	}
}

// Every recording that cannot be used is named, all in one go.
func TestRecordingsThatCannotBeUsed(t *testing.T) {
	o := workplace(t)
	stereo := encodeWAV(tone(8000, 440, 1000, 0.1))
	stereo[22] = 2
	write(t, filepath.Join(o.Dir, "en", "hello.wav"), stereo)
	write(t, filepath.Join(o.Dir, "en", "long.mp3"), []byte("ID3"))
	write(t, filepath.Join(o.Dir, "pl", "helo.wav"), encodeWAV(tone(8000, 440, 1000, 0.1)))
	write(t, filepath.Join(o.Dir, "pl", "hello.wav"), []byte("not sound at all"))
	write(t, filepath.Join(o.Dir, "pl", "hello.WAV"), encodeWAV(tone(8000, 440, 1000, 0.1)))
	_, err := Build(t.Context(), o)
	if err == nil {
		t.Fatal("bad recordings were taken")
	}
	for _, want := range []string{"en/hello.wav", "2 channels", "en/long.mp3", "pl/helo.wav", "replaces nothing", "the same prompt"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeRecording {
		t.Errorf("code of %v, want %s", e, CodeRecording)
	}
}

// The texts may be built into the program and the recordings lie elsewhere.
func TestTextsFromATreeAndRecordingsFromAnother(t *testing.T) {
	o := workplace(t)
	o.Files = fstest.MapFS{
		"en.yaml":      {Data: []byte(english)},
		"pl.yaml":      {Data: []byte(polish)},
		"pl/hello.wav": {Data: encodeWAV(tone(8000, 440, 1000, 0.7))},
	}
	o.Dir, o.Recordings = "built-in", filepath.Join(o.Dir, "recordings")
	build(t, o)
	write(t, filepath.Join(o.Recordings, "en", "long.wav"), encodeWAV(tone(8000, 440, 1000, 0.6)))
	set := build(t, o)
	for ref, want := range map[[2]string]contact.Duration{{"hello", "pl"}: 700 * contact.Millisecond, {"long", "en"}: 600 * contact.Millisecond} {
		if got, _ := set.Length(ref[0], ref[1]); got != want {
			t.Errorf("%s lasts %s, want the recording's %s", ref, got, want)
		}
	}
	write(t, filepath.Join(o.Recordings, "pl", "hello.wav"), encodeWAV(tone(8000, 440, 1000, 0.6)))
	if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "built-in/pl/hello.wav and "+o.Recordings+"/pl/hello.wav") {
		t.Errorf("two recordings of one prompt: %v", err)
	}
}

func TestRecordingsAloneNeedNoSynthesiser(t *testing.T) {
	o := workplace(t)
	o.Program = filepath.Join(t.TempDir(), "espeak-ng")
	for _, name := range []string{"en/hello", "en/long", "en/dashes", "en/language_choice", "pl/hello", "pl/language_choice"} {
		write(t, filepath.Join(o.Dir, name+".wav"), encodeWAV(tone(16000, 440, 1000, 0.5)))
	}
	build(t, o)
}

func TestFailuresAreSentences(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*testing.T, *Options)
		code  Code
		want  []string
	}{
		"no synthesiser": {
			func(t *testing.T, o *Options) { o.Program = "no-such-espeak" }, CodeNoSynthesiser,
			[]string{`"no-such-espeak"`, "install the package espeak-ng"},
		},
		"a synthesiser that fails": {func(t *testing.T, o *Options) { o.Program = "false" }, CodeNoSynthesiser, []string{"install"}},
		"unknown voice": {func(t *testing.T, o *Options) {
			write(t, filepath.Join(o.Dir, "pl.yaml"), []byte(strings.Replace(polish, "voice: pl", "voice: klingonese", 1)))
		}, CodeSynthesis, []string{`"hello"`, "Polish", `"klingonese"`}},
		"text that makes no sound": {func(t *testing.T, o *Options) {
			write(t, filepath.Join(o.Dir, "pl.yaml"), []byte(strings.Replace(polish, "Dzień dobry.", `"."`, 1)))
		}, CodeSynthesis, []string{`"hello"`, "Polish"}},
		"bad prompt file": {func(t *testing.T, o *Options) {
			write(t, filepath.Join(o.Dir, "pl.yaml"), []byte("code: [\n"))
		}, CodeTexts, []string{"pl.yaml:1:"}},
		"no prompt files": {func(t *testing.T, o *Options) { o.Dir = t.TempDir() }, CodeTexts, []string{"no prompt file"}},
		"a cache that is a file": {func(t *testing.T, o *Options) {
			o.Cache = filepath.Join(t.TempDir(), "cache")
			write(t, o.Cache, nil)
		}, CodeCache, []string{"cache"}},
		"no cache": {func(t *testing.T, o *Options) { o.Cache = "" }, CodeCache, []string{"cache"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := workplace(t)
			c.spoil(t, &o)
			set, err := Build(t.Context(), o)
			var e *Error
			if set != nil || !errors.As(err, &e) || e.Code != c.code {
				t.Fatalf("error %v, want code %s", err, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			leftovers(t, o.Cache)
		})
	}
}

func TestBuildStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, workplace(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

// The shipped prompts can all be spoken, none is cut off and none is endless.
func TestShippedPromptsCanBeSpoken(t *testing.T) {
	set := build(t, Options{Dir: "../../configs/prompts", Cache: t.TempDir(), Program: program(t)})
	for _, lang := range set.Catalogue.Languages {
		var names []string
		for name := range lang.Prompts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			length, ok := set.Length(name, lang.Code)
			letters := contact.Duration(len([]rune(lang.Prompts[name])))
			perLetter := length / letters
			if !ok || perLetter < 35*contact.Millisecond || perLetter > 250*contact.Millisecond && length > contact.Second { // a word alone has its pauses
				t.Errorf("%s in %s: %d letters last %s", name, lang.English, letters, length)
			}
		}
	}
}
