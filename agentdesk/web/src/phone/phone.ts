import type { ReadonlySignal } from '@preact/signals';

/** Short-lived SIP credentials, used over the websocket at `path` of this origin. */
export interface Credentials {
  uri: string;
  user: string;
  password: string;
  path: string;
}

/** Whether the phone can be rung. */
export type Registration = 'off' | 'connecting' | 'registered' | 'failed';

/** The one call a browser phone holds. */
export interface PhoneCall {
  direction: 'in' | 'out';
  state: 'ringing' | 'answering' | 'talking';
  /** The offer and contact the switch says it rings for, when it says so. */
  offer?: string;
  contact?: string;
  muted: boolean;
}

/** What went wrong, with a sentence that says what to do. */
export interface PhoneProblem {
  code: 'mic_denied' | 'mic_missing' | 'mic_busy' | 'insecure' | 'media' | 'registration' | 'busy' | 'failed' | 'unsupported';
  text: string;
}

export interface PhoneState {
  registration: Registration;
  call: PhoneCall | undefined;
  problem: PhoneProblem | undefined;
}

/**
 * A phone in the browser. One call at a time: a second incoming call is refused
 * as busy. Methods never throw; what goes wrong is in `state.problem`.
 */
export interface Phone {
  readonly state: ReadonlySignal<PhoneState>;
  /** Registers with these credentials; undefined signs the phone off. A call in progress is finished on the old ones. */
  use(credentials: Credentials | undefined): void;
  /** Answers the ringing call. False when it could not be answered; it keeps ringing. */
  answer(): Promise<boolean>;
  /** Rings a target; needs credentials, registers nothing. */
  call(target: string): Promise<boolean>;
  hangUp(): void;
  /** Silences the microphone in this browser. */
  mute(on: boolean): void;
  /** Sends keypad tones (RFC 4733) in the call. */
  tones(digits: string): void;
  /** Asks for the microphone ahead of the first call, so that the browser's question comes now. */
  warmUp(): Promise<boolean>;
  /** Why the last call ended, in words; empty before any. */
  readonly lastEnd: ReadonlySignal<string>;
}

/** Whether a call that rings belongs to an offer. A switch that names no offer is believed: a handler has one phone call at a time. */
export function rings(call: PhoneCall | undefined, offer: number, contact: string): boolean {
  if (!call || call.direction !== 'in') return false;
  if (call.offer) return call.offer === String(offer);
  if (call.contact) return call.contact === contact;
  return true;
}

/** What a failed request for the microphone means. Names are of the Media Capture specification. */
export function microphoneProblem(error: unknown): PhoneProblem {
  const name = (error as { name?: string } | undefined)?.name ?? '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return { code: 'mic_denied', text: 'The browser is not allowed to use the microphone. Select the padlock or microphone sign beside the address, allow the microphone for this page, then try again.' };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { code: 'mic_missing', text: 'No microphone was found. Plug in a headset or microphone, then try again.' };
    case 'NotReadableError':
    case 'AbortError':
      return { code: 'mic_busy', text: 'The microphone is in use by another program. Close that program, then try again.' };
    case 'InsecureContext':
      return { code: 'insecure', text: 'Browsers give the microphone only to secure pages. Open this page over https, or on this computer as localhost.' };
    default:
      return { code: 'media', text: 'The microphone could not be opened. Check the headset, then try again.' };
  }
}
