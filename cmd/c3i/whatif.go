package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/sim"
)

type whatIfFlags struct {
	moves, on, off []string
	plan, growth   string
	html           string
	ahead          string
	replications   int
	seed           uint64
	json           bool
}

func newWhatIf() *cobra.Command {
	var f whatIfFlags
	cmd := &cobra.Command{
		Use:   "whatif",
		Short: "Play the next hour as things are, and with changes",
		Long: `Takes a copy of what is going on now, who waits and who is signed on, and plays the
time to come twice with the same callers: as it is, and with the changes. Nothing
that runs is changed.

--move 3:crime-desk:general moves three handlers of the profile crime-desk to the
profile general, idle ones first; --move 3::general takes them from any; and
--move h1,h2:general names them. --draft tries a plan file, or a version by its
number. --surge-on and --surge-off switch surges.

What comes, how long it takes and how long callers wait is taken from the journal's
last four hours where they tell enough, else from a built-in profile; the answer
says which. While C3i does not run, the state is that of the journal's last record.`,
		Example: `  c3i whatif --move 3:crime-desk:enquiries-bengali
  c3i whatif --draft draft.yaml --for 2h --html next.html
  c3i whatif --surge-on major-incident --growth 50%`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error { return whatIf(cmd, f) },
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&f.moves, "move", nil, "handlers who change their profile: COUNT:FROM:TO or NAME,NAME:TO")
	fs.StringVar(&f.plan, "draft", "", "a plan to try: a file, or the number of a version")
	fs.StringArrayVar(&f.on, "surge-on", nil, "a surge to switch on")
	fs.StringArrayVar(&f.off, "surge-off", nil, "a surge to switch off")
	fs.StringVar(&f.ahead, "for", "1h", "how far to look ahead, at most 24h")
	fs.StringVar(&f.growth, "growth", "0%", "change of the volume to come, for example 10% or -5%")
	fs.IntVar(&f.replications, "replications", sim.DefaultForkReplications, "how often each side is played")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of all random numbers")
	fs.StringVar(&f.html, "html", "", "write a page with charts to this file")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	complete(cmd, "move", cobra.NoFileCompletions)
	complete(cmd, "surge-on", completeSurges)
	complete(cmd, "surge-off", completeSurges)
	return withData(cmd)
}

func (f whatIfFlags) question() (q agentdesk.ForkQuestion, err error) {
	ahead, err := contact.ParseDuration(f.ahead)
	if err != nil || ahead <= 0 || ahead > contact.Day {
		return q, errors.New("--for: write how far to look ahead as 90m or 2h, at most 24h")
	}
	growth, err := share(f.growth)
	if err != nil || growth < -1 || growth > 10 {
		return q, fmt.Errorf("--growth: %q is not a change from -100%% to 1000%%", f.growth)
	}
	if f.replications < 1 || f.replications > 1000 {
		return q, errors.New("--replications must be from 1 to 1000")
	}
	q = agentdesk.ForkQuestion{
		Hours: float64(ahead) / float64(contact.Hour), Growth: growth, Replications: f.replications, Seed: f.seed, SurgesOn: f.on, SurgesOff: f.off,
	}
	for _, text := range f.moves {
		m, err := parseMove(text)
		if err != nil {
			return q, err
		}
		q.Moves = append(q.Moves, m)
	}
	if n, err := strconv.Atoi(f.plan); err == nil && n > 0 {
		q.Version = n
	} else if f.plan != "" {
		b, err := os.ReadFile(f.plan)
		if err != nil {
			return q, fmt.Errorf("--draft: %s cannot be read: %w", f.plan, bare(err))
		}
		q.Plan = string(b)
	}
	return q, nil
}

// parseMove reads COUNT:FROM:TO or NAME,NAME:TO.
func parseMove(text string) (m agentdesk.ForkMove, err error) {
	wrong := fmt.Errorf("--move: %q is not a move: write 3:crime-desk:general, 3::general or h1,h2:general", text)
	parts := strings.Split(text, ":")
	switch len(parts) {
	case 2:
		for _, name := range strings.Split(parts[0], ",") {
			if name == "" {
				return m, wrong
			}
			m.Agents = append(m.Agents, routing.AgentID(name))
		}
		m.To = parts[1]
	case 3:
		if m.Count, err = strconv.Atoi(parts[0]); err != nil || m.Count < 1 {
			return m, wrong
		}
		m.From, m.To = parts[1], parts[2]
	default:
		return m, wrong
	}
	if m.To == "" {
		return m, wrong
	}
	return m, nil
}

func whatIf(cmd *cobra.Command, f whatIfFlags) error {
	q, err := f.question()
	if err != nil {
		return usageError{err}
	}
	c, err := settings(cmd)
	if err != nil {
		return err
	}
	client, done, err := openRedis(cmd.Context(), c)
	if err != nil {
		return err
	}
	defer done()
	foresee, j, err := foreseerOf(cmd.Context(), c, client)
	if err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	a, err := foresee.fork(cmd.Context(), q)
	if err != nil {
		return asTyped(err, map[string]string{
			"moves.to": "--move", "moves.from": "--move", "moves.count": "--move", "moves.agents": "--move", "surges_on": "--surge-on", "surges_off": "--surge-off",
		})
	}
	if f.html != "" {
		if err := toFile(f.html, a.Report.WriteHTML); err != nil {
			return err
		}
	}
	if f.json {
		return printJSON(cmd, a)
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s, the next %s\nwhat it is based on: %s\n\n", j.asOf, f.ahead, a.Basis)
	for _, line := range a.Summary {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintln(out)
	return a.Report.WriteText(out)
}
