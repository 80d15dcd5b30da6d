package agentdesk

import (
	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// ReportSummary is a report in a list. Masked ones show only id, kind, reference
// and status until they are opened for a reason.
type ReportSummary struct {
	ID             crm.ReportID     `json:"id"`
	Kind           crm.ReportKind   `json:"kind"`
	Reference      string           `json:"reference"`
	IncidentNumber string           `json:"incident_number,omitempty"`
	CrimeNumber    string           `json:"crime_number,omitempty"`
	Status         crm.ReportStatus `json:"status"`
	Category       string           `json:"category,omitempty"`
	Grade          crm.Grade        `json:"grade,omitempty"`
	// Opening is the beginning of the summary, at most 200 characters.
	Opening    string          `json:"opening,omitempty"`
	Created    contact.Instant `json:"created"`
	Changed    contact.Instant `json:"changed,omitempty"`
	Owner      string          `json:"owner,omitempty"`
	RecordBy   contact.Instant `json:"record_by,omitempty"`
	ReassessBy contact.Instant `json:"reassess_by,omitempty"`
	Restricted bool            `json:"restricted,omitempty"`
	Masked     bool            `json:"masked,omitempty"`
}

// CreateReportRequest makes a report from a contact in hand and links them. Of
// Report, what the server keeps is ignored: numbers, clocks, Assessments,
// Decisions, Updates, Contacts and Retention. Report.ID, when given, is made by
// the desk (a ULID): creating again with the same gives the report that is there.
type CreateReportRequest struct {
	Contact contact.ID `json:"contact,omitempty"`
	Report  crm.Report `json:"report"`
}

// GetReportRequest opens a report by its id or by any of its references as typed.
// A restricted report needs a Reason in words, else the Ack's error carries code
// "reason_required".
type GetReportRequest struct {
	Report    crm.ReportID `json:"report,omitempty"`
	Reference string       `json:"reference,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Contact   contact.ID   `json:"contact,omitempty"` // for which it is opened
}

// ReportReply is a whole report with what belongs to it.
type ReportReply struct {
	Report crm.Report `json:"report"`
	// Messages are its written messages, oldest first; Tasks its tasks, those not
	// done first, by due time.
	Messages []Message  `json:"messages"`
	Tasks    []crm.Task `json:"tasks"`
	// Files are the report's own attachments.
	Files []AttachmentView `json:"files"`
	// Contacts are its contacts, newest first.
	Contacts []HistoryEntry `json:"contacts"`
	// Names gives the display names of handlers named in the report.
	Names map[string]string `json:"names,omitempty"`
}

// SaveReportRequest saves a report. Report.Version is the version it was edited
// from; a newer one in the store is a conflict: the Ack's error carries code
// "report_conflict" and its Reply the newer one, a ReportReply, so that both can
// be shown. What CreateReportRequest ignores is ignored here too, and Grade, which
// report.grade sets.
type SaveReportRequest struct {
	Report crm.Report `json:"report"`
	Reason string     `json:"reason,omitempty"`
}

// AssessRequest adds a THRIVE assessment. Assessment.ID may be made by the desk (a
// ULID): the same again changes nothing. At and By are the server's.
type AssessRequest struct {
	Report     crm.ReportID   `json:"report"`
	Assessment crm.Assessment `json:"assessment"`
	Reason     string         `json:"reason,omitempty"`
}

// GradeRequest sets the grade an assessment supports.
type GradeRequest struct {
	Report     crm.ReportID `json:"report"`
	Grade      crm.Grade    `json:"grade"`
	Assessment string       `json:"assessment"`
	Reason     string       `json:"reason,omitempty"`
}

// DecideRequest adds a step to the recording decision. Decision.ID may be made by
// the desk (a ULID): the same again changes nothing. At and By are the server's.
// Steps reclassify, transfer and cancel need permission
// "reports.cancel".
type DecideRequest struct {
	Report   crm.ReportID `json:"report"`
	Decision crm.Decision `json:"decision"`
	Reason   string       `json:"reason,omitempty"`
}

// UpdateRequest says something to those who follow the report.
type UpdateRequest struct {
	Report crm.ReportID    `json:"report"`
	Text   string          `json:"text"`
	For    []crm.PartyRole `json:"for,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// ViewReportRequest says that the handler has the report on screen. It holds until
// report.leave or the desk is gone; changes come as Delta.Report: at once when they
// are made through the same server, else within some seconds.
type ViewReportRequest struct {
	Report crm.ReportID `json:"report"`
	Reason string       `json:"reason,omitempty"`
}

// ViewReportReply tells who else has it on screen.
type ViewReportReply struct {
	Presence ReportPresence `json:"presence"`
}

// LeaveReportRequest says that the handler has put the report away.
type LeaveReportRequest struct {
	Report crm.ReportID `json:"report"`
}

// ReportPresence tells who has a report on screen, this handler included, and its
// newest version: one above what the page has means that somebody saved it.
// ChangedBy is empty when that was done through another server or by the public.
type ReportPresence struct {
	Report    crm.ReportID   `json:"report"`
	Version   uint64         `json:"version"`
	ChangedBy string         `json:"changed_by,omitempty"`
	Viewers   []ReportViewer `json:"viewers"`
}

// ReportViewer is one of those who have a report on screen.
type ReportViewer struct {
	Agent string          `json:"agent"`
	Name  string          `json:"name"`
	Since contact.Instant `json:"since,omitempty"`
}

// SaveTaskRequest adds (empty Task.ID) or changes a task of a report: its text,
// due time and owner. Task.Version, when it is not zero, is the version it was
// edited from: a newer one, or a task that is done, is a conflict, the Ack's error
// then carries code "task_conflict" and its Reply the task as it is.
type SaveTaskRequest struct {
	Task   crm.Task `json:"task"`
	Reason string   `json:"reason,omitempty"`
}

// DoneTaskRequest says that a task is done, and with what result.
type DoneTaskRequest struct {
	Task   string `json:"task"`
	Result string `json:"result,omitempty"`
}

// TaskReply is the task as saved.
type TaskReply struct {
	Task TaskView `json:"task"`
}

// TaskView is a task with the report it belongs to.
type TaskView struct {
	crm.Task
	Reference string `json:"reference,omitempty"`
	Category  string `json:"category,omitempty"`
}

// ListTasksRequest asks for tasks not done yet, the most due first.
type ListTasksRequest struct {
	// Scope is "mine" (the handler's own), "anyone" (nobody's) or "all".
	Scope string `json:"scope"`
	// DueBefore leaves out what is due later; zero for all.
	DueBefore contact.Instant `json:"due_before,omitempty"`
	// Limit is at most 200; 50 when zero.
	Limit int `json:"limit,omitempty"`
}

// TaskListReply lists tasks.
type TaskListReply struct {
	Tasks []TaskView `json:"tasks"`
}

// SecretRequest makes a new tracking secret for one of a report's parties, by
// their place in Parties from 0. An earlier secret stops working.
type SecretRequest struct {
	Report crm.ReportID `json:"report"`
	Party  int          `json:"party"`
	Reason string       `json:"reason,omitempty"`
}

// SecretReply gives the secret, to be told to the person: it is not shown again.
type SecretReply struct {
	Secret string `json:"secret"`
}
