package asterisk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// LeastMajor is the oldest major version C3i works with.
const LeastMajor = 22

// ProgramVariable names the environment variable that says which Asterisk to run.
const ProgramVariable = "C3I_ASTERISK_PROGRAM"

// FindProgram says which Asterisk to run: the one ProgramVariable names, the one scripts/setup noted in the cache
// folder, or one on the PATH. The error says what to do.
func FindProgram() (string, error) {
	if p := os.Getenv(ProgramVariable); p != "" {
		return p, nil
	}
	if p := noted(filepath.Join(cacheDir(), "env"), ProgramVariable); p != "" {
		return p, nil
	}
	if p, err := exec.LookPath("asterisk"); err == nil {
		return p, nil
	}
	const p = "/usr/sbin/asterisk"
	if _, err := os.Stat(p); err == nil {
		return p, nil
	}
	return "", fmt.Errorf("no Asterisk found: run `scripts/setup run`, or set %s to one of version %d or later", ProgramVariable, LeastMajor)
}

// cacheDir is the folder scripts/cache-folder prints.
func cacheDir() string {
	if dir := os.Getenv("C3I_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "c3i")
	}
	if os.Geteuid() == 0 {
		return "/var/cache/c3i"
	}
	return filepath.Join(os.Getenv("HOME"), ".cache", "c3i")
}

// noted reads one variable of a file of KEY=VALUE lines; no file or no such line is "".
func noted(path, key string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), key+"="); ok {
			return value
		}
	}
	return ""
}

// Version is what `asterisk -V` says.
type Version struct {
	Major int
	Text  string // such as 22.10.1
}

// TooOldError says that Asterisk is older than C3i can use.
type TooOldError struct{ Version Version }

// Error is a sentence for people.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("Asterisk %s is too old: C3i needs %d or later", e.Version.Text, LeastMajor)
}

var versionPattern = regexp.MustCompile(`(?m)^Asterisk (?:certified[-/])?(\d+)([0-9A-Za-z.-]*)`)

func parseVersion(output string) (Version, error) {
	m := versionPattern.FindStringSubmatch(output)
	if m == nil {
		return Version{}, errors.New("its -V does not name a version of Asterisk")
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Version{}, fmt.Errorf("its -V does not name a version of Asterisk: %w", err)
	}
	return Version{Major: major, Text: m[1] + m[2]}, nil
}

// CheckProgram runs program -V as the user Asterisk will run as and returns its version. A version before
// [LeastMajor] is a [*TooOldError] beside the version.
func CheckProgram(ctx context.Context, program, runUser string) (Version, error) {
	o, err := ownerFor(runUser)
	if err != nil {
		return Version{}, err
	}
	return o.version(ctx, program)
}

func (o owner) version(ctx context.Context, program string) (Version, error) {
	if program == "" {
		return Version{}, fmt.Errorf("no Asterisk program is set: run `scripts/setup run`, or name one of version %d or later", LeastMajor)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-V")
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	o.apply(cmd)
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return Version{}, fmt.Errorf("there is no Asterisk at %s: run `scripts/setup run`, or name one of version %d or later: %w", program, LeastMajor, err)
	case errors.Is(err, fs.ErrPermission) && o.other:
		return Version{}, fmt.Errorf("user %s, whom Asterisk runs as, may not run %s: keep it where every user may reach it: %w", o.name, program, err)
	case err != nil:
		return Version{}, fmt.Errorf("asking %s for its version: %w%s", program, err, tailOf(string(out)))
	}
	v, err := parseVersion(string(out))
	if err != nil {
		return Version{}, fmt.Errorf("%s cannot be used: %w", program, err)
	}
	if v.Major < LeastMajor {
		return v, &TooOldError{Version: v}
	}
	return v, nil
}

// locate fills in the data and module folders of the private Asterisk scripts/setup makes: the program lies in
// bin/ beside root/. Any other Asterisk knows its own.
func locate(program string, d *Dirs) {
	resolved, err := filepath.EvalSymlinks(program)
	if err != nil {
		return
	}
	root := filepath.Join(filepath.Dir(filepath.Dir(resolved)), "root", "usr")
	data := filepath.Join(root, "share", "asterisk")
	if _, err := os.Stat(filepath.Join(data, "documentation", "core-en_US.xml")); err != nil {
		return
	}
	modules, err := filepath.Glob(filepath.Join(root, "lib", "*", "asterisk", "modules"))
	if err != nil || len(modules) != 1 {
		return
	}
	orElse(&d.Data, data)
	orElse(&d.Modules, modules[0])
}

// defaultMusicDir is the music that comes with Asterisk, wherever its data folder is.
func defaultMusicDir(data string) string {
	if data != "" {
		return filepath.Join(data, "moh")
	}
	for _, dir := range []string{"/usr/share/asterisk/moh", "/var/lib/asterisk/moh"} {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return "/usr/share/asterisk/moh"
}

// tailOf is the end of a program's output, to put behind an error.
func tailOf(output string) string {
	const most = 2000
	output = strings.TrimSpace(output)
	if output == "" {
		return ""
	}
	if len(output) > most {
		output = "…" + strings.ToValidUTF8(output[len(output)-most:], "")
	}
	return "\n" + output
}
