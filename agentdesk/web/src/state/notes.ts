import type { Note, SaveNoteReply, SaveNoteRequest } from '../protocol.gen.ts';
import { RequestError } from './connection.ts';
import type { Cancel, Timers } from './timers.ts';

/** Where one note stands. */
export type NoteStatus =
  | 'saved' // what is on screen is what the server has
  | 'typing' // changed; saved after a short pause
  | 'saving' // on its way
  | 'waiting' // changed; saved once the contact is answered
  | 'offline' // changed; tried again until the server has it
  | 'refused' // the server will not take it; kept in this browser
  | 'conflict'; // changed elsewhere meanwhile; `theirs` is the other text

export interface NoteState {
  readonly contact: string;
  readonly text: string;
  readonly status: NoteStatus;
  /** The revision `text` was edited from. */
  readonly base: number;
  readonly savedAt: number; // server ms, 0 when never
  readonly theirs?: string;
  readonly problem?: string;
}

/** Draft as kept in the browser until the server has it. */
interface Draft {
  text: string;
  base: number;
}

export interface NotesEnv {
  /** What is kept: it names the browser's copies. 'note' when not given. */
  kind?: string;
  save(request: SaveNoteRequest): Promise<SaveNoteReply>;
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;
  timers: Timers;
  /** Whether the server takes notes of this contact yet: not while it only rings. */
  maySave(contact: string): boolean;
  /** Whose notes: drafts of another handler on the same workstation are left alone. */
  agent: string;
  now(): number;
  changed(note: NoteState): void;
}

const pause = 600;
const longest = 3_000;
const retry = 3_000;

/** The longest note the field takes, in characters: the server's 32,768 bytes whatever the letters. */
export const noteLimit = 8_000;

interface Keeping {
  state: NoteState;
  inFlight: string | undefined;
  pauseTimer: Cancel | undefined;
  longTimer: Cancel | undefined;
  /** The newest revision and text heard from the server. */
  server: Note;
}

/**
 * Keeps texts as they are typed: notes, and the drafts of answers (see drafts.ts). Every change is in the browser's storage at
 * once and stays there until the server has acknowledged it, so nothing typed
 * is lost by a lost connection, a reload or a crash. One save of a contact is on
 * its way at a time. When someone else changed the note meanwhile, both texts
 * are kept and the handler chooses.
 */
export class Notes {
  readonly #env: NotesEnv;
  #kept = new Map<string, Keeping>();

  constructor(env: NotesEnv) {
    this.#env = env;
  }

  get(contact: string): NoteState | undefined {
    return this.#kept.get(contact)?.state;
  }

  /** Takes what the server says a contact's note is. */
  heard(contact: string, server: Note): void {
    const k = this.#kept.get(contact);
    if (!k) {
      this.#open(contact, server);
      return;
    }
    if (server.revision < k.server.revision) return;
    k.server = server;
    if (k.state.status === 'saved') {
      if (server.text !== k.state.text || server.revision !== k.state.base) {
        this.#set(k, { ...k.state, text: server.text, base: server.revision, savedAt: toMs(server) });
      }
      return;
    }
    if (k.inFlight !== undefined && server.text === k.inFlight) return; // ours, told before its acknowledgement
    if (k.state.status === 'conflict') this.#set(k, { ...k.state, theirs: server.text });
  }

  /** The handler changed the text. */
  edit(contact: string, text: string): void {
    const k = this.#kept.get(contact) ?? this.#open(contact, { text: '', revision: 0 });
    if (text === k.state.text) return;
    this.#keepDraft(contact, { text, base: k.state.base });
    if (k.state.status === 'conflict') {
      this.#set(k, { ...k.state, text });
      return;
    }
    this.#set(k, { ...k.state, text, status: k.inFlight === undefined ? 'typing' : 'saving' });
    k.pauseTimer?.();
    k.pauseTimer = this.#env.timers.after(pause, () => void this.flush(contact));
    k.longTimer ??= this.#env.timers.after(longest, () => void this.flush(contact));
  }

  /** Saves now what is unsaved: on leaving the field, at hang-up, before closing. Resolves when done or kept. */
  async flush(contact: string): Promise<void> {
    const k = this.#kept.get(contact);
    if (!k) return;
    this.#stopTimers(k);
    if (k.inFlight !== undefined || k.state.status === 'saved' || k.state.status === 'conflict') return;
    if (!this.#env.maySave(contact)) {
      this.#set(k, without({ ...k.state, status: 'waiting' }));
      return;
    }
    const text = k.state.text;
    k.inFlight = text;
    this.#set(k, without({ ...k.state, status: 'saving' }));
    try {
      const reply = await this.#env.save({ contact, text, base: k.state.base });
      k.inFlight = undefined;
      k.server = { text, revision: Math.max(reply.revision, k.server.revision) };
      this.#saved(k, text, reply.revision);
    } catch (e) {
      k.inFlight = undefined;
      this.#failed(k, e);
    }
  }

  /** Saves everything unsaved; used on reconnecting and when the page goes away. */
  async flushAll(): Promise<void> {
    await Promise.all([...this.#kept.keys()].map((c) => this.flush(c)));
  }

  /** Settles a conflict: keep this text, theirs, or both one after the other. */
  settle(contact: string, choice: 'mine' | 'theirs' | 'both'): void {
    const k = this.#kept.get(contact);
    if (!k || k.state.status !== 'conflict') return;
    const theirs = k.state.theirs ?? '';
    if (choice === 'theirs') {
      this.#dropDraft(contact);
      this.#set(k, without({ ...k.state, text: theirs, base: k.server.revision, status: 'saved', savedAt: toMs(k.server) }));
      return;
    }
    const text = choice === 'both' ? [theirs, k.state.text].filter(Boolean).join('\n\n') : k.state.text;
    this.#keepDraft(contact, { text, base: k.server.revision });
    this.#set(k, without({ ...k.state, text, base: k.server.revision, status: 'typing' }));
    void this.flush(contact);
  }

  /**
   * Sends drafts of contacts that are no longer on the desk: typed just before a
   * crash, perhaps. Those the server takes are forgotten here; the others stay
   * and are returned.
   */
  async sendOrphans(onDesk: readonly string[]): Promise<{ contact: string; text: string }[]> {
    const left: { contact: string; text: string }[] = [];
    for (const contact of this.#draftContacts()) {
      if (onDesk.includes(contact)) continue;
      const d = this.#draft(contact);
      if (!d) continue;
      try {
        await this.#env.save({ contact, text: d.text, base: d.base });
        this.#dropDraft(contact);
        const k = this.#kept.get(contact);
        if (k) this.#set(k, without({ ...k.state, status: 'saved', savedAt: this.#env.now() }));
      } catch (e) {
        if (!(e instanceof RequestError && e.temporary)) left.push({ contact, text: d.text });
      }
    }
    return left;
  }

  /** Forgets a draft the handler has read and dismissed. */
  discard(contact: string): void {
    this.#dropDraft(contact);
    const k = this.#kept.get(contact);
    if (k) this.#stopTimers(k);
    this.#kept.delete(contact);
  }

  #open(contact: string, server: Note): Keeping {
    const d = this.#draft(contact);
    const clean: NoteState = { contact, text: server.text, status: 'saved', base: server.revision, savedAt: toMs(server) };
    const k: Keeping = { state: clean, inFlight: undefined, pauseTimer: undefined, longTimer: undefined, server };
    this.#kept.set(contact, k);
    if (!d || d.text === server.text) {
      if (d) this.#dropDraft(contact);
      this.#env.changed(clean);
    } else if (d.base === server.revision) {
      this.#set(k, { ...clean, text: d.text, status: 'typing' });
      k.pauseTimer = this.#env.timers.after(pause, () => void this.flush(contact));
    } else {
      this.#set(k, { ...clean, text: d.text, base: d.base, status: 'conflict', theirs: server.text });
    }
    return k;
  }

  #saved(k: Keeping, text: string, revision: number): void {
    const contact = k.state.contact;
    const savedAt = this.#env.now();
    if (k.state.text === text) {
      this.#stopTimers(k);
      this.#dropDraft(contact);
      this.#set(k, without({ ...k.state, base: revision, status: 'saved', savedAt }));
      return;
    }
    this.#keepDraft(contact, { text: k.state.text, base: revision });
    this.#set(k, without({ ...k.state, base: revision, status: 'typing', savedAt }));
    k.pauseTimer ??= this.#env.timers.after(pause, () => void this.flush(contact));
  }

  #failed(k: Keeping, e: unknown): void {
    const err = e instanceof RequestError ? e : new RequestError({ code: 'internal', message: String(e) });
    if (err.code.endsWith('_conflict')) {
      if (k.server.revision > k.state.base && k.server.text === k.state.text) {
        this.#saved(k, k.state.text, k.server.revision); // an earlier save of ours whose answer was lost
        return;
      }
      this.#set(k, { ...k.state, status: 'conflict', theirs: k.server.text, problem: err.message });
    } else if (err.temporary) {
      this.#set(k, { ...k.state, status: 'offline', problem: err.message });
      k.pauseTimer ??= this.#env.timers.after(retry, () => void this.flush(k.state.contact));
    } else {
      this.#set(k, { ...k.state, status: 'refused', problem: err.message });
    }
  }

  #set(k: Keeping, state: NoteState): void {
    k.state = state;
    this.#env.changed(state);
  }

  #stopTimers(k: Keeping): void {
    k.pauseTimer?.();
    k.longTimer?.();
    k.pauseTimer = undefined;
    k.longTimer = undefined;
  }

  #prefix(): string {
    return `c3i.${this.#env.kind ?? 'note'}.${this.#env.agent}.`;
  }

  #draft(contact: string): Draft | undefined {
    try {
      const d = JSON.parse(this.#env.storage.getItem(this.#prefix() + contact) ?? 'null') as Partial<Draft> | null;
      return d && typeof d.text === 'string' && typeof d.base === 'number' ? { text: d.text, base: d.base } : undefined;
    } catch {
      return undefined;
    }
  }

  #keepDraft(contact: string, d: Draft): void {
    try {
      this.#env.storage.setItem(this.#prefix() + contact, JSON.stringify(d));
    } catch {
      // Storage full or forbidden: the text is still on screen and on its way to the server.
    }
  }

  #dropDraft(contact: string): void {
    this.#env.storage.removeItem(this.#prefix() + contact);
  }

  #draftContacts(): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.#env.storage.length; i++) {
      const key = this.#env.storage.key(i);
      if (key?.startsWith(this.#prefix())) found.push(key.slice(this.#prefix().length));
    }
    return found;
  }
}

function toMs(n: Note): number {
  return n.saved_at ? n.saved_at / 1e6 : 0;
}

function without(s: NoteState): NoteState {
  const { theirs: _theirs, problem: _problem, ...rest } = s;
  return rest;
}
