package crm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
)

// Kinds of tasks the store itself makes.
const (
	TaskRecord       = "record_decision"
	TaskReassess     = "re_thrive"
	TaskNeeds        = "needs_assessment"
	TaskConfirmation = "written_confirmation"
	TaskSupport      = "support_referral"
	TaskUpdate       = "update_victim"
	TaskReview       = "review"
	TaskOther        = "other"
)

// agenda is a report's tasks while it is being changed: they are saved with it in
// one step, so that a clock is never without its task.
type agenda struct {
	report ReportID
	before map[string]string
	tasks  map[string]Task
	now    contact.Instant
	by     string
}

func newAgenda(r ReportID, texts map[string]string, now contact.Instant, by string) (*agenda, error) {
	a := &agenda{report: r, before: texts, tasks: map[string]Task{}, now: now, by: by}
	for id, text := range texts {
		var t Task
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return nil, fmt.Errorf("crm: task %s cannot be read: %w", id, err)
		}
		a.tasks[id] = t
	}
	return a, nil
}

// due adds a task, or moves an open one of the same name. What is done stays done.
func (a *agenda) due(kind, part, text, owner string, due contact.Instant) {
	id := a.id(kind, part)
	t, ok := a.tasks[id]
	if !ok {
		t = Task{ID: id, Report: a.report, Kind: kind, Created: a.now, Owner: owner}
	}
	if t.Done != 0 {
		return
	}
	t.Text, t.Due = text, due
	a.tasks[id] = t
}

// again is a part of a kind's name under which no task is done yet: what is due
// once more is a task of its own.
func (a *agenda) again(kind, part string) string {
	next := part
	for n := 2; a.tasks[a.id(kind, next)].Done != 0; n++ {
		next = part + "." + itoa(n)
	}
	return next
}

func (a *agenda) id(kind, part string) string {
	if part == "" {
		return string(a.report) + "." + kind
	}
	return string(a.report) + "." + kind + "." + part
}

// done ends the open tasks of a kind; with a part, that one only.
func (a *agenda) done(kind, part, result string) {
	for id, t := range a.tasks {
		if t.Kind != kind || t.Done != 0 || part != "" && id != a.id(kind, part) && !strings.HasPrefix(id, a.id(kind, part)+".") {
			continue
		}
		t.Done, t.DoneBy, t.Result = a.now, a.by, result
		a.tasks[id] = t
	}
}

// has tells whether a task was ever set.
func (a *agenda) has(kind, part string) bool {
	_, ok := a.tasks[a.id(kind, part)]
	return ok
}

// args are what changed, as report_save.lua takes it.
func (a *agenda) args() ([]any, error) {
	var out []any
	ids := make([]string, 0, len(a.tasks))
	for id := range a.tasks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t := a.tasks[id]
		text, err := json.Marshal(t)
		if err != nil {
			return nil, err
		}
		if string(text) == a.before[id] {
			continue
		}
		t.Version++
		if text, err = json.Marshal(t); err != nil {
			return nil, err
		}
		out = append(out, id, a.before[id], text)
	}
	return out, nil
}

// taskHome is the report whose tasks hold a task; tasks of no report share one.
func taskHome(id string) (ReportID, bool) {
	home, _, ok := strings.Cut(id, ".")
	if !ok || home == "" {
		return "", false
	}
	if home == string(noReport) {
		home = ""
	}
	return ReportID(home), true
}

const noReport ReportID = "-"
