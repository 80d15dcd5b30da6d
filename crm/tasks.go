package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// TaskQuery says which tasks to list. The zero value lists all open ones.
type TaskQuery struct {
	// Report lists the tasks of one report, done ones too when Done is set.
	Report ReportID
	// Owner lists those of one handler; Unowned those anybody may take.
	Owner   string
	Unowned bool
	// Kind lists one kind.
	Kind string
	// Before lists those due before an instant: with now, what is late.
	Before contact.Instant
	Done   bool
	// Limit bounds the list, 200 if zero.
	Limit int
}

const tasksListed = 200

// Tasks lists tasks, most due first.
func (s *Store) Tasks(ctx context.Context, q TaskQuery) ([]Task, error) {
	if q.Limit <= 0 {
		q.Limit = tasksListed
	}
	var out []Task
	var err error
	if q.Report != "" {
		out, err = s.tasksOf(ctx, q)
	} else {
		out, err = s.openTasks(ctx, q)
	}
	if err != nil {
		return nil, fmt.Errorf("crm: list tasks: %w", err)
	}
	slices.SortFunc(out, func(a, b Task) int {
		if a.Due != b.Due {
			if a.Due < b.Due {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	out = out[:min(len(out), q.Limit)]
	return out, s.seen(ctx, audit.Entry{Object: "task", ObjectID: string(q.Report)})
}

func (q TaskQuery) wants(t Task) bool {
	return (q.Done || t.Done == 0) && (q.Owner == "" || t.Owner == q.Owner) && (!q.Unowned || t.Owner == "") &&
		(q.Kind == "" || t.Kind == q.Kind) && (q.Before == 0 || t.Due < q.Before)
}

func (s *Store) tasksOf(ctx context.Context, q TaskQuery) ([]Task, error) {
	m, err := s.redis.HGetAll(ctx, tasksKey(q.Report)).Result()
	if err != nil {
		return nil, err
	}
	var out []Task
	for _, text := range m {
		var t Task
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return nil, err
		}
		if q.wants(t) {
			out = append(out, t)
		}
	}
	return out, nil
}

// openTasks reads the lists of open tasks page by page until enough fit.
func (s *Store) openTasks(ctx context.Context, q TaskQuery) ([]Task, error) {
	const page = 200
	var out []Task
	for from := int64(0); len(out) < q.Limit; from += page {
		var ids []string
		var err error
		if q.Owner != "" {
			var members []string
			members, err = s.redis.ZRangeArgs(ctx, redis.ZRangeArgs{
				Key: taskKeys[1], Start: "[" + q.Owner + "\n", Stop: "(" + q.Owner + "\x0b", ByLex: true, Offset: from, Count: page,
			}).Result()
			for _, m := range members {
				ids = append(ids, m[strings.LastIndexByte(m, ' ')+1:])
			}
		} else {
			stop := "+inf"
			if q.Before != 0 {
				stop = strconv.FormatInt(milliseconds(q.Before), 10)
			}
			ids, err = s.redis.ZRangeArgs(ctx, redis.ZRangeArgs{Key: taskKeys[0], Start: "-inf", Stop: stop, ByScore: true, Offset: from, Count: page}).Result()
		}
		if err != nil {
			return nil, err
		}
		tasks, err := s.readTasks(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if q.wants(t) {
				out = append(out, t)
			}
		}
		if len(ids) < page {
			break
		}
	}
	return out, nil
}

func (s *Store) readTasks(ctx context.Context, ids []string) ([]Task, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds := make([]*redis.StringCmd, len(ids))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			home, _ := taskHome(id)
			cmds[i] = p.HGet(ctx, tasksKey(home), id)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var out []Task
	for _, c := range cmds {
		if c.Err() != nil {
			continue // its report was erased
		}
		var t Task
		if err := json.Unmarshal([]byte(c.Val()), &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// SaveTask creates a task (empty ID) or changes the text, due time and owner of
// an open one. A done task is not changed, nor one whose Version, when it is not
// zero, is no longer the newest: ErrConflict, with the task as it is. Of a task
// made by a clock only the owner changes.
func (s *Store) SaveTask(ctx context.Context, t Task) (Task, error) {
	var f faults
	long(&f, "text", t.Text, MOLimit)
	long(&f, "owner", t.Owner, fieldLimit)
	if strings.TrimSpace(t.Text) == "" {
		f.add("text", "required", "say what is to be done")
	}
	if t.Due == 0 {
		f.add("due", "required", "say by when")
	}
	if strings.ContainsAny(t.Owner, "\n\x0b") {
		f.add("owner", "form", "a sign-on name")
	}
	if t.Kind == "" {
		t.Kind = TaskOther
	}
	if err := f.err(); err != nil {
		return Task{}, err
	}
	home := t.Report
	if t.ID == "" {
		if home == "" {
			home = noReport
		} else if _, err := s.report(ctx, home); err != nil {
			return Task{}, err
		}
		t.ID, t.Created, t.Done, t.DoneBy, t.Result = string(home)+"."+s.ids.New(), contact.At(s.now()), 0, "", ""
		t.Version = 1
		return t, s.putTask(ctx, t, "", audit.Collect)
	}
	return s.changeTask(ctx, t.ID, func(was *Task) error {
		if was.Done != 0 {
			return fmt.Errorf("task %s is done: %w", was.ID, ErrConflict)
		}
		if t.Version != 0 && t.Version != was.Version {
			return fmt.Errorf("task %s was read at version %d, newest is %d: %w", was.ID, t.Version, was.Version, ErrConflict)
		}
		was.Owner = t.Owner
		if !clockKinds[was.Kind] {
			was.Text, was.Due = t.Text, t.Due
		}
		return nil
	})
}

// clockKinds are those whose text and due time the store keeps.
var clockKinds = map[string]bool{
	TaskRecord: true, TaskReassess: true, TaskNeeds: true, TaskConfirmation: true, TaskSupport: true, TaskUpdate: true,
}

// DoneTask ends a task with a result. Ending it again changes nothing.
func (s *Store) DoneTask(ctx context.Context, id, result string) error {
	var f faults
	if long(&f, "result", result, MOLimit); f.err() != nil {
		return f.err()
	}
	_, err := s.changeTask(ctx, id, func(t *Task) error {
		if t.Done != 0 {
			return errUnchanged
		}
		t.Done, t.DoneBy, t.Result = contact.At(s.now()), audit.From(ctx).ID, result
		return nil
	})
	return err
}

func (s *Store) changeTask(ctx context.Context, id string, f func(*Task) error) (Task, error) {
	home, ok := taskHome(id)
	if !ok {
		return Task{}, fmt.Errorf("task: %w", ErrNotFound)
	}
	for range attempts {
		text, err := s.redis.HGet(ctx, tasksKey(home), id).Result()
		if errors.Is(err, redis.Nil) {
			return Task{}, fmt.Errorf("task: %w", ErrNotFound)
		}
		if err != nil {
			return Task{}, fmt.Errorf("crm: read task: %w", err)
		}
		var t Task
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return Task{}, fmt.Errorf("crm: read task: %w", err)
		}
		if err := f(&t); errors.Is(err, errUnchanged) {
			return t, nil
		} else if err != nil {
			return t, err
		}
		t.Version++
		if err := s.putTask(ctx, t, text, audit.Alter); !errors.Is(err, ErrConflict) {
			return t, err
		}
	}
	return Task{}, fmt.Errorf("task %s: %w", id, ErrConflict)
}

func (s *Store) putTask(ctx context.Context, t Task, before string, op audit.Operation) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("crm: save task: %w", err)
	}
	home, _ := taskHome(t.ID)
	e := audit.Entry{Operation: op, Object: "task", ObjectID: t.ID}
	return s.write(ctx, owed{Kind: "task", ID: t.ID, Entry: &e}, func() error {
		ok, err := s.swap(ctx, tasksKey(home), t.ID, before, string(text))
		if err != nil {
			return fmt.Errorf("crm: save task: %w", err)
		}
		if !ok {
			return fmt.Errorf("task %s: %w", t.ID, ErrConflict)
		}
		return nil
	})
}

// projectTask brings the lists of open tasks up to date with one task.
func (s *Store) projectTask(ctx context.Context, id string) error {
	home, _ := taskHome(id)
	text, err := s.redis.HGet(ctx, tasksKey(home), id).Result()
	if errors.Is(err, redis.Nil) {
		return fmt.Errorf("task: %w", ErrNotFound)
	}
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		s.indexTask(ctx, p, id, text)
		return nil
	})
	return err
}

// indexTask puts a task on the lists of open ones, or takes it off. A list may
// show for a moment what is done: whoever reads it looks at the task.
func (s *Store) indexTask(ctx context.Context, p redis.Pipeliner, id, text string) {
	var t Task
	if json.Unmarshal([]byte(text), &t) != nil {
		return
	}
	due, owner := "", ""
	if t.Done == 0 {
		due = strconv.FormatInt(milliseconds(t.Due), 10)
		if t.Owner != "" {
			owner = fmt.Sprintf("%s\n%020d %s", t.Owner, milliseconds(t.Due), id)
		}
	}
	p.Eval(ctx, taskIndexLua, taskKeys, id, due, owner)
}
