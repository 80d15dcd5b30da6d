import { describe, expect, it } from 'vitest';
import { settled, World } from '../fake/world.ts';
import * as f from '../fake/fixtures.ts';

describe('signing on', () => {
  it('names the field when the password is wrong', async () => {
    const w = new World();
    const desk = w.open();
    await desk.begin();
    expect(desk.session.value.kind).toBe('signed_out');
    await expect(desk.signOn('handler1', 'wrong')).rejects.toMatchObject({ field: 'password' });
    await desk.signOn(' handler1 ', 'correct');
    await settled();
    expect(desk.session.value.kind).toBe('signed_in');
    expect(desk.desk.value?.me.agent).toBe('handler1');
  });

  it('asks for a password of one’s own before the desk opens', async () => {
    const w = new World();
    w.server.users.set('handler1', { password: 'one-time', me: { ...f.me, must_change_password: true } });
    const desk = w.open();
    await desk.signOn('handler1', 'one-time');
    await settled();
    expect(desk.session.value.kind).toBe('must_change');
    expect(w.sent('hello')).toEqual([]);
    await expect(desk.changePassword('one-time', 'short')).rejects.toMatchObject({ field: 'new' });
    await desk.changePassword('one-time', 'three random words');
    await settled();
    expect(desk.session.value.kind).toBe('signed_in');
    expect(desk.connection.value.kind).toBe('live');
  });

  it('saves what is typed before signing off, and takes the phone away', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    await settled();
    desk.editNote(c.contact, 'last words');
    await desk.signOff();
    expect(w.sent('note.save')).toEqual([{ contact: c.contact, text: 'last words', base: 0 }]);
    expect(desk.session.value.kind).toBe('signed_out');
    expect(w.phone.used.at(-1)).toBeUndefined();
  });
});

describe('the phone', () => {
  it('registers with the credentials sent, tells the server, and tells it again after a reconnection', async () => {
    const w = new World();
    await w.signedIn();
    expect(w.phone.used).toEqual([{ uri: 'sip:handler1@c3i.example.org', user: 'handler1', password: 'short-lived', path: '/sip' }]);
    expect(w.sent('phone.state')).toEqual([{ registered: true }]);
    w.server.cut(1006);
    await w.pass(1_000);
    expect(w.sent('phone.state')).toHaveLength(2);
  });

  it('registers anew when the credentials change', async () => {
    const w = new World();
    await w.signedIn();
    w.server.change({ phone: { ...w.server.desk.phone, password: 'another' } });
    await settled();
    expect(w.phone.used.at(-1)).toMatchObject({ password: 'another' });
  });

  it('is not used by a handler with a phone of their own', async () => {
    const w = new World();
    w.server.desk.phone = { kind: 'sip' };
    await w.signedIn();
    expect(w.phone.used.filter(Boolean)).toEqual([]);
    expect(w.sent('phone.state')).toEqual([]);
  });

  it('keeps a handler from being ready without a microphone', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.phone.microphone = 'NotAllowedError';
    await desk.ready();
    expect(w.sent('state.set')).toEqual([]);
    expect(desk.notices.value[0]?.text).toMatch(/allow the microphone/);
  });
});

describe('a contact', () => {
  it('is answered on the browser phone once that rings', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.server.offer(f.work(w.start));
    await settled();
    expect([desk.ringsNow.value, desk.answerable.value]).toEqual([true, false]);
    w.phone.ring(7);
    expect(desk.answerable.value).toBe(true);
    await desk.answer();
    await settled();
    expect(desk.current.value?.phase).toBe('talking');
    expect(desk.ringsNow.value).toBe(false);
  });

  it('can be answered before its details arrive', async () => {
    const w = new World();
    const desk = await w.signedIn();
    w.phone.ring();
    expect(desk.ringsNow.value).toBe(true);
    await desk.answer();
    expect(w.phone.state.value.call?.state).toBe('talking');
  });

  it('frees the phone when the call is over and the switch has not told it', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    await settled();
    w.server.phase(c.contact, 'held');
    await settled();
    expect(w.phone.state.value.call?.state).toBe('talking');
    w.server.phase(c.contact, 'wrap_up');
    await settled();
    expect(w.phone.state.value.call).toBeUndefined();
    await w.ring({ contact: '01JD0000000000000000000002', offer: 8 });
    w.server.change({ me: { ...w.server.desk.me!, state: 'busy' } });
    await settled();
    expect(w.phone.state.value.call?.state).toBe('ringing');
  });

  it('keeps ringing when the microphone fails', async () => {
    const w = new World();
    const desk = await w.signedIn();
    await w.ring();
    w.phone.microphone = 'NotReadableError';
    await desk.answer();
    expect(desk.ringing.value).toBeDefined();
    expect(desk.answerable.value).toBe(true);
  });

  it('is declined by its offer, and by the phone when the desk is cut off', async () => {
    const w = new World();
    const desk = await w.signedIn();
    await w.ring();
    await desk.decline();
    await settled();
    expect(w.sent('offer.decline')).toEqual([{ offer: 7 }]);
    expect(desk.desk.value?.me.state).toBe('resting');
    await w.ring({ offer: 8 });
    w.server.up = false;
    w.server.cut(1006);
    await settled();
    await desk.decline();
    expect(w.phone.state.value.call).toBeUndefined();
  });

  it('is controlled through the server, digits one by one', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    await settled();
    await desk.control('hold');
    await settled();
    expect(desk.current.value?.phase).toBe('held');
    await desk.control('resume');
    await desk.control('mute');
    await settled();
    expect(desk.current.value?.muted).toBe(true);
    await desk.control('dtmf', '5');
    expect(w.sent('call.control').at(-1)).toEqual({ contact: c.contact, verb: 'dtmf', digits: '5' });
  });

  it('is hung up by the phone itself when the server cannot be asked', async () => {
    const w = new World();
    const desk = await w.signedIn();
    await w.ring();
    await desk.answer();
    await settled();
    w.server.up = false;
    w.server.cut(1006);
    await settled();
    await desk.control('hangup');
    expect(w.phone.state.value.call).toBeUndefined();
  });

  it('saves its note at hang-up and is finished with an outcome', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    await settled();
    desk.editNote(c.contact, 'noted');
    await desk.control('hangup');
    await settled();
    expect(w.sent('note.save')).toHaveLength(1);
    expect(await desk.finish(c.contact, 'advice_given')).toBe(true);
    await settled();
    expect(desk.desk.value?.work).toEqual([]);
    expect(desk.desk.value?.unfinished).toEqual([]);
  });

  it('stays open while its note cannot be saved', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    w.server.wrapUp(c.contact);
    await settled();
    desk.editNote(c.contact, 'must not be lost');
    w.server.refuseNext.set('note.save', { code: 'unavailable', message: 'The store is away.' });
    expect(await desk.finish(c.contact, 'advice_given')).toBe(false);
    expect(w.sent('contact.close')).toEqual([]);
    expect(desk.notices.value.at(-1)?.code).toBe('note_unsaved');
  });

  it('asks for its outcome after wrap-up ran out, once', async () => {
    const w = new World();
    const desk = await w.signedIn();
    const c = await w.ring();
    await desk.answer();
    w.server.wrapUp(c.contact);
    w.server.remove(c.contact);
    await settled();
    expect(desk.desk.value?.unfinished.map((x) => x.contact)).toEqual([c.contact]);
    await desk.finish(c.contact, 'advice_given');
    expect(w.sent('contact.close')).toHaveLength(1);
    w.server.change({ work: [] });
    await settled();
    expect(desk.desk.value?.unfinished).toEqual([]);
  });
});

describe('notices', () => {
  it('show what the server refused, do not repeat, and go after a minute', async () => {
    const w = new World();
    const desk = await w.signedIn();
    for (let i = 0; i < 2; i++) {
      w.server.refuseNext.set('state.set', { code: 'invalid', message: 'Choose one of the reasons listed.' });
      await desk.notReady('nonsense');
    }
    expect(desk.notices.value.map((n) => n.text)).toEqual(['Choose one of the reasons listed.']);
    await w.pass(61_000, 1_000);
    expect(desk.notices.value).toEqual([]);
  });
});
