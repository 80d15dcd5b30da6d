package deskclient

import (
	"context"
	"encoding/json"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// exchange is do for requests whose conflicts come with the newer version, which
// it returns.
func exchange[T any](ctx context.Context, d *Desk, kind string, body, out any) (newer *T, err error) {
	ack, err := d.Send(kind, body).Wait(ctx)
	if err != nil {
		if ack.Error != nil && len(ack.Reply) > 0 {
			newer = new(T)
			if jerr := json.Unmarshal(ack.Reply, newer); jerr != nil {
				return nil, jerr
			}
		}
		return newer, err
	}
	return nil, json.Unmarshal(ack.Reply, out)
}

// Report asks for something that is answered with a whole report: report.create,
// report.get, report.assess, report.grade, report.decide, report.update or
// contact.link.
func (d *Desk) Report(ctx context.Context, kind string, body any) (agentdesk.ReportReply, error) {
	var out agentdesk.ReportReply
	err := d.do(ctx, kind, body, &out)
	return out, err
}

// CreateReport makes a report from a contact.
func (d *Desk) CreateReport(ctx context.Context, id contact.ID, r crm.Report) (agentdesk.ReportReply, error) {
	return d.Report(ctx, agentdesk.TypeReportCreate, agentdesk.CreateReportRequest{Contact: id, Report: r})
}

// OpenReport reads a report; a restricted one for a reason.
func (d *Desk) OpenReport(ctx context.Context, id crm.ReportID, reason string) (agentdesk.ReportReply, error) {
	return d.Report(ctx, agentdesk.TypeReportGet, agentdesk.GetReportRequest{Report: id, Reason: reason})
}

// SaveReport saves a report edited from its Version. On a conflict
// (report_conflict) newer is the one that is there.
func (d *Desk) SaveReport(ctx context.Context, r crm.Report) (saved agentdesk.ReportReply, newer *agentdesk.ReportReply, err error) {
	newer, err = exchange[agentdesk.ReportReply](ctx, d, agentdesk.TypeReportSave, agentdesk.SaveReportRequest{Report: r}, &saved)
	return saved, newer, err
}

// ViewReport says that a report is on screen. Changes come as Delta.Report.
func (d *Desk) ViewReport(ctx context.Context, id crm.ReportID) (agentdesk.ReportPresence, error) {
	var out agentdesk.ViewReportReply
	err := d.do(ctx, agentdesk.TypeReportView, agentdesk.ViewReportRequest{Report: id}, &out)
	return out.Presence, err
}

// LeaveReport says that a report was put away.
func (d *Desk) LeaveReport(ctx context.Context, id crm.ReportID) error {
	return d.do(ctx, agentdesk.TypeReportLeave, agentdesk.LeaveReportRequest{Report: id}, nil)
}

// SaveTask adds or changes a task of a report.
func (d *Desk) SaveTask(ctx context.Context, t crm.Task) (agentdesk.TaskView, error) {
	var out agentdesk.TaskReply
	err := d.do(ctx, agentdesk.TypeTaskSave, agentdesk.SaveTaskRequest{Task: t}, &out)
	return out.Task, err
}

// DoneTask says that a task is done.
func (d *Desk) DoneTask(ctx context.Context, id, result string) error {
	return d.do(ctx, agentdesk.TypeTaskDone, agentdesk.DoneTaskRequest{Task: id, Result: result}, nil)
}

// Tasks lists tasks not done yet: "mine", "anyone" or "all".
func (d *Desk) Tasks(ctx context.Context, scope string) ([]agentdesk.TaskView, error) {
	var out agentdesk.TaskListReply
	err := d.do(ctx, agentdesk.TypeTaskList, agentdesk.ListTasksRequest{Scope: scope}, &out)
	return out.Tasks, err
}

// FindPeople asks who somebody may be.
func (d *Desk) FindPeople(ctx context.Context, clues agentdesk.FindPeopleRequest) ([]agentdesk.Person, error) {
	var out agentdesk.FindPeopleReply
	err := d.do(ctx, agentdesk.TypeFindPeople, clues, &out)
	return out.People, err
}

// OpenPerson reads a person; a restricted one for a reason.
func (d *Desk) OpenPerson(ctx context.Context, id contact.PersonID, reason string) (agentdesk.GetPersonReply, error) {
	var out agentdesk.GetPersonReply
	err := d.do(ctx, agentdesk.TypeGetPerson, agentdesk.GetPersonRequest{Person: id, Reason: reason}, &out)
	return out, err
}

// MergePeople makes from's records into's.
func (d *Desk) MergePeople(ctx context.Context, from, into contact.PersonID, reason string) error {
	return d.do(ctx, agentdesk.TypeMergePeople, agentdesk.MergePeopleRequest{From: from, Into: into, Reason: reason}, nil)
}

// SplitPerson undoes a merge.
func (d *Desk) SplitPerson(ctx context.Context, id contact.PersonID, reason string) error {
	return d.do(ctx, agentdesk.TypeSplitPerson, agentdesk.SplitPersonRequest{Person: id, Reason: reason}, nil)
}
