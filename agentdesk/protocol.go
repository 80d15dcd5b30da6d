package agentdesk

import (
	"encoding/json"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// ProtocolVersion is sent in the snapshot. A desk that does not know it reloads
// the page.
const ProtocolVersion = 2

// ClientMessage is a frame from a desk. ID is the desk's own number for the
// request; the answer is an Ack with the same number. Body depends on Type; the
// *Request types name the shapes.
type ClientMessage struct {
	ID   uint64          `json:"id"`
	Type string          `json:"type"`
	Body json.RawMessage `json:"body,omitempty"`
}

// Types of ClientMessage.
const (
	TypeHello        = "hello"         // HelloRequest; must be the first frame
	TypeHeartbeat    = "heartbeat"     // no body; at least every 3 s
	TypeSetState     = "state.set"     // SetStateRequest
	TypePhoneState   = "phone.state"   // PhoneStateRequest
	TypeAccept       = "offer.accept"  // AcceptRequest; written contacts only
	TypeDecline      = "offer.decline" // DeclineRequest
	TypeControl      = "call.control"  // ControlRequest
	TypeSaveNote     = "note.save"     // SaveNoteRequest → SaveNoteReply
	TypeClose        = "contact.close" // CloseRequest; a written contact ends with it
	TypeExtend       = "wrapup.extend" // ExtendRequest
	TypeSavePerson   = "person.save"   // SavePersonRequest → SavePersonReply
	TypeAttachPerson = "person.attach" // AttachPersonRequest

	// Written contacts: protocol_written.go.
	TypeDone         = "contact.done"      // DoneRequest
	TypePark         = "contact.park"      // ParkRequest
	TypeUnpark       = "contact.resume"    // UnparkRequest
	TypeForward      = "contact.forward"   // ForwardRequest
	TypeSpam         = "contact.spam"      // SpamRequest → SpamReply
	TypeSpamUndo     = "contact.spam_undo" // SpamUndoRequest
	TypeLink         = "contact.link"      // LinkRequest → ReportReply
	TypeUnlink       = "contact.unlink"    // UnlinkRequest
	TypeSplit        = "contact.split"     // SplitRequest → SplitReply
	TypeSend         = "message.send"      // SendRequest → SendReply
	TypeSaveDraft    = "draft.save"        // SaveDraftRequest → SaveDraftReply
	TypeFillTemplate = "template.fill"     // FillTemplateRequest → FillTemplateReply

	// Reports and tasks: protocol_report.go.
	TypeReportCreate = "report.create"    // CreateReportRequest → ReportReply
	TypeReportGet    = "report.get"       // GetReportRequest → ReportReply
	TypeReportSave   = "report.save"      // SaveReportRequest → ReportReply
	TypeReportAssess = "report.assess"    // AssessRequest → ReportReply
	TypeReportGrade  = "report.grade"     // GradeRequest → ReportReply
	TypeReportDecide = "report.decide"    // DecideRequest → ReportReply
	TypeReportUpdate = "report.update"    // UpdateRequest → ReportReply
	TypeReportView   = "report.view"      // ViewReportRequest → ViewReportReply
	TypeReportLeave  = "report.leave"     // LeaveReportRequest
	TypeTaskSave     = "report.task.save" // SaveTaskRequest → TaskReply
	TypeTaskDone     = "report.task.done" // DoneTaskRequest
	TypeTaskList     = "report.task.list" // ListTasksRequest → TaskListReply
	TypeReportSecret = "report.secret"    // SecretRequest → SecretReply

	// People: protocol_person.go.
	TypeFindPeople  = "person.find"  // FindPeopleRequest → FindPeopleReply
	TypeGetPerson   = "person.get"   // GetPersonRequest → GetPersonReply
	TypeMergePeople = "person.merge" // MergePeopleRequest
	TypeSplitPerson = "person.split" // SplitPersonRequest
)

// HelloRequest opens the conversation. A returning desk gives the position it
// last saw and gets the deltas it missed, or a snapshot when they are gone.
type HelloRequest struct {
	// Tab is a random id of the browser tab, kept over reconnects. A hello from
	// another tab takes the desk over; the first is closed with CloseTakenOver.
	Tab   string `json:"tab"`
	Epoch string `json:"epoch,omitempty"`
	Seq   uint64 `json:"seq,omitempty"`
}

// SetStateRequest asks to be ready, or not ready for one of the plan's reasons.
type SetStateRequest struct {
	State  routing.AgentState `json:"state"` // ready or not_ready
	Reason string             `json:"reason,omitempty"`
}

// PhoneStateRequest tells whether the browser phone is registered.
type PhoneStateRequest struct {
	Registered bool `json:"registered"`
}

// AcceptRequest takes an offered written contact. A call is answered on the
// phone, and accepting it here is refused with code "not_written".
type AcceptRequest struct {
	Offer routing.OfferID `json:"offer"`
}

// DeclineRequest refuses an offer.
type DeclineRequest struct {
	Offer  routing.OfferID `json:"offer"`
	Reason string          `json:"reason,omitempty"`
}

// ControlRequest asks for call control on the contact in hand.
type ControlRequest struct {
	Contact contact.ID   `json:"contact"`
	Verb    routing.Verb `json:"verb"`
	Digits  string       `json:"digits,omitempty"`
}

// SaveNoteRequest saves the note of a contact as typed. Base is the revision the
// text was edited from; a newer one in the store is a conflict, and the Ack's
// error carries code "note_conflict".
type SaveNoteRequest struct {
	Contact contact.ID `json:"contact"`
	Text    string     `json:"text"`
	Base    uint64     `json:"base"`
}

// SaveNoteReply gives the new revision. It is sent after the note is durable.
type SaveNoteReply struct {
	Revision uint64 `json:"revision"`
}

// CloseRequest ends wrap-up with an outcome. A written contact in hand, parked
// ones too, is ended by it in one step.
type CloseRequest struct {
	Contact contact.ID      `json:"contact"`
	Outcome contact.Outcome `json:"outcome"`
	// Seen is Written.Seen as the handler had it before them, for one in writing.
	Seen int `json:"seen,omitempty"`
}

// ExtendRequest asks for more wrap-up time.
type ExtendRequest struct {
	Contact contact.ID `json:"contact"`
}

// ServerMessage is a frame to a desk: exactly one field is set.
type ServerMessage struct {
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	Delta    *Delta    `json:"delta,omitempty"`
	Ack      *Ack      `json:"ack,omitempty"`
}

// Ack answers one ClientMessage. With the error codes "report_conflict" and
// "draft_conflict" Reply holds the newer version beside the Error.
type Ack struct {
	ID    uint64          `json:"id"`
	Error *Error          `json:"error,omitempty"`
	Reply json.RawMessage `json:"reply,omitempty"`
}

// Error is what went wrong: a code for programs, a sentence for people, and the
// field at fault when one is.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// Snapshot is the desk's whole state at position (Epoch, Seq).
type Snapshot struct {
	Version int    `json:"version"`
	Epoch   string `json:"epoch"`
	Seq     uint64 `json:"seq"`
	Desk    Desk   `json:"desk"`
	// Now is the server's clock, so that clocks on screen do not depend on the
	// workstation's.
	Now contact.Instant `json:"now"`
}

// Delta replaces the sections it carries; absent sections are unchanged. Seq
// rises by one with each delta.
type Delta struct {
	Seq     uint64          `json:"seq"`
	Now     contact.Instant `json:"now"`
	Me      *Me             `json:"me,omitempty"`
	Phone   *PhoneInfo      `json:"phone,omitempty"`
	Work    *[]WorkItem     `json:"work,omitempty"`
	Queues  *[]QueueView    `json:"queues,omitempty"`
	Catalog *Catalogue      `json:"catalogue,omitempty"`
	// Report tells of one report this desk views; it is no part of Desk, and a
	// desk that was given a Snapshot asks to view again.
	Report *ReportPresence `json:"report,omitempty"`
	Notice *Notice         `json:"notice,omitempty"`
}

// Desk is everything a desk shows, by section.
type Desk struct {
	Me        Me          `json:"me"`
	Phone     PhoneInfo   `json:"phone"`
	Work      []WorkItem  `json:"work"`
	Queues    []QueueView `json:"queues"`
	Catalogue Catalogue   `json:"catalogue"`
}

// Me is the signed-on handler.
type Me struct {
	Agent      routing.AgentID    `json:"agent"`
	Name       string             `json:"name"`
	Role       Role               `json:"role"`
	Profile    string             `json:"profile"`
	State      routing.AgentState `json:"state"`
	Reason     string             `json:"reason,omitempty"`
	Next       routing.AgentState `json:"next,omitempty"`
	NextReason string             `json:"next_reason,omitempty"`
	Since      contact.Instant    `json:"since"`
	Until      contact.Instant    `json:"until,omitempty"`
	DeviceUp   bool               `json:"device_up"`
	// Capacity tells, for each channel the profile takes, how many contacts are in
	// hand and how many may be; parked ones count.
	Capacity []ChannelCapacity `json:"capacity"`
	// May lists what the role allows, so that a desk shows no way to what will be
	// refused.
	May []Permission `json:"may"`
}

// ChannelCapacity is how much of a channel a handler has in hand.
type ChannelCapacity struct {
	Channel contact.Channel `json:"channel"`
	Used    int             `json:"used"`
	Of      int             `json:"of"`
}

// PhoneInfo tells the desk which phone rings for it.
type PhoneInfo struct {
	// Kind is "browser" or "sip": a SIP phone of the handler's own is answered on
	// that phone, and the desk shows so.
	Kind string `json:"kind"`
	// For a browser phone: short-lived SIP credentials, used over the websocket at
	// Path on this origin.
	URI       string          `json:"uri,omitempty"`
	User      string          `json:"user,omitempty"`
	Password  string          `json:"password,omitempty"`
	Path      string          `json:"path,omitempty"`
	ExpiresAt contact.Instant `json:"expires_at,omitempty"`
}

// WorkItem is one contact in the handler's hands with everything known of it. A
// written contact being worked on is in phase "talking".
type WorkItem struct {
	routing.Work
	QueueLabel string          `json:"queue_label"`
	Arrival    contact.Instant `json:"arrival"`
	Caller     contact.Caller  `json:"caller"`
	Facts      contact.Facts   `json:"facts"`
	// Answers are the IVR choices in words, in the order they were made.
	Answers []LabelledAnswer `json:"answers"`
	// Why says in one sentence why it came here; WhyData is the same as data.
	Why     string      `json:"why"`
	WhyData routing.Why `json:"why_data"`
	// People are those the number may belong to, the attached one first.
	People  []Person       `json:"people"`
	History []HistoryEntry `json:"history"`
	Note    Note           `json:"note"`
	Outcome string         `json:"outcome,omitempty"`
	// PopError is a sentence when the CRM could not be read; the call is not held
	// up for it.
	PopError string `json:"pop_error,omitempty"`
	// Written is set for contacts that were written, on every other it is absent.
	Written *Written `json:"written,omitempty"`
	// Triage says what was found in it that may matter at once.
	Triage []TriageReason `json:"triage,omitempty"`
	// Report is the report the contact belongs to; Reports are the attached
	// person's, newest first, at most 10.
	Report  *ReportSummary  `json:"report,omitempty"`
	Reports []ReportSummary `json:"reports,omitempty"`
}

// LabelledAnswer is one IVR choice.
type LabelledAnswer struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// HistoryEntry is one earlier contact, newest first.
type HistoryEntry struct {
	Contact      contact.ID      `json:"contact"`
	Channel      contact.Channel `json:"channel"`
	Arrival      contact.Instant `json:"arrival"`
	QueueLabel   string          `json:"queue_label"`
	Handler      string          `json:"handler"`
	Ending       contact.Ending  `json:"ending"`
	Outcome      string          `json:"outcome,omitempty"`
	OutcomeLabel string          `json:"outcome_label,omitempty"`
	Note         string          `json:"note,omitempty"`
	// Person names whom it was recorded for, empty if nobody.
	Person string `json:"person,omitempty"`
}

// Note is the handler's note on a contact.
type Note struct {
	Text     string          `json:"text"`
	Revision uint64          `json:"revision"`
	SavedAt  contact.Instant `json:"saved_at,omitempty"`
}

// QueueView is what waits in a queue this handler can serve.
type QueueView struct {
	Queue   routing.QueueID `json:"queue"`
	Label   string          `json:"label"`
	Open    bool            `json:"open"`
	Waiting int             `json:"waiting"`
	// OldestArrival is zero when nothing waits; MostDue is the earliest due time.
	OldestArrival contact.Instant `json:"oldest_arrival,omitempty"`
	MostDue       contact.Instant `json:"most_due,omitempty"`
	// Channels tells the same by channel, for those of which something waits.
	Channels []ChannelWaiting `json:"channels,omitempty"`
}

// ChannelWaiting is what waits in a queue of one channel.
type ChannelWaiting struct {
	Channel       contact.Channel `json:"channel"`
	Waiting       int             `json:"waiting"`
	OldestArrival contact.Instant `json:"oldest_arrival,omitempty"`
	MostDue       contact.Instant `json:"most_due,omitempty"`
}

// Catalogue is the plan's wording the desk needs.
type Catalogue struct {
	PlanVersion     int            `json:"plan_version"`
	NotReadyReasons []routing.Code `json:"not_ready_reasons"`
	Outcomes        []routing.Code `json:"outcomes"`
	// Skills are code and name, for explanations.
	Skills []routing.Code `json:"skills"`
	// Languages are code and name, for the person form.
	Languages []routing.Code `json:"languages"`
	// ForwardQueues are those a written contact may be forwarded to, code and name.
	ForwardQueues []routing.Code `json:"forward_queues"`
	Templates     []Template     `json:"templates"`
	// Mailboxes are the addresses a handler may write from, the key as code.
	Mailboxes []routing.Code `json:"mailboxes"`
	// SpamGrace is how long spam may be taken back, in words of Go: "30s".
	SpamGrace contact.Duration `json:"spam_grace"`
}

// Notice is a sentence to show, for example why a state was refused.
type Notice struct {
	Level string `json:"level"` // info, warning, error
	Code  string `json:"code"`
	Text  string `json:"text"`
}

// Close codes of the desk's websocket. 4000-4499: do not reconnect by yourself;
// 4500-4999: reconnect with back-off.
const (
	CloseTakenOver   = 4001 // another tab or workstation took the desk over
	CloseSignedOut   = 4002 // the session ended
	CloseForbidden   = 4003 // the role has no desk
	CloseBadFrame    = 4004 // not JSON, unknown type, or hello missing
	CloseTooLarge    = 4005 // a frame over MaxFrame bytes
	CloseSlow        = 4501 // the desk read too slowly; reconnect and resume
	CloseShutdown    = 4502 // the server is going away
	CloseNoHeartbeat = 4503 // no heartbeat for the lease
)

// MaxFrame is the largest frame a desk may send, in bytes.
const MaxFrame = 256 << 10
