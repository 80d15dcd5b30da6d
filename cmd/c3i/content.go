package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/c3i/configs"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// bare drops the path from an error that is told with it.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// emergency is the one destination a flow may transfer to.
const emergency = "emergency"

// content is what managers tune and callers hear, read and checked.
type content struct {
	plan      *plan.Document
	flow      *ivr.Flow
	catalogue *ivr.Catalogue
	// problems are all that was found, in words that begin with file, line and
	// column where they come from one place; warnings do not stop a start.
	problems []string
	warnings []string
}

// loadContent reads the plan, the flow and the prompts that the settings name or
// that are built in, checks each, and checks them against each other.
func loadContent(c configs.Config) *content {
	t := &content{}
	t.loadPlan(c)
	t.loadPrompts(c)
	if t.catalogue != nil {
		t.loadFlow(c)
	}
	if c.Web.Reports {
		if err := checkWebTexts(c.Web); err != nil {
			t.problems = append(t.problems, err.Error())
		}
	}
	if _, err := mailWordings(c.Mail); err != nil {
		t.problems = append(t.problems, err.Error())
	}
	if _, err := answerTemplates(c.Desk); err != nil {
		t.problems = append(t.problems, err.Error())
	}
	t.crossCheck()
	if c.Plan != "" || c.Flow != "" { // the two built in are made for each other and for more
		t.checkAnswers()
	}
	return t
}

func (t *content) err() error {
	if len(t.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(t.problems, "\n"))
}

func (t *content) fail(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// source reads a file the settings name, or the built-in one.
func source(named, builtIn string) (name string, src []byte, err error) {
	if named != "" {
		src, err = os.ReadFile(named)
		return named, src, err
	}
	src, err = configs.Files.ReadFile(builtIn)
	return filepath.Base(builtIn), src, err
}

func (t *content) loadPlan(c configs.Config) {
	name, src, err := source(c.Plan, "plan.yaml")
	if err != nil {
		t.fail("plan: %s cannot be read: %v", name, bare(err))
		return
	}
	doc, problems := plan.Parse(name, src)
	for _, p := range problems {
		if p.Severity == plan.Error {
			t.problems = append(t.problems, p.String())
		} else {
			t.warnings = append(t.warnings, p.String())
		}
	}
	t.plan = doc
}

// promptFiles is the folder of prompt files and recordings.
func promptFiles(c configs.Config) (fs.FS, error) {
	if c.Prompts.Dir != "" {
		return os.DirFS(c.Prompts.Dir), nil
	}
	return fs.Sub(configs.Files, "prompts")
}

func (t *content) loadPrompts(c configs.Config) {
	files, err := promptFiles(c)
	if err != nil {
		t.fail("prompts: %v", err)
		return
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) == 0 {
		t.fail("prompts.dir: %s holds no prompt file such as en.yaml", c.Prompts.Dir)
		return
	}
	var sources []ivr.PromptFile
	for _, name := range names {
		src, err := fs.ReadFile(files, name)
		if err != nil {
			t.fail("prompts: %v", err)
			continue
		}
		sources = append(sources, ivr.PromptFile{Name: filepath.Join(c.Prompts.Dir, name), Src: src})
	}
	catalogue, problems := ivr.LoadCatalogue(sources)
	for _, p := range problems {
		t.problems = append(t.problems, p.String())
	}
	t.catalogue = catalogue
}

func (t *content) loadFlow(c configs.Config) {
	name, src, err := source(c.Flow, "flows/front-door.yaml")
	if err != nil {
		t.fail("flow: %s cannot be read: %v", name, bare(err))
		return
	}
	flow, problems := ivr.Load(name, src, t.catalogue)
	for _, p := range problems {
		t.problems = append(t.problems, p.String())
	}
	t.flow = flow
}

// crossCheck finds names that one part uses and another lacks.
func (t *content) crossCheck() {
	if t.flow != nil {
		for _, d := range t.flow.Destinations() {
			if d != emergency {
				t.fail("%s: destination %q is not known: the only one is %q", t.flow.Name(), d, emergency)
			}
		}
	}
	if t.plan == nil {
		return
	}
	p := t.plan.Plan(1)
	if t.flow != nil {
		for _, q := range missingQueues(t.flow, p) {
			t.fail("%s: queue %q is not in the plan %s", t.flow.Name(), q, t.plan.Name)
		}
	}
	if t.flow != nil {
		t.checkCallbacks(p)
	}
	if t.catalogue != nil {
		names := t.catalogue.Names()
		for _, q := range p.Queues {
			if a := q.ClosedAnnouncement; a != "" && !slices.Contains(names, a) {
				t.fail("%s: queues.%s.closed_announcement: no prompt is named %q", t.plan.Name, q.ID, a)
			}
			t.checkWaiting(q)
		}
	}
}

// checkWaiting finds languages that cannot tell callers of a queue what its plan has
// them told. They would hear less than others, not nothing: it stops no start.
func (t *content) checkWaiting(q routing.Queue) {
	need := func(key string, names []string) {
		for _, l := range t.catalogue.Languages {
			i := slices.IndexFunc(names, func(name string) bool { _, has := l.Prompts[name]; return !has })
			if i >= 0 {
				t.warnings = append(t.warnings, fmt.Sprintf("%s: queues.%s.%s: %s has no prompt %q: callers are not told", t.plan.Name, q.ID, key, l.English, names[i]))
			}
		}
	}
	if q.Announce != nil {
		need("announce", ivr.AnnouncementPrompts())
	}
	if q.Callback != nil {
		need("callback", ivr.CallbackPrompts())
	}
}

// checkCallbacks finds callback steps to queues that ring nobody back.
func (t *content) checkCallbacks(p *routing.Plan) {
	for _, name := range t.flow.Callbacks() {
		for _, q := range p.Queues {
			if string(q.ID) == name && q.Callback == nil {
				t.warnings = append(t.warnings, fmt.Sprintf("%s: a callback step leads to queue %q, which has no callback in the plan %s: callers wait there like any other", t.flow.Name(), name, t.plan.Name))
			}
		}
	}
}

// missingQueues lists the queues a flow names that a plan does not have.
func missingQueues(flow *ivr.Flow, p *routing.Plan) []string {
	var missing []string
	for _, q := range flow.Queues() {
		if !slices.ContainsFunc(p.Queues, func(have routing.Queue) bool { return string(have.ID) == q }) {
			missing = append(missing, q)
		}
	}
	return missing
}
