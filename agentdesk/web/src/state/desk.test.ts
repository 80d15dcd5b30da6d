import { describe, expect, it } from 'vitest';
import * as f from '../fake/fixtures.ts';
import { applyDelta, finished, foremost, fromSnapshot, languageName, overdue, reasonLabel, ringing } from './desk.ts';

const now = 1_760_000_000_000;
const snapshot = (seq = 5) => ({ version: 1, epoch: 'e', seq, desk: f.desk(now), now: f.at(now) });

describe('applyDelta', () => {
  it('replaces the sections a delta carries and keeps the others as they are', () => {
    const s = fromSnapshot(snapshot());
    const me = { ...s.me, state: 'ready' as const };
    const a = applyDelta(s, { seq: 6, now: 0, me });
    expect(a.kind).toBe('applied');
    expect(a.state.me).toEqual(me);
    expect(a.state.queues).toBe(s.queues);
    expect(a.state.catalogue).toBe(s.catalogue);
    expect(s.me.state).toBe('not_ready');
  });

  it('says what was missed instead of applying past a gap', () => {
    const s = fromSnapshot(snapshot());
    expect(applyDelta(s, { seq: 8, now: 0, work: [f.work(now)] })).toEqual({ kind: 'gap', state: s, expected: 6, got: 8 });
  });

  it('leaves the desk alone for a delta it has', () => {
    const s = fromSnapshot(snapshot());
    expect(applyDelta(s, { seq: 5, now: 0, work: [f.work(now)] })).toEqual({ kind: 'duplicate', state: s });
  });

  it('empties a section that arrives empty', () => {
    const s = fromSnapshot({ ...snapshot(), desk: f.desk(now, { work: [f.work(now)] }) });
    expect(applyDelta(s, { seq: 6, now: 0, work: [] }).state.work).toEqual([]);
  });

  it('hands a notice on', () => {
    const notice = { level: 'info', code: 'x', text: 'Hello' };
    expect(applyDelta(fromSnapshot(snapshot()), { seq: 6, now: 0, notice })).toMatchObject({ kind: 'applied', notice });
  });

  it('takes lists that Go wrote as null', () => {
    const s = fromSnapshot({ ...snapshot(), desk: f.desk(now, { work: null, queues: null }) });
    expect([s.work, s.queues]).toEqual([[], []]);
  });
});

describe('contacts without an outcome', () => {
  const wrapping = (more = {}) => fromSnapshot({ ...snapshot(), desk: f.desk(now, { work: [f.work(now, { phase: 'wrap_up', ...more })] }) });

  it('are kept when wrap-up runs out', () => {
    const s = applyDelta(wrapping(), { seq: 6, now: 0, work: [] }).state;
    expect(s.unfinished.map((w) => w.contact)).toEqual([f.work(now).contact]);
    expect(finished(s, f.work(now).contact).unfinished).toEqual([]);
  });

  it('are kept over a fresh snapshot too', () => {
    expect(fromSnapshot(snapshot(9), wrapping()).unfinished).toHaveLength(1);
  });

  it('are not those closed with an outcome, nor those that never got to wrap-up', () => {
    expect(applyDelta(wrapping({ outcome: 'advice_given' }), { seq: 6, now: 0, work: [] }).state.unfinished).toEqual([]);
    expect(applyDelta(wrapping({ phase: 'ringing' }), { seq: 6, now: 0, work: [] }).state.unfinished).toEqual([]);
  });

  it('are bounded', () => {
    let s = wrapping();
    for (let i = 0; i < 5; i++) {
      s = applyDelta({ ...s, work: [f.work(now, { contact: `c${i}`, phase: 'wrap_up' })] }, { seq: s.seq + 1, now: 0, work: [] }).state;
    }
    expect(s.unfinished.map((w) => w.contact)).toEqual(['c4', 'c3', 'c2']);
  });
});

it('puts a conversation before a ringing contact before wrap-up', () => {
  const [a, b, c] = [f.work(now, { contact: 'a', phase: 'wrap_up' }), f.work(now, { contact: 'b' }), f.work(now, { contact: 'c', phase: 'held' })];
  expect(foremost([a, b, c])?.contact).toBe('c');
  expect(foremost([a, b])?.contact).toBe('b');
  expect(ringing([a, b])?.contact).toBe('b');
  expect(foremost([])).toBeUndefined();
});

it('knows when a queue is over its target', () => {
  const q = { queue: 'q', label: 'Q', open: true, waiting: 1, oldest_arrival: f.at(now, -60), most_due: f.at(now, -1) };
  expect(overdue(q, now)).toBe(true);
  expect(overdue({ ...q, most_due: f.at(now, 1) }, now)).toBe(false);
  expect(overdue({ ...q, waiting: 0 }, now)).toBe(false);
});

it('falls back to readable words for codes the plan does not list', () => {
  const c = f.desk(now).catalogue;
  expect(languageName(c, 'pl')).toBe('Polish');
  expect(languageName(c, 'xx')).toBe('xx');
  expect(reasonLabel(c, 'lunch')).toBe('Lunch');
  expect(reasonLabel(c, 'some_new_code')).toBe('some new code');
});
