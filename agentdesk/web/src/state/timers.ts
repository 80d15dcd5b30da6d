/** A timer that can be called off. */
export type Cancel = () => void;

/** Timers, so that tests can turn time by hand and the desk can use a worker's. */
export interface Timers {
  /** Calls once after so many milliseconds. */
  after(ms: number, call: () => void): Cancel;
  /** Calls every so many milliseconds. */
  every(ms: number, call: () => void): Cancel;
}

/** The page's own timers. Browsers slow them down to one a minute in a hidden tab. */
export const pageTimers: Timers = {
  after(ms, call) {
    const t = setTimeout(call, ms);
    return () => clearTimeout(t);
  },
  every(ms, call) {
    const t = setInterval(call, ms);
    return () => clearInterval(t);
  },
};

/** What a timer worker is told and tells. */
export type TimerOrder = { kind: 'after' | 'every'; id: number; ms: number } | { kind: 'cancel'; id: number };

/** As much of a Worker as timers need. */
export interface TimerWorker {
  postMessage(order: TimerOrder): void;
  onmessage: ((event: MessageEvent<number>) => void) | null;
}

/**
 * Timers kept by a web worker. Browsers do not throttle workers, so a desk in a
 * background tab keeps its lease.
 */
export function workerTimers(worker: TimerWorker): Timers {
  const calls = new Map<number, { call: () => void; once: boolean }>();
  let last = 0;
  worker.onmessage = (event) => {
    const t = calls.get(event.data);
    if (!t) return;
    if (t.once) calls.delete(event.data);
    t.call();
  };
  const start = (kind: 'after' | 'every', ms: number, call: () => void): Cancel => {
    const id = ++last;
    calls.set(id, { call, once: kind === 'after' });
    worker.postMessage({ kind, id, ms });
    return () => {
      if (calls.delete(id)) worker.postMessage({ kind: 'cancel', id });
    };
  };
  return { after: (ms, call) => start('after', ms, call), every: (ms, call) => start('every', ms, call) };
}

/** Timers turned by hand, for tests and stories. */
export class ManualTimers implements Timers {
  now = 0;
  #due: { at: number; every: number; call: () => void; id: number }[] = [];
  #last = 0;

  after(ms: number, call: () => void): Cancel {
    return this.#add(ms, 0, call);
  }

  every(ms: number, call: () => void): Cancel {
    return this.#add(ms, ms, call);
  }

  /** Moves time on, calling everything that comes due in order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#due.filter((d) => d.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!next) break;
      this.now = next.at;
      if (next.every) next.at += next.every;
      else this.#due = this.#due.filter((d) => d !== next);
      next.call();
    }
    this.now = end;
  }

  #add(ms: number, every: number, call: () => void): Cancel {
    const d = { at: this.now + ms, every, call, id: ++this.#last };
    this.#due.push(d);
    return () => {
      this.#due = this.#due.filter((x) => x !== d);
    };
  }
}
