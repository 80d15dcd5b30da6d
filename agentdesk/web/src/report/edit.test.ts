import { describe, expect, it } from 'vitest';
import type { Report } from '../protocol.gen.ts';
import { begin, change, dirty, rebase, restore, same, settle, shown } from './edit.ts';

const base = { id: 'r1', version: 3, summary: 'A blue bicycle', category: 'bicycle', place: { postcode: 'ZZ1 1ZZ' } } as Report;

describe('editing a report', () => {
  it('changes nothing when a field is changed back', () => {
    const e = change(change(begin(base), 'summary', 'A red bicycle'), 'summary', 'A blue bicycle');
    expect(dirty(e)).toBe(false);
    expect(shown(e)).toEqual(base);
  });

  it('takes over what somebody else changed elsewhere, without a clash', () => {
    const e = rebase(change(begin(base), 'summary', 'A red bicycle'), { ...base, version: 4, category: 'theft' });
    expect(e.clashes).toEqual([]);
    expect(shown(e)).toMatchObject({ version: 4, summary: 'A red bicycle', category: 'theft' });
  });

  it('shows both when the same field was changed on both sides, and loses neither', () => {
    let e = rebase(change(begin(base), 'summary', 'A red bicycle'), { ...base, version: 4, summary: 'A green bicycle' });
    expect(e.clashes).toEqual([{ field: 'summary', mine: 'A red bicycle', theirs: 'A green bicycle' }]);
    expect(shown(settle(e, 'summary', 'mine')).summary).toBe('A red bicycle');
    e = settle(e, 'summary', 'theirs');
    expect(shown(e).summary).toBe('A green bicycle');
    expect(dirty(e)).toBe(false);
  });

  it('clashes again when a third version differs again, and not when it is the same', () => {
    const e = settle(rebase(change(begin(base), 'summary', 'mine'), { ...base, version: 4, summary: 'theirs' }), 'summary', 'mine');
    expect(rebase(e, { ...base, version: 5, summary: 'theirs' }).clashes).toEqual([]);
    expect(rebase(e, { ...base, version: 5, summary: 'a third' }).clashes).toHaveLength(1);
    expect(dirty(rebase(e, { ...base, version: 5, summary: 'mine' }))).toBe(false);
  });

  it('ignores an older version', () => {
    const e = change(begin(base), 'summary', 'mine');
    expect(rebase(e, { ...base, version: 2, summary: 'old' })).toBe(e);
  });

  it('takes up changes kept by the browser, with the clash that came meanwhile', () => {
    const kept = { version: 3, changes: { summary: 'mine' }, was: { summary: 'A blue bicycle' } };
    expect(restore(base, kept).clashes).toEqual([]);
    expect(restore({ ...base, version: 6, summary: 'theirs' }, kept).clashes).toEqual([{ field: 'summary', mine: 'mine', theirs: 'theirs' }]);
  });

  it('holds absent, empty and false to be the same nothing', () => {
    expect(same({ a: '', b: [], c: { d: null } }, undefined)).toBe(true);
    expect(same({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(same([1], [2])).toBe(false);
  });
});
