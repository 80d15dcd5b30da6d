import { describe, expect, it } from 'vitest';
import { ago, elapsed, face, remaining, ServerClock, spoken, toMs } from './clock.ts';

describe('ServerClock', () => {
  it('is the workstation’s until the server was heard', () => {
    expect(new ServerClock(() => 5_000).now()).toBe(5_000);
  });

  it('takes the message that was delayed least', () => {
    let local = 1_000;
    const c = new ServerClock(() => local);
    c.heard(61_000 * 1e6); // offset 60 s
    local = 5_000;
    c.heard(64_000 * 1e6); // the same clock, a second late
    expect(c.now()).toBe(65_000);
  });

  it('follows a workstation clock that is put right', () => {
    let local = 100_000;
    const c = new ServerClock(() => local, 2);
    c.heard(160_000 * 1e6);
    local = 160_000; // put right by a minute
    c.heard(160_000 * 1e6);
    c.heard(160_000 * 1e6);
    expect(c.now()).toBe(160_000);
  });

  it('ignores a message without a time', () => {
    const c = new ServerClock(() => 7);
    c.heard(0);
    expect(c.now()).toBe(7);
  });
});

describe('spans', () => {
  it('never run backwards and say nothing of what was never set', () => {
    expect(elapsed(2_000, 1_000)).toBe(0);
    expect(elapsed(0, 1_000)).toBe(0);
    expect(remaining(1_000, 2_000)).toBe(0);
    expect(remaining(0, 2_000)).toBe(0);
    expect(toMs(undefined)).toBe(0);
  });

  it('shows zero left only when it is over', () => {
    expect(remaining(1_001, 1_000)).toBe(1);
    expect(remaining(2_000, 1_000)).toBe(1);
    expect(elapsed(1_000, 1_999)).toBe(0);
  });

  it.each([
    [0, '0:00', '0 seconds'],
    [7, '0:07', '7 seconds'],
    [61, '1:01', '1 minute 1 second'],
    [3_599, '59:59', '59 minutes 59 seconds'],
    [3_723, '1:02:03', '1 hour 2 minutes'],
    [97_200, '1 d 3 h', '1 day 3 hours'],
    [-5, '0:00', '0 seconds'],
  ])('%i s is %s, spoken %s', (s, clock, words) => {
    expect(face(s)).toBe(clock);
    expect(spoken(s)).toBe(words);
  });

  it.each([
    [30, 'just now'], [60, '1 minute ago'], [7_300, '2 hours ago'], [86_400 * 3, '3 days ago'],
    [86_400 * 100, '3 months ago'], [86_400 * 800, '2 years ago'],
  ])('%i s ago reads %s', (s, words) => {
    expect(ago(1_000, 1_000 + s * 1000)).toBe(words);
  });
});
