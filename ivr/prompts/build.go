package prompts

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
)

const (
	// treatment numbers what is done to sound on its way to the cache; raise it
	// whenever that changes, so that nothing old is played.
	treatment = "1"

	narrow, wide = 8000, 16000
	// Asterisk's format_wav plays 8 kHz files ending in .wav and 16 kHz files
	// ending in .wav16, and picks whichever suits the call.
	narrowEnding, wideEnding = ".wav", ".wav16"

	defaultSpeed   = 150
	defaultWorkers = 2
)

// Options say what to build and where.
type Options struct {
	// Dir holds the prompt files, <code>.yaml, and beside each the recordings
	// that replace its texts, <code>/<prompt>.wav: mono 16-bit PCM, any rate from
	// 8 kHz. They are resampled, and otherwise played as they are.
	Dir string
	// Files, if set, is read instead of the directory, for example what is built
	// into the program; Dir is then only its name in messages.
	Files fs.FS
	// Recordings, if set, is a further directory of recordings, laid out alike.
	// It need not exist.
	Recordings string
	// Cache is where the sound goes. Files in it are readable by all (0644, in
	// directories of 0755), because Asterisk runs as its own user; see that the
	// directories above it let that user in.
	Cache string
	// Program is espeak-ng, by name or path; "espeak-ng" if empty.
	Program string
	// Speed is in words a minute; 150 if zero.
	Speed int
	// Workers bounds how many texts are rendered at once; 2 if zero.
	Workers int
}

// Set is every prompt of every language as sound. It is immutable and safe for
// concurrent use.
type Set struct {
	// Catalogue holds the texts the set was made from.
	Catalogue *ivr.Catalogue
	// Rendered counts the prompts that were not in the cache.
	Rendered int

	cache string
	made  map[ivr.PromptRef]made
}

type made struct {
	path   string // absolute, without ending
	length contact.Duration
}

// Build reads the prompt files and makes sure that the cache holds every prompt
// at 8 and 16 kHz. What is there already is not made again: a file's name
// carries a hash of text, voice, synthesiser and treatment, or of the recording.
// Each file appears whole or not at all. Every recording and text that fails is
// named in the error, of which each part is an *Error; then there is no Set.
// espeak-ng is needed only when some prompt has no recording.
func Build(ctx context.Context, o Options) (*Set, error) {
	shelves := []shelf{{o.Files, o.Dir}}
	if o.Files == nil {
		shelves[0].files = os.DirFS(o.Dir)
	}
	if o.Recordings != "" {
		shelves = append(shelves, shelf{os.DirFS(o.Recordings), o.Recordings})
	}
	texts, err := Texts(shelves[0].files, o.Dir)
	if err != nil {
		return nil, err
	}
	cache, err := filepath.Abs(o.Cache)
	if err != nil || o.Cache == "" {
		return nil, &Error{CodeCache, fmt.Sprintf("the prompt cache %q cannot be used", o.Cache), err}
	}
	b := &builder{
		cache: cache, workers: cmp.Or(o.Workers, defaultWorkers),
		tts: espeak{program: cmp.Or(o.Program, "espeak-ng"), speed: cmp.Or(o.Speed, defaultSpeed)},
	}
	jobs, err := b.plan(ctx, shelves, texts)
	if err != nil {
		return nil, err
	}
	return b.work(ctx, texts, jobs)
}

// Media gives what to play for a prompt, in the form that ARI takes:
// "sound:" and an absolute path without ending. A prompt the language lacks is
// given in the default language; ok is false when that lacks it too.
func (s *Set) Media(name, language string) (media string, ok bool) {
	m, ok := s.find(name, language)
	if !ok {
		return "", false
	}
	return "sound:" + m.path, true
}

// Path is Media without "sound:", for a dialplan's Playback.
func (s *Set) Path(name, language string) (path string, ok bool) {
	m, ok := s.find(name, language)
	return m.path, ok
}

// Length is how long the prompt plays, for watchdogs.
func (s *Set) Length(name, language string) (contact.Duration, bool) {
	m, ok := s.find(name, language)
	return m.length, ok
}

func (s *Set) find(name, language string) (made, bool) {
	m, ok := s.made[ivr.PromptRef{Name: name, Language: language}]
	if !ok {
		m, ok = s.made[ivr.PromptRef{Name: name, Language: s.Catalogue.Default()}]
	}
	return m, ok
}

// Prune removes sound from the cache that this set does not use. Do it only
// when no call can be hearing an older set.
func (s *Set) Prune() error {
	used := map[string]bool{}
	for _, m := range s.made {
		used[m.path+narrowEnding], used[m.path+wideEnding] = true, true
	}
	var errs []error
	for _, ending := range []string{narrowEnding, wideEnding} {
		files, err := filepath.Glob(filepath.Join(s.cache, "??", "*-"+strings.Repeat("?", hashLength)+ending))
		errs = append(errs, err)
		for _, f := range files {
			if !used[f] {
				errs = append(errs, os.Remove(f))
			}
		}
	}
	return errors.Join(errs...)
}

// hashLength is in hexadecimal digits.
const hashLength = 16

type builder struct {
	cache   string
	workers int
	tts     espeak
}

// job is one prompt and how to come by its sound.
type job struct {
	ref  ivr.PromptRef
	path string
	make func(context.Context) (sound, error)
}

func (b *builder) plan(ctx context.Context, shelves []shelf, texts *ivr.Catalogue) ([]job, error) {
	var jobs []job
	var errs []error
	version := ""
	for _, lang := range texts.Languages {
		recorded, bad := recordings(shelves, lang)
		errs = append(errs, bad...)
		var names []string
		for name := range lang.Prompts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			ref := ivr.PromptRef{Name: name, Language: lang.Code}
			if rec, is := recorded[name]; is {
				content, s, err := rec.read()
				if err != nil {
					errs = append(errs, err)
					continue
				}
				jobs = append(jobs, job{
					ref, b.path(ref, "recording", string(content)),
					func(context.Context) (sound, error) { return s, nil },
				})
				continue
			}
			if version == "" {
				var err error
				if version, err = b.tts.version(ctx); err != nil {
					return nil, errors.Join(append(errs, err)...)
				}
			}
			jobs = append(jobs, b.spoken(ref, lang, version))
		}
	}
	return jobs, errors.Join(errs...)
}

func (b *builder) spoken(ref ivr.PromptRef, lang ivr.Language, version string) job {
	text := lang.Prompts[ref.Name]
	path := b.path(ref, "text", text, lang.Voice, version, strconv.Itoa(b.tts.speed))
	return job{ref, path, func(ctx context.Context) (sound, error) {
		s, err := b.tts.speak(ctx, lang.Voice, text)
		if err == nil && peak(s.samples) == 0 {
			err = errors.New("only silence came out")
		}
		if err != nil {
			return sound{}, &Error{CodeSynthesis, fmt.Sprintf("the prompt %q cannot be spoken in %s by the voice %q", ref.Name, lang.English, lang.Voice), err}
		}
		return normalise(trim(s)), nil
	}}
}

func (b *builder) path(ref ivr.PromptRef, parts ...string) string {
	sum := sha256.New()
	for _, p := range append([]string{treatment}, parts...) {
		fmt.Fprintf(sum, "%d:%s", len(p), p)
	}
	hash := hex.EncodeToString(sum.Sum(nil))[:hashLength]
	return filepath.Join(b.cache, ref.Language, ref.Name+"-"+hash)
}

func (b *builder) work(ctx context.Context, texts *ivr.Catalogue, jobs []job) (*Set, error) {
	set := &Set{Catalogue: texts, cache: b.cache, made: map[ivr.PromptRef]made{}}
	for _, lang := range texts.Languages {
		if err := makeDir(filepath.Join(b.cache, lang.Code)); err != nil {
			return nil, err
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	errs := make([]error, len(jobs))
	slots := make(chan struct{}, max(1, b.workers))
	for i, j := range jobs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			length, rendered, err := finish(ctx, j)
			mu.Lock()
			defer mu.Unlock()
			errs[i] = err
			set.made[j.ref] = made{j.path, length}
			if rendered {
				set.Rendered++
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, nil
}

// finish makes the job's files unless both are there.
func finish(ctx context.Context, j job) (length contact.Duration, rendered bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	length, have := cached(j.path)
	if have {
		return length, false, nil
	}
	s, err := j.make(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, form := range []struct {
		rate   int
		ending string
	}{{wide, wideEnding}, {narrow, narrowEnding}} {
		if err := writeWhole(j.path+form.ending, encodeWAV(resample(s, form.rate))); err != nil {
			return 0, false, err
		}
	}
	length, _ = cached(j.path)
	return length, true, nil
}
