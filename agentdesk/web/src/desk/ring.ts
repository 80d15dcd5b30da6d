import type { Cancel, Timers } from '../state/timers.ts';

/** The cadence and tones of a British ring: 400 and 450 Hz, 0.4 s on, 0.2 s off, 0.4 s on, every 3 s. */
const bursts = [0, 0.6] as const;
const burstLength = 0.4;
const period = 3_000;

/** Plays the ringing sound, made on the spot: no file to load. */
export class Bell {
  readonly #timers: Timers;
  readonly #make: () => AudioContext;
  #context: AudioContext | undefined;
  #stop: Cancel | undefined;

  constructor(timers: Timers, make: () => AudioContext = () => new AudioContext()) {
    this.#timers = timers;
    this.#make = make;
  }

  /** Rings until told otherwise. Silent when the browser will not play sound yet. */
  start(): void {
    if (this.#stop) return;
    this.#once();
    this.#stop = this.#timers.every(period, () => this.#once());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    void this.#context?.suspend();
  }

  #once(): void {
    try {
      const c = (this.#context ??= this.#make());
      void c.resume();
      for (const at of bursts) {
        const gain = c.createGain();
        const start = c.currentTime + at;
        gain.gain.setValueAtTime(0, start);
        gain.gain.linearRampToValueAtTime(0.12, start + 0.02);
        gain.gain.setValueAtTime(0.12, start + burstLength - 0.02);
        gain.gain.linearRampToValueAtTime(0, start + burstLength);
        gain.connect(c.destination);
        for (const hertz of [400, 450]) {
          const o = c.createOscillator();
          o.frequency.value = hertz;
          o.connect(gain);
          o.start(start);
          o.stop(start + burstLength);
        }
      }
    } catch {
      // No sound device: the screen and the title bar still say it rings.
    }
  }
}

/** The page's title: what rings alternates with the name, so that it shows in a row of tabs. */
export function title(ringing: string | undefined, state: string, odd: boolean): string {
  if (ringing !== undefined) return odd ? `☎ Ringing: ${ringing}` : '☎ ☎ ☎ C3i desk';
  return state ? `${state} – C3i desk` : 'C3i desk';
}
