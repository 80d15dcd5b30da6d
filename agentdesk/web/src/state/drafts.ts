import type { Draft, Mailbox, SaveDraftReply, SaveDraftRequest, Upload } from '../protocol.gen.ts';
import { Notes, type NotesEnv, type NoteStatus } from './notes.ts';

/** What a handler has written of an answer: a Draft without what is the server's. */
export type Answer = Omit<Draft, 'revision' | 'saved_at' | 'author'>;

/** Where one draft stands. */
export interface DraftState {
  readonly contact: string;
  readonly answer: Answer;
  readonly status: NoteStatus;
  readonly savedAt: number; // server ms, 0 when never
  readonly theirs?: Answer;
  readonly problem?: string;
}

export interface DraftsEnv extends Omit<NotesEnv, 'save' | 'changed' | 'kind'> {
  save(request: SaveDraftRequest): Promise<SaveDraftReply>;
  changed(draft: DraftState): void;
}

export const emptyAnswer: Answer = { text: '' };

/**
 * Keeps drafts of answers as notes are kept: in the browser at once, at the
 * server after a pause, never lost, and with both versions when somebody else
 * wrote meanwhile.
 */
export class Drafts {
  readonly #kept: Notes;

  constructor(env: DraftsEnv) {
    const { save, changed, ...rest } = env;
    this.#kept = new Notes({
      ...rest,
      kind: 'draft',
      save: (r) => save({ contact: r.contact, base: r.base, draft: { ...read(r.text), revision: r.base } }),
      changed: (n) => changed({
        contact: n.contact, answer: read(n.text), status: n.status, savedAt: n.savedAt,
        ...(n.theirs === undefined ? {} : { theirs: read(n.theirs) }),
        ...(n.problem === undefined ? {} : { problem: n.problem }),
      }),
    });
  }

  /** Takes what the server says a contact's draft is. */
  heard(contact: string, d: Draft | undefined): void {
    this.#kept.heard(contact, { text: d ? write(d) : '', revision: d?.revision ?? 0, ...(d?.saved_at ? { saved_at: d.saved_at } : {}) });
  }

  edit(contact: string, a: Answer): void {
    this.#kept.edit(contact, write(a));
  }

  settle(contact: string, choice: 'mine' | 'theirs'): void {
    this.#kept.settle(contact, choice);
  }

  flush(contact: string): Promise<void> {
    return this.#kept.flush(contact);
  }

  flushAll(): Promise<void> {
    return this.#kept.flushAll();
  }

  /** The draft was sent: nothing is kept of it. */
  sent(contact: string): void {
    this.#kept.discard(contact);
  }
}

/** One text for one draft, whatever the order its fields came in; '' for an empty one. */
function write(d: Answer): string {
  const boxes = (list: Mailbox[] | null | undefined) => (list ?? []).map((m) => (m.name ? { name: m.name, address: m.address } : { address: m.address }));
  const files = (d.attachments ?? []).map((u): Upload => ({ id: u.id, name: u.name, size: u.size, type: u.type, scan: u.scan }));
  if (!d.text && !d.subject && !files.length && !d.to?.length && !d.cc?.length) return '';
  return JSON.stringify({
    to: boxes(d.to), cc: boxes(d.cc), subject: d.subject ?? '', text: d.text, in_reply_to: d.in_reply_to ?? '', quote: !!d.quote,
    template: d.template ?? '', language: d.language ?? '', mailbox: d.mailbox ?? '', attachments: files,
  });
}

function read(text: string): Answer {
  if (!text) return emptyAnswer;
  try {
    const a = JSON.parse(text) as Answer;
    return typeof a.text === 'string' ? a : emptyAnswer;
  } catch {
    return emptyAnswer;
  }
}

/** Addresses as typed: "Name <address>" or bare, between commas or semicolons. */
export function mailboxes(typed: string): Mailbox[] {
  return typed.split(/[,;\n]+/).map((part) => part.trim()).filter(Boolean).map((part) => {
    const m = /^(.*?)\s*<([^<>]+)>$/.exec(part);
    const name = (m?.[1] ?? '').replace(/^"(.*)"$/, '$1').trim();
    return m ? { ...(name ? { name } : {}), address: (m[2] ?? '').trim() } : { address: part };
  });
}

/** Addresses as a field shows them. */
export function mailboxText(list: readonly Mailbox[] | null | undefined): string {
  return (list ?? []).map((m) => (m.name ? `${m.name} <${m.address}>` : m.address)).join(', ');
}
