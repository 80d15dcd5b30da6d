import type { Report } from '../protocol.gen.ts';

/** What a handler may change of a report; the rest has ways of its own. */
export type Field =
  | 'status' | 'owner' | 'category' | 'method' | 'opening_code' | 'closing_code' | 'offence_code' | 'outcome_type' | 'hate' | 'restricted'
  | 'summary' | 'mo' | 'from' | 'to' | 'exact' | 'place' | 'parties' | 'property' | 'vehicles'
  | 'language' | 'needs' | 'vulnerable' | 'repeat_victim';

export type Changes = Partial<Pick<Report, Field>>;

/** A field changed here and, differently, by somebody else. */
export interface Clash {
  readonly field: Field;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/**
 * A report being edited: the newest version known, what was changed here, and
 * what each changed field was before. Nothing changed here is lost when a newer
 * version comes: fields changed on both sides become clashes to be settled.
 */
export interface Edit {
  readonly base: Report;
  readonly changes: Changes;
  readonly was: Changes;
  readonly clashes: readonly Clash[];
}

export function begin(base: Report): Edit {
  return { base, changes: {}, was: {}, clashes: [] };
}

/** The report as it is on screen. */
export function shown(e: Edit): Report {
  return { ...e.base, ...e.changes };
}

export function dirty(e: Edit): boolean {
  return Object.keys(e.changes).length > 0;
}

/** Changes one field. Changing it back leaves nothing changed. */
export function change<F extends Field>(e: Edit, field: F, value: Report[F]): Edit {
  const clashes = e.clashes.filter((c) => c.field !== field);
  if (same(value, e.base[field])) {
    const { [field]: _c, ...changes } = e.changes;
    const { [field]: _w, ...was } = e.was;
    return { base: e.base, changes: changes as Changes, was: was as Changes, clashes };
  }
  return {
    base: e.base,
    changes: { ...e.changes, [field]: value },
    was: field in e.was ? e.was : { ...e.was, [field]: e.base[field] },
    clashes,
  };
}

/**
 * Takes a newer version. Changes here stay; those the newer version also has are
 * dropped; where it says something else than was there before, a clash stands.
 */
export function rebase(e: Edit, newer: Report): Edit {
  if (newer.version < e.base.version) return e;
  const changes: Changes = {};
  const was: Changes = {};
  const clashes: Clash[] = [];
  for (const field of Object.keys(e.changes) as Field[]) {
    const mine = e.changes[field];
    const theirs = newer[field];
    if (same(mine, theirs)) continue;
    Object.assign(changes, { [field]: mine });
    Object.assign(was, { [field]: theirs });
    if (!same(theirs, e.was[field])) clashes.push({ field, mine, theirs });
  }
  return { base: newer, changes, was, clashes };
}

/** Settles a clash for one side. */
export function settle(e: Edit, field: Field, side: 'mine' | 'theirs'): Edit {
  if (side === 'theirs') return change(e, field, e.base[field]);
  return { ...e, clashes: e.clashes.filter((c) => c.field !== field) };
}

/** Whether two values say the same; absent, null, false, "" and an empty list are all nothing. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

function plain(v: unknown): unknown {
  if (v === null || v === undefined || v === '' || v === false || v === 0) return undefined;
  if (Array.isArray(v)) return v.length ? v.map(plain) : undefined;
  if (typeof v === 'object') {
    const entries = Object.entries(v).map(([k, x]) => [k, plain(x)] as const).filter(([, x]) => x !== undefined).sort(([x], [y]) => (x < y ? -1 : 1));
    return entries.length ? Object.fromEntries(entries) : undefined;
  }
  return v;
}

/** As kept in the browser until the server has it. */
export interface Kept {
  version: number;
  changes: Changes;
  was: Changes;
}

/** Takes up changes kept from before, on top of what the report is now. */
export function restore(now: Report, kept: Kept): Edit {
  return rebase({ base: { ...now, version: Math.min(kept.version, now.version) }, changes: kept.changes, was: kept.was, clashes: [] }, now);
}
