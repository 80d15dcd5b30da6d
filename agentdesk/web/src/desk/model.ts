import { computed, signal } from '@preact/signals';
import { ApiError, type Api, type SignedOn } from '../api.ts';
import type { FillTemplateReply, FindPeopleRequest, GetPersonReply, Notice, Permission, Person, TimelinePage, Upload, Verb, WorkItem } from '../protocol.gen.ts';
import { CloseSignedOut } from '../protocol.gen.ts';
import { Finder } from '../find/finder.ts';
import { rings, type Phone } from '../phone/phone.ts';
import { Connection, RequestError, StoppedVersion, type ConnectionState, type Requests, type Socket } from '../state/connection.ts';
import { ServerClock } from '../state/clock.ts';
import { Reports } from '../report/reports.ts';
import { Drafts, type Answer, type DraftState } from '../state/drafts.ts';
import { finished, foremost, ringing, type DeskState } from '../state/desk.ts';
import { Notes, type NoteState } from '../state/notes.ts';
import type { Timers } from '../state/timers.ts';

/** Who is at the desk. */
export type Session =
  | { kind: 'checking' }
  | { kind: 'signed_out'; message?: string }
  | { kind: 'must_change'; me: SignedOn }
  | { kind: 'signed_in'; me: SignedOn };

/** A sentence on screen until dismissed or a minute old. */
export interface ShownNotice extends Notice {
  id: number;
}

export interface DeskEnv {
  api: Api;
  open(): Socket;
  phone: Phone;
  timers: Timers;
  random(): number;
  tab: string;
  storage: Storage;
  local(): number;
  reload(): void;
  /** A new key for a message about to be sent. */
  newKey(): string;
}

const noticeFor = 60_000;

/** Whether a contact is on the handler's phone line. */
function onLine(w: Pick<WorkItem, 'channel' | 'phase'>): boolean {
  return w.channel === 'phone' && ['connecting', 'calling', 'talking', 'held'].includes(w.phase);
}

/** Whether a contact was written: it is answered here, not on the phone. */
export function isWritten(w: Pick<WorkItem, 'channel'>): boolean {
  return w.channel !== 'phone';
}

/**
 * Everything the desk's page shows and does, without a document: state as
 * signals, actions as methods. Actions never throw; what goes wrong becomes a
 * notice.
 */
export class Desk {
  readonly session = signal<Session>({ kind: 'checking' });
  readonly connection = signal<ConnectionState>({ kind: 'idle' });
  readonly desk = signal<DeskState | undefined>(undefined);
  readonly notes = signal<ReadonlyMap<string, NoteState>>(new Map());
  readonly notices = signal<readonly ShownNotice[]>([]);
  /** The server's time in milliseconds, renewed every half second. */
  readonly now = signal(0);
  /** Requests on their way, by a key the view knows: buttons show it. */
  readonly busy = signal<ReadonlySet<string>>(new Set());
  /** Drafts of answers, by contact. */
  readonly drafts = signal<ReadonlyMap<string, DraftState>>(new Map());
  /** Texts of notes the server would not take, for contacts no longer here. */
  readonly lostNotes = signal<readonly { contact: string; text: string }[]>([]);
  /** The contact to show; see current. */
  readonly selected = signal('');
  readonly phone: Phone;
  readonly reports: Reports;
  readonly finder: Finder;

  /**
   * The contact in the middle of the screen. It stays there while another rings,
   * so that nobody's note is pulled away from under their hands.
   */
  readonly current = computed<WorkItem | undefined>(() => this.desk.value?.work.find((w) => w.contact === this.selected.value));
  readonly ringing = computed<WorkItem | undefined>(() => (this.desk.value ? ringing(this.desk.value.work) : undefined));
  /** Whether this browser's phone rings for the contact that is offered. */
  readonly answerable = computed(() => {
    const w = this.ringing.value;
    const call = this.phone.state.value.call;
    return !!w && !isWritten(w) && call?.state === 'ringing' && rings(call, w.offer, w.contact);
  });
  /** Whether anything rings: an offer, or a call that no offer explains yet. Not on a desk that was taken over. */
  readonly ringsNow = computed(() => this.connection.value.kind !== 'stopped' && (!!this.ringing.value || (this.phone.state.value.call?.direction === 'in' && this.phone.state.value.call.state === 'ringing')));

  readonly #env: DeskEnv;
  readonly #clock: ServerClock;
  #connection: Connection | undefined;
  #notes: Notes | undefined;
  #drafts: Drafts | undefined;
  #lastNotice = 0;
  #registered: boolean | undefined;
  #known = new Map<string, Pick<WorkItem, 'channel' | 'phase'>>();
  /** Keys of messages being sent, so that trying again sends nothing twice. */
  #keys = new Map<string, { text: string; key: string }>();

  constructor(env: DeskEnv) {
    this.#env = env;
    this.phone = env.phone;
    this.#clock = new ServerClock(env.local);
    this.finder = new Finder({ search: (q, kinds) => env.api.search(q, kinds), timers: env.timers });
    this.reports = new Reports({
      request: (type, body) => this.#request(type, body),
      storage: env.storage,
      agent: () => (this.session.value.kind === 'signed_in' ? this.session.value.me.user : ''),
      notify: (level, code, text) => this.notify(level, code, text),
    });
    this.now.value = this.#clock.now();
    env.timers.every(500, () => { this.now.value = this.#clock.now(); });
    env.phone.state.subscribe((s) => {
      if (!s.call && s.registration !== 'off' && this.connection.peek().kind === 'stopped') env.phone.use(undefined);
      this.#tellPhone();
    });
  }

  /** Finds out who is signed on, and opens their desk. */
  async begin(): Promise<void> {
    try {
      const me = await this.#env.api.me();
      if (me) this.#enter(me);
      else this.session.value = { kind: 'signed_out' };
    } catch (e) {
      this.session.value = { kind: 'signed_out', message: sentence(e) };
    }
  }

  /** Signs on. Rejects with ApiError so that the form can name the field. */
  async signOn(user: string, password: string): Promise<void> {
    this.#enter(await this.#env.api.signOn(user.trim(), password));
  }

  /** Changes the password; after a one-time password this opens the desk. Rejects with ApiError. */
  async changePassword(current: string, next: string): Promise<void> {
    await this.#env.api.changePassword(current, next);
    const s = this.session.value;
    if (s.kind !== 'must_change') return;
    const me = await this.#env.api.me();
    this.#enter(me && !me.must_change_password ? me : { ...s.me, must_change_password: false });
  }

  /** Saves what is unsaved and signs off. */
  async signOff(): Promise<void> {
    await Promise.all([this.#notes?.flushAll(), this.#drafts?.flushAll()]);
    try {
      await this.#env.api.signOff();
    } catch (e) {
      if (!(e instanceof ApiError && e.status === 401)) {
        this.notify('error', 'sign_off', `You are not signed off: ${sentence(e)}`);
        return;
      }
    }
    this.#leave();
    this.session.value = { kind: 'signed_out', message: 'You have signed off.' };
  }

  /** Takes the desk back after another tab took it over. */
  takeBack(): void {
    this.#connection?.start();
  }

  /** Tries to connect now instead of waiting for the next try. */
  reconnectNow(): void {
    if (this.connection.value.kind === 'waiting') this.#connection?.start();
  }

  reload(): void {
    this.#env.reload();
  }

  async ready(): Promise<void> {
    if (this.desk.value?.phone.kind === 'browser' && !this.phone.state.value.call && !(await this.phone.warmUp())) {
      this.notify('warning', 'microphone', this.phone.state.value.problem?.text ?? 'The microphone could not be opened.');
      return;
    }
    await this.#ask('state', 'state.set', { state: 'ready' });
  }

  async notReady(reason: string): Promise<void> {
    await this.#ask('state', 'state.set', { state: 'not_ready', reason });
  }

  async answer(): Promise<void> {
    if (!this.ringsNow.value) return;
    const w = this.ringing.value;
    if (w && isWritten(w)) {
      if (await this.#ask('answer', 'offer.accept', { offer: w.offer })) this.selected.value = w.contact;
      return;
    }
    await this.#whileBusy('answer', async () => { await this.phone.answer(); });
  }

  async decline(): Promise<void> {
    const w = this.ringing.value;
    if (!w) {
      this.phone.hangUp();
      return;
    }
    if (!(await this.#ask('decline', 'offer.decline', { offer: w.offer })) && this.answerable.value) this.phone.hangUp();
  }

  async control(verb: Verb, digits?: string): Promise<void> {
    const w = this.talking();
    if (!w) return;
    const body = digits === undefined ? { contact: w.contact, verb } : { contact: w.contact, verb, digits };
    if (verb === 'hangup') void this.#notes?.flush(w.contact);
    const done = await this.#ask(verb, 'call.control', body);
    if (!done && verb === 'hangup') this.phone.hangUp();
  }

  /** The conversation going on, if there is one. */
  talking(): WorkItem | undefined {
    return this.desk.value?.work.find(onLine);
  }

  /** Closes a contact with an outcome. True when the server took it. */
  async finish(contact: string, code: string): Promise<boolean> {
    const seen = this.#seen(contact); // when they pressed it, not after the wait for the note
    await this.#notes?.flush(contact);
    const note = this.notes.value.get(contact);
    if (note?.status === 'conflict') {
      this.notify('warning', 'note_conflict', 'The note was changed elsewhere. Choose which text to keep, then finish.');
      return false;
    }
    if (note && note.status !== 'saved') {
      this.notify('warning', 'note_unsaved', `The note is not saved yet, so the contact stays open. ${note.problem ?? ''}`.trim());
      return false;
    }
    const done = await this.#ask('finish', 'contact.close', { contact, outcome: { code }, ...seen });
    if (done && this.desk.value) this.desk.value = this.#connection!.desk = finished(this.desk.value, contact);
    return done;
  }

  /** Whether the role may do something; a desk shows no way to what will be refused. */
  may(p: Permission): boolean {
    return !!this.desk.value?.me.may?.includes(p);
  }

  /** Puts a written contact aside, or takes it up again. */
  async park(w: WorkItem): Promise<void> {
    if (w.phase === 'parked') {
      if (await this.#ask('park', 'contact.resume', { contact: w.contact })) this.selected.value = w.contact;
      return;
    }
    await this.#drafts?.flush(w.contact);
    await this.#ask('park', 'contact.park', { contact: w.contact });
  }

  async forward(contact: string, queue: string, note: string): Promise<boolean> {
    await Promise.all([this.#notes?.flush(contact), this.#drafts?.flush(contact)]);
    return this.#ask('forward', 'contact.forward', { contact, queue, ...(note ? { note } : {}) });
  }

  async spam(w: WorkItem): Promise<void> {
    if (w.written?.spam_until) await this.#ask('spam', 'contact.spam_undo', { contact: w.contact });
    else await this.#ask('spam', 'contact.spam', { contact: w.contact, ...this.#seen(w.contact) });
  }

  /** What a request to end a contact says of the messages that joined it. */
  #seen(contact: string): { seen?: number } {
    const seen = this.desk.value?.work.find((w) => w.contact === contact)?.written?.seen;
    return seen ? { seen } : {};
  }

  async unlink(contact: string): Promise<void> {
    await this.#ask('link', 'contact.unlink', { contact });
  }

  /** Makes a contact of its own of a message. */
  async split(contact: string, message: string, queue: string): Promise<boolean> {
    const done = await this.#ask('split', 'contact.split', { contact, message, ...(queue ? { queue } : {}) });
    if (done) this.notify('info', 'split', 'The message is a contact of its own now, and waits for a handler.');
    return done;
  }

  editDraft(contact: string, a: Answer): void {
    this.#drafts?.edit(contact, a);
  }

  saveDraft(contact: string): void {
    void this.#drafts?.flush(contact);
  }

  settleDraft(contact: string, choice: 'mine' | 'theirs'): void {
    this.#drafts?.settle(contact, choice);
  }

  /** Sends an answer. True once it is durable; trying again after a lost answer sends nothing twice. */
  async send(contact: string, a: Answer): Promise<boolean> {
    const text = JSON.stringify(a);
    const known = this.#keys.get(contact);
    const key = known?.text === text ? known.key : this.#env.newKey();
    this.#keys.set(contact, { text, key });
    const done = await this.#ask('send', 'message.send', { key, contact, draft: { ...a, revision: 0 } });
    if (!done) return false;
    this.#keys.delete(contact);
    this.#drafts?.sent(contact);
    this.drafts.value = new Map([...this.drafts.value].filter(([c]) => c !== contact));
    this.notify('info', 'sent', 'Your answer is on its way. Its delivery is shown beside it.');
    return true;
  }

  async template(contact: string, template: string, language: string): Promise<FillTemplateReply | undefined> {
    try {
      return await this.#request('template.fill', { contact, template, language });
    } catch (e) {
      this.notify('error', 'template', sentence(e));
      return undefined;
    }
  }

  async upload(file: File): Promise<Upload | undefined> {
    try {
      return await this.#env.api.upload(file);
    } catch (e) {
      this.notify('error', 'upload', `${file.name} was not taken: ${sentence(e)}`);
      return undefined;
    }
  }

  /** Who somebody may be; nobody when nothing is known or the records are away. */
  async findPeople(clues: FindPeopleRequest): Promise<Person[]> {
    try {
      return (await this.#request('person.find', clues)).people ?? [];
    } catch {
      return [];
    }
  }

  /** Opens one person. Rejects with RequestError: "reason_required" for a restricted one. */
  person(person: string, reason = ''): Promise<GetPersonReply> {
    return this.#request('person.get', { person, ...(reason ? { reason } : {}) });
  }

  async merge(from: string, into: string, reason: string): Promise<boolean> {
    return this.#ask('merge', 'person.merge', { from, into, reason });
  }

  async splitPerson(person: string, reason: string): Promise<boolean> {
    return this.#ask('merge', 'person.split', { person, reason });
  }

  /** Puts a contact without an outcome aside. */
  dismissUnfinished(contact: string): void {
    if (this.desk.value) this.desk.value = this.#connection!.desk = finished(this.desk.value, contact);
  }

  async extend(contact: string): Promise<void> {
    await this.#ask('extend', 'wrapup.extend', { contact });
  }

  async attach(contact: string, person: string): Promise<void> {
    await this.#ask('person', 'person.attach', { contact, person });
  }

  /** Saves a person. Rejects with RequestError so that the form can name the field. */
  async savePerson(contact: string, person: Person): Promise<void> {
    await this.#request('person.save', { ...(contact ? { contact } : {}), person });
  }

  async timeline(person: string, before?: number): Promise<TimelinePage> {
    try {
      return await this.#env.api.timeline(person, before);
    } catch (e) {
      this.notify('error', 'timeline', sentence(e));
      return { timeline: [] };
    }
  }

  editNote(contact: string, text: string): void {
    this.#notes?.edit(contact, text);
  }

  saveNote(contact: string): void {
    void this.#notes?.flush(contact);
  }

  settleNote(contact: string, choice: 'mine' | 'theirs' | 'both'): void {
    this.#notes?.settle(contact, choice);
  }

  discardLostNote(contact: string): void {
    this.#notes?.discard(contact);
    this.lostNotes.value = this.lostNotes.value.filter((n) => n.contact !== contact);
  }

  /** The page is going away: send what can still be sent. */
  leaving(): void {
    void this.#notes?.flushAll();
    void this.#drafts?.flushAll();
  }

  notify(level: string, code: string, text: string): void {
    const id = ++this.#lastNotice;
    this.notices.value = [...this.notices.value.filter((n) => n.code !== code || n.text !== text), { id, level, code, text }].slice(-4);
    this.#env.timers.after(noticeFor, () => this.dismiss(id));
  }

  dismiss(id: number): void {
    this.notices.value = this.notices.value.filter((n) => n.id !== id);
  }

  #enter(me: SignedOn): void {
    if (me.must_change_password) {
      this.session.value = { kind: 'must_change', me };
      return;
    }
    this.session.value = { kind: 'signed_in', me };
    this.#notes = new Notes({
      save: (r) => this.#request('note.save', r),
      maySave: (contact) => this.desk.value?.work.find((w) => w.contact === contact)?.phase !== 'ringing',
      storage: this.#env.storage,
      timers: this.#env.timers,
      agent: me.user,
      now: () => this.#clock.now(),
      changed: (n) => { this.notes.value = new Map(this.notes.value).set(n.contact, n); },
    });
    this.#drafts = new Drafts({
      save: (r) => this.#request('draft.save', r),
      maySave: (contact) => this.desk.value?.work.find((w) => w.contact === contact)?.phase !== 'ringing',
      storage: this.#env.storage,
      timers: this.#env.timers,
      agent: me.user,
      now: () => this.#clock.now(),
      changed: (d) => { this.drafts.value = new Map(this.drafts.value).set(d.contact, d); },
    });
    this.#connection = new Connection({
      open: this.#env.open,
      timers: this.#env.timers,
      random: this.#env.random,
      tab: this.#env.tab,
      signedIn: async () => (await this.#env.api.me()) !== undefined,
      onState: (s) => this.#connectionIs(s),
      onDesk: (d, now) => this.#deskIs(d, now),
      onNotice: (n) => this.notify(n.level, n.code, n.text),
      onReport: (p) => this.reports.heard(p),
    });
    this.#connection.start();
  }

  #connectionIs(s: ConnectionState): void {
    const was = this.connection.value.kind;
    this.connection.value = s;
    if (s.kind === 'live' && was !== 'live') {
      this.#registered = undefined;
      this.#tellPhone();
      void this.#notes?.flushAll();
      void this.#drafts?.flushAll();
      this.reports.again();
    }
    if (s.kind !== 'stopped') return;
    if (s.code === CloseSignedOut) {
      this.#leave();
      this.session.value = { kind: 'signed_out', message: 'You have been signed out. Sign in again: anything you typed has been kept.' };
    } else if (s.code === StoppedVersion) {
      this.#env.reload();
    } else if (!this.phone.state.value.call) {
      this.phone.use(undefined);
    }
  }

  #deskIs(d: DeskState, now: number): void {
    const first = this.desk.value === undefined;
    this.#clock.heard(now);
    this.now.value = this.#clock.now();
    // A call that is answered comes to the middle; a written contact does when it is taken here.
    const begun = d.work.find((w) => onLine(w) && w.phase !== 'held' && !this.#wasOnLine(w.contact));
    if (begun) this.selected.value = begun.contact;
    else if (!d.work.some((w) => w.contact === this.selected.value)) this.selected.value = foremost(d.work)?.contact ?? '';
    this.desk.value = d;
    const p = d.phone;
    this.phone.use(p.kind === 'browser' && p.uri && p.user && p.password
      ? { uri: p.uri, user: p.user, password: p.password, path: p.path || '/sip' }
      : undefined);
    for (const w of d.work) {
      this.#notes?.heard(w.contact, w.note);
      if (w.written) this.#drafts?.heard(w.contact, w.written.draft);
      const before = this.#known.get(w.contact)?.phase;
      if (before && w.phase !== before) void this.#notes?.flush(w.contact);
    }
    const over = [...this.#known].some(([contact, was]) => onLine(was) && !d.work.some((w) => w.contact === contact && onLine(w)));
    this.#known = new Map(d.work.map((w) => [w.contact, { channel: w.channel, phase: w.phase }]));
    // A switch that died cannot have told the phone, which would stay busy.
    if (over && this.phone.state.value.call && this.phone.state.value.call.state !== 'ringing') this.phone.hangUp();
    if (first) void this.#notes?.sendOrphans(d.work.map((w) => w.contact)).then((left) => { this.lostNotes.value = left; });
  }

  #wasOnLine(contact: string): boolean {
    const was = this.#known.get(contact);
    return !!was && onLine(was);
  }

  #tellPhone(): void {
    if (this.desk.value?.phone.kind !== 'browser' || this.connection.value.kind !== 'live') return;
    const registered = this.phone.state.value.registration === 'registered';
    if (registered === this.#registered) return;
    this.#registered = registered;
    this.#connection?.request('phone.state', { registered }).catch(() => { this.#registered = undefined; });
  }

  #leave(): void {
    this.#connection?.stop();
    this.#connection = undefined;
    this.phone.use(undefined);
    this.#notes = undefined;
    this.#drafts = undefined;
    this.desk.value = undefined;
    this.notes.value = new Map();
    this.drafts.value = new Map();
    this.notices.value = [];
    this.reports.clear();
    this.finder.clear();
    this.#known.clear();
  }

  async #ask<T extends Parameters<Connection['request']>[0]>(key: string, type: T, body: Parameters<Connection['request']>[1]): Promise<boolean> {
    return this.#whileBusy(key, async () => {
      await this.#request(type, body as never);
    });
  }

  async #request<T extends keyof Requests>(type: T, body: Requests[T][0]): Promise<Requests[T][1]> {
    if (!this.#connection) throw new RequestError({ code: 'not_connected', message: 'The desk is not connected.' });
    return this.#connection.request(type, body);
  }

  async #whileBusy(key: string, act: () => Promise<void>): Promise<boolean> {
    if (this.busy.value.has(key)) return false;
    this.busy.value = new Set(this.busy.value).add(key);
    try {
      await act();
      return true;
    } catch (e) {
      this.notify('error', e instanceof RequestError ? e.code : key, sentence(e));
      return false;
    } finally {
      const rest = new Set(this.busy.value);
      rest.delete(key);
      this.busy.value = rest;
    }
  }
}

/** The sentence for people in whatever was thrown. */
export function sentence(e: unknown): string {
  return e instanceof Error && e.message ? e.message : 'Something went wrong. Try again.';
}
