package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

// journalState works routing's state out of the journal: that of now while C3i
// runs, else that of the last record. It says which, once.
type journalState struct {
	store   journal.Store
	archive *release.Archive
	// asOf is what the last call found, in words.
	asOf string
}

func (j *journalState) read(ctx context.Context) (*routing.Engine, contact.Instant, error) {
	running, err := j.archive.Running(ctx)
	if err != nil {
		return nil, 0, err
	}
	now, err := explain.Present(ctx, j.store)
	if err != nil {
		return nil, 0, err
	}
	at := now.At
	j.asOf = fmt.Sprintf("C3i does not run: as of record %d, %s", now.Seq, clockTime(at))
	if running {
		at = max(at, contact.At(time.Now()))
		j.asOf = fmt.Sprintf("as of now, %s (record %d)", clockTime(at), now.Seq)
	}
	return now.Engine, at, nil
}

// foreseerOf answers from the data of an installation. Flow answers are checked
// when the settings' flow can be read.
func foreseerOf(ctx context.Context, c configs.Config, client redis.UniversalClient) (*foreseer, *journalState, error) {
	archive, err := openArchive(ctx, client)
	if err != nil {
		return nil, nil, err
	}
	text := loadContent(c)
	if err := text.err(); err != nil {
		return nil, nil, usageError{fmt.Errorf("flow and prompts must be good before this can be told:\n%w", err)}
	}
	j := &journalState{store: journal.NewRedis(client, journalName, journal.Retention{}), archive: archive}
	return newForeseer(&foreseer{
		state: j.read, archive: archive, store: j.store, answers: text.flow.Answers(),
		problems: func(source string) plan.Problems { return planProblems("plan", source, text) },
	}), j, nil
}

func whyIf(cmd *cobra.Command, c configs.Config, client redis.UniversalClient, words []string, asJSON bool) error {
	s, err := explain.ParseSupposition(words)
	if err != nil {
		return usageError{fmt.Errorf("--if: %w", err)}
	}
	f, j, err := foreseerOf(cmd.Context(), c, client)
	if err != nil {
		return err
	}
	x, err := f.suppose(cmd.Context(), s)
	var wrong *explain.SupposeError
	switch {
	case errors.As(err, &wrong):
		return usageError{fmt.Errorf("--if: %w", err)}
	case err != nil:
		return err
	case asJSON:
		return printJSON(cmd, x)
	}
	fmt.Fprintln(cmd.OutOrStdout(), j.asOf)
	for _, line := range x.Text {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	return nil
}

// completeIf offers what --if knows.
func completeIf(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var words []cobra.Completion
	for _, n := range explain.SuppositionNames() {
		words = append(words, n+"=")
	}
	return append(words, "answers."), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// asTyped puts the API's errors into those of the command line.
func asTyped(err error, flags map[string]string) error {
	var e *agentdesk.Error
	var bad *agentdesk.BadPlan
	switch {
	case errors.As(err, &bad):
		var b strings.Builder
		for _, p := range bad.Problems {
			fmt.Fprintf(&b, "\n%d:%d: %s: %s", p.Line, p.Column, p.Severity, p.Message)
		}
		return fmt.Errorf("--draft: it has errors:%s", &b)
	case !errors.As(err, &e):
		return err
	case e.Code == agentdesk.CodeInvalid && flags[e.Field] != "":
		return usageError{fmt.Errorf("%s: %s", flags[e.Field], e.Message)}
	}
	return errors.New(e.Message)
}
