package prompts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// renderLimit bounds one run of the synthesiser; a long text takes well under a
// second.
const renderLimit = 30 * time.Second

// espeak runs espeak-ng.
type espeak struct {
	program string
	speed   int
}

// version asks the program who it is; what it says is part of the cache key.
func (e espeak) version(ctx context.Context) (string, error) {
	out, err := e.run(ctx, "", "--version")
	if err != nil {
		missing := fmt.Sprintf("the speech synthesiser %q does not run: install the package espeak-ng, or name the program in the configuration", e.program)
		return "", &Error{CodeNoSynthesiser, missing, err}
	}
	text, _, _ := strings.Cut(string(out), "Data at")
	return strings.TrimSpace(text), nil
}

// speak renders a text. The text goes in by standard input, so that nothing in
// it can be taken for an option.
func (e espeak) speak(ctx context.Context, voice, text string) (sound, error) {
	out, err := e.run(ctx, text, "-v", voice, "-s", strconv.Itoa(e.speed), "-b", "1", "--stdin", "--stdout")
	if err != nil {
		return sound{}, err
	}
	return decodeWAV(out, true)
}

func (e espeak) run(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, renderLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.program, args...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = strings.NewReader(stdin)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(complaint.String()); said != "" {
			err = errors.Join(err, errors.New(strings.Join(strings.Fields(said), " ")))
		}
		return nil, err
	}
	return out.Bytes(), nil
}
