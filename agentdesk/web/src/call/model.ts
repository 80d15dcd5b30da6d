import { computed, effect, signal } from '@preact/signals';
import { ApiError, type Api } from '../api.ts';
import type { Phone } from '../phone/phone.ts';
import { elapsed } from '../state/clock.ts';
import type { Timers } from '../state/timers.ts';

/** Where a call from the public page stands. */
export type Stage = 'idle' | 'starting' | 'calling' | 'connected' | 'ended';

export interface CallerEnv {
  api: Pick<Api, 'publicCall'>;
  phone: Phone;
  timers: Timers;
  local(): number;
}

/** How long the throw-away endpoint may take to become usable before the call is tried all the same. */
const connectLimit = 8_000;

/** A number someone may type as theirs: digits and the usual signs, or nothing. */
export function numberProblem(typed: string): string {
  const n = typed.trim();
  if (!n) return '';
  if (!/^\+?[\d\s().-]+$/.test(n)) return 'A phone number has digits only, for example 020 7946 0101';
  const digits = n.replace(/\D/g, '').length;
  if (digits < 3 || digits > 15) return 'Check the phone number: it is too short or too long';
  return '';
}

/** The public call page without its document: one call at a time. */
export class Caller {
  readonly stage = signal<Stage>('idle');
  readonly problem = signal('');
  /** Digits pressed in this call. */
  readonly pressed = signal('');
  readonly seconds = signal(0);
  readonly muted = computed(() => !!this.#env.phone.state.value.call?.muted);
  /** How the last call ended, in words. */
  readonly end = signal('');
  readonly #env: CallerEnv;
  #since = 0;
  #wanted = false;

  constructor(env: CallerEnv) {
    this.#env = env;
    env.timers.every(500, () => {
      if (this.stage.value === 'connected') this.seconds.value = elapsed(this.#since, env.local());
    });
    effect(() => this.#phoneIs());
  }

  /** Rings 101. The number is what the caller says theirs is; it may be empty. */
  async call(number: string): Promise<void> {
    if (!['idle', 'ended'].includes(this.stage.value)) return;
    this.problem.value = '';
    this.pressed.value = '';
    this.seconds.value = 0;
    this.end.value = '';
    this.#wanted = true;
    this.stage.value = 'starting';
    const phone = this.#env.phone;
    if (!(await phone.warmUp())) {
      this.#fail(phone.state.value.problem?.text ?? 'The microphone could not be opened.');
      return;
    }
    if (!this.#wanted) return;
    try {
      const c = await this.#env.api.publicCall(number.trim().replaceAll('.', ' '));
      if (!this.#wanted) return;
      phone.use({ uri: c.uri, user: c.user, password: c.password, path: c.path });
      await this.#usable();
      if (!this.#wanted) return;
      if (!(await phone.call(c.target))) this.#fail(phone.state.value.problem?.text ?? 'The call could not be started. Try again.');
    } catch (e) {
      this.#fail(e instanceof ApiError && e.status === 429
        ? `${e.message || 'Too many calls were made from this page.'} If you cannot wait, ring 101 from a phone.`
        : e instanceof Error ? e.message : 'The call could not be started. Try again.');
    }
  }

  hangUp(): void {
    this.#wanted = false;
    if (this.stage.value === 'starting') {
      this.stage.value = 'idle';
      this.#env.phone.use(undefined);
    }
    this.#env.phone.hangUp();
  }

  press(digit: string): void {
    if (this.stage.value !== 'connected') return;
    this.pressed.value = (this.pressed.value + digit).slice(-24);
    this.#env.phone.tones(digit);
  }

  mute(): void {
    this.#env.phone.mute(!this.muted.value);
  }

  #phoneIs(): void {
    const call = this.#env.phone.state.value.call;
    const stage = this.stage.peek();
    if (call) {
      if (call.state === 'talking' && stage !== 'connected') {
        this.#since = this.#env.local();
        this.stage.value = 'connected';
      } else if (call.state !== 'talking' && stage !== 'calling') {
        this.stage.value = 'calling';
      }
      return;
    }
    if (stage === 'calling' || stage === 'connected') {
      const problem = this.#env.phone.state.peek().problem;
      this.end.value = this.#env.phone.lastEnd.peek() || 'The call has ended.';
      if (stage === 'calling' && problem) this.problem.value = problem.text;
      this.stage.value = 'ended';
      this.#wanted = false;
      this.#env.phone.use(undefined);
    }
  }

  /** Resolves once the phone's connection is up, or the limit is over. */
  #usable(): Promise<void> {
    return new Promise((done) => {
      let stop = () => {};
      const cancel = this.#env.timers.after(connectLimit, () => { stop(); done(); });
      stop = effect(() => {
        if (this.#env.phone.state.value.registration !== 'registered') return;
        cancel();
        queueMicrotask(() => stop());
        done();
      });
    });
  }

  #fail(text: string): void {
    this.#wanted = false;
    this.problem.value = text;
    this.stage.value = 'idle';
    this.#env.phone.use(undefined);
  }
}
