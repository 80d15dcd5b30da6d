import { signal } from '@preact/signals';
import { microphoneProblem, type Credentials, type Phone, type PhoneState } from './phone.ts';

/** A phone without a network, for tests and stories: it does what it is told and notes what it was asked. */
export class FakePhone implements Phone {
  readonly state = signal<PhoneState>({ registration: 'off', call: undefined, problem: undefined });
  readonly lastEnd = signal('');
  readonly used: (Credentials | undefined)[] = [];
  readonly sent: string[] = [];
  /** The name of the error the microphone gives, or empty when it works. */
  microphone = '';
  onAnswer: () => void = () => {};
  onHangUp: () => void = () => {};

  use(credentials: Credentials | undefined): void {
    if (JSON.stringify(credentials) === JSON.stringify(this.used.at(-1))) return;
    this.used.push(credentials);
    this.state.value = { ...this.state.value, registration: credentials ? 'registered' : 'off' };
  }

  /** The switch rings this phone. */
  ring(offer?: number, contact?: string): void {
    this.state.value = {
      ...this.state.value,
      call: { direction: 'in', state: 'ringing', muted: false, ...(offer ? { offer: String(offer) } : {}), ...(contact ? { contact } : {}) },
    };
  }

  /** The far end, or the switch, ends the call. */
  end(text = 'The call has ended.'): void {
    if (!this.state.value.call) return;
    this.lastEnd.value = text;
    this.state.value = { ...this.state.value, call: undefined };
  }

  async answer(): Promise<boolean> {
    const call = this.state.value.call;
    if (!call || !(await this.warmUp())) return false;
    this.state.value = { ...this.state.value, call: { ...call, state: 'talking' } };
    this.onAnswer();
    return true;
  }

  async call(target: string): Promise<boolean> {
    if (!(await this.warmUp())) return false;
    this.sent.push(target);
    this.state.value = { ...this.state.value, call: { direction: 'out', state: 'ringing', muted: false } };
    return true;
  }

  /** The far end answers a call made from here. */
  answered(): void {
    const call = this.state.value.call;
    if (call) this.state.value = { ...this.state.value, call: { ...call, state: 'talking' } };
  }

  hangUp(): void {
    this.end();
    this.onHangUp();
  }

  mute(on: boolean): void {
    const call = this.state.value.call;
    if (call) this.state.value = { ...this.state.value, call: { ...call, muted: on } };
  }

  tones(digits: string): void {
    this.sent.push(digits);
  }

  async warmUp(): Promise<boolean> {
    this.state.value = { ...this.state.value, problem: this.microphone ? microphoneProblem({ name: this.microphone }) : undefined };
    return !this.microphone;
  }
}
