import { describe, expect, it } from 'vitest';
import { ApiError, httpApi } from './api.ts';

function answering(status: number, body: string, seen: { path: string; init: RequestInit | undefined }[] = []) {
  return httpApi(async (path, init) => {
    seen.push({ path: String(path), init });
    return new Response(status === 204 ? null : body, { status });
  });
}

describe('the HTTP interface', () => {
  it('signs on with JSON and gives the user', async () => {
    const seen: { path: string; init: RequestInit | undefined }[] = [];
    const me = { user: 'handler1', name: 'Handler One', role: 'handler', must_change_password: false };
    expect(await answering(200, JSON.stringify({ me }), seen).signOn('handler1', 'pw')).toEqual(me);
    expect(seen[0]).toMatchObject({ path: '/api/sign-on', init: { method: 'POST', body: '{"user":"handler1","password":"pw"}' } });
  });

  it.each([
    [401, '{"error":{"code":"wrong_credentials","message":"Not right.","field":"password"}}', { status: 401, code: 'wrong_credentials', message: 'Not right.', field: 'password' }],
    [429, '', { status: 429, code: 'too_many' }],
    [500, '<html>', { status: 500, code: '500' }],
    [502, '{"error":{}}', { status: 502, code: '502' }],
  ])('turns %i %s into an error with a sentence', async (status, body, want) => {
    await expect(answering(status, body).signOn('a', 'b')).rejects.toMatchObject(want);
  });

  it('says that the server cannot be reached', async () => {
    const api = httpApi(async () => { throw new TypeError('failed'); });
    await expect(api.me()).rejects.toBeInstanceOf(ApiError);
    await expect(api.me()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('knows nobody when there is no session', async () => {
    expect(await answering(401, '{"error":{"code":"not_signed_on","message":"Sign in."}}').me()).toBeUndefined();
  });

  it('accepts an answer without a body', async () => {
    await expect(answering(204, '').signOff()).resolves.toBeUndefined();
  });

  it('sends the caller’s number only when there is one, and escapes a person’s id', async () => {
    const seen: { path: string; init: RequestInit | undefined }[] = [];
    const api = answering(200, '{"timeline":null}', seen);
    await api.publicCall('');
    await api.publicCall('020 7946 0101');
    expect(await api.timeline('a/b')).toEqual({ timeline: null });
    expect(seen.map((s) => s.init?.body)).toEqual(['{}', '{"number":"020 7946 0101"}', undefined]);
    expect(seen[2]?.path).toBe('/api/people/a%2Fb/timeline');
  });
});
