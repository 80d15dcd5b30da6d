import { Desk } from '../desk/model.ts';
import { FakePhone } from '../phone/fakePhone.ts';
import { ManualTimers } from '../state/timers.ts';
import { FakeServer } from './fakeServer.ts';
import * as f from './fixtures.ts';

/** Storage in memory, which may be told to be full. */
export class MemoryStorage implements Storage {
  readonly items = new Map<string, string>();
  full = false;

  get length(): number {
    return this.items.size;
  }

  key(i: number): string | null {
    return [...this.items.keys()][i] ?? null;
  }

  getItem(k: string): string | null {
    return this.items.get(k) ?? null;
  }

  setItem(k: string, v: string): void {
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    this.items.set(k, v);
  }

  removeItem(k: string): void {
    this.items.delete(k);
  }

  clear(): void {
    this.items.clear();
  }
}

/** Lets everything already under way happen: frames travel in microtasks. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

/** Frames have travelled and the page has been drawn. */
export async function drawn(): Promise<void> {
  await settled();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  await settled();
}

/** The button below root that people know by the name. */
export function buttonIn(root: HTMLElement, name: RegExp): HTMLButtonElement | undefined {
  return [...root.querySelectorAll('button')].find((b) => name.test(b.getAttribute('aria-label') ?? b.textContent ?? ''));
}

/** A desk on a fake server with time turned by hand. */
export class World {
  readonly start = 1_760_000_000_000;
  readonly timers = new ManualTimers();
  readonly server = new FakeServer(f.desk(this.start));
  readonly phone = new FakePhone();
  readonly storage = new MemoryStorage();
  reloads = 0;
  keys = 0;

  constructor() {
    this.server.now = () => this.start + this.timers.now;
    this.server.users.set('handler1', { password: 'correct', me: f.me });
    this.phone.onAnswer = () => {
      const w = this.server.desk.work?.find((x) => x.phase === 'ringing');
      if (w) this.server.phase(w.contact, 'talking', { until: 0 });
    };
  }

  /** Opens a desk in a tab; several tabs share server and storage. */
  open(tab = 'tab-1', phone = this.phone): Desk {
    return new Desk({
      api: this.server.api(), open: () => this.server.open(), phone, timers: this.timers, random: () => 0.5,
      tab, storage: this.storage, local: () => this.start + this.timers.now, reload: () => { this.reloads++; }, newKey: () => `key-${++this.keys}`,
    });
  }

  /** A desk that is signed in and connected. */
  async signedIn(): Promise<Desk> {
    this.server.signedOn = f.me;
    const desk = this.open();
    await desk.begin();
    await settled();
    return desk;
  }

  /** Offers an e-mail. */
  async mail(more: Parameters<typeof f.mail>[1] = {}): Promise<ReturnType<typeof f.mail>> {
    const w = f.mail(this.start + this.timers.now, more);
    this.server.offer(w);
    await settled();
    return w;
  }

  /** Offers a contact and rings the browser phone. */
  async ring(more: Parameters<typeof f.work>[1] = {}): Promise<ReturnType<typeof f.work>> {
    const w = f.work(this.start + this.timers.now, more);
    this.server.offer(w);
    this.phone.ring(w.offer, w.contact);
    await settled();
    return w;
  }

  /** Moves time on in steps, letting frames travel in between. */
  async pass(ms: number, step = 500): Promise<void> {
    for (let gone = 0; gone < ms; gone += step) {
      this.timers.advance(Math.min(step, ms - gone));
      await settled();
    }
  }

  /** Frames of a type the server received. */
  sent(type: string): unknown[] {
    return this.server.received.filter((r) => r.type === type).map((r) => r.body);
  }
}
