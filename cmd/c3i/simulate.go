package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/c3i/configs"
	"example.org/c3i/configs/profiles"
	"example.org/c3i/contact"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/sim"
)

// simulateFlags are the flags of `c3i simulate`.
type simulateFlags struct {
	compare               bool
	profile, csv          string
	journal               bool
	from, to              string
	days                  int
	growth                string
	replications, workers int
	seed                  uint64
	formula               string
	within                time.Duration
	checkEvery            int
	surges                []string
	staff                 bool
	target                string
	html, csvOut          string
	json                  bool
}

func newSimulate() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate [PLAN...]",
		Short: "Try plans on a model, a table or past traffic, and compare them",
		Long: `Runs the routing engine over modelled callers and handlers: how long would they
have waited, how many would have given up, under each plan? Without a plan the one
in the settings is taken, or with --journal the one then in force; the first plan
is what the others are compared with.

What comes from outside is the same for every plan: from a model profile
(--profile, a built-in name or a file), from a table of arrivals (--csv, with the
profile's staffing and times where the table gives none), or from the journal
(--journal). Profiles: ` + strings.Join(profiles.Names(), ", ") + `.

Ctrl-C prints what is done so far. The same seed gives the same figures.
docs/simulation.md explains the method and its limits.`,
		Example: `  c3i simulate --profile large-force-2014-busiest --html busiest.html
  c3i simulate --compare plan.yaml draft.yaml --days 7 --html compare.html
  c3i simulate --csv october.csv --replications 20 --csv-out figures.csv
  c3i simulate --journal --from 2026-03-02 --to 2026-03-09 draft.yaml --compare
  c3i simulate --surge storm@18:00-22:00 --csv-out storm.csv
  c3i simulate --staff --target 90% --within 30s`,
		RunE: func(cmd *cobra.Command, args []string) error { return simulate(cmd, args, f) },
	}
	fs := cmd.Flags()
	fs.BoolVar(&f.compare, "compare", false, "compare the plans given; with one, compare it with the plan in the settings")
	fs.StringVar(&f.profile, "profile", "large-force-2014-average", "model profile: a built-in name or a YAML file")
	fs.StringVar(&f.csv, "csv", "", "table of arrivals (CSV) instead of the model's")
	fs.BoolVar(&f.journal, "journal", false, "arrivals, shifts and times of the journal instead of a model's")
	fs.StringVar(&f.from, "from", "", "first day (model), or beginning of the journal's period: 2026-03-02 or 2026-03-02T08:00:00Z")
	fs.StringVar(&f.to, "to", "", "end of the journal's period (not in it)")
	fs.IntVar(&f.days, "days", 0, "days to simulate (default: the profile's)")
	fs.StringVar(&f.growth, "growth", "0%", "change of the model's volume, for example 10% or -5%")
	fs.IntVar(&f.replications, "replications", sim.DefaultReplications, "how often each plan is run")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of all random numbers")
	fs.StringVar(&f.formula, "formula", "SL-3", "service level: SL-1, SL-2, SL-3, SL-4 or SL-5")
	fs.DurationVar(&f.within, "within", 0, "service level's threshold for calls (default: each queue's own target)")
	fs.StringArrayVar(&f.surges, "surge", nil, "switch a surge of the plans on: NAME, or NAME@18:00-22:00 for part of each day; may be repeated")
	fs.BoolVar(&f.staff, "staff", false, "find the fewest handlers per hour that meet the target")
	fs.StringVar(&f.target, "target", "80%", "service level to meet in every hour, with --staff")
	fs.StringVar(&f.html, "html", "", "write a page with charts to this file")
	fs.StringVar(&f.csvOut, "csv-out", "", "write all figures as CSV to this file")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.IntVar(&f.workers, "workers", 0, "replications run at once (default: one per processor)")
	fs.IntVar(&f.checkEvery, "check-every", 0, "let the auditor look at the engine every so many events (0: never)")
	return withSettings(cmd, "plan", "data_dir", "redis")
}

func simulate(cmd *cobra.Command, args []string, f simulateFlags) error {
	c, err := settings(cmd)
	if err != nil {
		return err
	}
	o, err := f.options(cmd, c, args)
	if err != nil {
		return err
	}
	// Each run of a plan makes much that is short-lived: collecting it less often
	// costs memory, which there is.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	errOut := cmd.ErrOrStderr()
	fmt.Fprintf(errOut, "seed %d\n", f.seed)
	if f.staff {
		return f.staffing(cmd, o)
	}
	o.Progress = progress(errOut, "runs of a plan")
	report, err := sim.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if !report.Complete {
		fmt.Fprintf(errOut, "stopped: %d of %d replications are in the report\n", report.Replications, report.Asked)
	}
	return f.write(cmd.OutOrStdout(), report)
}

func (f simulateFlags) write(out io.Writer, report *sim.Report) error {
	if f.html != "" {
		if err := toFile(f.html, report.WriteHTML); err != nil {
			return err
		}
	}
	if f.csvOut != "" {
		if err := toFile(f.csvOut, report.WriteCSV); err != nil {
			return err
		}
	}
	if f.json {
		return indented(out, report)
	}
	return report.WriteText(out)
}

func indented(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// toFile writes a whole file or none.
func toFile(name string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".c3i-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	err = errors.Join(write(tmp), tmp.Chmod(0o644), tmp.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.Rename(tmp.Name(), name)
}

func (f simulateFlags) options(cmd *cobra.Command, c configs.Config, args []string) (sim.Options, error) {
	o := sim.Options{Replications: f.replications, Seed: f.seed, Within: contact.Duration(f.within), CheckEvery: f.checkEvery, Workers: f.workers}
	mistake := func(format string, a ...any) (sim.Options, error) { return o, usageError{fmt.Errorf(format, a...)} }
	switch {
	case f.replications < 1 || f.replications > 10_000:
		return mistake("--replications must be from 1 to 10000")
	case f.journal && f.csv != "":
		return mistake("--journal and --csv exclude each other: arrivals come from one of them")
	case f.journal && (f.days != 0 || f.growth != "0%"):
		return mistake("--days and --growth are for a model; a journal's period is set with --from and --to")
	case f.to != "" && !f.journal:
		return mistake("--to goes with --journal; use --days with a model")
	case f.within < 0:
		return mistake("--within must not be negative")
	}
	for _, known := range sim.Formulas() {
		if known.Name == f.formula {
			o.Formula = known
		}
	}
	for _, text := range f.surges {
		s, err := sim.ParseSurge(text)
		if err != nil {
			return mistake("--surge: %w", err)
		}
		o.Surges = append(o.Surges, s)
	}
	if o.Formula.Name == "" {
		return mistake("--formula %q is not known: it is one of SL-1, SL-2, SL-3, SL-4 and SL-5", f.formula)
	}
	if len(args) == 0 || f.compare && len(args) == 1 {
		if f.compare && len(args) == 0 {
			return mistake("--compare needs a plan to compare, for example c3i simulate --compare plan.yaml draft.yaml")
		}
		name, src, err := source(c.Plan, "plan.yaml")
		if err != nil {
			return o, err
		}
		o.Plans = append(o.Plans, sim.PlanInput{Name: name, Source: string(src)})
	}
	for _, name := range args {
		src, err := os.ReadFile(name)
		if err != nil {
			return o, err
		}
		o.Plans = append(o.Plans, sim.PlanInput{Name: name, Source: string(src)})
	}
	tellApart(o.Plans)
	if f.journal {
		h, err := f.history(cmd.Context(), c)
		if err != nil {
			return o, err
		}
		if fromSettings := len(o.Plans) > len(args); fromSettings && h.PlanSource != "" {
			o.Plans[0] = sim.PlanInput{Name: "plan in force", Source: h.PlanSource}
		}
		o.Source = h.Source()
		return o, nil
	}
	var err error
	o.Source, err = f.source()
	return o, err
}

// tellApart shortens plans' names to the file's where that leaves them different.
func tellApart(plans []sim.PlanInput) {
	var names []string
	for _, p := range plans {
		if base := filepath.Base(p.Name); !slices.Contains(names, base) {
			names = append(names, base)
		}
	}
	if len(names) == len(plans) {
		for i := range plans {
			plans[i].Name = names[i]
		}
	}
}

func (f simulateFlags) source() (sim.Source, error) {
	model, err := readModel(f.profile)
	if err != nil {
		return nil, err
	}
	if f.csv != "" {
		file, err := os.Open(f.csv)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		table, err := sim.ParseCSV(f.csv, file, model.Location())
		if err != nil {
			return nil, err
		}
		return sim.FromTable(table, model), nil
	}
	growth, err := share(f.growth)
	if err != nil {
		return nil, usageError{fmt.Errorf("--growth: %w", err)}
	}
	days := f.days
	if f.staff && days == 0 {
		days = 1 // the hours of a day are asked for
	}
	modelled, err := model.Modelled(f.from, days, growth)
	if err != nil {
		return nil, usageError{err}
	}
	return modelled, nil
}

// readModel reads a built-in profile by name, or a file.
func readModel(name string) (*sim.Model, error) {
	if slices.Contains(profiles.Names(), name) {
		src, err := profiles.Read(name)
		if err != nil {
			return nil, err
		}
		return sim.ParseModel(name+".yaml", src)
	}
	src, err := os.ReadFile(name)
	if err != nil {
		if !strings.ContainsAny(name, "./") {
			err = fmt.Errorf("there is no profile %q; built in are %s", name, strings.Join(profiles.Names(), ", "))
			if near := configs.Nearest(name, slices.Values(profiles.Names())); near != "" {
				err = fmt.Errorf("%w (did you mean %s?)", err, near)
			}
			return nil, usageError{err}
		}
		return nil, err
	}
	return sim.ParseModel(name, src)
}

func (f simulateFlags) history(ctx context.Context, c configs.Config) (*sim.History, error) {
	from, err := instant(f.from)
	if err != nil {
		return nil, usageError{fmt.Errorf("--from: %w", err)}
	}
	to, err := instant(f.to)
	if err != nil {
		return nil, usageError{fmt.Errorf("--to: %w", err)}
	}
	client, done, err := openRedis(ctx, c)
	if err != nil {
		return nil, err
	}
	defer done()
	return sim.ReadHistory(ctx, journal.NewRedis(client, journalName, journal.Retention{}), from, to)
}

// instant reads a date or a time; empty is zero.
func instant(s string) (contact.Instant, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return contact.At(t), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time: write it as 2026-03-02 or 2026-03-02T08:00:00Z", s)
}

// share reads 10% or 0.1.
func share(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a share: write it as 10%%", s)
	}
	if percent {
		v /= 100
	}
	return v, nil
}

// progress tells how far a long run is: at once on a terminal, else each tenth.
func progress(out io.Writer, what string) func(done, total int) {
	began, tenth := time.Now(), 0
	terminal := isTerminal(out)
	return func(done, total int) {
		switch {
		case time.Since(began) < time.Second && done < total:
		case terminal:
			const width = 30
			full := width * done / total
			fmt.Fprintf(out, "\r[%s%s] %d of %d %s", strings.Repeat("#", full), strings.Repeat(".", width-full), done, total, what)
			if done == total {
				fmt.Fprintln(out)
			}
		case time.Since(began) >= time.Second && 10*done/total > tenth:
			tenth = 10 * done / total
			fmt.Fprintf(out, "%d of %d %s done\n", done, total, what)
		}
	}
}

func isTerminal(out io.Writer) bool {
	file, is := out.(*os.File)
	if !is {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (f simulateFlags) staffing(cmd *cobra.Command, o sim.Options) error {
	target, err := share(f.target)
	if err != nil || !(target > 0 && target < 1) {
		return usageError{fmt.Errorf("--target %q: a share between 0%% and 100%% is expected, such as 80%%", f.target)}
	}
	o.Progress = progress(cmd.ErrOrStderr(), "steps")
	plan, err := sim.Staff(cmd.Context(), o, target)
	if err != nil {
		return err
	}
	if f.json {
		return indented(cmd.OutOrStdout(), plan)
	}
	return plan.WriteText(cmd.OutOrStdout())
}
