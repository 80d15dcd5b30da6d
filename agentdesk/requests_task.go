package agentdesk

import (
	"context"
	"errors"
	"strings"

	"example.org/c3i/crm"
)

// Bounds of tasks.
const (
	taskMax      = 1000 // characters of a task's text or result
	tasksDefault = 50
	tasksMost    = 200
)

func saveTask(ctx context.Context, r *request) (any, error) {
	var in SaveTaskRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	t := in.Task
	switch {
	case strings.TrimSpace(t.Text) == "":
		return nil, invalid("task.text", "Say what is to be done.")
	case t.Due <= 0:
		return nil, invalid("task.due", "Say by when it is to be done.")
	case t.ID != "" && (len(t.ID) > 128 || strings.ContainsAny(t.ID, " \n{}")):
		return nil, crm.ErrNotFound
	}
	if err := text("task.text", t.Text, taskMax); err != nil {
		return nil, err
	}
	if t.Owner != "" && r.s.names.get(ctx, r.s)[t.Owner] == "" {
		return nil, invalid("task.owner", "There is no such handler.")
	}
	rep, ctx, err := r.openReport(ctx, t.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	t.Done, t.DoneBy, t.Result = 0, "", ""
	saved, err := r.s.o.Reports.SaveTask(ctx, t)
	if errors.Is(err, crm.ErrConflict) {
		return TaskReply{Task: taskView(saved, &rep, true)}, &Error{
			Code: CodeTaskConflict, Field: "task.version", Message: "The task was changed or done by somebody else since you opened it. The newer one is shown.",
		}
	}
	if err != nil {
		return nil, under("task", err)
	}
	return TaskReply{Task: taskView(saved, &rep, true)}, nil
}

func doneTask(ctx context.Context, r *request) (any, error) {
	var in DoneTaskRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if in.Task == "" || len(in.Task) > 128 || strings.ContainsAny(in.Task, " \n{}") {
		return nil, crm.ErrNotFound
	}
	if err := text("result", in.Result, taskMax); err != nil {
		return nil, err
	}
	return nil, r.s.o.Reports.DoneTask(ctx, in.Task, in.Result)
}

func taskView(t crm.Task, rep *crm.Report, open bool) TaskView {
	v := TaskView{Task: t}
	if rep != nil {
		v.Reference = rep.Reference
		if open || !rep.Restricted {
			v.Category = rep.Category
		}
	}
	return v
}

func listTasks(ctx context.Context, r *request) (any, error) {
	var in ListTasksRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if in.Limit < 0 || in.Limit > tasksMost {
		return nil, invalid("limit", "Ask for at most 200 tasks.")
	}
	if in.Limit == 0 {
		in.Limit = tasksDefault
	}
	q := crm.TaskQuery{Before: in.DueBefore, Limit: in.Limit}
	switch in.Scope {
	case "mine":
		q.Owner = string(r.d.agent)
	case "anyone":
		q.Unowned = true
	case "all":
		if !r.u.Role.May(MaySeeTasks) {
			r.s.denied(ctx, "task", "", CodeForbidden)
			return nil, &Error{Code: CodeForbidden, Message: "Your role may not see the tasks of others.", Field: "scope"}
		}
	default:
		return nil, invalid("scope", "The scope is mine, anyone or all.")
	}
	tasks, err := r.s.o.Reports.Tasks(ctx, q)
	if err != nil {
		return nil, err
	}
	var reports []crm.ReportID
	for _, t := range tasks {
		if t.Report != "" {
			reports = append(reports, t.Report)
		}
	}
	labels, err := r.s.o.Reports.Labels(ctx, reports)
	if err != nil {
		return nil, err
	}
	out := TaskListReply{Tasks: make([]TaskView, 0, len(tasks))}
	for _, t := range tasks {
		of := labels[t.Report]
		out.Tasks = append(out.Tasks, TaskView{Task: t, Reference: of.Reference, Category: of.Category})
	}
	return out, nil
}
