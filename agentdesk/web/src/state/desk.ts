import type { Catalogue, Delta, Me, Notice, PhoneInfo, QueueView, Snapshot, WorkItem } from '../protocol.gen.ts';

/** All a desk shows, at one position in the server's stream. */
export interface DeskState {
  readonly epoch: string;
  readonly seq: number;
  readonly me: Me;
  readonly phone: PhoneInfo;
  readonly work: readonly WorkItem[];
  readonly queues: readonly QueueView[];
  readonly catalogue: Catalogue;
  /**
   * Contacts that left the desk from wrap-up without an outcome (the limit ran
   * out): the desk still asks for one. Newest first, bounded.
   */
  readonly unfinished: readonly WorkItem[];
}

/** What applying a delta did. A gap means a delta was missed: resume from `state`. */
export type Applied =
  | { kind: 'applied'; state: DeskState; notice?: Notice }
  | { kind: 'duplicate'; state: DeskState }
  | { kind: 'gap'; state: DeskState; expected: number; got: number };

const unfinishedKept = 3;

/** Starts from a snapshot, keeping what only this desk knows from before. */
export function fromSnapshot(s: Snapshot, before?: DeskState): DeskState {
  const work = s.desk.work ?? [];
  return {
    epoch: s.epoch,
    seq: s.seq,
    me: s.desk.me,
    phone: s.desk.phone,
    work,
    queues: s.desk.queues ?? [],
    catalogue: s.desk.catalogue,
    unfinished: before ? leftOver(before, work) : [],
  };
}

/**
 * Applies a delta. Pure: the state given is not changed. Sections absent from
 * the delta stay the very same objects, so that nothing is drawn again in vain.
 */
export function applyDelta(state: DeskState, d: Delta): Applied {
  if (d.seq <= state.seq) return { kind: 'duplicate', state };
  if (d.seq !== state.seq + 1) return { kind: 'gap', state, expected: state.seq + 1, got: d.seq };
  const work = d.work ?? state.work;
  const next: DeskState = {
    epoch: state.epoch,
    seq: d.seq,
    me: d.me ?? state.me,
    phone: d.phone ?? state.phone,
    work,
    queues: d.queues ?? state.queues,
    catalogue: d.catalogue ?? state.catalogue,
    unfinished: d.work ? leftOver(state, work) : state.unfinished,
  };
  return d.notice ? { kind: 'applied', state: next, notice: d.notice } : { kind: 'applied', state: next };
}

function leftOver(before: DeskState, work: readonly WorkItem[]): readonly WorkItem[] {
  const here = new Set(work.map((w) => w.contact));
  const kept = before.unfinished.filter((w) => !here.has(w.contact));
  const gone = before.work.filter((w) => w.phase === 'wrap_up' && !w.outcome && !here.has(w.contact));
  if (!gone.length && kept.length === before.unfinished.length) return before.unfinished;
  return [...gone, ...kept].slice(0, unfinishedKept);
}

/** Drops a contact from the unfinished: its outcome was saved, or put aside. */
export function finished(state: DeskState, contact: string): DeskState {
  return { ...state, unfinished: state.unfinished.filter((w) => w.contact !== contact) };
}

/** The contact to show first: a conversation before one that rings, wrap-up last. */
export function foremost(work: readonly WorkItem[]): WorkItem | undefined {
  const rank = { talking: 0, held: 0, connecting: 1, calling: 1, ringing: 2, wrap_up: 3, parked: 4, waiting: 5, deferred: 5 } as const;
  return [...work].sort((a, b) => rank[a.phase] - rank[b.phase] || a.since - b.since)[0];
}

/** The contact that rings, if one does. */
export function ringing(work: readonly WorkItem[]): WorkItem | undefined {
  return work.find((w) => w.phase === 'ringing');
}

/** Words for a language code from the catalogue; the code itself when unknown. */
export function languageName(c: Catalogue, code: string | undefined): string {
  if (!code) return '';
  return c.languages?.find((l) => l.code === code)?.label ?? code;
}

/** Words for a not-ready reason. */
export function reasonLabel(c: Catalogue, code: string | undefined): string {
  if (!code) return '';
  const own: Record<string, string> = {
    no_answer: 'no answer', declined: 'declined a contact', failed: 'phone could not be reached', signed_on: 'just signed on',
  };
  return c.not_ready_reasons?.find((r) => r.code === code)?.label ?? own[code] ?? code.replaceAll('_', ' ');
}

/** Whether the oldest contact of a queue is past its target at `now` (milliseconds). */
export function overdue(q: QueueView, now: number): boolean {
  return q.waiting > 0 && !!q.most_due && q.most_due / 1e6 < now;
}
