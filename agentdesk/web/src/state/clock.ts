import type { Instant } from '../protocol.gen.ts';

/** Milliseconds since 1970 on the server's clock. */
export type ServerMs = number;

/** Converts a protocol instant (nanoseconds) to milliseconds; zero stays zero, "not set". */
export function toMs(at: Instant | undefined): ServerMs {
  return at ? at / 1e6 : 0;
}

/**
 * The server's clock, estimated from the `now` of the messages it sends. A
 * message can only arrive late, never early, so the largest offset seen recently
 * is the best one. After `window` messages the oldest is forgotten, so that a
 * workstation clock that is put right is followed.
 */
export class ServerClock {
  #offsets: number[] = [];
  readonly #window: number;
  readonly #local: () => number;

  constructor(local: () => number = () => Date.now(), window = 8) {
    this.#local = local;
    this.#window = window;
  }

  /** Notes the server's time in a message that has just arrived. */
  heard(now: Instant): void {
    if (!now) return;
    this.#offsets.push(toMs(now) - this.#local());
    if (this.#offsets.length > this.#window) this.#offsets.shift();
  }

  /** The server's time now; the workstation's until the server was heard. */
  now(): ServerMs {
    return this.#local() + (this.#offsets.length ? Math.max(...this.#offsets) : 0);
  }
}

/** Time gone since `from`, never negative, in whole seconds. */
export function elapsed(from: ServerMs, now: ServerMs): number {
  return from ? Math.max(0, Math.floor((now - from) / 1000)) : 0;
}

/** Time left until `until`, never negative, in whole seconds: 0 only once it is over. */
export function remaining(until: ServerMs, now: ServerMs): number {
  return until ? Math.max(0, Math.ceil((until - now) / 1000)) : 0;
}

const two = (n: number) => String(n).padStart(2, '0');

/** A clock face: 0:07, 12:30, 1:02:03, and from a day on "2 d 3 h". */
export function face(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s >= 86_400) return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** The same in words, for speech: "1 minute 5 seconds". */
export function spoken(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  const add = (n: number, unit: string) => {
    if (n) parts.push(`${n} ${unit}${n === 1 ? '' : 's'}`);
  };
  add(Math.floor(s / 86_400), 'day');
  add(Math.floor((s % 86_400) / 3600), 'hour');
  add(Math.floor((s % 3600) / 60), 'minute');
  if (s < 3600) add(s % 60, 'second');
  return parts.slice(0, 2).join(' ') || '0 seconds';
}

/** How long ago, roughly, for a history: "3 days ago", "just now". */
export function ago(from: ServerMs, now: ServerMs): string {
  const s = elapsed(from, now);
  if (s < 60) return 'just now';
  const [n, unit] =
    s < 3600 ? [Math.floor(s / 60), 'minute'] :
    s < 86_400 ? [Math.floor(s / 3600), 'hour'] :
    s < 86_400 * 60 ? [Math.floor(s / 86_400), 'day'] :
    s < 86_400 * 730 ? [Math.floor(s / (86_400 * 30.44)), 'month'] :
    [Math.floor(s / (86_400 * 365.25)), 'year'];
  return `${n} ${unit}${n === 1 ? '' : 's'} ago`;
}

const dateTime = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const timeOnly = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** A date and time for people, in the workstation's zone. */
export function dateText(at: ServerMs): string {
  return at ? dateTime.format(at) : '';
}

/** A time of day with seconds. */
export function timeText(at: ServerMs): string {
  return at ? timeOnly.format(at) : '';
}
