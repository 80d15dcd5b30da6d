// Generated from agentdesk/protocol.go by `go generate ./agentdesk/web`; do not edit.

/** ProtocolVersion is sent in the snapshot. A desk that does not know it reloads the page. */
export const ProtocolVersion = 1;
/** HelloRequest; must be the first frame */
export const TypeHello = "hello";
/** no body; at least every 3 s */
export const TypeHeartbeat = "heartbeat";
/** SetStateRequest */
export const TypeSetState = "state.set";
/** PhoneStateRequest */
export const TypePhoneState = "phone.state";
/** DeclineRequest */
export const TypeDecline = "offer.decline";
/** ControlRequest */
export const TypeControl = "call.control";
/** SaveNoteRequest → SaveNoteReply */
export const TypeSaveNote = "note.save";
/** CloseRequest */
export const TypeClose = "contact.close";
/** ExtendRequest */
export const TypeExtend = "wrapup.extend";
/** SavePersonRequest → SavePersonReply */
export const TypeSavePerson = "person.save";
/** AttachPersonRequest */
export const TypeAttachPerson = "person.attach";
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
export const MaxFrame = 65536;

/**
 * ClientMessage is a frame from a desk. ID is the desk's own number for the
 * request; the answer is an Ack with the same number. Body depends on Type; the
 * desk.*Request types name the shapes.
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

/** DeclineRequest refuses an offer. */
export interface DeclineRequest {
  offer: OfferID;
  reason?: string;
}

/** OfferID numbers offers from 1, never reused within a journal. */
export type OfferID = number;

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

/** CloseRequest ends wrap-up with an outcome. */
export interface CloseRequest {
  contact: ContactID;
  outcome: Outcome;
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

/**
 * SavePersonRequest creates (empty Person.ID) or changes a person and attaches
 * the contact to them.
 */
export interface SavePersonRequest {
  contact: ContactID;
  person: Person;
}

/** Person is a person as desks show and edit them. */
export interface Person {
  id: PersonID;
  name: string;
  numbers?: string[];
  language?: string;
  vulnerable?: boolean;
  repeat_victim?: boolean;
  remarks?: string;
  /** Attached tells that this contact is recorded as theirs. */
  attached?: boolean;
}

/** PersonID identifies a person in the CRM (a ULID). Empty means nobody is known. */
export type PersonID = string;

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

/** WorkItem is one contact in the handler's hands with everything known of it. */
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
}

/** Channel is how a contact reached us. */
export type Channel = "phone" | "email" | "web";

/** QueueID names a queue of the plan. */
export type QueueID = string;

/** Phase is where a handler's work on one contact stands. */
export type Phase = "ringing" | "connecting" | "talking" | "held" | "wrap_up" | "parked" | "waiting";

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
}

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

/** QueueView is what waits in a queue this handler can serve. */
export interface QueueView {
  queue: QueueID;
  label: string;
  open: boolean;
  waiting: number;
  /** OldestArrival is zero when nothing waits; MostDue is the earliest due time. */
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
}

/** Code is a code with the words people see. */
export interface Code {
  code: string;
  label: string;
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
  notice?: Notice;
}

/** Notice is a sentence to show, for example why a state was refused. */
export interface Notice {
  /** info, warning, error */
  level: string;
  code: string;
  text: string;
}

/** Ack answers one ClientMessage. */
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
