import { describe, expect, it } from 'vitest';
import { MemoryStorage, settled } from '../fake/world.ts';
import type { SaveNoteReply, SaveNoteRequest } from '../protocol.gen.ts';
import { RequestError } from './connection.ts';
import { Notes, type NoteState } from './notes.ts';
import { ManualTimers } from './timers.ts';

const c = 'contact-1';
const draftKey = `c3i.note.handler1.${c}`;

/** A note keeper with a store that can be away, slow, or changed by someone else. */
function make(storage = new MemoryStorage()) {
  const timers = new ManualTimers();
  const asked: SaveNoteRequest[] = [];
  const world = {
    timers, storage, asked, stored: { text: '', revision: 0 }, error: undefined as RequestError | undefined,
    hold: undefined as Promise<void> | undefined, mayISave: true, states: [] as NoteState[], notes: undefined as unknown as Notes,
  };
  world.notes = new Notes({
    async save(r): Promise<SaveNoteReply> {
      asked.push(r);
      await world.hold;
      if (world.error) throw world.error;
      if (r.base !== world.stored.revision) throw new RequestError({ code: 'note_conflict', message: 'changed elsewhere' });
      world.stored = { text: r.text, revision: r.base + 1 };
      return { revision: world.stored.revision };
    },
    maySave: () => world.mayISave,
    storage, timers, agent: 'handler1', now: () => 1_000 + timers.now,
    changed: (n) => world.states.push(n),
  });
  return world;
}

const away = new RequestError({ code: 'not_connected', message: 'not connected' });

describe('notes', () => {
  it('are saved after a short pause, and the draft is gone once the server has them', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.notes.edit(c, 'Blue');
    expect(w.storage.getItem(draftKey)).toContain('Blue');
    w.timers.advance(500);
    w.notes.edit(c, 'Blue car');
    w.timers.advance(599);
    expect(w.asked).toEqual([]);
    w.timers.advance(1);
    await settled();
    expect(w.asked).toEqual([{ contact: c, text: 'Blue car', base: 0 }]);
    expect(w.notes.get(c)).toMatchObject({ status: 'saved', base: 1 });
    expect(w.storage.getItem(draftKey)).toBeNull();
  });

  it('are saved every three seconds while typing does not stop', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    for (let i = 0; i < 13; i++) {
      w.notes.edit(c, 'x'.repeat(i + 1));
      w.timers.advance(250);
      await settled();
    }
    expect(w.asked.length).toBe(1);
  });

  it('are saved at once on leaving the field, one save at a time', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    let release = () => {};
    w.hold = new Promise((r) => { release = r; });
    w.notes.edit(c, 'one');
    void w.notes.flush(c);
    w.notes.edit(c, 'one two');
    void w.notes.flush(c);
    expect(w.asked).toHaveLength(1);
    expect(w.notes.get(c)?.status).toBe('saving');
    release();
    await settled();
    w.timers.advance(600);
    await settled();
    expect(w.stored).toEqual({ text: 'one two', revision: 2 });
    expect(w.notes.get(c)?.status).toBe('saved');
  });

  it('are kept through a lost connection and sent when it is back', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.error = away;
    w.notes.edit(c, 'while away');
    await w.notes.flush(c);
    expect(w.notes.get(c)?.status).toBe('offline');
    expect(w.storage.getItem(draftKey)).toContain('while away');
    w.error = undefined;
    await w.notes.flushAll();
    expect(w.stored.text).toBe('while away');
  });

  it('are tried again by themselves while the store is away', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.error = new RequestError({ code: 'unavailable', message: 'store away' });
    w.notes.edit(c, 'patience');
    await w.notes.flush(c);
    w.timers.advance(3_000);
    await settled();
    expect(w.asked).toHaveLength(2);
    w.error = undefined;
    w.timers.advance(3_000);
    await settled();
    expect(w.stored.text).toBe('patience');
  });

  it('come back after the page was closed in the middle of typing', async () => {
    const storage = new MemoryStorage();
    const before = make(storage);
    before.notes.heard(c, before.stored);
    before.notes.edit(c, 'half a sent');
    const after = make(storage);
    after.notes.heard(c, { text: '', revision: 0 });
    expect(after.notes.get(c)?.text).toBe('half a sent');
    after.timers.advance(600);
    await settled();
    expect(after.stored.text).toBe('half a sent');
  });

  it('show both texts when a draft comes back to a note that was changed', () => {
    const storage = new MemoryStorage();
    storage.setItem(draftKey, JSON.stringify({ text: 'mine', base: 1 }));
    const w = make(storage);
    w.notes.heard(c, { text: 'theirs', revision: 2 });
    expect(w.notes.get(c)).toMatchObject({ status: 'conflict', text: 'mine', theirs: 'theirs' });
  });

  it.each([['mine', 'mine'], ['theirs', 'theirs'], ['both', 'theirs\n\nmine']] as const)('settle a conflict by keeping %s', async (choice, text) => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.notes.edit(c, 'mine');
    w.stored = { text: 'theirs', revision: 4 };
    await w.notes.flush(c);
    w.notes.heard(c, w.stored);
    expect(w.notes.get(c)).toMatchObject({ status: 'conflict', theirs: 'theirs' });
    w.notes.settle(c, choice);
    await settled();
    expect(w.stored.text).toBe(text);
    expect(w.notes.get(c)).toMatchObject({ status: 'saved', text });
    expect(w.storage.getItem(draftKey)).toBeNull();
  });

  it('are not in conflict with their own save whose answer was lost', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.notes.edit(c, 'said once');
    w.error = new RequestError({ code: 'connection_lost', message: 'lost' });
    await w.notes.flush(c);
    w.stored = { text: 'said once', revision: 1 }; // it had arrived all the same
    w.error = undefined;
    w.notes.heard(c, w.stored);
    await w.notes.flush(c);
    expect(w.notes.get(c)).toMatchObject({ status: 'saved', text: 'said once', base: 1 });
  });

  it('take what another desk wrote while nothing is typed here, and never while something is', () => {
    const w = make();
    w.notes.heard(c, { text: 'a', revision: 1 });
    w.notes.heard(c, { text: 'b', revision: 2 });
    expect(w.notes.get(c)?.text).toBe('b');
    w.notes.edit(c, 'b and more');
    w.notes.heard(c, { text: 'c', revision: 3 });
    expect(w.notes.get(c)?.text).toBe('b and more');
    w.notes.heard(c, { text: 'old', revision: 1 });
    expect(w.notes.get(c)?.text).toBe('b and more');
  });

  it('wait until a ringing contact is answered', async () => {
    const w = make();
    w.mayISave = false;
    w.notes.heard(c, w.stored);
    w.notes.edit(c, 'early');
    w.timers.advance(600);
    await settled();
    expect(w.asked).toEqual([]);
    expect(w.notes.get(c)?.status).toBe('waiting');
    w.mayISave = true;
    await w.notes.flush(c);
    expect(w.stored.text).toBe('early');
  });

  it('say so and stay here when the server will not take them', async () => {
    const w = make();
    w.notes.heard(c, w.stored);
    w.error = new RequestError({ code: 'invalid', message: 'no such letters' });
    w.notes.edit(c, 'odd');
    await w.notes.flush(c);
    expect(w.notes.get(c)).toMatchObject({ status: 'refused', problem: 'no such letters' });
    expect(w.storage.getItem(draftKey)).toContain('odd');
  });

  it('are still saved when the browser’s storage is full', async () => {
    const w = make();
    w.storage.full = true;
    w.notes.heard(c, w.stored);
    w.notes.edit(c, 'no room');
    await w.notes.flush(c);
    expect(w.stored.text).toBe('no room');
  });

  it('of contacts no longer here are sent, kept when refused, and never another handler’s', async () => {
    const storage = new MemoryStorage();
    storage.setItem('c3i.note.handler1.gone', JSON.stringify({ text: 'late', base: 0 }));
    storage.setItem('c3i.note.handler2.other', JSON.stringify({ text: 'secret', base: 0 }));
    storage.setItem('c3i.note.handler1.broken', '{');
    const w = make(storage);
    expect(await w.notes.sendOrphans([])).toEqual([]);
    expect(w.asked.map((a) => a.contact)).toEqual(['gone']);
    storage.setItem('c3i.note.handler1.gone', JSON.stringify({ text: 'later', base: 0 }));
    w.error = new RequestError({ code: 'not_yours', message: 'not yours' });
    expect(await w.notes.sendOrphans([])).toEqual([{ contact: 'gone', text: 'later' }]);
    expect(storage.getItem('c3i.note.handler2.other')).not.toBeNull();
    w.notes.discard('gone');
    expect(storage.getItem('c3i.note.handler1.gone')).toBeNull();
  });
});
