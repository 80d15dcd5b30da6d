import { describe, expect, it } from 'vitest';
import { ApiError } from '../api.ts';
import { settled, World } from '../fake/world.ts';
import { Caller, numberProblem } from './model.ts';

function make() {
  const w = new World();
  const caller = new Caller({ api: w.server.api(), phone: w.phone, timers: w.timers, local: () => w.start + w.timers.now });
  return { w, caller };
}

describe('a call from the public page', () => {
  it('rings, connects, sends digits, counts and ends', async () => {
    const { w, caller } = make();
    await caller.call(' 020 7946 0101 ');
    expect(w.server.publicCalls).toEqual(['020 7946 0101']);
    expect(caller.stage.value).toBe('calling');
    caller.press('1');
    w.phone.answered();
    caller.press('1');
    caller.press('#');
    expect(w.phone.sent).toEqual(['sip:101@c3i.example.org', '1', '#']);
    expect(caller.pressed.value).toBe('1#');
    await w.pass(65_000);
    expect(caller.seconds.value).toBe(65);
    caller.mute();
    expect(caller.muted.value).toBe(true);
    w.phone.end('The call has ended.');
    expect(caller.stage.value).toBe('ended');
    expect(caller.end.value).toBe('The call has ended.');
    expect(w.phone.used.at(-1)).toBeUndefined();
  });

  it('can be made again', async () => {
    const { w, caller } = make();
    await caller.call('');
    w.phone.answered();
    caller.hangUp();
    await caller.call('');
    expect(caller.stage.value).toBe('calling');
    expect(w.server.publicCalls).toHaveLength(2);
  });

  it.each([['NotAllowedError', /allow the microphone/], ['NotFoundError', /No microphone/]])('explains %s and asks for no credentials', async (name, text) => {
    const { w, caller } = make();
    w.phone.microphone = name;
    await caller.call('');
    expect(caller.stage.value).toBe('idle');
    expect(caller.problem.value).toMatch(text);
    expect(w.server.publicCalls).toEqual([]);
  });

  it('says what to do when there were too many calls', async () => {
    const { w, caller } = make();
    w.server.publicRefusal = new ApiError(429, { code: 'throttled', message: 'Wait a minute.' });
    await caller.call('');
    expect(caller.problem.value).toBe('Wait a minute. If you cannot wait, ring 101 from a phone.');
    expect(caller.stage.value).toBe('idle');
  });

  it('is cancelled while it starts', async () => {
    const { w, caller } = make();
    const started = caller.call('');
    caller.hangUp();
    await started;
    await settled();
    expect(caller.stage.value).toBe('idle');
    expect(w.phone.state.value.call).toBeUndefined();
  });

  it('is not made twice', async () => {
    const { w, caller } = make();
    await Promise.all([caller.call(''), caller.call('')]);
    expect(w.server.publicCalls).toHaveLength(1);
  });
});

it.each([['', true], ['020 7946 0101', true], ['+44 (0)20-7946.0101', true], ['101', true], ['12', false], ['ring me', false], ['1'.repeat(16), false]])(
  'number %s may be given: %s', (n, ok) => expect(numberProblem(n) === '').toBe(ok));
