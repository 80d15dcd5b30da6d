import { signal } from '@preact/signals';
import * as JsSIP from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import { pageTimers, type Timers } from '../state/timers.ts';
import { IceCutoff } from './iceCutoff.ts';
import { microphoneProblem, type Credentials, type Phone, type PhoneCall, type PhoneProblem, type PhoneState } from './phone.ts';

const constraints: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: false,
};

export interface JsSipOptions {
  /** Registers, to be rung; a page that only calls out does not. */
  register: boolean;
  /** Plays what the far end says. It must be in the document. */
  audio: HTMLAudioElement;
  timers?: Timers;
}

/** A phone on JsSIP: SIP over a websocket of this origin, media by WebRTC. */
export class JsSipPhone implements Phone {
  readonly state = signal<PhoneState>({ registration: 'off', call: undefined, problem: undefined });
  readonly lastEnd = signal('');
  readonly #options: JsSipOptions;
  readonly #timers: Timers;
  #ua: JsSIP.UA | undefined;
  #credentials: Credentials | undefined;
  #next: { credentials: Credentials | undefined } | undefined;
  #session: RTCSession | undefined;
  #stream: MediaStream | undefined;

  constructor(options: JsSipOptions) {
    this.#options = options;
    this.#timers = options.timers ?? pageTimers;
  }

  use(credentials: Credentials | undefined): void {
    if (same(credentials, this.#next ? this.#next.credentials : this.#credentials)) return;
    if (this.#session) {
      this.#next = { credentials };
      return;
    }
    this.#switchTo(credentials);
  }

  async answer(): Promise<boolean> {
    const session = this.#session;
    if (!session || this.state.value.call?.state !== 'ringing' || this.state.value.call.direction !== 'in') return false;
    this.#call({ state: 'answering' });
    const stream = await this.#microphone();
    if (session !== this.#session) {
      release(stream);
      return false;
    }
    if (!stream) {
      this.#call({ state: 'ringing' });
      return false;
    }
    this.#stream = stream;
    try {
      session.answer({ mediaStream: stream, pcConfig: { iceServers: [] } });
      return true;
    } catch {
      this.#problem({ code: 'failed', text: 'The call could not be answered: the caller may just have gone.' });
      return false;
    }
  }

  async call(target: string): Promise<boolean> {
    const ua = this.#ua;
    if (!ua || this.#session) return false;
    this.#problem(undefined);
    const stream = await this.#microphone();
    if (!stream) return false;
    if (ua !== this.#ua) {
      release(stream);
      return false;
    }
    this.#stream = stream;
    try {
      const session = ua.call(target, { mediaStream: stream, pcConfig: { iceServers: [] }, sessionTimersExpires: 120 });
      this.#take(session, { direction: 'out', state: 'ringing', muted: false });
      return true;
    } catch {
      release(stream);
      this.#stream = undefined;
      this.#problem({ code: 'failed', text: 'The call could not be started. Reload this page and try again.' });
      return false;
    }
  }

  hangUp(): void {
    const session = this.#session;
    if (!session || session.isEnded()) return;
    const ringingIn = this.state.value.call?.direction === 'in' && !session.isEstablished();
    session.terminate(ringingIn ? { status_code: 603, reason_phrase: 'Decline' } : {});
  }

  mute(on: boolean): void {
    if (!this.#session) return;
    if (on) this.#session.mute({ audio: true });
    else this.#session.unmute({ audio: true });
    this.#call({ muted: on });
  }

  tones(digits: string): void {
    if (!this.#session?.isEstablished() || !/^[0-9A-D*#]{1,32}$/.test(digits)) return;
    this.#session.sendDTMF(digits, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833, duration: 120, interToneGap: 80 });
  }

  async warmUp(): Promise<boolean> {
    const stream = await this.#microphone();
    release(stream);
    return stream !== undefined;
  }

  async #microphone(): Promise<MediaStream | undefined> {
    try {
      if (!navigator.mediaDevices) throw Object.assign(new Error('no media devices'), { name: 'InsecureContext' });
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      this.#problem(undefined);
      return stream;
    } catch (e) {
      this.#problem(microphoneProblem(e));
      return undefined;
    }
  }

  #switchTo(credentials: Credentials | undefined): void {
    this.#next = undefined;
    this.#credentials = credentials;
    const old = this.#ua;
    this.#ua = undefined;
    old?.stop();
    if (!credentials) {
      this.#set({ registration: 'off' });
      return;
    }
    const url = new URL(credentials.path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    let ua: JsSIP.UA;
    try {
      ua = new JsSIP.UA({
        sockets: [new JsSIP.WebSocketInterface(url.href)],
        uri: credentials.uri,
        authorization_user: credentials.user,
        password: credentials.password,
        register: this.#options.register,
        register_expires: 120,
        session_timers: true,
        user_agent: 'C3i browser phone',
        connection_recovery_min_interval: 1,
        connection_recovery_max_interval: 4,
      });
    } catch {
      this.#set({ registration: 'failed' });
      this.#problem({ code: 'registration', text: 'The browser phone was given credentials it cannot use. Tell your supervisor.' });
      return;
    }
    this.#ua = ua;
    this.#set({ registration: 'connecting' });
    const current = (act: () => void) => () => {
      if (ua === this.#ua) act();
    };
    ua.on('connecting', current(() => this.#set({ registration: 'connecting' })));
    ua.on('connected', current(() => {
      if (!this.#options.register) this.#set({ registration: 'registered' });
    }));
    ua.on('disconnected', current(() => this.#set({ registration: 'connecting' })));
    ua.on('registered', current(() => {
      this.#set({ registration: 'registered' });
      if (this.state.value.problem?.code === 'registration') this.#problem(undefined);
    }));
    ua.on('unregistered', current(() => this.#set({ registration: 'connecting' })));
    ua.on('registrationFailed', current(() => {
      this.#set({ registration: 'failed' });
      this.#problem({ code: 'registration', text: 'The browser phone could not register, so no calls can reach you. It is tried again by itself.' });
      this.#timers.after(3_000, () => {
        if (ua === this.#ua && !ua.isRegistered()) ua.register();
      });
    }));
    ua.on('newRTCSession', (event: RTCSessionEvent) => {
      if (ua !== this.#ua || event.originator !== 'remote') return;
      const session = event.session;
      if (this.#session) {
        session.terminate({ status_code: 486, reason_phrase: 'Busy Here' });
        return;
      }
      const call: PhoneCall = { direction: 'in', state: 'ringing', muted: false };
      const offer = header(event.request, 'X-C3i-Offer');
      const contact = header(event.request, 'X-C3i-Contact');
      if (offer) call.offer = offer;
      if (contact) call.contact = contact;
      this.#take(session, call);
    });
    ua.start();
  }

  #take(session: RTCSession, call: PhoneCall): void {
    this.#session = session;
    this.#set({ call });
    const cutoff = new IceCutoff(this.#timers);
    session.on('icecandidate', (e) => cutoff.candidate(e.candidate.candidate, e.ready));
    const listen = (pc: RTCPeerConnection) => pc.addEventListener('track', (e) => {
      this.#options.audio.srcObject = e.streams[0] ?? new MediaStream([e.track]);
      this.#options.audio.play().catch(() => {
        this.#problem({ code: 'media', text: 'The browser will not play sound until you press a key or click on this page.' });
      });
    });
    if (session.connection) listen(session.connection);
    else session.on('peerconnection', (e) => listen(e.peerconnection));
    session.on('confirmed', () => {
      if (session === this.#session) this.#call({ state: 'talking' });
    });
    session.on('accepted', () => {
      if (session === this.#session && call.direction === 'out') this.#call({ state: 'talking' });
    });
    const over = (cause: string, status: number) => {
      cutoff.stop();
      if (session !== this.#session) return;
      this.#session = undefined;
      release(this.#stream);
      this.#stream = undefined;
      this.#options.audio.srcObject = null;
      this.lastEnd.value = endText(cause, status);
      this.#set({ call: undefined });
      if (this.#next) this.#switchTo(this.#next.credentials);
    };
    session.on('ended', (e) => over(e.cause, 0));
    session.on('failed', (e) => {
      const status = (e.message as { status_code?: number } | null)?.status_code ?? 0;
      over(e.cause, status);
      if (call.direction === 'out' && e.originator !== 'local') {
        this.#problem({ code: status === 486 || status === 503 ? 'busy' : 'failed', text: endText(e.cause, status) });
      }
    });
  }

  #call(change: Partial<PhoneCall>): void {
    const call = this.state.value.call;
    if (call) this.#set({ call: { ...call, ...change } });
  }

  #problem(problem: PhoneProblem | undefined): void {
    this.#set({ problem });
  }

  #set(change: Partial<PhoneState>): void {
    this.state.value = { ...this.state.value, ...change };
  }
}

/** Words for how a call ended. */
export function endText(cause: string, status: number): string {
  if (status === 486 || status === 600 || status === 503 || cause === 'Busy') return 'All lines are busy. Try again in a minute.';
  if (status === 403 || status === 401) return 'This page may not call any more. Reload it and try again.';
  if (cause === 'Canceled') return 'The call was cancelled.';
  if (cause === 'Terminated') return 'The call has ended.';
  if (cause === 'Connection Error' || cause === 'Request Timeout') return 'The call centre could not be reached. Check your internet connection and try again.';
  if (cause === 'RTP Timeout') return 'The sound was lost and the call has ended.';
  return 'The call did not get through. Try again.';
}

function header(request: { getHeader(name: string): string | undefined }, name: string): string {
  return request.getHeader(name)?.trim() ?? '';
}

function release(stream: MediaStream | undefined): void {
  for (const t of stream?.getTracks() ?? []) t.stop();
}

function same(a: Credentials | undefined, b: Credentials | undefined): boolean {
  return a?.uri === b?.uri && a?.user === b?.user && a?.password === b?.password && a?.path === b?.path;
}
