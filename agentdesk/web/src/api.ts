import type { ProtocolError, Role, SearchReply, TimelinePage, Upload } from './protocol.gen.ts';

/** The signed-on user, as the HTTP interface tells it. */
export interface SignedOn {
  user: string;
  name: string;
  role: Role;
  must_change_password: boolean;
}

/** Throw-away credentials for a call from the public page. */
export interface PublicCall {
  uri: string;
  user: string;
  password: string;
  path: string;
  expires_at: number;
  target: string;
}

/** A request the server refused, or that never reached it (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string;

  constructor(status: number, e: ProtocolError) {
    super(e.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = e.code;
    this.field = e.field ?? '';
  }
}

/** The HTTP interface the pages use. Every call rejects with ApiError. */
export interface Api {
  signOn(user: string, password: string): Promise<SignedOn>;
  changePassword(current: string, next: string): Promise<void>;
  signOff(): Promise<void>;
  /** Undefined when nobody is signed on. */
  me(): Promise<SignedOn | undefined>;
  /** A person's timeline over all channels, newest first; `before` is an earlier page's. */
  timeline(person: string, before?: number): Promise<TimelinePage>;
  /** What was typed, looked for among people, reports, contacts and messages. */
  search(query: string, kinds: string[]): Promise<SearchReply>;
  /** Gives a file for an answer. */
  upload(file: File): Promise<Upload>;
  publicCall(number: string): Promise<PublicCall>;
}

/** The interface over HTTP on this origin. */
export function httpApi(fetcher: typeof fetch = (input, init) => fetch(input, init)): Api {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    let response: Response;
    const init: RequestInit = { method, credentials: 'same-origin', headers: { Accept: 'application/json' } };
    if (body instanceof FormData) {
      init.body = body;
    } else if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    }
    try {
      response = await fetcher(path, init);
    } catch {
      throw new ApiError(0, { code: 'unreachable', message: 'The server could not be reached. Check the network and try again.' });
    }
    const text = await response.text().catch(() => '');
    let answer: unknown;
    try {
      answer = text ? JSON.parse(text) : undefined;
    } catch {
      answer = undefined;
    }
    if (!response.ok) throw new ApiError(response.status, errorIn(answer, response.status));
    return answer;
  };
  return {
    async signOn(user, password) {
      return (await ask('POST', '/api/sign-on', { user, password }) as { me: SignedOn }).me;
    },
    async changePassword(current, next) {
      await ask('POST', '/api/password', { current, new: next });
    },
    async signOff() {
      await ask('POST', '/api/sign-off', {});
    },
    async me() {
      try {
        const answer = await ask('GET', '/api/me') as { me?: SignedOn } & Partial<SignedOn>;
        return answer.me ?? (answer.user ? answer as SignedOn : undefined);
      } catch (e) {
        if (e instanceof ApiError && e.status === 401) return undefined;
        throw e;
      }
    },
    async timeline(person, before) {
      return await ask('GET', `/api/people/${encodeURIComponent(person)}/timeline${before ? `?before=${before}` : ''}`) as TimelinePage;
    },
    async search(query, kinds) {
      return await ask('POST', '/api/search', { query, ...(kinds.length ? { kinds } : {}) }) as SearchReply;
    },
    async upload(file) {
      const form = new FormData();
      form.append('file', file);
      return await ask('POST', '/api/uploads', form) as Upload;
    },
    async publicCall(number) {
      return await ask('POST', '/api/public/call', number ? { number } : {}) as PublicCall;
    },
  };
}

function errorIn(answer: unknown, status: number): ProtocolError {
  const e = (answer as { error?: Partial<ProtocolError> } | undefined)?.error;
  if (e && typeof e.message === 'string') {
    return { code: e.code ?? String(status), message: e.message, ...(e.field ? { field: e.field } : {}) };
  }
  if (status === 429) return { code: 'too_many', message: 'Too many tries. Wait a minute and try again.' };
  return { code: String(status), message: `The server answered with an error (${status}). Try again in a moment.` };
}
