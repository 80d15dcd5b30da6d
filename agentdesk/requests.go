package agentdesk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Bounds of what a desk may send.
const (
	noteMax    = crm.NoteLimit // bytes
	nameMax    = crm.NameLimit // characters
	remarksMax = crm.RemarksLimit
	numbersMax = crm.NumbersLimit
	numberMax  = 64
	digitsMax  = 32
)

// lane runs one kind of request of a connection in the order sent. There are two,
// so that a note waiting for a store that is away never holds a call up.
type lane struct {
	mu    sync.Mutex
	queue []func()
	busy  bool
}

// laneMax bounds the requests waiting in a lane.
const laneMax = 32

// run queues f; it reports false when too many wait.
func (l *lane) run(work *sync.WaitGroup, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= laneMax {
		return false
	}
	l.queue = append(l.queue, f)
	if !l.busy {
		l.busy = true
		work.Add(1)
		go l.drain(work)
	}
	return true
}

func (l *lane) drain(work *sync.WaitGroup) {
	defer work.Done()
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.busy, l.queue = false, nil
			l.mu.Unlock()
			return
		}
		f := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		f()
	}
}

// request is one message of a desk being served.
type request struct {
	s *Server
	d *desk
	c *conn
	u User
	// token is the session's.
	token string
	m     ClientMessage
	// acked is set by a handler that sent the Ack itself.
	acked bool
}

// part is something a server may be without.
type part uint8

const (
	ofCalls part = iota
	ofMessages
	ofOutbox
	ofReports
	ofPeople
)

// has tells whether the server has a part.
func (s *Server) has(p part) bool {
	switch p {
	case ofMessages:
		return s.o.Messages != nil
	case ofOutbox:
		return s.o.Messages != nil && s.o.Outbox != nil
	case ofReports:
		return s.o.Reports != nil
	case ofPeople:
		return s.o.People != nil
	}
	return true
}

type requestKind struct {
	// records tells the lane: true for the CRM's, false for routing's.
	records bool
	// needs is the part it cannot do without.
	needs  part
	handle func(context.Context, *request) (reply any, err error)
}

// requestKinds maps each type but hello and heartbeat to what serves it.
var requestKinds = map[string]requestKind{
	TypeSetState:     {false, ofCalls, setState},
	TypePhoneState:   {false, ofCalls, phoneState},
	TypeAccept:       {false, ofCalls, accept},
	TypeDecline:      {false, ofCalls, decline},
	TypeControl:      {false, ofCalls, control},
	TypeExtend:       {false, ofCalls, extend},
	TypeDone:         {false, ofCalls, done},
	TypePark:         {false, ofCalls, park},
	TypeUnpark:       {false, ofCalls, unpark},
	TypeSpam:         {false, ofCalls, spam},
	TypeSpamUndo:     {false, ofCalls, undoSpam},
	TypeSaveNote:     {true, ofCalls, saveNote},
	TypeClose:        {true, ofCalls, closeContact},
	TypeForward:      {true, ofCalls, forward},
	TypeLink:         {true, ofReports, link},
	TypeUnlink:       {true, ofReports, unlink},
	TypeSplit:        {true, ofMessages, split},
	TypeSend:         {true, ofOutbox, sendMessage},
	TypeSaveDraft:    {true, ofMessages, saveDraft},
	TypeFillTemplate: {true, ofCalls, fillTemplate},
	TypeReportCreate: {true, ofReports, createReport},
	TypeReportGet:    {true, ofReports, getReport},
	TypeReportSave:   {true, ofReports, saveReport},
	TypeReportAssess: {true, ofReports, assess},
	TypeReportGrade:  {true, ofReports, setGrade},
	TypeReportDecide: {true, ofReports, decide},
	TypeReportUpdate: {true, ofReports, updatePublic},
	TypeReportView:   {true, ofReports, viewReport},
	TypeReportLeave:  {true, ofReports, leaveReport},
	TypeReportSecret: {true, ofReports, newSecret},
	TypeTaskSave:     {true, ofReports, saveTask},
	TypeTaskDone:     {true, ofReports, doneTask},
	TypeTaskList:     {true, ofReports, listTasks},
	TypeSavePerson:   {true, ofCalls, savePerson},
	TypeAttachPerson: {true, ofCalls, attachPerson},
	TypeFindPeople:   {true, ofPeople, findPeople},
	TypeGetPerson:    {true, ofCalls, getPerson},
	TypeMergePeople:  {true, ofPeople, mergePeople},
	TypeSplitPerson:  {true, ofPeople, splitPerson},
}

// serve answers one request with an Ack.
func (r *request) serve() {
	ctx, cancel := context.WithTimeout(r.s.life, r.s.o.RequestTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // one desk's request must not end every call
			r.s.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Str("type", r.m.Type).Msg("serving a desk's request panicked")
			r.ack(&Error{Code: CodeInternal, Message: "Something went wrong on our side. Try again."}, nil)
		}
	}()
	kind := requestKinds[r.m.Type]
	if !r.s.has(kind.needs) {
		r.ack(notHere(), nil)
		return
	}
	reply, err := kind.handle(acting(ctx, r.u, r.token), r)
	if err != nil {
		e := asError(err)
		if e.Code == CodeUnavailable || e.Code == CodeInternal {
			r.s.log.Warn().Err(err).Str("agent", string(r.d.agent)).Str("type", r.m.Type).Msg("a desk's request failed")
		}
		r.ack(e, reply) // a conflict shows the newer version beside the error
		return
	}
	if !r.acked {
		r.ack(nil, reply)
	}
}

func (r *request) ack(e *Error, reply any) { r.c.send(ackFrame(r.m.ID, e, reply)) }

// body reads the message's body strictly.
func (r *request) body(into any) error {
	b := r.m.Body
	if len(b) == 0 {
		b = json.RawMessage("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		e := &Error{Code: CodeBadRequest, Message: "The body of " + r.m.Type + " is not what was expected: " + jsonFault(err) + "."}
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			e.Field = t.Field
		}
		return e
	}
	return nil
}

// item finds a contact in the handler's hands.
func (r *request) item(id contact.ID) (WorkItem, bool) {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if i := r.d.knowsLocked(id); i >= 0 {
		return r.d.state.Work[i], true
	}
	return WorkItem{}, false
}

func notYours() *Error {
	return &Error{Code: CodeNotYours, Message: "That contact is not in your hands.", Field: "contact"}
}

// mayWrite refuses records of contacts the handler neither has nor had. What the
// desk no longer remembers, the record itself knows.
func (r *request) mayWrite(ctx context.Context, id contact.ID) error {
	if id == "" {
		return invalid("contact", "Say which contact.")
	}
	r.d.mu.Lock()
	i := r.d.knowsLocked(id)
	mine := r.d.hasLocked(id)
	r.d.mu.Unlock()
	if mine {
		return nil
	}
	if i >= 0 {
		return &Error{Code: CodeWrongPhase, Message: "Answer the contact first.", Field: "contact"}
	}
	handler, err := r.s.o.Records.HandlerOf(ctx, id) // nothing is shown: no consultation
	if errors.Is(err, crm.ErrNotFound) || (err == nil && handler != string(r.d.agent)) {
		return notYours()
	}
	return err
}

func setState(ctx context.Context, r *request) (any, error) {
	var in SetStateRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	switch in.State {
	case routing.StateReady:
		return nil, r.s.ask(ctx, routing.AgentReady{Agent: r.d.agent})
	case routing.StateNotReady:
		if !hasCode(r.s.plan().NotReadyReasons, in.Reason) {
			return nil, invalid("reason", "Choose one of the reasons listed.")
		}
		return nil, r.s.ask(ctx, routing.AgentNotReady{Agent: r.d.agent, Reason: in.Reason})
	}
	return nil, invalid("state", "A desk may ask for ready or not_ready.")
}

func hasCode(codes []routing.Code, code string) bool {
	return slices.ContainsFunc(codes, func(c routing.Code) bool { return c.Code == code })
}

func phoneState(_ context.Context, r *request) (any, error) {
	var in PhoneStateRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.d.conn != r.c {
		return nil, nil // the desk has moved on; its new page speaks for itself
	}
	if r.d.state.Phone.Kind != "browser" {
		return nil, &Error{Code: CodeForbidden, Message: "You have a phone of your own: its state is not the browser's to tell."}
	}
	r.d.want.device = in.Registered
	r.d.kickLocked()
	return nil, nil
}

func decline(ctx context.Context, r *request) (any, error) {
	var in DeclineRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if len(in.Reason) > 64 {
		return nil, invalid("reason", "The reason is a code of at most 64 characters.")
	}
	r.d.mu.Lock()
	ringing := slices.ContainsFunc(r.d.state.Work, func(w WorkItem) bool { return w.Offer == in.Offer && w.Phase == routing.PhaseRinging })
	r.d.mu.Unlock()
	if !ringing {
		return nil, &Error{Code: CodeNotYours, Message: "That contact is not being offered to you, or no longer.", Field: "offer"}
	}
	return nil, r.s.ask(ctx, routing.OfferDeclined{Offer: in.Offer, Agent: r.d.agent, Reason: in.Reason})
}

func control(ctx context.Context, r *request) (any, error) {
	var in ControlRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	switch in.Verb {
	case routing.VerbHold, routing.VerbResume, routing.VerbMute, routing.VerbUnmute, routing.VerbHangup:
		if in.Digits != "" {
			return nil, invalid("digits", "Only dtmf takes digits.")
		}
	case routing.VerbDTMF:
		if n := len(in.Digits); n == 0 || n > digitsMax || strings.Trim(in.Digits, "0123456789*#ABCD") != "" {
			return nil, invalid("digits", "Give 1 to 32 keys: 0-9, *, #, A-D.")
		}
	default:
		return nil, invalid("verb", "Use hold, resume, mute, unmute, hangup or dtmf.")
	}
	w, mine := r.item(in.Contact)
	if !mine {
		return nil, notYours()
	}
	if w.Phase != routing.PhaseTalking && w.Phase != routing.PhaseHeld {
		return nil, &Error{Code: CodeWrongPhase, Message: "You are not connected to that caller.", Field: "contact"}
	}
	return nil, r.s.ask(ctx, routing.ControlAsked{Contact: in.Contact, Agent: r.d.agent, Verb: in.Verb, Digits: in.Digits})
}

func extend(ctx context.Context, r *request) (any, error) {
	var in ExtendRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	w, mine := r.item(in.Contact)
	if !mine {
		return nil, notYours()
	}
	if w.Phase != routing.PhaseWrapUp {
		return nil, &Error{Code: CodeWrongPhase, Message: "That contact is not in wrap-up.", Field: "contact"}
	}
	return nil, r.s.ask(ctx, routing.WrapUpExtended{Contact: in.Contact, Agent: r.d.agent})
}

// text accepts what people type: line breaks and tabs, no other control characters.
func text(field, s string, most int) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return invalid(field, "The text contains characters that cannot be shown.")
	}
	if len(s) > 4*most || (len(s) > most && utf8.RuneCountInString(s) > most) {
		return invalid(field, "The text is too long.")
	}
	return nil
}

func saveNote(ctx context.Context, r *request) (any, error) {
	var in SaveNoteRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := text("text", in.Text, noteMax); err != nil {
		return nil, err
	}
	if len(in.Text) > noteMax {
		return nil, invalid("text", "A note holds at most 32,768 bytes.")
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	note, err := r.s.o.Records.SaveNote(ctx, in.Contact, in.Base, in.Text, string(r.d.agent))
	if errors.Is(err, crm.ErrConflict) {
		r.d.refresh(in.Contact)
		return nil, &Error{Code: CodeNoteConflict, Message: "The note was changed elsewhere since you opened it. Your text is kept here; compare it with the newer one.", Field: "base"}
	}
	if err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	// The Ack goes first: the page knows its own text before the delta repeats it.
	r.ack(nil, SaveNoteReply{Revision: note.Revision})
	r.acked = true
	if i := r.d.knowsLocked(in.Contact); i >= 0 && r.d.state.Work[i].Note.Revision < note.Revision {
		r.d.state.Work[i].Note = Note{Text: note.Text, Revision: note.Revision, SavedAt: note.SavedAt}
		r.d.publishWorkLocked()
	}
	return nil, nil
}

func closeContact(ctx context.Context, r *request) (any, error) {
	var in CloseRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if !hasCode(r.s.plan().Outcomes, in.Outcome.Code) {
		return nil, invalid("outcome", "Choose one of the outcomes listed.")
	}
	if err := text("note", in.Outcome.Note, noteMax); err != nil {
		return nil, err
	}
	w, mine := r.item(in.Contact)
	if mine && w.Phase != routing.PhaseWrapUp && (!isWritten(w.Channel) || w.Phase != routing.PhaseTalking && w.Phase != routing.PhaseParked) {
		message := "End the call before you close the contact."
		if isWritten(w.Channel) {
			message = "Take the contact before you close it."
		}
		return nil, &Error{Code: CodeWrongPhase, Message: message, Field: "contact"}
	}
	if mine && w.Phase != routing.PhaseWrapUp && in.Seen < w.Joined {
		return nil, refusal(routing.RefusedUnseen)
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	// The outcome is durable before wrap-up ends: an outcome lost to a store that is
	// away keeps the contact open on the desk.
	if err := r.s.o.Records.Close(ctx, in.Contact, in.Outcome, string(r.d.agent)); err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	if i := r.d.knowsLocked(in.Contact); i >= 0 {
		r.d.state.Work[i].Outcome = in.Outcome.Code
		r.d.publishWorkLocked()
	}
	r.d.mu.Unlock()
	if !mine {
		return nil, nil // wrap-up is over; only the outcome was missing
	}
	// A written contact ends here, too: nobody hangs up. A refusal now means that the
	// wrap-up limit came first, or that it was forwarded: the outcome is saved. But a
	// message that came meanwhile is to be read, and the outcome chosen anew.
	refused, err := r.s.submit(ctx, routing.WrapUpDone{Contact: in.Contact, Agent: r.d.agent, Outcome: in.Outcome.Code, Seen: in.Seen})
	if err == nil && refused != nil && refused.Code == routing.RefusedUnseen {
		return nil, refusal(refused.Code)
	}
	return nil, err
}

func savePerson(ctx context.Context, r *request) (any, error) {
	var in SavePersonRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	p := in.Person
	if err := r.s.checkPerson(&p); err != nil {
		return nil, err
	}
	if in.Contact != "" {
		if err := r.mayWrite(ctx, in.Contact); err != nil {
			return nil, err
		}
	}
	whole := p.stored()
	if p.ID != "" {
		if !plainID(string(p.ID)) {
			return nil, crm.ErrNotFound
		}
		// Who opened them for a reason may save them.
		ctx, _ = r.s.reopened(ctx, personObject(string(p.ID)))
		before, err := r.s.openPerson(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		if p.Safe == nil {
			whole.Safe = before.Safe // nothing was said of it
		}
	}
	saved, err := r.s.o.Records.SavePerson(ctx, whole)
	if errors.Is(err, crm.ErrConflict) && saved.ID != "" {
		return GetPersonReply{Person: personOf(saved, true), Reports: []ReportSummary{}}, &Error{
			Code: CodePersonConflict, Field: "person.revision",
			Message: "Somebody else changed this person since you opened them. What you wrote is kept here; compare it with the newer record.",
		}
	}
	if err != nil {
		return nil, under("person", err)
	}
	if in.Contact == "" {
		return SavePersonReply{Person: saved.ID}, nil
	}
	if err := r.s.o.Records.Attach(ctx, in.Contact, saved.ID); err != nil {
		return nil, err
	}
	r.d.refresh(in.Contact)
	return SavePersonReply{Person: saved.ID}, nil
}

func attachPerson(ctx context.Context, r *request) (any, error) {
	var in AttachPersonRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	if err := r.s.o.Records.Attach(ctx, in.Contact, in.Person); err != nil {
		return nil, err
	}
	r.d.refresh(in.Contact)
	return nil, nil
}
