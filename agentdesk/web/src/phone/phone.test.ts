import { describe, expect, it, vi } from 'vitest';
import { ManualTimers } from '../state/timers.ts';
import { endText } from './jssipPhone.ts';
import { IceCutoff, usable } from './iceCutoff.ts';
import { microphoneProblem, rings, type PhoneCall } from './phone.ts';

const host = 'candidate:1 1 udp 2122260223 192.0.2.7 51000 typ host';
const mdns = 'candidate:1 1 udp 2122260223 8d1f0d0e-0000-4000-8000-000000000000.local 51000 typ host';
const tcp = 'candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active';

describe('gathering addresses', () => {
  it.each([[host, true], [mdns, false], [tcp, false], ['', false], ['candidate:', false], ['candidate:1 1 UDP 1 2001:db8::7 1 typ host', true]])(
    '%s is usable: %s', (line, want) => expect(usable(line)).toBe(want));

  it('ends soon after the first usable address', () => {
    const t = new ManualTimers();
    const ready = vi.fn();
    const cut = new IceCutoff(t);
    cut.candidate(mdns, ready);
    t.advance(100);
    cut.candidate(host, ready);
    t.advance(49);
    expect(ready).not.toHaveBeenCalled();
    t.advance(1);
    expect(ready).toHaveBeenCalledTimes(1);
    cut.candidate(host, ready);
    t.advance(1_000);
    expect(ready).toHaveBeenCalledTimes(1);
  });

  it('ends at the limit with whatever there is', () => {
    const t = new ManualTimers();
    const ready = vi.fn();
    new IceCutoff(t).candidate(mdns, ready);
    t.advance(499);
    expect(ready).not.toHaveBeenCalled();
    t.advance(1);
    expect(ready).toHaveBeenCalledTimes(1);
  });

  it('does nothing more once the call is over', () => {
    const t = new ManualTimers();
    const ready = vi.fn();
    const cut = new IceCutoff(t);
    cut.candidate(host, ready);
    cut.stop();
    t.advance(1_000);
    expect(ready).not.toHaveBeenCalled();
  });
});

describe('which call rings for an offer', () => {
  const call = (more: Partial<PhoneCall> = {}): PhoneCall => ({ direction: 'in', state: 'ringing', muted: false, ...more });
  it.each([
    ['none', undefined, false],
    ['one the switch says nothing of', call(), true],
    ['one with its number', call({ offer: '7' }), true],
    ['one with another number', call({ offer: '8' }), false],
    ['one with its contact', call({ contact: 'c' }), true],
    ['one with another contact', call({ contact: 'd' }), false],
    ['one made from here', call({ direction: 'out' }), false],
  ] as const)('%s', (_name, c, want) => expect(rings(c, 7, 'c')).toBe(want));
});

it.each([
  ['NotAllowedError', 'mic_denied', /padlock/], ['NotFoundError', 'mic_missing', /Plug in/], ['NotReadableError', 'mic_busy', /another program/],
  ['InsecureContext', 'insecure', /https/], ['Other', 'media', /Check the headset/],
])('says what to do about %s', (name, code, text) => {
  const p = microphoneProblem({ name });
  expect(p.code).toBe(code);
  expect(p.text).toMatch(text);
});

it.each([['Busy', 486, /busy/i], ['Terminated', 0, /ended/], ['Connection Error', 0, /internet/], ['Rejected', 403, /Reload/], ['Anything', 0, /did not get through/]])(
  'says in words how a call ended: %s %i', (cause, status, text) => expect(endText(cause, status)).toMatch(text));
