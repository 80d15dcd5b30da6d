import { signal } from '@preact/signals';
import type { Assessment, Decision, Grade, PartyRole, Report, ReportPresence, ReportReply, Task, TaskView } from '../protocol.gen.ts';
import { RequestError, type Requests } from '../state/connection.ts';
import { begin, change, dirty, rebase, restore, settle, shown, type Edit, type Field, type Kept } from './edit.ts';

/** A report on screen. */
export interface OpenReport {
  readonly reply: ReportReply;
  readonly edit: Edit;
  /** The reason given for opening a restricted report; sent with each request about it. */
  readonly reason: string;
  readonly presence?: ReportPresence;
  /** What is on its way: 'save', 'assess' and the like. */
  readonly busy?: string;
  readonly problem?: { field: string; text: string };
}

/** What is asked before a report can be shown. */
export type Opening =
  | { kind: 'asking' }
  | { kind: 'reason_required'; text: string }
  | { kind: 'failed'; text: string };

export interface ReportsEnv {
  request<T extends keyof Requests>(type: T, body: Requests[T][0]): Promise<Requests[T][1]>;
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  agent(): string;
  notify(level: string, code: string, text: string): void;
}

/**
 * The reports a desk has open: what is known of each, what was changed here and
 * not saved yet, and who else looks at it. Changes are in the browser's storage
 * until the server has them.
 */
export class Reports {
  readonly open = signal<ReadonlyMap<string, OpenReport>>(new Map());
  /** Reports asked for and not there yet, by the key they were asked with. */
  readonly opening = signal<ReadonlyMap<string, Opening>>(new Map());
  readonly tasks = signal<{ mine: readonly TaskView[]; anyone: readonly TaskView[]; busy: boolean; problem?: string }>({ mine: [], anyone: [], busy: false });
  readonly #env: ReportsEnv;

  constructor(env: ReportsEnv) {
    this.#env = env;
  }

  get(id: string): OpenReport | undefined {
    return this.open.value.get(id);
  }

  /** Opens a report by its id or by a reference as typed. Its id, or undefined: `opening` then says why. */
  async show(key: { report?: string; reference?: string; contact?: string }, reason = ''): Promise<string | undefined> {
    const name = key.report ?? key.reference ?? '';
    if (key.report && this.get(key.report) && !reason) return key.report;
    this.#opening(name, { kind: 'asking' });
    try {
      const reply = await this.#env.request('report.get', { ...key, ...(reason ? { reason } : {}) });
      this.#opening(name, undefined);
      this.#take(reply, reason);
      this.#view(reply.report.id, reason);
      return reply.report.id;
    } catch (e) {
      const text = words(e);
      this.#opening(name, e instanceof RequestError && e.code === 'reason_required' ? { kind: 'reason_required', text } : { kind: 'failed', text });
      return undefined;
    }
  }

  /** Makes a report from a contact. Rejects with RequestError so that the form can name the field. */
  async create(contact: string, report: Partial<Report>): Promise<string> {
    const blank = { place: {}, summary: '', category: '', outcome_type: 0, version: 0, kind: 'incident', status: 'new', id: '', reference: '', incident_number: '', created: 0, changed: 0, channel: 'phone', retention: { group: 0, review: 0 } } as Report;
    const reply = await this.#env.request('report.create', { contact, report: { ...blank, ...report } });
    this.#take(reply, '');
    this.#view(reply.report.id, '');
    return reply.report.id;
  }

  /** The contact belongs to this report from now on. */
  async link(contact: string, key: { report?: string; reference?: string }, reason = ''): Promise<string> {
    const reply = await this.#env.request('contact.link', { contact, ...key, ...(reason ? { reason } : {}) });
    this.#take(reply, reason);
    this.#view(reply.report.id, reason);
    return reply.report.id;
  }

  change<F extends Field>(id: string, field: F, value: Report[F]): void {
    const o = this.get(id);
    if (!o) return;
    const { problem: _problem, ...rest } = o;
    this.#set(id, { ...rest, edit: change(o.edit, field, value) });
    this.#keep(id);
  }

  settle(id: string, field: Field, side: 'mine' | 'theirs'): void {
    const o = this.get(id);
    if (!o) return;
    this.#set(id, { ...o, edit: settle(o.edit, field, side) });
    this.#keep(id);
  }

  /** Saves what was changed. True once the server has it. */
  async save(id: string): Promise<boolean> {
    const o = this.get(id);
    if (!o || !dirty(o.edit)) return true;
    if (o.edit.clashes.length) {
      this.#env.notify('warning', 'report_conflict', 'Somebody else changed the same fields. Choose which to keep, then save.');
      return false;
    }
    return this.#act(id, 'save', () => this.#env.request('report.save', { report: shown(o.edit), ...this.#reason(o) }));
  }

  assess(id: string, a: Omit<Assessment, 'id' | 'at' | 'by'>): Promise<boolean> {
    return this.#act(id, 'assess', (o) => this.#env.request('report.assess', { report: id, assessment: { ...a, id: '', at: 0, by: '' }, ...this.#reason(o) }));
  }

  grade(id: string, grade: Grade, assessment: string): Promise<boolean> {
    return this.#act(id, 'grade', (o) => this.#env.request('report.grade', { report: id, grade, assessment, ...this.#reason(o) }));
  }

  decide(id: string, d: Omit<Decision, 'id' | 'at' | 'by'>): Promise<boolean> {
    return this.#act(id, 'decide', (o) => this.#env.request('report.decide', { report: id, decision: { ...d, id: '', at: 0, by: '' }, ...this.#reason(o) }));
  }

  update(id: string, text: string, roles: PartyRole[]): Promise<boolean> {
    return this.#act(id, 'update', (o) => this.#env.request('report.update', { report: id, text, ...(roles.length ? { for: roles } : {}), ...this.#reason(o) }));
  }

  /** A new tracking secret for a party, to be told to them; undefined when it was refused. */
  async secret(id: string, party: number): Promise<string | undefined> {
    const o = this.get(id);
    try {
      return (await this.#env.request('report.secret', { report: id, party, ...(o ? this.#reason(o) : {}) })).secret;
    } catch (e) {
      this.#env.notify('error', 'secret', words(e));
      return undefined;
    }
  }

  async addTask(id: string, task: Pick<Task, 'text' | 'due'> & Partial<Task>): Promise<boolean> {
    try {
      await this.#env.request('report.task.save', { task: { id: '', kind: 'other', created: 0, ...task, report: id } });
    } catch (e) {
      this.#env.notify('error', 'task', words(e));
      return false;
    }
    await this.refresh(id);
    return true;
  }

  async doneTask(task: Pick<Task, 'id' | 'report'>, result: string): Promise<boolean> {
    try {
      await this.#env.request('report.task.done', { task: task.id, ...(result ? { result } : {}) });
    } catch (e) {
      this.#env.notify('error', 'task', words(e));
      return false;
    }
    if (this.get(task.report)) await this.refresh(task.report);
    await this.listTasks();
    return true;
  }

  /** Reads the tasks of this handler and of nobody. */
  async listTasks(): Promise<void> {
    this.tasks.value = { ...this.tasks.value, busy: true };
    try {
      const [mine, anyone] = await Promise.all([
        this.#env.request('report.task.list', { scope: 'mine' }), this.#env.request('report.task.list', { scope: 'anyone' }),
      ]);
      this.tasks.value = { mine: mine.tasks ?? [], anyone: anyone.tasks ?? [], busy: false };
    } catch (e) {
      this.tasks.value = { ...this.tasks.value, busy: false, problem: words(e) };
    }
  }

  /** Reads a report again; what was changed here stays. */
  async refresh(id: string): Promise<void> {
    const o = this.get(id);
    if (!o) return;
    try {
      this.#take(await this.#env.request('report.get', { report: id, ...this.#reason(o) }), o.reason);
    } catch {
      // The next delta or save brings it.
    }
  }

  /** Puts a report away. Unsaved changes stay in the browser and are there when it is opened again. */
  close(id: string): void {
    if (!this.get(id)) return;
    const next = new Map(this.open.value);
    next.delete(id);
    this.open.value = next;
    void this.#env.request('report.leave', { report: id }).catch(() => {});
  }

  /** Who has it on screen, and whether somebody saved it. */
  heard(p: ReportPresence): void {
    const o = this.get(p.report);
    if (!o) return;
    this.#set(p.report, { ...o, presence: p });
    if (p.version > o.edit.base.version && o.busy === undefined) void this.refresh(p.report);
  }

  /** The connection is back: say again what is on screen. */
  again(): void {
    for (const [id, o] of this.open.value) this.#view(id, o.reason);
  }

  /** Forgets everything on screen; what is unsaved stays in the browser. */
  clear(): void {
    this.open.value = new Map();
    this.opening.value = new Map();
  }

  async #act(id: string, busy: string, ask: (o: OpenReport) => Promise<ReportReply>): Promise<boolean> {
    const o = this.get(id);
    if (!o || o.busy) return false;
    const { problem: _problem, ...clean } = o;
    this.#set(id, { ...clean, busy });
    try {
      const reply = await ask(o);
      this.#idle(id);
      this.#take(reply, o.reason);
      return true;
    } catch (e) {
      this.#idle(id);
      if (e instanceof RequestError && e.code === 'report_conflict') {
        if (e.reply) this.#take(e.reply as ReportReply, o.reason);
        else await this.refresh(id);
        // Nothing of ours stands against it: what was asked can simply be asked again.
        if (busy === 'save' && !this.get(id)?.edit.clashes.length) return this.save(id);
        this.#env.notify('warning', 'report_conflict', 'Somebody else saved this report meanwhile. Yours is kept: choose what stands.');
        return false;
      }
      const now = this.get(id);
      if (now) this.#set(id, { ...now, problem: { field: e instanceof RequestError ? e.field.replace(/^report\./, '') : '', text: words(e) } });
      this.#env.notify('error', busy, words(e));
      return false;
    }
  }

  #idle(id: string): void {
    const o = this.get(id);
    if (!o) return;
    const { busy: _busy, ...rest } = o;
    this.#set(id, rest);
  }

  #take(reply: ReportReply, reason: string): void {
    const id = reply.report.id;
    const before = this.get(id);
    let edit: Edit;
    if (before) {
      edit = rebase(before.edit, reply.report);
    } else {
      const kept = this.#kept(id);
      edit = kept ? restore(reply.report, kept) : begin(reply.report);
    }
    this.#set(id, { ...before, reply, edit, reason: reason || before?.reason || '' });
    this.#keep(id);
  }

  #view(id: string, reason: string): void {
    this.#env.request('report.view', { report: id, ...(reason ? { reason } : {}) }).then((r) => this.heard(r.presence), () => {});
  }

  #reason(o: OpenReport): { reason?: string } {
    return o.reason ? { reason: o.reason } : {};
  }

  #set(id: string, o: OpenReport): void {
    this.open.value = new Map(this.open.value).set(id, o);
  }

  #opening(key: string, o: Opening | undefined): void {
    const next = new Map(this.opening.value);
    if (o) next.set(key, o);
    else next.delete(key);
    this.opening.value = next;
  }

  #key(id: string): string {
    return `c3i.report.${this.#env.agent()}.${id}`;
  }

  #keep(id: string): void {
    const e = this.get(id)?.edit;
    try {
      if (!e || !dirty(e)) this.#env.storage.removeItem(this.#key(id));
      else this.#env.storage.setItem(this.#key(id), JSON.stringify({ version: e.base.version, changes: e.changes, was: e.was } satisfies Kept));
    } catch {
      // Storage full or forbidden: the changes are still on screen.
    }
  }

  #kept(id: string): Kept | undefined {
    try {
      const k = JSON.parse(this.#env.storage.getItem(this.#key(id)) ?? 'null') as Kept | null;
      return k && typeof k.version === 'number' && k.changes && k.was ? k : undefined;
    } catch {
      return undefined;
    }
  }
}

function words(e: unknown): string {
  return e instanceof Error && e.message ? e.message : 'Something went wrong. Try again.';
}
