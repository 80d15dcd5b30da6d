import { describe, expect, it } from 'vitest';
import { CloseForbidden, CloseNoHeartbeat, CloseShutdown, CloseSignedOut, CloseSlow, CloseTakenOver, MaxFrame } from '../protocol.gen.ts';
import { MemoryStorage, settled, World } from '../fake/world.ts';
import { FakePhone } from '../phone/fakePhone.ts';
import * as f from '../fake/fixtures.ts';
import { backoff, claimTab, tabID, terminal, type TabLocks } from './connection.ts';

describe('close codes', () => {
  it.each([[CloseTakenOver, true], [CloseSignedOut, true], [CloseForbidden, true], [4499, true], [CloseSlow, false], [CloseShutdown, false], [CloseNoHeartbeat, false], [1006, false], [1001, false]])(
    '%i stops: %s', (code, stops) => expect(terminal(code)).toBe(stops));
});

describe('backoff', () => {
  it('is anything from nothing to a cap that doubles up to eight seconds', () => {
    expect(backoff(0, 0)).toBe(0);
    expect(backoff(0, 1)).toBe(250);
    expect(backoff(3, 1)).toBe(2_000);
    expect(backoff(30, 1)).toBe(8_000);
    expect(backoff(30, 0.5)).toBe(4_000);
  });
});

describe('the connection', () => {
  it('says hello with its tab and goes live on the snapshot', async () => {
    const w = new World();
    const desk = await w.signedIn();
    expect(desk.connection.value.kind).toBe('live');
    expect(w.sent('hello')).toEqual([{ tab: 'tab-1' }]);
    expect(desk.desk.value?.me.name).toBe('Handler One');
  });

  it('beats every three seconds', async () => {
    const w = new World();
    await w.signedIn();
    await w.pass(30_000);
    expect(w.sent('heartbeat')).toHaveLength(10);
  });

  it('comes back with its position and gets only what it missed', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const before = desk.desk.value;
    w.server.cut(CloseSlow);
    await settled();
    expect(desk.connection.value).toMatchObject({ kind: 'waiting', code: CloseSlow });
    w.server.change({ queues: [] });
    await w.pass(1_000);
    expect(desk.connection.value.kind).toBe('live');
    expect(w.sent('hello').at(-1)).toEqual({ tab: 'tab-1', epoch: 'fake-1', seq: before?.seq });
    expect(desk.desk.value?.queues).toEqual([]);
    expect(desk.desk.value?.catalogue).toBe(before?.catalogue);
  });

  it('takes a fresh snapshot when what it missed is gone', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.keep = 1;
    w.server.cut(1006);
    w.server.change({ queues: [] });
    w.server.change({ notice: { level: 'info', code: 'n', text: 'n' } });
    await w.pass(1_000);
    expect(desk.desk.value?.queues).toEqual([]);
    expect(desk.desk.value?.seq).toBe(w.server.seq);
  });

  it('resumes at once when a delta is lost on the way', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.loseDelta({ queues: [] });
    w.server.change({ me: { ...w.server.desk.me, state: 'ready' } });
    await settled();
    expect(desk.connection.value.kind).toBe('waiting');
    await w.pass(500);
    expect(desk.connection.value.kind).toBe('live');
    expect(desk.desk.value).toMatchObject({ queues: [], me: { state: 'ready' }, seq: w.server.seq });
  });

  it('keeps trying with growing pauses and does not lose the desk on screen', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.up = false;
    w.server.cut(1006);
    await w.pass(60_000);
    expect(desk.connection.value.kind).toBe('waiting');
    expect(desk.desk.value).toBeDefined();
    expect(desk.session.value.kind).toBe('signed_in');
    w.server.up = true;
    await w.pass(10_000);
    expect(desk.connection.value.kind).toBe('live');
  });

  it('is signed out when the session is gone, even if the socket just fails', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.signedOn = undefined;
    w.server.cut(1006);
    await w.pass(10_000);
    expect(desk.session.value).toMatchObject({ kind: 'signed_out' });
  });

  it('stops for a second tab, which has the desk, and takes it back on request', async () => {
    const w = new World();
    const first = await w.signedIn();
    const second = w.open('tab-2', new FakePhone());
    await second.begin();
    await settled();
    expect(first.connection.value).toEqual({ kind: 'stopped', code: CloseTakenOver });
    await w.pass(60_000);
    expect(second.connection.value.kind).toBe('live');
    first.takeBack();
    await settled();
    expect(first.connection.value.kind).toBe('live');
    expect(second.connection.value).toEqual({ kind: 'stopped', code: CloseTakenOver });
  });

  it('reconnects when the server falls silent', async () => {
    const w = new World();
    const desk = await w.signedIn();
    await w.pass(6_000);
    w.server.silent = true;
    await w.pass(14_000);
    w.server.silent = false;
    await w.pass(4_000);
    expect(w.sent('hello').length).toBeGreaterThan(1);
    expect(desk.connection.value.kind).toBe('live');
  });

  it('reloads the page for a protocol it does not know', async () => {
    const w = new World();
    w.server.version = 99;
    await w.signedIn();
    expect(w.reloads).toBe(1);
  });

  it('survives a frame that is not JSON by resuming', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.sockets[0]?.onmessage?.({ data: '{' } as MessageEvent);
    await w.pass(1_000);
    expect(desk.connection.value.kind).toBe('live');
  });

  it('fails what was asked when the connection is lost, and says so', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.silent = true;
    const asked = desk.notReady('lunch');
    await settled();
    w.server.cut(1006);
    await settled();
    await asked;
    expect(desk.notices.value.map((n) => n.code)).toEqual(['connection_lost']);
  });

  it('gives up on an answer that does not come', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.refuseNext.set('heartbeat', { code: 'x', message: 'x' });
    w.server.silent = true;
    const asked = desk.notReady('lunch');
    await w.pass(10_500);
    await asked;
    expect(desk.notices.value.map((n) => n.code)).toEqual(['no_reply']);
  });

  it('does not send a frame the server would close the desk for', async () => {
    const w = new World();
    const desk = await w.signedIn();
    await w.ring();
    await expect(desk.savePerson(f.work(0).contact, { id: '', name: 'x'.repeat(MaxFrame) })).rejects.toMatchObject({ code: 'too_large' });
    expect(desk.connection.value.kind).toBe('live');
  });
});

it('gives a duplicated tab an id of its own', async () => {
  const held = new Set<string>();
  const locks: TabLocks = {
    async request(name, _options, act) {
      if (held.has(name)) return act(null);
      held.add(name);
      return act({});
    },
  };
  let n = 0;
  const id = () => `id-${++n}`;
  const original = new MemoryStorage();
  expect(await claimTab(original, locks, id)).toBe('id-1');
  const copy = new MemoryStorage();
  copy.setItem('c3i.tab', 'id-1');
  expect(await claimTab(copy, locks, id)).toBe('id-2');
  expect(copy.getItem('c3i.tab')).toBe('id-2');
  expect(await claimTab(original, undefined, id)).toBe('id-1');
});

it('keeps one id per tab', () => {
  const w = new World();
  let n = 0;
  const id = () => tabID(w.storage, () => `id-${++n}`);
  expect([id(), id()]).toEqual(['id-1', 'id-1']);
});
