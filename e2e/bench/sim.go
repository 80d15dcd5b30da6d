package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"

	"example.org/c3i/configs"
	"example.org/c3i/configs/profiles"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/sim"
	"example.org/c3i/routing/sim/simbench"
)

// simFigures is how fast simulation is.
type simFigures struct {
	// What is compared by Programs, Theory what Erlang A says of it.
	What     string             `json:"what"`
	Theory   simbench.Outcome   `json:"theory"`
	Programs []simbench.Outcome `json:"programs"`
	// Missing says why SimPy was not measured, empty when it was.
	Missing string `json:"missing,omitempty"`
	// Month is 400,000 contacts under the built-in plan on one core.
	Month simbench.Outcome `json:"month"`
	// Ahead is a live fork with so many Waiting.
	Waiting int              `json:"waiting"`
	Ahead   simbench.Outcome `json:"ahead"`
}

const aheadWaiting = 5000

// python is the interpreter set-up found SimPy for, else Debian's.
func python() string {
	if p := os.Getenv("C3I_SIMPY_PYTHON"); p != "" {
		return p
	}
	return "/usr/bin/python3"
}

// measureSim measures simulation. Of several tries the fastest counts, as for the
// engine.
func measureSim(ctx context.Context, o options) (*simFigures, error) {
	f := &simFigures{Waiting: aheadWaiting}
	f.What, f.Theory = simbench.About()
	o.progress("simulation: %s, %d contacts, %d tries", f.What, o.simContacts, o.simTries)
	var err error
	var missing *simbench.MissingError
	f.Programs, err = simbench.Compare(ctx, o.simContacts, o.simTries, runtime.GOMAXPROCS(0), python())
	if errors.As(err, &missing) {
		f.Missing = missing.Error()
	} else if err != nil {
		return nil, err
	}
	const profile = "large-force-2014-average"
	src, err := profiles.Read(profile)
	if err != nil {
		return nil, err
	}
	model, err := sim.ParseModel(profile+".yaml", src)
	if err != nil {
		return nil, err
	}
	seed, err := configs.Files.ReadFile("plan.yaml")
	if err != nil {
		return nil, err
	}
	doc, problems := plan.Parse("plan.yaml", seed)
	if doc == nil {
		return nil, problems.Err()
	}
	fastest := func(into *simbench.Outcome, run func() (simbench.Outcome, error)) error {
		for range o.simTries {
			got, err := run()
			if err != nil {
				return err
			}
			if into.Took == 0 || got.Took < into.Took {
				*into = got
			}
		}
		return nil
	}
	o.progress("simulation: a month of %d contacts", simbench.MonthContacts)
	if err := fastest(&f.Month, func() (simbench.Outcome, error) {
		return simbench.Month(ctx, model, sim.PlanInput{Name: "plan.yaml", Source: string(seed)})
	}); err != nil {
		return nil, err
	}
	o.progress("simulation: an hour ahead with %d waiting", aheadWaiting)
	return f, fastest(&f.Ahead, func() (simbench.Outcome, error) {
		return simbench.Ahead(ctx, model, doc.Plan(1), doc.Zone(), aheadWaiting)
	})
}

func (f *simFigures) of(program string) simbench.Outcome {
	for _, o := range f.Programs {
		if o.Program == program {
			return o
		}
	}
	return simbench.Outcome{}
}

func (f *simFigures) judge(r *report) {
	r.expect("f", "a month of 400,000 contacts under the built-in plan, one core", f.Month.Took, 5, false, " s")
	if f.Missing == "" {
		r.expect("f", "contacts a second, C3i to SimPy, one core each", f.of(simbench.OneCore).Rate()/f.of(simbench.SimPy).Rate(), 100, true, "×")
		r.expect("f", "contacts a second, C3i on all cores to SimPy", f.of(simbench.AllCores).Rate()/f.of(simbench.SimPy).Rate(), 100, true, "×")
	}
	r.expect("f", fmt.Sprintf("an hour ahead with %d waiting", f.Waiting), f.Ahead.Took, 1, false, " s")
}

func (f *simFigures) print(out io.Writer) {
	fmt.Fprintf(out, "\n(f) Simulation: %s\n\n", f.What)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "program\tcontacts\tseconds\tcontacts/s\tmean wait, s\tabandoned\t")
	fmt.Fprintf(w, "%s\t\t\t\t%.2f\t%.2f %%\t\n", f.Theory.Program, f.Theory.Wait, 100*f.Theory.Abandon)
	for _, o := range append(f.Programs[:len(f.Programs):len(f.Programs)], f.Month, f.Ahead) {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.0f\t%.2f\t%.2f %%\t\n", o.Program, o.Contacts, o.Took, o.Rate(), o.Wait, 100*o.Abandon)
	}
	_ = w.Flush()
	if f.Missing != "" {
		fmt.Fprintf(out, "%s\n", f.Missing)
	}
}
