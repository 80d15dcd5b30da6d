import { CloseForbidden, CloseSignedOut, MaxFrame, ProtocolVersion, TypeHeartbeat, TypeHello } from '../protocol.gen.ts';
import type {
  AcceptRequest, AssessRequest, AttachPersonRequest, CloseRequest, ControlRequest, CreateReportRequest, DecideRequest,
  DeclineRequest, DoneTaskRequest, ExtendRequest, FillTemplateReply, FillTemplateRequest, FindPeopleReply,
  FindPeopleRequest, ForwardRequest, GetPersonReply, GetPersonRequest, GetReportRequest, GradeRequest, HelloRequest,
  LeaveReportRequest, LinkRequest, ListTasksRequest, MergePeopleRequest, Notice, ParkRequest, PhoneStateRequest,
  ProtocolError, ReportPresence, ReportReply, SaveDraftReply, SaveDraftRequest, SaveNoteReply, SaveNoteRequest,
  SavePersonReply, SavePersonRequest, SaveReportRequest, SaveTaskRequest, SecretReply, SecretRequest, SendReply,
  SendRequest, ServerMessage, SetStateRequest, SpamReply, SpamRequest, SpamUndoRequest, SplitPersonRequest,
  SplitReply, SplitRequest, TaskListReply, TaskReply, UnlinkRequest, UnparkRequest, UpdateRequest, ViewReportReply,
  ViewReportRequest,
} from '../protocol.gen.ts';
import { applyDelta, fromSnapshot, type DeskState } from './desk.ts';
import type { Cancel, Timers } from './timers.ts';

/** What may be asked of the server: request and reply by message type. */
export interface Requests {
  'state.set': [SetStateRequest, unknown];
  'phone.state': [PhoneStateRequest, unknown];
  'offer.decline': [DeclineRequest, unknown];
  'call.control': [ControlRequest, unknown];
  'note.save': [SaveNoteRequest, SaveNoteReply];
  'contact.close': [CloseRequest, unknown];
  'wrapup.extend': [ExtendRequest, unknown];
  'person.save': [SavePersonRequest, SavePersonReply];
  'person.attach': [AttachPersonRequest, unknown];
  'person.find': [FindPeopleRequest, FindPeopleReply];
  'person.get': [GetPersonRequest, GetPersonReply];
  'person.merge': [MergePeopleRequest, unknown];
  'person.split': [SplitPersonRequest, unknown];
  'offer.accept': [AcceptRequest, unknown];
  'contact.park': [ParkRequest, unknown];
  'contact.resume': [UnparkRequest, unknown];
  'contact.forward': [ForwardRequest, unknown];
  'contact.spam': [SpamRequest, SpamReply];
  'contact.spam_undo': [SpamUndoRequest, unknown];
  'contact.link': [LinkRequest, ReportReply];
  'contact.unlink': [UnlinkRequest, unknown];
  'contact.split': [SplitRequest, SplitReply];
  'message.send': [SendRequest, SendReply];
  'draft.save': [SaveDraftRequest, SaveDraftReply];
  'template.fill': [FillTemplateRequest, FillTemplateReply];
  'report.create': [CreateReportRequest, ReportReply];
  'report.get': [GetReportRequest, ReportReply];
  'report.save': [SaveReportRequest, ReportReply];
  'report.assess': [AssessRequest, ReportReply];
  'report.grade': [GradeRequest, ReportReply];
  'report.decide': [DecideRequest, ReportReply];
  'report.update': [UpdateRequest, ReportReply];
  'report.view': [ViewReportRequest, ViewReportReply];
  'report.leave': [LeaveReportRequest, unknown];
  'report.task.save': [SaveTaskRequest, TaskReply];
  'report.task.done': [DoneTaskRequest, TaskReply];
  'report.task.list': [ListTasksRequest, TaskListReply];
  'report.secret': [SecretRequest, SecretReply];
}

/** As much of a WebSocket as the connection needs. */
export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/**
 * Where the connection stands. `live` is the only state in which requests are
 * sent; `waiting` reconnects by itself at `at` (timer milliseconds from when it
 * began: `delay`); `stopped` does not, and `code` says why.
 */
export type ConnectionState =
  | { kind: 'idle' }
  | { kind: 'connecting'; attempt: number }
  | { kind: 'opening'; attempt: number }
  | { kind: 'live' }
  | { kind: 'waiting'; attempt: number; delay: number; code: number }
  | { kind: 'stopped'; code: number };

/** Codes of this side, beside the server's. */
export const CloseGap = 4900; // a delta was missed: resume
export const CloseSilent = 4901; // the server went silent: reconnect
export const CloseLeaving = 4902; // the page is going away or signs off
export const StoppedVersion = 4400; // the server speaks a newer protocol: reload

export const heartbeatEvery = 3_000;
const silentAfter = 10_000;
const requestLimit = 10_000;
const backoffBase = 250;
const backoffCap = 8_000;

/** Whether a close code means: do not reconnect by yourself. */
export function terminal(code: number): boolean {
  return code >= 4000 && code <= 4499;
}

/** Full jitter: anything from nothing to the cap, which doubles with each attempt. */
export function backoff(attempt: number, random: number): number {
  return Math.round(random * Math.min(backoffCap, backoffBase * 2 ** attempt));
}

/** A request that failed. Codes of the server, or not_connected, connection_lost, no_reply, too_large. */
export class RequestError extends Error {
  readonly code: string;
  readonly field: string;
  /** What came beside the error: the newer version, when the code is a conflict. */
  readonly reply: unknown;

  constructor(e: ProtocolError, reply?: unknown) {
    super(e.message);
    this.name = 'RequestError';
    this.code = e.code;
    this.field = e.field ?? '';
    this.reply = reply;
  }

  /** Whether the request may succeed later, unchanged. */
  get temporary(): boolean {
    return ['not_connected', 'connection_lost', 'no_reply', 'unavailable', 'internal', 'too_many_requests', 'throttled'].includes(this.code);
  }
}

export interface ConnectionEnv {
  open(): Socket;
  timers: Timers;
  random(): number;
  /** The tab's id, kept over reconnects and reloads. */
  tab: string;
  /** Asks whether the session still stands, after a socket that would not open. */
  signedIn(): Promise<boolean>;
  onState(state: ConnectionState): void;
  onDesk(desk: DeskState, now: number): void;
  onNotice(notice: Notice): void;
  /** Somebody opened, left or saved a report this desk has on screen. */
  onReport?(presence: ReportPresence): void;
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: RequestError): void;
  stop: Cancel;
}

/**
 * The desk's websocket: hello, snapshot, numbered deltas, requests, heartbeat.
 * A delta is never skipped: a gap closes the socket and resumes from the last
 * position, and the server replays or sends a snapshot.
 */
export class Connection {
  state: ConnectionState = { kind: 'idle' };
  desk: DeskState | undefined;
  readonly #env: ConnectionEnv;
  #socket: Socket | undefined;
  #attempt = 0;
  #gaps = 0;
  #lastID = 0;
  #hello = 0;
  #heartbeatsAnswered = false;
  #heardFor = 0;
  #pending = new Map<number, Pending>();
  #cancels: Cancel[] = [];

  constructor(env: ConnectionEnv) {
    this.#env = env;
  }

  /** Connects, or takes the desk back after it was stopped. Harmless when already connected. */
  start(): void {
    if (this.state.kind === 'idle' || this.state.kind === 'stopped' || this.state.kind === 'waiting') {
      this.#attempt = 0;
      this.#connect();
    }
  }

  /** Leaves for good; the desk's state is forgotten. */
  stop(): void {
    this.#drop(CloseLeaving);
    this.desk = undefined;
    this.#set({ kind: 'idle' });
  }

  /** Sends a request and waits for its answer. Rejects with RequestError. */
  request<T extends keyof Requests>(type: T, body: Requests[T][0]): Promise<Requests[T][1]> {
    return new Promise((resolve, reject) => {
      if (this.state.kind !== 'live' || !this.#socket) {
        reject(new RequestError({ code: 'not_connected', message: 'The desk is not connected. It will be tried again.' }));
        return;
      }
      const id = ++this.#lastID;
      const frame = JSON.stringify({ id, type, body });
      if (new TextEncoder().encode(frame).length > MaxFrame) {
        reject(new RequestError({ code: 'too_large', message: 'That is too long to save. Shorten it.' }));
        return;
      }
      const stop = this.#env.timers.after(requestLimit, () => {
        this.#pending.delete(id);
        reject(new RequestError({ code: 'no_reply', message: 'The server did not answer in time.' }));
      });
      this.#pending.set(id, { resolve: (r) => resolve(r as Requests[T][1]), reject, stop });
      this.#socket.send(frame);
    });
  }

  #connect(): void {
    this.#cancelAll();
    this.#set({ kind: 'connecting', attempt: this.#attempt });
    const socket = this.#env.open();
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      opened = true;
      this.#set({ kind: 'opening', attempt: this.#attempt });
      const body: HelloRequest = { tab: this.#env.tab };
      if (this.desk) {
        body.epoch = this.desk.epoch;
        body.seq = this.desk.seq;
      }
      this.#hello = ++this.#lastID;
      socket.send(JSON.stringify({ id: this.#hello, type: TypeHello, body }));
      this.#beat(socket);
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#hear(String(event.data));
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) void this.#closed(event.code || 1006, opened);
    };
  }

  #beat(socket: Socket): void {
    this.#heardFor = 0;
    this.#heartbeatsAnswered = false;
    this.#cancels.push(this.#env.timers.every(heartbeatEvery, () => {
      if (socket !== this.#socket) return;
      this.#heardFor += heartbeatEvery;
      if (this.#heartbeatsAnswered && this.#heardFor > silentAfter) {
        this.#lose(CloseSilent);
        return;
      }
      socket.send(JSON.stringify({ id: ++this.#lastID, type: TypeHeartbeat }));
    }));
  }

  #hear(data: string): void {
    this.#heardFor = 0;
    let m: ServerMessage;
    try {
      m = JSON.parse(data) as ServerMessage;
    } catch {
      this.#lose(CloseGap);
      return;
    }
    if (m.ack) this.#answered(m.ack);
    if (m.snapshot) {
      if (m.snapshot.version !== ProtocolVersion) {
        this.#drop(CloseLeaving);
        this.#set({ kind: 'stopped', code: StoppedVersion });
        return;
      }
      this.desk = fromSnapshot(m.snapshot, this.desk);
      this.#live();
      this.#env.onDesk(this.desk, m.snapshot.now);
    }
    if (m.delta) {
      if (!this.desk) {
        this.#lose(CloseGap);
        return;
      }
      const applied = applyDelta(this.desk, m.delta);
      if (applied.kind === 'gap') {
        this.#gaps++;
        if (this.#gaps > 3) this.desk = { ...this.desk, epoch: '', seq: 0 }; // replay does not help: ask for a snapshot
        this.#lose(CloseGap);
        return;
      }
      this.#live();
      if (applied.kind === 'applied') {
        this.desk = applied.state;
        this.#env.onDesk(this.desk, m.delta.now);
        if (applied.notice) this.#env.onNotice(applied.notice);
        if (m.delta.report) this.#env.onReport?.(m.delta.report);
      }
    }
  }

  #answered(ack: NonNullable<ServerMessage['ack']>): void {
    if (ack.id === this.#hello) {
      if (ack.error) this.#env.onNotice({ level: 'error', code: ack.error.code, text: ack.error.message });
      else if (this.desk) this.#live();
      return;
    }
    const p = this.#pending.get(ack.id);
    if (!p) {
      this.#heartbeatsAnswered = true;
      return;
    }
    this.#pending.delete(ack.id);
    p.stop();
    if (ack.error) p.reject(new RequestError(ack.error, ack.reply));
    else p.resolve(ack.reply);
  }

  #live(): void {
    if (this.state.kind === 'live') return;
    this.#attempt = 0;
    this.#set({ kind: 'live' });
  }

  /** Closes from this side and reconnects. */
  #lose(code: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
    void this.#closed(code, true);
  }

  async #closed(code: number, opened: boolean): Promise<void> {
    this.#socket = undefined;
    this.#cancelAll();
    this.#failPending();
    if (terminal(code)) {
      this.#set({ kind: 'stopped', code });
      return;
    }
    if (code !== CloseGap) this.#gaps = 0;
    const attempt = this.#attempt++;
    const delay = code === CloseGap && this.#gaps < 3 ? 0 : backoff(attempt, this.#env.random());
    const waiting: ConnectionState = { kind: 'waiting', attempt, delay, code };
    this.#set(waiting);
    this.#cancels.push(this.#env.timers.after(delay, () => this.#connect()));
    if (opened) return;
    const signedIn = await this.#env.signedIn().catch(() => true);
    if (!signedIn && this.state === waiting) {
      this.#cancelAll();
      this.#set({ kind: 'stopped', code: CloseSignedOut });
    }
  }

  #drop(code: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#cancelAll();
    this.#failPending();
    socket?.close(code);
  }

  #failPending(): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of lost) {
      p.stop();
      p.reject(new RequestError({ code: 'connection_lost', message: 'The connection was lost before the server answered.' }));
    }
  }

  #cancelAll(): void {
    for (const c of this.#cancels) c();
    this.#cancels = [];
  }

  #set(state: ConnectionState): void {
    this.state = state;
    this.#env.onState(state);
  }
}

/** A sentence for a connection that has stopped. */
export function stoppedText(code: number): string {
  switch (code) {
    case 4001: return 'Your desk was opened in another tab or on another workstation.';
    case CloseSignedOut: return 'You have been signed out.';
    case CloseForbidden: return 'Your role has no desk. Ask a manager if you should take contacts.';
    case StoppedVersion: return 'C3i has been updated. Reload this page.';
    default: return `The server closed the desk (code ${code}). Reload this page; tell your supervisor if it happens again.`;
  }
}

/** As much of the browser's lock manager as claiming a tab needs. */
export interface TabLocks {
  request(name: string, options: { ifAvailable: boolean }, held: (lock: unknown) => Promise<void> | undefined): Promise<unknown>;
}

/**
 * The tab's id, held by a lock for as long as the page lives. A duplicated tab
 * starts with a copy of the session's storage: it finds the lock taken and makes
 * an id of its own, so that two tabs never fight over one desk as if they were one.
 */
export async function claimTab(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, locks: TabLocks | undefined, random?: () => string): Promise<string> {
  const id = tabID(storage, random);
  if (!locks) return id;
  const mine = await new Promise<boolean>((done) => {
    locks.request(`c3i.tab.${id}`, { ifAvailable: true }, (lock) => {
      done(lock !== null);
      return lock === null ? undefined : new Promise<void>(() => {});
    }).catch(() => done(true));
  });
  if (mine) return id;
  storage.removeItem('c3i.tab');
  return claimTab(storage, locks, random);
}

/** The id of this tab, made once and kept in the session's storage. */
export function tabID(storage: Pick<Storage, 'getItem' | 'setItem'>, random: () => string = () => crypto.randomUUID()): string {
  const key = 'c3i.tab';
  let id = storage.getItem(key);
  if (!id) {
    id = random();
    storage.setItem(key, id);
  }
  return id;
}
