// An in-process server of the desk protocol, for tests and for looking at pages
// without a backend. It speaks the real frames, keeps every delta so that a
// returning desk can resume, and lets a test bring on what a live centre would.
// To extend it: add a case to #handle for a new message type, change the desk
// through #change so that the delta is numbered, and add a scene to stories.ts.
import { ApiError, type Api, type PublicCall, type SignedOn } from '../api.ts';
import { CloseBadFrame, CloseTakenOver, CloseTooLarge, MaxFrame, ProtocolVersion } from '../protocol.gen.ts';
import type {
  ClientMessage, CloseRequest, ControlRequest, DeclineRequest, Delta, Desk, ExtendRequest, HelloRequest,
  AcceptRequest, CreateReportRequest, FillTemplateRequest, ForwardRequest, GetPersonReply, GetPersonRequest, GetReportRequest, LinkRequest, Message,
  ParkRequest, ReportReply, SaveDraftRequest, SaveReportRequest, SearchHit, SendRequest, SpamRequest, TimelineItem, UnlinkRequest, AssessRequest, GradeRequest, DecideRequest, Report, Notice, PhoneStateRequest, ProtocolError, SaveNoteRequest, SavePersonRequest, AttachPersonRequest,
  ServerMessage, SetStateRequest, WorkItem,
} from '../protocol.gen.ts';
import type { Socket } from '../state/connection.ts';

/** A frame the fake received, for tests to look at. */
export type Received = { type: string; body: unknown };

/** One socket between a desk and the fake. Frames arrive in later microtasks, as on a network. */
export class FakeSocket implements Socket {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  closed: number | undefined;
  tab = '';
  readonly #server: FakeServer;

  constructor(server: FakeServer) {
    this.#server = server;
  }

  send(data: string): void {
    if (this.closed === undefined) queueMicrotask(() => this.#server.receive(this, data));
  }

  close(code = 1000): void {
    this.end(code);
  }

  deliver(m: ServerMessage): void {
    const data = JSON.stringify(m);
    queueMicrotask(() => {
      if (this.closed === undefined) this.onmessage?.({ data } as MessageEvent);
    });
  }

  end(code: number): void {
    if (this.closed !== undefined) return;
    this.closed = code;
    queueMicrotask(() => this.onclose?.({ code } as CloseEvent));
  }
}

export class FakeServer {
  /** Server time in milliseconds; tests set it. */
  now: () => number = () => Date.now();
  users = new Map<string, { password: string; me: SignedOn }>();
  signedOn: SignedOn | undefined;
  desk: Desk;
  epoch = 'fake-1';
  seq = 0;
  /** Deltas kept for returning desks; the oldest are forgotten past `keep`. */
  keep = 100;
  received: Received[] = [];
  /** Refuses the next request of a type with this error. */
  refuseNext = new Map<string, ProtocolError>();
  /** What comes beside that error: the newer version. */
  newerNext = new Map<string, unknown>();
  /** While false, sockets do not open. */
  up = true;
  /** While true, requests are received but not answered. */
  silent = false;
  sockets: FakeSocket[] = [];
  timelines = new Map<string, TimelineItem[]>();
  found: SearchHit[] = [];
  searches: string[] = [];
  uploads = 0;
  reports = new Map<string, ReportReply>();
  /** Messages sent, by key: the same key sends nothing more. */
  sent = new Map<string, Message>();
  people = new Map<string, GetPersonReply>();
  publicCalls: string[] = [];
  /** What the public page's call gets instead of credentials. */
  publicRefusal: ApiError | undefined;
  /** Others who have reports on screen. */
  viewers: { agent: string; name: string }[] = [];
  /** The protocol version snapshots claim. */
  version: number = ProtocolVersion;
  wrapUpFor = 120_000;
  extendBy = 60_000;
  onControl: (r: ControlRequest) => void = () => {};
  onDecline: () => void = () => {};
  #log: Delta[] = [];

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** The HTTP interface of this server. */
  api(): Api {
    return {
      signOn: async (user, password) => {
        const u = this.users.get(user);
        if (!u || u.password !== password) {
          throw new ApiError(401, { code: 'bad_credentials', message: 'The user name or password is not right.', field: 'password' });
        }
        this.signedOn = u.me;
        return u.me;
      },
      changePassword: async (current, next) => {
        const u = this.signedOn && this.users.get(this.signedOn.user);
        if (!u || u.password !== current) throw new ApiError(401, { code: 'bad_credentials', message: 'The current password is not right.', field: 'current' });
        if (next.length < 10) throw new ApiError(400, { code: 'weak_password', message: 'The new password must have at least 10 characters.', field: 'new' });
        u.password = next;
        u.me = { ...u.me, must_change_password: false };
        this.signedOn = u.me;
      },
      signOff: async () => {
        this.signedOn = undefined;
      },
      me: async () => this.signedOn,
      timeline: async (person) => ({ timeline: this.timelines.get(person) ?? [] }),
      search: async (query) => {
        this.searches.push(query);
        return { hits: this.found, took_micros: 900 };
      },
      upload: async (file) => ({ id: `u${++this.uploads}`, name: file.name, size: file.size, type: file.type || 'text/plain', scan: 'clean' }),
      publicCall: async (number): Promise<PublicCall> => {
        this.publicCalls.push(number);
        if (this.publicRefusal) throw this.publicRefusal;
        return { uri: 'sip:caller@c3i.example.org', user: 'caller', password: 'secret', path: '/sip', expires_at: 0, target: 'sip:101@c3i.example.org' };
      },
    };
  }

  /** Opens a socket to this server. */
  open(): FakeSocket {
    const s = new FakeSocket(this);
    queueMicrotask(() => {
      if (!this.up || !this.signedOn) {
        s.end(1006);
        return;
      }
      this.sockets.push(s);
      s.onopen?.(new Event('open'));
    });
    return s;
  }

  /** Ends every socket with a code. */
  cut(code: number): void {
    for (const s of this.sockets) s.end(code);
    this.sockets = [];
  }

  /** Changes sections of the desk and sends the numbered delta. */
  change(sections: Omit<Delta, 'seq' | 'now'>): void {
    const { notice: _notice, report: _report, ...rest } = sections;
    Object.assign(this.desk, rest);
    const d: Delta = { seq: ++this.seq, now: this.#now(), ...structuredClone(sections) };
    this.#log.push(d);
    if (this.#log.length > this.keep) this.#log.shift();
    for (const s of this.sockets) if (s.tab) s.deliver({ delta: d });
  }

  /** Numbers a delta and keeps it, but does not send it: a frame lost on the way. */
  loseDelta(sections: Omit<Delta, 'seq' | 'now'>): void {
    const open = this.sockets;
    this.sockets = [];
    this.change(sections);
    this.sockets = open;
  }

  notice(n: Notice): void {
    this.change({ notice: n });
  }

  /** Offers a contact to the handler: it rings. */
  offer(w: WorkItem): void {
    this.change({ me: { ...this.desk.me, state: 'busy', since: this.#now() }, work: [...(this.desk.work ?? []), w] });
  }

  /** Moves a contact to another phase. */
  phase(contact: string, phase: WorkItem['phase'], more: Partial<WorkItem> = {}): void {
    this.change({ work: (this.desk.work ?? []).map((w) => (w.contact === contact ? { ...w, phase, since: this.#now(), ...more } : w)) });
  }

  /** The conversation is over: wrap-up with its limit. */
  wrapUp(contact: string): void {
    this.phase(contact, 'wrap_up', { until: this.#now() + this.wrapUpFor * 1e6 });
  }

  /** Takes a contact off the desk. */
  remove(contact: string): void {
    const work = (this.desk.work ?? []).filter((w) => w.contact !== contact);
    const me = work.length ? this.desk.me : { ...this.desk.me, state: this.desk.me.next ?? 'ready', since: this.#now() } as Desk['me'];
    this.change({ work, me });
  }

  receive(socket: FakeSocket, data: string): void {
    if (socket.closed !== undefined) return;
    if (new TextEncoder().encode(data).length > MaxFrame) {
      socket.end(CloseTooLarge);
      return;
    }
    let m: ClientMessage;
    try {
      m = JSON.parse(data) as ClientMessage;
    } catch {
      socket.end(CloseBadFrame);
      return;
    }
    this.received.push({ type: m.type, body: m.body });
    if (m.type === 'hello') {
      this.#hello(socket, m.id, m.body as HelloRequest);
      return;
    }
    if (!socket.tab) {
      socket.end(CloseBadFrame);
      return;
    }
    if (this.silent) return;
    const refusal = this.refuseNext.get(m.type);
    if (refusal) {
      this.refuseNext.delete(m.type);
      const newer = this.newerNext.get(m.type);
      this.newerNext.delete(m.type);
      socket.deliver({ ack: { id: m.id, error: refusal, ...(newer ? { reply: newer } : {}) } });
      return;
    }
    const answer = this.#handle(m);
    socket.deliver({ ack: { id: m.id, ...answer } });
  }

  #hello(socket: FakeSocket, id: number, hello: HelloRequest): void {
    for (const other of this.sockets.filter((s) => s !== socket && s.tab)) other.end(CloseTakenOver);
    this.sockets = [socket];
    socket.tab = hello.tab;
    socket.deliver({ ack: { id } });
    const missed = this.#log.filter((d) => d.seq > (hello.seq ?? 0));
    const whole = hello.epoch === this.epoch && (hello.seq ?? 0) <= this.seq && missed.length === this.seq - (hello.seq ?? 0);
    if (whole) {
      for (const d of missed) socket.deliver({ delta: d });
      return;
    }
    socket.deliver({ snapshot: { version: this.version, epoch: this.epoch, seq: this.seq, desk: structuredClone(this.desk), now: this.#now() } });
  }

  #handle(m: ClientMessage): { error?: ProtocolError; reply?: unknown } {
    const work = this.desk.work ?? [];
    switch (m.type) {
      case 'heartbeat':
        return {};
      case 'phone.state': {
        const r = m.body as PhoneStateRequest;
        if (r.registered !== this.desk.me.device_up) this.change({ me: { ...this.desk.me, device_up: r.registered } });
        return {};
      }
      case 'state.set': {
        const r = m.body as SetStateRequest;
        const { reason: _reason, next: _next, next_reason: _nextReason, until: _until, ...me } = this.desk.me;
        if (work.length) this.change({ me: { ...me, next: r.state, ...(r.reason ? { next_reason: r.reason } : {}) } });
        else this.change({ me: { ...me, state: r.state, since: this.#now(), ...(r.reason ? { reason: r.reason } : {}) } });
        return {};
      }
      case 'offer.decline': {
        const r = m.body as DeclineRequest;
        const w = work.find((x) => x.offer === r.offer && x.phase === 'ringing');
        if (!w) return { error: { code: 'offer_not_open', message: 'That contact has already gone elsewhere.' } };
        this.onDecline();
        this.change({
          work: work.filter((x) => x !== w),
          me: { ...this.desk.me, state: 'resting', reason: 'declined', since: this.#now(), until: this.#now() + 10e9 },
        });
        return {};
      }
      case 'call.control': {
        const r = m.body as ControlRequest;
        const w = work.find((x) => x.contact === r.contact);
        if (!w) return { error: { code: 'not_yours', message: 'That contact is not in your hands.' } };
        this.onControl(r);
        if (r.verb === 'hold') this.phase(r.contact, 'held');
        if (r.verb === 'resume') this.phase(r.contact, 'talking');
        if (r.verb === 'mute' || r.verb === 'unmute') this.change({ work: work.map((x) => (x === w ? { ...x, muted: r.verb === 'mute' } : x)) });
        if (r.verb === 'hangup') this.wrapUp(r.contact);
        return {};
      }
      case 'note.save': {
        const r = m.body as SaveNoteRequest;
        const w = work.find((x) => x.contact === r.contact);
        const revision = (w?.note.revision ?? r.base) + 1;
        if (w && w.note.revision !== r.base) return { error: { code: 'note_conflict', message: 'The note was changed elsewhere.' } };
        if (w) this.change({ work: work.map((x) => (x === w ? { ...x, note: { text: r.text, revision, saved_at: this.#now() } } : x)) });
        return { reply: { revision } };
      }
      case 'contact.close': {
        const r = m.body as CloseRequest;
        if (!this.desk.catalogue.outcomes?.some((o) => o.code === r.outcome.code)) {
          return { error: { code: 'unknown_outcome', message: 'Choose one of the listed outcomes.', field: 'outcome' } };
        }
        this.remove(r.contact);
        return {};
      }
      case 'wrapup.extend': {
        const r = m.body as ExtendRequest;
        this.change({ work: work.map((x) => (x.contact === r.contact ? { ...x, extended: true, until: (x.until ?? 0) + this.extendBy * 1e6 } : x)) });
        return {};
      }
      case 'person.save': {
        const r = m.body as SavePersonRequest;
        if (!r.person.name.trim()) return { error: { code: 'invalid', message: 'Enter a name.', field: 'name' } };
        const id = r.person.id || `person-${this.seq + 1}`;
        const person = { ...r.person, id, attached: true };
        this.change({
          work: work.map((x) => (x.contact === r.contact
            ? { ...x, people: [person, ...(x.people ?? []).filter((p) => p.id !== id).map((p) => ({ ...p, attached: false }))] } : x)),
        });
        return { reply: { person: id } };
      }
      case 'person.attach': {
        const r = m.body as AttachPersonRequest;
        this.change({
          work: work.map((x) => (x.contact === r.contact
            ? { ...x, people: (x.people ?? []).map((p) => ({ ...p, attached: p.id === r.person })).sort((a, b) => Number(b.attached) - Number(a.attached)) } : x)),
        });
        return {};
      }
      case 'offer.accept': {
        const r = m.body as AcceptRequest;
        const w = work.find((x) => x.offer === r.offer && x.phase === 'ringing');
        if (!w) return { error: { code: 'offer_not_open', message: 'That contact has already gone elsewhere.' } };
        this.phase(w.contact, 'talking', { until: 0 });
        return {};
      }
      case 'contact.park':
      case 'contact.resume':
        this.phase((m.body as ParkRequest).contact, m.type === 'contact.park' ? 'parked' : 'talking');
        return {};
      case 'contact.forward':
        this.remove((m.body as ForwardRequest).contact);
        return {};
      case 'contact.spam': {
        const until = this.#now() + 30e9;
        this.#written((m.body as SpamRequest).contact, { spam_until: until });
        return { reply: { until } };
      }
      case 'contact.spam_undo':
        this.#written((m.body as SpamRequest).contact, { spam_until: 0 });
        return {};
      case 'draft.save': {
        const r = m.body as SaveDraftRequest;
        const now = work.find((x) => x.contact === r.contact)?.written?.draft;
        if ((now?.revision ?? 0) !== r.base) return { error: { code: 'draft_conflict', message: 'Somebody else wrote meanwhile.' }, reply: now };
        this.#written(r.contact, { draft: { ...r.draft, revision: r.base + 1, saved_at: this.#now() } });
        return { reply: { revision: r.base + 1 } };
      }
      case 'template.fill':
        return { reply: { text: `Dear [name],\n\n${(m.body as FillTemplateRequest).template}`, missing: ['name'] } };
      case 'message.send': {
        const r = m.body as SendRequest;
        let message = this.sent.get(r.key);
        if (!message) {
          message = { id: `sent-${this.sent.size + 1}`, channel: 'email', direction: 'out', at: this.#now(), author: this.desk.me.agent, author_name: this.desk.me.name, from: { address: '101@police.example.org' }, to: r.draft.to ?? [], subject: r.draft.subject ?? '', text: r.draft.text, flags: {}, auth: {}, delivery: { state: 'created', at: this.#now() } };
          this.sent.set(r.key, message);
          const w = work.find((x) => x.contact === r.contact);
          const { draft: _draft, ...written } = w?.written ?? { subject: '', from: { address: '' }, messages: [] };
          if (w) this.change({ work: work.map((x) => (x === w ? { ...x, written: { ...written, messages: [...(written.messages ?? []), message as Message] } } : x)) });
        }
        return { reply: { message } };
      }
      case 'report.create': {
        const r = m.body as CreateReportRequest;
        if (!r.report.category) return { error: { code: 'invalid', message: 'Choose a category.', field: 'report.category' } };
        const reply = this.#report({ ...r.report, id: `r${this.reports.size + 1}`, version: 1, reference: 'P4QT-81NA-C', incident_number: 'INC 1/26NOV26', created: this.#now(), changed: this.#now() });
        this.#linked(r.contact ?? '', reply.report);
        return { reply };
      }
      case 'report.get': {
        const r = m.body as GetReportRequest;
        const reply = [...this.reports.values()].find((x) => x.report.id === r.report || x.report.reference === r.reference);
        if (!reply) return { error: { code: 'not_found', message: 'No report has that reference.', field: 'reference' } };
        if (reply.report.restricted && !r.reason) return { error: { code: 'reason_required', message: 'This report is restricted.' } };
        return { reply };
      }
      case 'report.save': {
        const r = m.body as SaveReportRequest;
        const now = this.reports.get(r.report.id);
        if (!now) return { error: { code: 'not_found', message: 'No such report.' } };
        if (now.report.version !== r.report.version) return { error: { code: 'report_conflict', message: 'Somebody else saved it.' }, reply: now };
        return { reply: this.#report({ ...r.report, version: now.report.version + 1 }) };
      }
      case 'report.assess': {
        const r = m.body as AssessRequest;
        return this.#on(r.report, (x) => ({ ...x, assessments: [...(x.assessments ?? []), { ...r.assessment, id: `as${(x.assessments?.length ?? 0) + 1}`, at: this.#now(), by: this.desk.me.agent }] }));
      }
      case 'report.grade': {
        const r = m.body as GradeRequest;
        return this.#on(r.report, (x) => ({ ...x, grade: r.grade }));
      }
      case 'report.decide': {
        const r = m.body as DecideRequest;
        return this.#on(r.report, (x) => ({ ...x, decisions: [...(x.decisions ?? []), { ...r.decision, id: `d${(x.decisions?.length ?? 0) + 1}`, at: this.#now(), by: this.desk.me.agent }] }));
      }
      case 'report.view':
        return { reply: { presence: { report: (m.body as { report: string }).report, version: this.reports.get((m.body as { report: string }).report)?.report.version ?? 0, viewers: [{ agent: this.desk.me.agent, name: this.desk.me.name }, ...this.viewers] } } };
      case 'report.leave':
        return {};
      case 'report.task.list':
        return { reply: { tasks: (m.body as { scope: string }).scope === 'mine' ? [...this.reports.values()].flatMap((r) => (r.tasks ?? []).filter((t) => !t.done).map((t) => ({ ...t, reference: r.report.reference, category: r.report.category }))) : [] } };
      case 'contact.link': {
        const r = m.body as LinkRequest;
        const reply = [...this.reports.values()].find((x) => x.report.id === r.report || x.report.reference === r.reference);
        if (!reply) return { error: { code: 'not_found', message: 'No report has that reference.', field: 'reference' } };
        this.#linked(r.contact, reply.report);
        return { reply };
      }
      case 'contact.unlink': {
        const { contact } = m.body as UnlinkRequest;
        this.change({ work: work.map((x) => { const { report: _report, ...rest } = x; return x.contact === contact ? rest : x; }) });
        return {};
      }
      case 'person.find':
        return { reply: { people: [] } };
      case 'person.get': {
        const r = m.body as GetPersonRequest;
        const reply = this.people.get(r.person);
        if (!reply) return { error: { code: 'not_found', message: 'No such person.' } };
        if (reply.person.restricted && !r.reason) return { error: { code: 'reason_required', message: 'This person is restricted.' } };
        return { reply };
      }
      default:
        return { error: { code: 'unknown_type', message: `The fake does not know ${m.type}.` } };
    }
  }

  /** Changes what is written of a contact. */
  #written(contact: string, more: Partial<NonNullable<WorkItem['written']>>): void {
    this.change({ work: (this.desk.work ?? []).map((x) => (x.contact === contact && x.written ? { ...x, written: { ...x.written, ...more } } : x)) });
  }

  /** Keeps a report and gives it back with what belongs to it. */
  #report(r: Report): ReportReply {
    const reply: ReportReply = { messages: [], tasks: [], files: [], contacts: [], ...this.reports.get(r.id), report: r };
    this.reports.set(r.id, reply);
    return reply;
  }

  #on(id: string, change: (r: Report) => Report): { error: ProtocolError } | { reply: unknown } {
    const now = this.reports.get(id);
    if (!now) return { error: { code: 'not_found', message: 'No such report.' } };
    return { reply: this.#report({ ...change(now.report), version: now.report.version + 1 }) };
  }

  #linked(contact: string, r: Report): void {
    const summary = { id: r.id, kind: r.kind, reference: r.reference, incident_number: r.incident_number, status: r.status, category: r.category, created: r.created };
    this.change({ work: (this.desk.work ?? []).map((x) => (x.contact === contact ? { ...x, report: summary } : x)) });
  }

  /** Somebody else saves a report: desks that have it on screen are told. */
  savedElsewhere(id: string, change: (r: Report) => Report, by = 'handler2'): void {
    const now = this.reports.get(id);
    if (!now) return;
    const r = this.#report({ ...change(now.report), version: now.report.version + 1 }).report;
    this.change({ report: { report: id, version: r.version, changed_by: by, viewers: [{ agent: this.desk.me.agent, name: this.desk.me.name }, { agent: by, name: 'Handler Two' }] } });
  }

  #now(): number {
    return this.now() * 1e6;
  }
}
