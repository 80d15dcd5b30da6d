import { signal } from '@preact/signals';
import type { SearchHit, SearchReply } from '../protocol.gen.ts';
import type { Cancel, Timers } from '../state/timers.ts';

export interface FinderEnv {
  search(query: string, kinds: string[]): Promise<SearchReply>;
  timers: Timers;
}

const pause = 120;
const least = 2;

/** Looks things up as they are typed. Answers that come late, for what is no longer typed, are dropped. */
export class Finder {
  readonly query = signal('');
  readonly kind = signal('');
  readonly hits = signal<readonly SearchHit[]>([]);
  readonly more = signal(false);
  readonly state = signal<'idle' | 'busy' | 'done' | 'failed'>('idle');
  readonly problem = signal('');
  readonly #env: FinderEnv;
  #timer: Cancel | undefined;
  #asked = 0;

  constructor(env: FinderEnv) {
    this.#env = env;
  }

  type(query: string): void {
    this.query.value = query;
    this.#later();
  }

  only(kind: string): void {
    this.kind.value = kind;
    this.#later();
  }

  clear(): void {
    this.#timer?.();
    this.#asked++;
    this.query.value = '';
    this.hits.value = [];
    this.state.value = 'idle';
  }

  #later(): void {
    this.#timer?.();
    if (this.query.value.trim().length < least) {
      this.#asked++;
      this.hits.value = [];
      this.state.value = 'idle';
      return;
    }
    this.#timer = this.#env.timers.after(pause, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const turn = ++this.#asked;
    this.state.value = 'busy';
    try {
      const found = await this.#env.search(this.query.value.trim(), this.kind.value ? [this.kind.value] : []);
      if (turn !== this.#asked) return;
      this.hits.value = found.hits ?? [];
      this.more.value = !!found.more;
      this.state.value = 'done';
    } catch (e) {
      if (turn !== this.#asked) return;
      this.hits.value = [];
      this.problem.value = e instanceof Error ? e.message : 'The search failed. Try again.';
      this.state.value = 'failed';
    }
  }
}
