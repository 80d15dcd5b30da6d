package agentdesk

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// Reports is what the desk needs of the CRM for reports and their tasks. Errors
// are as those of Records; crm.ErrRestricted means that the record is opened only
// for a reason, which the context's actor gives.
type Reports interface {
	// CreateReport makes a report, from a contact when one is given. The same
	// Report.ID again gives the report that is there.
	CreateReport(ctx context.Context, r crm.Report, from contact.ID) (crm.Report, error)
	Report(ctx context.Context, id crm.ReportID) (crm.Report, error)
	// ReportByReference takes any of a report's numbers, as typed.
	ReportByReference(ctx context.Context, ref string) (crm.Report, error)
	// SaveReport changes a report that is still at r.Version; otherwise
	// crm.ErrConflict with the newest.
	SaveReport(ctx context.Context, r crm.Report) (crm.Report, error)
	Assess(ctx context.Context, id crm.ReportID, a crm.Assessment) (crm.Report, error)
	SetGrade(ctx context.Context, id crm.ReportID, g crm.Grade, assessment string) (crm.Report, error)
	Decide(ctx context.Context, id crm.ReportID, d crm.Decision) (crm.Report, error)
	Update(ctx context.Context, id crm.ReportID, u crm.PublicUpdate) (crm.Report, error)
	// ReportsOf lists a person's reports, newest first.
	ReportsOf(ctx context.Context, person contact.PersonID) ([]crm.Report, error)
	// ReportMessages lists a report's messages, oldest first.
	ReportMessages(ctx context.Context, id crm.ReportID) ([]crm.Message, error)
	LinkContact(ctx context.Context, id contact.ID, report crm.ReportID) error
	UnlinkContact(ctx context.Context, id contact.ID) error
	// NewTrackingSecret makes a new secret for the party at an index.
	NewTrackingSecret(ctx context.Context, id crm.ReportID, party int) (secret string, err error)

	Tasks(ctx context.Context, q crm.TaskQuery) ([]crm.Task, error)
	SaveTask(ctx context.Context, t crm.Task) (crm.Task, error)
	DoneTask(ctx context.Context, id, result string) error

	// Labels tells what lists show of reports that tasks belong to.
	Labels(ctx context.Context, ids []crm.ReportID) (map[crm.ReportID]crm.Label, error)

	// ViewReport says that somebody has the report on screen for the next 20 s, and
	// tells who else has, and the report's newest version, saved through whichever
	// server.
	ViewReport(ctx context.Context, id crm.ReportID, agent string) ([]crm.Viewer, uint64, error)
	LeaveReport(ctx context.Context, id crm.ReportID, agent string) error
}

// People is what the desk needs of the CRM to find people and put them together.
type People interface {
	// FindPeople lists those the clues may fit, the likeliest first.
	FindPeople(ctx context.Context, c crm.Clues) ([]crm.Match, error)
	// MergePeople makes from's records into's; SplitPerson undoes it.
	MergePeople(ctx context.Context, from, into contact.PersonID, reason string) error
	SplitPerson(ctx context.Context, merged contact.PersonID, reason string) error
	// PersonTimeline lists what happened with a person on every channel before an
	// instant (zero for the latest), newest first, at most limit.
	PersonTimeline(ctx context.Context, id contact.PersonID, before contact.Instant, limit int) ([]crm.TimelineEntry, error)
}

// Finder searches everything that is kept.
type Finder interface {
	// Find lists what matches, the likeliest first. Restricted records are masked.
	Find(ctx context.Context, q SearchRequest) (SearchReply, error)
}
