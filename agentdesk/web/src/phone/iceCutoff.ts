import type { Cancel, Timers } from '../state/timers.ts';

/** The longest a call waits for network addresses to be gathered. */
export const gatheringLimit = 500;
/** How long to wait for siblings of the first usable address. */
export const siblingWait = 50;

/**
 * Whether an ICE candidate line can be reached by a switch: UDP, and a real
 * address rather than an mDNS name (RFC 8828), which only browsers resolve.
 */
export function usable(candidate: string): boolean {
  const parts = candidate.replace(/^candidate:/, '').trim().split(/\s+/);
  return parts[2]?.toLowerCase() === 'udp' && !(parts[4] ?? '').endsWith('.local') && (parts[4] ?? '') !== '';
}

/**
 * Ends ICE gathering early: JsSIP waits for the last candidate with no limit,
 * which is seconds when an interface leads nowhere. Gathering ends shortly after
 * the first usable candidate, or at the limit with whatever there is.
 */
export class IceCutoff {
  readonly #timers: Timers;
  #ready: (() => void) | undefined;
  #limit: Cancel | undefined;
  #soon: Cancel | undefined;
  #done = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** A candidate was found; `ready` ends the gathering. */
  candidate(line: string, ready: () => void): void {
    if (this.#done) return;
    this.#ready = ready;
    this.#limit ??= this.#timers.after(gatheringLimit, () => this.#end());
    if (usable(line)) this.#soon ??= this.#timers.after(siblingWait, () => this.#end());
  }

  /** The call ended or gathering finished by itself. */
  stop(): void {
    this.#done = true;
    this.#limit?.();
    this.#soon?.();
  }

  #end(): void {
    if (this.#done) return;
    this.stop();
    this.#ready?.();
  }
}
