package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/sample"
)

func newSample() *cobra.Command {
	var people, contacts int
	var seed uint64
	var add bool
	cmd := &cobra.Command{
		Use:   "sample",
		Short: "Fill an empty system with invented people, contacts and reports",
		Long: `For trying C3i and for measuring it. The people, what they told and when are made up
from a seed; numbers are those kept for drama, addresses are at example domains and
postcodes in an area that does not exist. A system that holds records is left as it
is, unless --add is given: what is invented cannot be told from what is not, later.`,
		Example: `  c3i sample --people 500
  c3i sample --people 1000000 --contacts 3000000 --seed 7`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if people < 1 || people > 10_000_000 {
				return usageError{errors.New("--people: from 1 to 10000000")}
			}
			if contacts < 0 || contacts > 50_000_000 {
				return usageError{errors.New("--contacts: from 0 to 50000000")}
			}
			if !cmd.Flags().Changed("contacts") {
				contacts = 3 * people
			}
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				if !add {
					empty, err := r.store.Empty(ctx)
					if err != nil {
						return err
					}
					if !empty {
						return errors.New("the system holds records already, and what is invented could not be told from them: add to them with --add")
					}
				}
				return fillSample(ctx, r, sampleSize{people, contacts, seed}, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	cmd.Flags().IntVar(&people, "people", 500, "how many people")
	cmd.Flags().IntVar(&contacts, "contacts", 0, "how many contacts (default: three for each person)")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "the same seed makes the same people")
	cmd.Flags().BoolVar(&add, "add", false, "add to the records there are")
	for _, f := range []string{"people", "contacts", "seed"} {
		complete(cmd, f, cobra.NoFileCompletions)
	}
	return withData(cmd)
}

type sampleSize struct {
	people, contacts int
	seed             uint64
}

// fillSample invents a town and says so in the trail.
func fillSample(ctx context.Context, r *records, size sampleSize, out, progress io.Writer) error {
	e := audit.Entry{Operation: audit.Collect, Object: "sample", ObjectID: fmt.Sprintf("seed-%d", size.seed), Outcome: "ok"}
	if err := r.trail.Append(ctx, e); err != nil {
		return err
	}
	w := sample.New(sample.Options{Seed: size.seed, People: size.people, Contacts: size.contacts, Reports: -1, Now: contact.At(time.Now())})
	last := time.Now()
	err := sample.Load(ctx, r.store, w, func(what string, done, of int) {
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			fmt.Fprintf(progress, "%d of %d %s\n", done, of, what)
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d people, %d contacts and %d reports were invented\n", w.People(), w.Contacts(), w.Reports())
	return nil
}

// wantsSample asks somebody at a terminal whether to invent a town. Nobody is
// asked when there is no terminal, and no answer is no.
func wantsSample(in io.Reader, out io.Writer) bool {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	return askSample(in, out)
}

func askSample(in io.Reader, out io.Writer) bool {
	fmt.Fprint(out, "C3i holds no records yet. Fill it with 200 invented people, to try it? [y/N] ")
	answer, _ := bufio.NewReader(in).ReadString('\n') // no answer is no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}

// offerSample invents a small town for somebody who tries C3i. That it could not
// be done is no reason not to start.
func (a *app) offerSample(ctx context.Context, out io.Writer) {
	ctx = audit.With(ctx, audit.Actor{ID: "operator", Role: "operator"})
	unanchored := func(err error) { a.log.Warn().Err(err).Msg("the trail's anchor was not written") }
	r, err := openRecords(ctx, a.c, a.redis, nil, unanchored)
	if err == nil {
		err = errors.Join(fillSample(ctx, r, sampleSize{people: 200, contacts: 600, seed: 1}, out, io.Discard), r.close(ctx))
	}
	if err != nil {
		a.log.Warn().Err(err).Msg("no people were invented; c3i sample does it later")
	}
}
