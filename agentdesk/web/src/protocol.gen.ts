// Generated from agentdesk/protocol*.go by `go generate ./agentdesk/web`; do not edit.

/** ProtocolVersion is sent in the snapshot. A desk that does not know it reloads the page. */
export const ProtocolVersion = 2;
/** HelloRequest; must be the first frame */
export const TypeHello = "hello";
/** no body; at least every 3 s */
export const TypeHeartbeat = "heartbeat";
/** SetStateRequest */
export const TypeSetState = "state.set";
/** PhoneStateRequest */
export const TypePhoneState = "phone.state";
/** AcceptRequest; written contacts only */
export const TypeAccept = "offer.accept";
/** DeclineRequest */
export const TypeDecline = "offer.decline";
/** ControlRequest */
export const TypeControl = "call.control";
/** SaveNoteRequest → SaveNoteReply */
export const TypeSaveNote = "note.save";
/** CloseRequest; a written contact ends with it */
export const TypeClose = "contact.close";
/** ExtendRequest */
export const TypeExtend = "wrapup.extend";
/** SavePersonRequest → SavePersonReply */
export const TypeSavePerson = "person.save";
/** AttachPersonRequest */
export const TypeAttachPerson = "person.attach";
/** DoneRequest */
export const TypeDone = "contact.done";
/** ParkRequest */
export const TypePark = "contact.park";
/** UnparkRequest */
export const TypeUnpark = "contact.resume";
/** ForwardRequest */
export const TypeForward = "contact.forward";
/** SpamRequest → SpamReply */
export const TypeSpam = "contact.spam";
/** SpamUndoRequest */
export const TypeSpamUndo = "contact.spam_undo";
/** LinkRequest → ReportReply */
export const TypeLink = "contact.link";
/** UnlinkRequest */
export const TypeUnlink = "contact.unlink";
/** SplitRequest → SplitReply */
export const TypeSplit = "contact.split";
/** SendRequest → SendReply */
export const TypeSend = "message.send";
/** SaveDraftRequest → SaveDraftReply */
export const TypeSaveDraft = "draft.save";
/** FillTemplateRequest → FillTemplateReply */
export const TypeFillTemplate = "template.fill";
/** CreateReportRequest → ReportReply */
export const TypeReportCreate = "report.create";
/** GetReportRequest → ReportReply */
export const TypeReportGet = "report.get";
/** SaveReportRequest → ReportReply */
export const TypeReportSave = "report.save";
/** AssessRequest → ReportReply */
export const TypeReportAssess = "report.assess";
/** GradeRequest → ReportReply */
export const TypeReportGrade = "report.grade";
/** DecideRequest → ReportReply */
export const TypeReportDecide = "report.decide";
/** UpdateRequest → ReportReply */
export const TypeReportUpdate = "report.update";
/** ViewReportRequest → ViewReportReply */
export const TypeReportView = "report.view";
/** LeaveReportRequest */
export const TypeReportLeave = "report.leave";
/** SaveTaskRequest → TaskReply */
export const TypeTaskSave = "report.task.save";
/** DoneTaskRequest */
export const TypeTaskDone = "report.task.done";
/** ListTasksRequest → TaskListReply */
export const TypeTaskList = "report.task.list";
/** SecretRequest → SecretReply */
export const TypeReportSecret = "report.secret";
/** FindPeopleRequest → FindPeopleReply */
export const TypeFindPeople = "person.find";
/** GetPersonRequest → GetPersonReply */
export const TypeGetPerson = "person.get";
/** MergePeopleRequest */
export const TypeMergePeople = "person.merge";
/** SplitPersonRequest */
export const TypeSplitPerson = "person.split";
/** another tab or workstation took the desk over */
export const CloseTakenOver = 4001;
/** the session ended */
export const CloseSignedOut = 4002;
/** the role has no desk */
export const CloseForbidden = 4003;
/** not JSON, unknown type, or hello missing */
export const CloseBadFrame = 4004;
/** a frame over MaxFrame bytes */
export const CloseTooLarge = 4005;
/** the desk read too slowly; reconnect and resume */
export const CloseSlow = 4501;
/** the server is going away */
export const CloseShutdown = 4502;
/** no heartbeat for the lease */
export const CloseNoHeartbeat = 4503;
/** MaxFrame is the largest frame a desk may send, in bytes. */
export const MaxFrame = 262144;

/**
 * ClientMessage is a frame from a desk. ID is the desk's own number for the
 * request; the answer is an Ack with the same number. Body depends on Type; the
 * *Request types name the shapes.
 */
export interface ClientMessage {
  id: number;
  type: string;
  body?: unknown;
}

/**
 * HelloRequest opens the conversation. A returning desk gives the position it
 * last saw and gets the deltas it missed, or a snapshot when they are gone.
 */
export interface HelloRequest {
  /**
   * Tab is a random id of the browser tab, kept over reconnects. A hello from
   * another tab takes the desk over; the first is closed with CloseTakenOver.
   */
  tab: string;
  epoch?: string;
  seq?: number;
}

/** SetStateRequest asks to be ready, or not ready for one of the plan's reasons. */
export interface SetStateRequest {
  /** ready or not_ready */
  state: AgentState;
  reason?: string;
}

/** AgentState is what a handler is doing, as shown on desks and wallboards. */
export type AgentState = "not_ready" | "ready" | "busy" | "resting" | "offline";

/** PhoneStateRequest tells whether the browser phone is registered. */
export interface PhoneStateRequest {
  registered: boolean;
}

/**
 * AcceptRequest takes an offered written contact. A call is answered on the
 * phone, and accepting it here is refused with code "not_written".
 */
export interface AcceptRequest {
  offer: OfferID;
}

/** OfferID numbers offers from 1, never reused within a journal. */
export type OfferID = number;

/** DeclineRequest refuses an offer. */
export interface DeclineRequest {
  offer: OfferID;
  reason?: string;
}

/** ControlRequest asks for call control on the contact in hand. */
export interface ControlRequest {
  contact: ContactID;
  verb: Verb;
  digits?: string;
}

/**
 * ID identifies one contact: a ULID made by the driver that received it. It is
 * the correlation id of every log line and event about the contact.
 */
export type ContactID = string;

/** Verb is a call-control request. */
export type Verb = "hold" | "resume" | "mute" | "unmute" | "hangup" | "dtmf";

/**
 * SaveNoteRequest saves the note of a contact as typed. Base is the revision the
 * text was edited from; a newer one in the store is a conflict, and the Ack's
 * error carries code "note_conflict".
 */
export interface SaveNoteRequest {
  contact: ContactID;
  text: string;
  base: number;
}

/** SaveNoteReply gives the new revision. It is sent after the note is durable. */
export interface SaveNoteReply {
  revision: number;
}

/**
 * CloseRequest ends wrap-up with an outcome. A written contact in hand, parked
 * ones too, is ended by it in one step.
 */
export interface CloseRequest {
  contact: ContactID;
  outcome: Outcome;
  /** Seen is Written.Seen as the handler had it before them, for one in writing. */
  seen?: number;
}

/** Outcome is the disposition a handler gives when closing a contact. */
export interface Outcome {
  /** Code is one the plan lists, for example "advice_given". */
  code: string;
  /** Note is free text: personal data, kept in the CRM only. */
  note?: string;
}

/** ExtendRequest asks for more wrap-up time. */
export interface ExtendRequest {
  contact: ContactID;
}

/** ServerMessage is a frame to a desk: exactly one field is set. */
export interface ServerMessage {
  snapshot?: Snapshot;
  delta?: Delta;
  ack?: Ack;
}

/** Snapshot is the desk's whole state at position (Epoch, Seq). */
export interface Snapshot {
  version: number;
  epoch: string;
  seq: number;
  desk: Desk;
  /**
   * Now is the server's clock, so that clocks on screen do not depend on the
   * workstation's.
   */
  now: Instant;
}

/** Desk is everything a desk shows, by section. */
export interface Desk {
  me: Me;
  phone: PhoneInfo;
  work: WorkItem[] | null;
  queues: QueueView[] | null;
  catalogue: Catalogue;
}

/** Me is the signed-on handler. */
export interface Me {
  agent: AgentID;
  name: string;
  role: Role;
  profile: string;
  state: AgentState;
  reason?: string;
  next?: AgentState;
  next_reason?: string;
  since: Instant;
  until?: Instant;
  device_up: boolean;
  /**
   * Capacity tells, for each channel the profile takes, how many contacts are in
   * hand and how many may be; parked ones count.
   */
  capacity: ChannelCapacity[] | null;
  /**
   * May lists what the role allows, so that a desk shows no way to what will be
   * refused.
   */
  may: Permission[] | null;
}

/** AgentID identifies a handler: the user's sign-on name. */
export type AgentID = string;

/** Role is what a user may do. */
export type Role = "handler" | "supervisor" | "manager";

/**
 * Instant is a moment in nanoseconds since 1970-01-01T00:00:00Z. The engine
 * never reads a clock: every Instant it sees arrived with an event. The zero
 * value means "not set".
 */
export type Instant = number;

/** ChannelCapacity is how much of a channel a handler has in hand. */
export interface ChannelCapacity {
  channel: Channel;
  used: number;
  of: number;
}

/** Channel is how a contact reached us. */
export type Channel = "phone" | "email" | "web";

/** Permission is one thing a role may or may not do. */
export type Permission = "desk.use" | "people.read" | "people.save" | "agents.list" | "alerts.see" | "plans.see" | "plans.publish" | "contacts.why" | "surges.switch" | "alerts.acknowledge" | "whatif.ask" | "messages.write" | "search" | "people.merge" | "reports.read" | "reports.save" | "reports.cancel" | "restricted.open" | "tasks.all";

/** PhoneInfo tells the desk which phone rings for it. */
export interface PhoneInfo {
  /**
   * Kind is "browser" or "sip": a SIP phone of the handler's own is answered on
   * that phone, and the desk shows so.
   */
  kind: string;
  /**
   * For a browser phone: short-lived SIP credentials, used over the websocket at
   * Path on this origin.
   */
  uri?: string;
  user?: string;
  password?: string;
  path?: string;
  expires_at?: Instant;
}

/**
 * WorkItem is one contact in the handler's hands with everything known of it. A
 * written contact being worked on is in phase "talking".
 */
export interface WorkItem extends Work {
  queue_label: string;
  arrival: Instant;
  caller: Caller;
  facts: Facts;
  /** Answers are the IVR choices in words, in the order they were made. */
  answers: LabelledAnswer[] | null;
  /** Why says in one sentence why it came here; WhyData is the same as data. */
  why: string;
  why_data: Why;
  /** People are those the number may belong to, the attached one first. */
  people: Person[] | null;
  history: HistoryEntry[] | null;
  note: Note;
  outcome?: string;
  /**
   * PopError is a sentence when the CRM could not be read; the call is not held
   * up for it.
   */
  pop_error?: string;
  /** Written is set for contacts that were written, on every other it is absent. */
  written?: Written;
  /** Triage says what was found in it that may matter at once. */
  triage?: TriageReason[];
  /**
   * Report is the report the contact belongs to; Reports are the attached
   * person's, newest first, at most 10.
   */
  report?: ReportSummary;
  reports?: ReportSummary[];
}

/** Work is one contact in a handler's hands. */
export interface Work {
  contact: ContactID;
  channel: Channel;
  queue: QueueID;
  offer: OfferID;
  phase: Phase;
  muted?: boolean;
  /** Since is when the phase began; Until when it ends by itself, zero if never. */
  since: Instant;
  until?: Instant;
  /** Extended tells that the one extension of wrap-up was used. */
  extended?: boolean;
  /** Aside tells that the handler parked it, so that it stays until they resume it. */
  aside?: boolean;
  /** Joined counts the messages that joined a written contact after it arrived. */
  joined?: number;
  /** Due is when the contact is to be answered by. */
  due?: Instant;
  /** Callback tells that the caller asked to be rung back and was not on the line. */
  callback?: boolean;
}

/** QueueID names a queue of the plan. */
export type QueueID = string;

/** Phase is where a handler's work on one contact stands. */
export type Phase = "ringing" | "connecting" | "talking" | "held" | "wrap_up" | "parked" | "calling" | "deferred" | "waiting";

/**
 * Caller is what the network told us about who is calling. It is personal data:
 * it goes to the CRM and the handler's screen, never to the journal or the logs.
 */
export interface Caller {
  /** Number is as dialled or presented, unparsed; empty unless CLI is presented. */
  number?: string;
  cli: CLI;
  /**
   * Unverified tells that the number is what the caller says it is, given on a
   * web page, and not what a network vouches for.
   */
  unverified?: boolean;
  /** Dialled is the number the caller rang, for example "101". */
  dialled?: string;
}

/** CLI tells how the calling number was presented. */
export type CLI = "presented" | "withheld" | "unavailable";

/**
 * Facts is what routing may know of a contact: nothing here identifies a person
 * to a reader of the journal. Rules are expressions over these fields.
 */
export interface Facts {
  /** Language is an ISO 639-1 code chosen or remembered, for example "en". */
  language?: string;
  /** Answers holds what the caller chose in the IVR: step id or label → value. */
  answers?: Record<string, string>;
  /** Dialled is the service number that was rung. */
  dialled?: string;
  /** CLI is presented, withheld or unavailable. */
  cli?: CLI;
  /**
   * Line is a keyed hash of the calling number, so that the CRM finds the
   * caller's line again without the journal knowing the number.
   */
  line?: string;
  /** Person is whom the CRM takes the caller for, when exactly one fits. */
  person?: PersonID;
  /** Contacts30d counts this caller's contacts in the last 30 days. */
  contacts_30d?: number;
  /** OpenReports counts reports not yet closed. */
  open_reports?: number;
  /** Vulnerable and RepeatVictim are markers a handler has set on the person. */
  vulnerable?: boolean;
  repeat_victim?: boolean;
  /**
   * Preferred is the sign-on name of the handler who should have the contact if
   * they can: whoever spoke to the caller last, or owns the open report.
   */
  preferred?: string;
  /**
   * UnsafeToCall marks a line that must not be rung back: whoever answers it may
   * be the one the caller is afraid of.
   */
  unsafe_to_call?: boolean;
}

/** PersonID identifies a person in the CRM (a ULID). Empty means nobody is known. */
export type PersonID = string;

/** LabelledAnswer is one IVR choice. */
export interface LabelledAnswer {
  question: string;
  answer: string;
}

/**
 * Why explains one offer as data: which rule of which plan brought the contact
 * to its queue, how its due time came about, who could have taken it, and what
 * kept the others out.
 */
export interface Why {
  plan_version: number;
  rule: string;
  queue: QueueID;
  /** Due time's parts: Arrival + Target − Credit. */
  target: Duration;
  credit: Duration;
  /** Needs lists the skills required, in order of name. */
  needs?: Need[];
  /**
   * Step names the relaxation step in force, empty before the first; Needs are
   * then the step's.
   */
  step?: string;
  /** From is the queue the rule chose when the contact has overflowed from it. */
  from?: QueueID;
  /**
   * KeptFrom is the earlier contact whose arrival this one has: the caller hung up
   * waiting and rang back from the same line, for the same queue, in time.
   */
  kept_from?: ContactID;
  /** Surges names the surges that are on, in the plan's order. */
  surges?: string[];
  /**
   * Preferred is the handler the contact prefers, where the queue's plan heeds
   * it; Preference says what came of it.
   */
  preferred?: AgentID;
  preference?: Preference;
  /**
   * Chosen tells what decided among the eligible: "only_one", "preferred", "proficiency",
   * "longest_idle", "id", or "most_due" when a freed handler took the most due
   * of the contacts they may take.
   */
  chosen: string;
  /**
   * Eligible lists the best candidates in order, the chosen one first, at most
   * WhyListed of them; EligibleCount is how many there were.
   */
  eligible?: Candidate[];
  eligible_count: number;
  /** Removed counts signed-on handlers kept out by each gate, in gate order. */
  removed?: GateCount[];
  /** Waiting is how many contacts waited in the queue, this one included. */
  waiting: number;
}

/**
 * Duration is a span in nanoseconds, written in YAML and JSON as Go writes
 * durations ("30s", "4h"). It exists so that packages that must not import the
 * time package can still name spans.
 */
export type Duration = string;

/** Need is a required skill with the least level that will do. */
export interface Need {
  skill: Skill;
  min: Level;
}

/**
 * Skill names an ability a contact needs and a handler holds, for example
 * "lang.pl" or "report.bicycle". The plan declares which names exist.
 */
export type Skill = string;

/** Level is a proficiency from 1 (learning) to 5 (expert). */
export type Level = number;

/** Preference says what came of a contact's preferred handler. */
export type Preference = "met" | "waiting" | "refused" | "out_of_reach" | "skill_missing" | "wait_ran_out";

/** Candidate is a handler who could have taken the contact. */
export interface Candidate {
  agent: AgentID;
  /** Proficiency is the sum of levels over the needed skills. */
  proficiency: number;
  idle_since: Instant;
}

/** GateCount tells how many handlers one gate removed. */
export interface GateCount {
  gate: Gate;
  count: number;
}

/** Gate is a hard condition that removed a handler from the choice. */
export type Gate = "not_ready" | "desk_lost" | "phone_down" | "resting" | "at_capacity" | "skill_missing" | "refused_this_contact" | "kept_for_preferred";

/** Person is a person as desks show and edit them. */
export interface Person {
  id: PersonID;
  name: string;
  numbers?: string[];
  language?: string;
  vulnerable?: boolean;
  repeat_victim?: boolean;
  remarks?: string;
  /**
   * GivenName, Surname, DateOfBirth (YYYY-MM-DD), Gender and a way of contact are
   * "4+1".
   */
  given_name?: string;
  surname?: string;
  date_of_birth?: string;
  gender?: string;
  emails?: string[];
  addresses?: Place[];
  /** Needs are communication needs. */
  needs?: string[];
  written_language?: string;
  safe?: SafeContact;
  /**
   * Restricted people are opened only for a stated reason. Masked tells that all
   * but the id is withheld until one is given with person.get.
   */
  restricted?: boolean;
  masked?: boolean;
  /** MergedInto names the person this one was found to be. */
  merged_into?: PersonID;
  /**
   * Certainty is "certain" or "maybe" where the person was found by something:
   * Because says by what.
   */
  certainty?: string;
  because?: string[];
  /** Attached tells that this contact is recorded as theirs. */
  attached?: boolean;
  /**
   * Revision says as what the person was read. Sent back with person.save, a newer
   * record is a conflict; without it what is sent replaces what is there.
   */
  revision?: string;
}

/** Place is where it happened. Latitude and Longitude are WGS 84 degrees. */
export interface Place {
  text?: string;
  premises?: string;
  street?: string;
  town?: string;
  postcode?: string;
  latitude?: number;
  longitude?: number;
  /** PrecisionMetres is the radius the place is known to; 0 when unknown. */
  precision_metres?: number;
  /** caller, map, postcode, handset */
  source?: string;
}

/**
 * SafeContact says how a person may be reached. What it forbids is never done:
 * neither a callback nor a written confirmation.
 */
export interface SafeContact {
  /** Rule is empty (nothing known), "any", "limited" or "never". */
  rule?: string;
  /** Methods are those allowed when Rule is limited: phone, email, post, sms. */
  methods?: string[];
  /** UnsafeNumbers and UnsafeEmails are never rung or written to. */
  unsafe_numbers?: string[];
  unsafe_emails?: string[];
  /** Times and CoverPhrase are for the handler who rings. */
  times?: string;
  cover_phrase?: string;
  no_voicemail?: boolean;
}

/** HistoryEntry is one earlier contact, newest first. */
export interface HistoryEntry {
  contact: ContactID;
  channel: Channel;
  arrival: Instant;
  queue_label: string;
  handler: string;
  ending: Ending;
  outcome?: string;
  outcome_label?: string;
  note?: string;
  /** Person names whom it was recorded for, empty if nobody. */
  person?: string;
}

/**
 * Ending is how a contact left the system. Every contact has exactly one
 * (domain.md 3.1); "still open" is the absence of an Ending.
 */
export type Ending = "ivr_contained" | "left_in_ivr" | "answered" | "abandoned_short" | "abandoned_after_message" | "abandoned_in_queue" | "overflowed" | "callback_taken" | "failed";

/** Note is the handler's note on a contact. */
export interface Note {
  text: string;
  revision: number;
  saved_at?: Instant;
}

/** Written is what a work item has more when its contact was written. */
export interface Written {
  subject: string;
  from: Mailbox;
  thread?: ThreadID;
  /**
   * Messages are those of the contact and its thread, oldest first, at most 100:
   * Earlier tells that older ones were left out.
   */
  messages: Message[] | null;
  earlier?: boolean;
  /**
   * Seen counts the messages among them that joined the contact after it arrived. A
   * request to end the contact says it, and is refused when another has joined.
   */
  seen?: number;
  /** Draft is the answer being written, by whoever had the contact last. */
  draft?: Draft;
  /**
   * ReplyTo are those a reply goes to, as the last message in asks; Mailbox is the
   * key of the address it will come from.
   */
  reply_to?: Mailbox[];
  mailbox?: string;
  /**
   * Unsafe is a sentence when the person must not be written to at an address:
   * sending there is refused.
   */
  unsafe?: string;
  /**
   * SpamUntil is set while the contact is marked as spam: until then the mark can
   * be taken back, and then the contact ends.
   */
  spam_until?: Instant;
}

/** Mailbox is an e-mail address with the name shown beside it. */
export interface Mailbox {
  name?: string;
  address: string;
}

/** ThreadID joins the messages of one conversation: those that answer each other. */
export type ThreadID = string;

/** Message is a written message as desks show it. */
export interface Message {
  id: MessageID;
  contact?: ContactID;
  report?: ReportID;
  channel: Channel;
  direction: Direction;
  at: Instant;
  /**
   * Author is the handler who wrote it, AuthorName their name; "system" for an
   * automatic receipt.
   */
  author?: string;
  author_name?: string;
  from: Mailbox;
  to?: Mailbox[];
  cc?: Mailbox[];
  subject?: string;
  /**
   * Text is at most 20,000 characters, and less of older messages; Shortened tells
   * that there is more: GET /api/messages/{id} gives the Message with all of it.
   */
  text: string;
  shortened?: boolean;
  /**
   * HTMLURL is the cleaned HTML, to be shown in a sandboxed frame; RawURL the
   * message as it came, to be saved. Both are on this origin.
   */
  html_url?: string;
  raw_url?: string;
  attachments?: AttachmentView[];
  flags: MessageFlags;
  auth: Authenticity;
  language?: string;
  /** Delivery is set for a message out. */
  delivery?: Delivery;
}

/** MessageID identifies one written message (a ULID). */
export type MessageID = string;

/** ReportID identifies a report (a ULID). It is never shown to the public. */
export type ReportID = string;

/** Direction tells whether a message came to us or from us. */
export type Direction = "in" | "out";

/** AttachmentView is a file that came or went with a message. */
export interface AttachmentView {
  id: string;
  name: string;
  size: number;
  /** Type is what the content is, Declared what the sender said where that differs. */
  type: string;
  declared?: string;
  scan: ScanResult;
  /**
   * URL gives the file; empty when it is quarantined. Preview tells that it may be
   * shown in the page (a raster image, PDF or plain text).
   */
  url?: string;
  preview?: boolean;
  /** Inline is set for images shown within HTML. */
  inline?: boolean;
}

/** ScanResult is what a malware scanner said. */
export type ScanResult = "not_scanned" | "clean" | "infected" | "scan_failed";

/** MessageFlags say what is odd about a message. */
export interface MessageFlags {
  /** an auto-reply or a program's */
  automatic?: boolean;
  /** a delivery report */
  bounce?: boolean;
  list?: boolean;
  encrypted?: boolean;
  signed?: boolean;
  /** kept raw, for a person to look at */
  unreadable?: boolean;
  /** a limit was met; the raw message is whole */
  truncated?: boolean;
}

/**
 * Authenticity is what SPF, DKIM and DMARC say of the sender: "pass", "fail",
 * "none", "temperror" and the like (RFC 8601). Empty: not checked.
 */
export interface Authenticity {
  spf?: string;
  dkim?: string;
  dmarc?: string;
  domain?: string;
}

/** Delivery is the fate of an outgoing message. */
export interface Delivery {
  state: DeliveryState;
  at: Instant;
  attempts?: number;
  next?: Instant;
  /** Detail is a sentence for the handler: what the other server said. */
  detail?: string;
}

/** DeliveryState is how far an outgoing message got. */
export type DeliveryState = "created" | "sending" | "delivered" | "temporary_failure" | "permanent_failure";

/**
 * Draft is an answer being written. It belongs to the contact, not to who wrote
 * it: it is offered again on return, and to the next handler.
 */
export interface Draft {
  to?: Mailbox[];
  cc?: Mailbox[];
  subject?: string;
  text: string;
  /** InReplyTo is the message being answered, empty for a new one. */
  in_reply_to?: MessageID;
  /** Quote adds the answered message's text below. */
  quote?: boolean;
  template?: string;
  language?: string;
  mailbox?: string;
  /**
   * Attachments are files given by POST /api/uploads. In a request their IDs
   * suffice.
   */
  attachments?: Upload[];
  /** The rest is the server's: Revision rises by one with each save. */
  revision: number;
  saved_at?: Instant;
  author?: string;
}

/** Upload is a file given for an answer; POST /api/uploads answers with it. */
export interface Upload {
  id: string;
  name: string;
  size: number;
  type: string;
  scan: ScanResult;
}

/**
 * TriageReason is one thing found in what was written or answered, and the words
 * it rests on.
 */
export interface TriageReason {
  code: string;
  sentence: string;
  quote?: string;
}

/**
 * ReportSummary is a report in a list. Masked ones show only id, kind, reference
 * and status until they are opened for a reason.
 */
export interface ReportSummary {
  id: ReportID;
  kind: ReportKind;
  reference: string;
  incident_number?: string;
  crime_number?: string;
  status: ReportStatus;
  category?: string;
  grade?: Grade;
  /** Opening is the beginning of the summary, at most 200 characters. */
  opening?: string;
  created: Instant;
  changed?: Instant;
  owner?: string;
  record_by?: Instant;
  reassess_by?: Instant;
  restricted?: boolean;
  masked?: boolean;
}

/**
 * ReportKind says which record a report is. Every report is an incident; it
 * becomes a crime when the recording decision says so.
 */
export type ReportKind = "incident" | "crime";

/** ReportStatus is where a report stands, for staff; the public sees it in words. */
export type ReportStatus = "new" | "assessing" | "open" | "waiting" | "closed" | "withdrawn";

/**
 * Grade is the response grade (domain: I, S, E, R). It cannot change without an
 * assessment made for the change.
 */
export type Grade = "I" | "S" | "E" | "R";

/** QueueView is what waits in a queue this handler can serve. */
export interface QueueView {
  queue: QueueID;
  label: string;
  open: boolean;
  waiting: number;
  /** OldestArrival is zero when nothing waits; MostDue is the earliest due time. */
  oldest_arrival?: Instant;
  most_due?: Instant;
  /** Channels tells the same by channel, for those of which something waits. */
  channels?: ChannelWaiting[];
}

/** ChannelWaiting is what waits in a queue of one channel. */
export interface ChannelWaiting {
  channel: Channel;
  waiting: number;
  oldest_arrival?: Instant;
  most_due?: Instant;
}

/** Catalogue is the plan's wording the desk needs. */
export interface Catalogue {
  plan_version: number;
  not_ready_reasons: Code[] | null;
  outcomes: Code[] | null;
  /** Skills are code and name, for explanations. */
  skills: Code[] | null;
  /** Languages are code and name, for the person form. */
  languages: Code[] | null;
  /** ForwardQueues are those a written contact may be forwarded to, code and name. */
  forward_queues: Code[] | null;
  templates: Template[] | null;
  /** Mailboxes are the addresses a handler may write from, the key as code. */
  mailboxes: Code[] | null;
  /** SpamGrace is how long spam may be taken back, in words of Go: "30s". */
  spam_grace: Duration;
}

/** Code is a code with the words people see. */
export interface Code {
  code: string;
  label: string;
}

/** Template is an answer prepared in one language. */
export interface Template {
  code: string;
  language: string;
  label: string;
  subject?: string;
}

/**
 * Delta replaces the sections it carries; absent sections are unchanged. Seq
 * rises by one with each delta.
 */
export interface Delta {
  seq: number;
  now: Instant;
  me?: Me;
  phone?: PhoneInfo;
  work?: WorkItem[];
  queues?: QueueView[];
  catalogue?: Catalogue;
  /**
   * Report tells of one report this desk views; it is no part of Desk, and a
   * desk that was given a Snapshot asks to view again.
   */
  report?: ReportPresence;
  notice?: Notice;
}

/**
 * ReportPresence tells who has a report on screen, this handler included, and its
 * newest version: one above what the page has means that somebody saved it.
 * ChangedBy is empty when that was done through another server or by the public.
 */
export interface ReportPresence {
  report: ReportID;
  version: number;
  changed_by?: string;
  viewers: ReportViewer[] | null;
}

/** ReportViewer is one of those who have a report on screen. */
export interface ReportViewer {
  agent: string;
  name: string;
  since?: Instant;
}

/** Notice is a sentence to show, for example why a state was refused. */
export interface Notice {
  /** info, warning, error */
  level: string;
  code: string;
  text: string;
}

/**
 * Ack answers one ClientMessage. With the error codes "report_conflict" and
 * "draft_conflict" Reply holds the newer version beside the Error.
 */
export interface Ack {
  id: number;
  error?: ProtocolError;
  reply?: unknown;
}

/**
 * Error is what went wrong: a code for programs, a sentence for people, and the
 * field at fault when one is.
 */
export interface ProtocolError {
  code: string;
  message: string;
  field?: string;
}

/**
 * SavePersonRequest creates (empty Person.ID) or changes a person and attaches
 * the contact to them. Without a contact the person is saved alone. Masked,
 * Attached, MergedInto, Certainty and Because are not saved. When somebody else
 * saved the person since they were read, as Revision says, the Ack's error carries
 * code "person_conflict" and its Reply the newer one, a GetPersonReply.
 */
export interface SavePersonRequest {
  contact?: ContactID;
  person: Person;
}

/** SavePersonReply gives the person's id. */
export interface SavePersonReply {
  person: PersonID;
}

/**
 * AttachPersonRequest says which of the people a number may belong to is
 * calling; an empty Person detaches.
 */
export interface AttachPersonRequest {
  contact: ContactID;
  person: PersonID;
}

/** FindPeopleRequest asks who somebody may be. At least one clue is needed. */
export interface FindPeopleRequest {
  /** Contact is the contact it is asked for, for the trail. */
  contact?: ContactID;
  /** as said, when its parts are not known */
  name?: string;
  given?: string;
  surname?: string;
  /** YYYY-MM-DD */
  date_of_birth?: string;
  numbers?: string[];
  emails?: string[];
  postcode?: string;
}

/**
 * FindPeopleReply lists the people found, the likeliest first, each with its
 * Certainty and Because. Restricted people are masked.
 */
export interface FindPeopleReply {
  people: Person[] | null;
}

/**
 * GetPersonRequest opens one person. A restricted person needs a Reason in words;
 * without one the Ack's error carries code "reason_required".
 */
export interface GetPersonRequest {
  person: PersonID;
  reason?: string;
}

/** GetPersonReply is the person with their reports, newest first. */
export interface GetPersonReply {
  person: Person;
  reports: ReportSummary[] | null;
}

/**
 * MergePeopleRequest says that From is the same person as Into. It can be undone
 * with SplitPersonRequest.
 */
export interface MergePeopleRequest {
  from: PersonID;
  into: PersonID;
  reason: string;
}

/** SplitPersonRequest undoes the merge of Person into another. */
export interface SplitPersonRequest {
  person: PersonID;
  reason: string;
}

/**
 * TimelineItem is one line of a person's timeline over all channels. Exactly one
 * of Contact, Message, Report and Update is set, as Kind says.
 */
export interface TimelineItem {
  at: Instant;
  /** contact, message, report, update */
  kind: string;
  contact?: HistoryEntry;
  message?: MessageLine;
  report?: ReportSummary;
  update?: UpdateLine;
}

/** MessageLine is a message in a list. */
export interface MessageLine {
  id: MessageID;
  contact?: ContactID;
  channel: Channel;
  direction: Direction;
  subject?: string;
  /** Opening is the beginning of the text, at most 200 characters. */
  opening?: string;
  attachments?: number;
  /** of a message out */
  state?: DeliveryState;
}

/** UpdateLine is a public update in a list. */
export interface UpdateLine {
  report: ReportID;
  by: string;
  text: string;
}

/** TimelinePage is the body of GET /api/people/{id}/timeline, newest first. */
export interface TimelinePage {
  timeline: TimelineItem[] | null;
  /** Before is what to ask for next; zero on the last page. */
  before?: Instant;
}

/**
 * SearchRequest is the body of POST /api/search: what was typed, and the kinds
 * wanted ("person", "report", "contact", "message"; empty for all). It is asked
 * as the user types; each is a consultation on the audit trail.
 */
export interface SearchRequest {
  query: string;
  kinds?: string[];
  /** Limit is at most 50; 20 when zero. */
  limit?: number;
}

/** SearchReply lists what was found, the likeliest first. */
export interface SearchReply {
  hits: SearchHit[] | null;
  /** More tells that there are more than were asked for. */
  more?: boolean;
  /** TookMicros is how long the search took, in microseconds. */
  took_micros: number;
}

/**
 * SearchHit is one thing found. Masked hits show only kind, id, reference and, of
 * what stands in a restricted record, that record as Person or Report: it is opened
 * with report.get or person.get and a reason.
 */
export interface SearchHit {
  kind: string;
  id: string;
  title?: string;
  detail?: string;
  reference?: string;
  /**
   * Because says by what it was found: name, sound, number, email, reference,
   * postcode, vehicle, property, born (a date of birth), words.
   */
  because?: string[];
  at?: Instant;
  /** Person and Report are those it belongs to. */
  person?: PersonID;
  report?: ReportID;
  restricted?: boolean;
  masked?: boolean;
}

/**
 * CreateReportRequest makes a report from a contact in hand and links them. Of
 * Report, what the server keeps is ignored: numbers, clocks, Assessments,
 * Decisions, Updates, Contacts and Retention. Report.ID, when given, is made by
 * the desk (a ULID): creating again with the same gives the report that is there.
 */
export interface CreateReportRequest {
  contact?: ContactID;
  report: Report;
}

/**
 * Report is what is known of one crime or incident: many contacts may belong to
 * it. Assessments, Decisions, Updates and Contacts only grow; SaveReport ignores
 * what it is given for them and they have methods of their own.
 */
export interface Report {
  id: ReportID;
  /** rises by one with each change */
  version: number;
  kind: ReportKind;
  created: Instant;
  changed: Instant;
  /**
   * Reference is the public receipt: eight symbols and a check letter, grouped.
   * IncidentNumber and CrimeNumber are the force's; the second is empty until
   * the crime is recorded.
   */
  reference: string;
  incident_number: string;
  crime_number?: string;
  status: ReportStatus;
  owner?: string;
  /** of the first contact */
  channel: Channel;
  /** of reporting: domain.md 4.3 code */
  method?: string;
  /** theft, bicycle, vehicle, damage, lost_property, found_property, asb, hate, other … */
  category: string;
  /** NSIR-style mnemonic */
  opening_code?: string;
  closing_code?: string;
  /** Home Office classification NNN/NN */
  offence_code?: string;
  /** Home Office 0 to 22 */
  outcome_type: number;
  /** monitored strands */
  hate?: string[];
  /** opened only for a stated reason */
  restricted?: boolean;
  marking?: string;
  summary: string;
  mo?: string;
  /** when it happened, or began */
  from?: Instant;
  to?: Instant;
  exact?: boolean;
  place: Place;
  /** Answers holds what was asked in a form, by question code. */
  answers?: Record<string, string>;
  parties?: Party[];
  property?: Property[];
  vehicles?: Vehicle[];
  attachments?: Attachment[];
  grade?: Grade;
  /** GradedBy is the assessment the grade rests on. */
  graded_by?: string;
  assessments?: Assessment[];
  /** ReassessBy is when the next THRIVE assessment is due; zero when none is. */
  reassess_by?: Instant;
  decisions?: Decision[];
  /** RecordBy is 24 hours after the report (HOCR); zero once decided. */
  record_by?: Instant;
  language?: string;
  /** communication needs */
  needs?: string[];
  vulnerable?: boolean;
  repeat_victim?: boolean;
  /** RepeatBecause says over what the repeat was seen: number, person, address. */
  repeat_because?: string[];
  high_harm?: boolean;
  updates?: PublicUpdate[];
  contacts?: ContactID[];
  retention: Retention;
}

/** Party is a person's part in a report. */
export interface Party {
  /**
   * ID is unique within the report and given by the store; tracking secrets
   * belong to it, so parties may change places.
   */
  id?: string;
  /** empty: described, not identified */
  person?: PersonID;
  name: string;
  roles: PartyRole[] | null;
  /** Description is for a suspect or missing person nobody can name. */
  description?: string;
  /** Statement is what a witness added; it is shown to nobody but handlers and them. */
  statement?: string;
  /** to the suspect */
  relationship?: string;
  wants_support?: boolean;
  consent_contact?: boolean;
  /** email, phone, post or none */
  updates_by?: string;
  under_eighteen?: boolean;
  enhanced_rights?: boolean;
  withdrawn_at?: Instant;
}

/** PartyRole is what somebody is to a report. */
export type PartyRole = "reporter" | "victim" | "witness" | "suspect";

/** Property is a thing stolen, damaged, lost or found. */
export interface Property {
  id: string;
  /** stolen, damaged, lost, found, recovered, returned */
  status: string;
  category: string;
  description?: string;
  make?: string;
  model?: string;
  colour?: string;
  value_pence?: number;
  /** Unique is a serial, IMEI, frame or account number, UniqueType says which. */
  unique?: string;
  unique_type?: string;
}

/** Vehicle is a vehicle stolen, damaged or involved. */
export interface Vehicle {
  id: string;
  /** stolen, damaged, involved */
  status: string;
  vrm?: string;
  vin?: string;
  make?: string;
  model?: string;
  colour?: string;
}

/** Attachment is a file that came or went with a message. */
export interface Attachment {
  /** unique within the message */
  id: string;
  name: string;
  blob: Ref;
  size: number;
  /** Declared is the type the sender gave, Detected what the content is. */
  declared?: string;
  detected: string;
  /** ContentID is set for images shown within HTML. */
  content_id?: string;
  scan: ScanResult;
}

/** Ref names a blob: the lower-case hex SHA-256 of its bytes. */
export type Ref = string;

/** Assessment is one THRIVE assessment. The series is append-only. */
export interface Assessment {
  id: string;
  at: Instant;
  by: string;
  /** during which it was made */
  contact?: ContactID;
  threat: Strand;
  harm: Strand;
  risk: Strand;
  investigation: Strand;
  vulnerability: Strand;
  engagement: Strand;
  prevention: Strand;
  intervention: Strand;
  rationale: string;
  checks_done?: string[];
  /** Grade is the grade this assessment supports. */
  grade: Grade;
  /** Reason says why it was made: first, changed_circumstances, overdue, new_contact, grade_change. */
  reason: string;
}

/** Strand is one letter of THRIVE. */
export interface Strand {
  /** none, low, medium, high, not_known */
  level: string;
  text?: string;
}

/** Decision is one step of the recording decision trail. */
export interface Decision {
  id: string;
  at: Instant;
  by: string;
  /** domain.md section 6: concerns_crime, balance_of_probability, … record, cri, reclassify, transfer, cancel, outcome */
  step: string;
  /** yes, no, or the step's own */
  answer: string;
  reason?: string;
  /**
   * AVI is the additional verifiable information a reclassification, transfer or
   * cancellation rests on.
   */
  avi?: string;
}

/** PublicUpdate is something said to those who follow a report. */
export interface PublicUpdate {
  id?: string;
  at: Instant;
  by: string;
  text: string;
  /** For limits it to some roles; empty is everybody who may track it. */
  for?: PartyRole[];
}

/** Retention is how long a record is kept and why. */
export interface Retention {
  /** MoPI group 1 to 4 */
  group: number;
  review: Instant;
  hold?: boolean;
  /** HoldReason says why nothing may be disposed of. */
  hold_reason?: string;
}

/**
 * GetReportRequest opens a report by its id or by any of its references as typed.
 * A restricted report needs a Reason in words, else the Ack's error carries code
 * "reason_required".
 */
export interface GetReportRequest {
  report?: ReportID;
  reference?: string;
  reason?: string;
  /** for which it is opened */
  contact?: ContactID;
}

/** ReportReply is a whole report with what belongs to it. */
export interface ReportReply {
  report: Report;
  /**
   * Messages are its written messages, oldest first; Tasks its tasks, those not
   * done first, by due time.
   */
  messages: Message[] | null;
  tasks: Task[] | null;
  /** Files are the report's own attachments. */
  files: AttachmentView[] | null;
  /** Contacts are its contacts, newest first. */
  contacts: HistoryEntry[] | null;
  /** Names gives the display names of handlers named in the report. */
  names?: Record<string, string>;
}

/** Task is something to be done by a time. */
export interface Task {
  id: string;
  /** Version rises by one with each change. */
  version?: number;
  report: ReportID;
  /** record_decision, re_thrive, written_confirmation, support_referral, update_victim, call_back, send_failed, review, other */
  kind: string;
  text: string;
  created: Instant;
  due: Instant;
  /** a handler, or empty for anybody */
  owner?: string;
  done?: Instant;
  done_by?: string;
  result?: string;
}

/**
 * SaveReportRequest saves a report. Report.Version is the version it was edited
 * from; a newer one in the store is a conflict: the Ack's error carries code
 * "report_conflict" and its Reply the newer one, a ReportReply, so that both can
 * be shown. What CreateReportRequest ignores is ignored here too, and Grade, which
 * report.grade sets.
 */
export interface SaveReportRequest {
  report: Report;
  reason?: string;
}

/**
 * AssessRequest adds a THRIVE assessment. Assessment.ID may be made by the desk (a
 * ULID): the same again changes nothing. At and By are the server's.
 */
export interface AssessRequest {
  report: ReportID;
  assessment: Assessment;
  reason?: string;
}

/** GradeRequest sets the grade an assessment supports. */
export interface GradeRequest {
  report: ReportID;
  grade: Grade;
  assessment: string;
  reason?: string;
}

/**
 * DecideRequest adds a step to the recording decision. Decision.ID may be made by
 * the desk (a ULID): the same again changes nothing. At and By are the server's.
 * Steps reclassify, transfer and cancel need permission
 * "reports.cancel".
 */
export interface DecideRequest {
  report: ReportID;
  decision: Decision;
  reason?: string;
}

/** UpdateRequest says something to those who follow the report. */
export interface UpdateRequest {
  report: ReportID;
  text: string;
  for?: PartyRole[];
  reason?: string;
}

/**
 * ViewReportRequest says that the handler has the report on screen. It holds until
 * report.leave or the desk is gone; changes come as Delta.Report: at once when they
 * are made through the same server, else within some seconds.
 */
export interface ViewReportRequest {
  report: ReportID;
  reason?: string;
}

/** ViewReportReply tells who else has it on screen. */
export interface ViewReportReply {
  presence: ReportPresence;
}

/** LeaveReportRequest says that the handler has put the report away. */
export interface LeaveReportRequest {
  report: ReportID;
}

/**
 * SaveTaskRequest adds (empty Task.ID) or changes a task of a report: its text,
 * due time and owner. Task.Version, when it is not zero, is the version it was
 * edited from: a newer one, or a task that is done, is a conflict, the Ack's error
 * then carries code "task_conflict" and its Reply the task as it is.
 */
export interface SaveTaskRequest {
  task: Task;
  reason?: string;
}

/** DoneTaskRequest says that a task is done, and with what result. */
export interface DoneTaskRequest {
  task: string;
  result?: string;
}

/** TaskReply is the task as saved. */
export interface TaskReply {
  task: TaskView;
}

/** TaskView is a task with the report it belongs to. */
export interface TaskView extends Task {
  reference?: string;
  category?: string;
}

/** ListTasksRequest asks for tasks not done yet, the most due first. */
export interface ListTasksRequest {
  /** Scope is "mine" (the handler's own), "anyone" (nobody's) or "all". */
  scope: string;
  /** DueBefore leaves out what is due later; zero for all. */
  due_before?: Instant;
  /** Limit is at most 200; 50 when zero. */
  limit?: number;
}

/** TaskListReply lists tasks. */
export interface TaskListReply {
  tasks: TaskView[] | null;
}

/**
 * SecretRequest makes a new tracking secret for one of a report's parties, by
 * their place in Parties from 0. An earlier secret stops working.
 */
export interface SecretRequest {
  report: ReportID;
  party: number;
  reason?: string;
}

/** SecretReply gives the secret, to be told to the person: it is not shown again. */
export interface SecretReply {
  secret: string;
}

/**
 * FillTemplateRequest asks for a template's text with its placeholders filled for
 * a contact.
 */
export interface FillTemplateRequest {
  contact: ContactID;
  template: string;
  language: string;
}

/**
 * FillTemplateReply is the text. Missing names the placeholders nothing is known
 * for; they stand in the text as [NAME], and sending it so is refused.
 */
export interface FillTemplateReply {
  subject?: string;
  text: string;
  missing?: string[];
}

/**
 * SaveDraftRequest saves a draft as typed. Base is the revision it was edited
 * from; a newer one in the store is a conflict: the Ack's error carries code
 * "draft_conflict" and its Reply the newer Draft. An empty draft removes it.
 */
export interface SaveDraftRequest {
  contact: ContactID;
  base: number;
  draft: Draft;
}

/** SaveDraftReply gives the new revision. It is sent after the draft is durable. */
export interface SaveDraftReply {
  revision: number;
}

/**
 * SendRequest sends a message: an answer when Draft.InReplyTo is set. Key is made
 * by the desk once for each message, and sending again with the same key sends
 * nothing more and gives the same reply.
 */
export interface SendRequest {
  key: string;
  contact: ContactID;
  draft: Draft;
}

/** SendReply is the message. It is durable: its delivery is told by later deltas. */
export interface SendReply {
  message: Message;
}

/**
 * DoneRequest says that the handler has done what a written contact asked, and
 * begins wrap-up. contact.close does both in one step.
 */
export interface DoneRequest {
  contact: ContactID;
  /** Written.Seen as the handler had it before them */
  seen?: number;
}

/**
 * ParkRequest puts a written contact aside, in the same hands: others may then be
 * taken, as the capacity for the channel allows.
 */
export interface ParkRequest {
  contact: ContactID;
}

/** UnparkRequest takes a parked contact up again. */
export interface UnparkRequest {
  contact: ContactID;
}

/**
 * ForwardRequest gives a written contact to another queue. Arrival is kept, and
 * the due time counts from it.
 */
export interface ForwardRequest {
  contact: ContactID;
  queue: QueueID;
  /** Note tells the next handler why; it is added to the contact's note. */
  note?: string;
}

/**
 * SpamRequest marks a written contact as spam. It ends with the outcome "spam"
 * after Catalogue.SpamGrace; the sender is not blocked.
 */
export interface SpamRequest {
  contact: ContactID;
  /** Written.Seen as the handler had it before them */
  seen?: number;
}

/** SpamReply tells until when the mark can be taken back. */
export interface SpamReply {
  until: Instant;
}

/** SpamUndoRequest takes the mark back. */
export interface SpamUndoRequest {
  contact: ContactID;
}

/**
 * LinkRequest says that a contact belongs to a report, given by its id or by any
 * of its references as typed.
 */
export interface LinkRequest {
  contact: ContactID;
  report?: ReportID;
  reference?: string;
  /** Reason is needed for a restricted report. */
  reason?: string;
}

/** UnlinkRequest takes the contact from its report. */
export interface UnlinkRequest {
  contact: ContactID;
}

/**
 * SplitRequest makes a contact of its own of one message that is about something
 * else. The new contact waits in Queue, or in the queue the plan's rules choose.
 */
export interface SplitRequest {
  contact: ContactID;
  message: MessageID;
  queue?: QueueID;
}

/** SplitReply names the new contact. */
export interface SplitReply {
  contact: ContactID;
}
