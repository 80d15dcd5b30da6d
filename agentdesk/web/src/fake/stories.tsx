// Scenes of the pages on a fake server: `npm run dev`, then /stories.html, or
// /stories.html?story=ringing for one. The accessibility run visits each.
import { render } from 'preact';
import { CloseTakenOver } from '../protocol.gen.ts';
import { CallPage } from '../call/Page.tsx';
import { Caller } from '../call/model.ts';
import { Desk } from '../desk/model.ts';
import { DeskPage } from '../desk/Page.tsx';
import { View } from '../desk/view.ts';
import { FakePhone } from '../phone/fakePhone.ts';
import { pageTimers } from '../state/timers.ts';
import { FakeServer } from './fakeServer.ts';
import * as f from './fixtures.ts';

interface Stage {
  server: FakeServer;
  phone: FakePhone;
  desk: Desk;
  view: View;
}

const settle = () => new Promise((done) => setTimeout(done, 30));

async function stage(): Promise<Stage> {
  const now = Date.now();
  const server = new FakeServer(f.desk(now));
  server.users.set('handler1', { password: 'one-time', me: { ...f.me, must_change_password: true } });
  server.users.set('handler2', { password: 'password2', me: { ...f.me, user: 'handler2' } });
  server.timelines.set('p1', f.history(now));
  const phone = new FakePhone();
  phone.onAnswer = () => {
    const w = server.desk.work?.[0];
    if (w) server.phase(w.contact, 'talking', { until: 0 });
  };
  server.onControl = (r) => { if (r.verb === 'hangup') phone.end(); };
  server.onDecline = () => phone.end();
  const storage = new Map<string, string>();
  const desk = new Desk({
    api: server.api(), open: () => server.open(), phone, timers: pageTimers, random: () => 0.5, tab: 'story',
    storage: {
      get length() { return storage.size; },
      key: (i) => [...storage.keys()][i] ?? null,
      getItem: (k) => storage.get(k) ?? null,
      setItem: (k, v) => { storage.set(k, v); },
      removeItem: (k) => { storage.delete(k); },
      clear: () => storage.clear(),
    },
    local: () => Date.now(), reload: () => {},
  });
  const view = new View({ ...localStorage, getItem: () => 'off', setItem: () => {} } as Storage);
  return { server, phone, desk, view };
}

async function signedIn(): Promise<Stage> {
  const s = await stage();
  s.server.signedOn = f.me;
  render(<DeskPage desk={s.desk} view={s.view} />, root());
  await s.desk.begin();
  await settle();
  return s;
}

async function ready(): Promise<Stage> {
  const s = await signedIn();
  s.server.change({ me: { ...s.server.desk.me, state: 'ready', reason: '', since: f.at(Date.now(), -263) } });
  await settle();
  return s;
}

async function rung(more: Parameters<typeof f.work>[1] = {}): Promise<Stage> {
  const s = await ready();
  const w = f.work(Date.now(), more);
  s.server.offer(w);
  s.phone.ring(w.offer, w.contact);
  await settle();
  return s;
}

async function talking(more: Parameters<typeof f.work>[1] = {}): Promise<Stage> {
  const s = await rung();
  const w = s.server.desk.work?.[0];
  if (!w) return s;
  await s.phone.answer();
  s.server.phase(w.contact, 'talking', { since: f.at(Date.now(), -134), until: 0, people: f.people(true), note: { text: 'Back about the bicycle: the neighbour saw two young men with a grey van at about 15:00. Has the frame number ready.', revision: 3, saved_at: f.at(Date.now(), -8) }, ...more });
  await settle();
  return s;
}

const root = () => document.getElementById('app') as HTMLElement;

function callStory(act: (caller: Caller, phone: FakePhone, server: FakeServer) => Promise<void> | void) {
  return async () => {
    const server = new FakeServer(f.desk(Date.now()));
    const phone = new FakePhone();
    const caller = new Caller({ api: server.api(), phone, timers: pageTimers, local: () => Date.now() });
    render(<CallPage caller={caller} />, root());
    await act(caller, phone, server);
    await settle();
  };
}

const stories: Record<string, () => Promise<unknown>> = {
  'sign-in': async () => {
    const s = await stage();
    render(<DeskPage desk={s.desk} view={s.view} />, root());
    await s.desk.begin();
  },
  password: async () => {
    const s = await stage();
    s.server.signedOn = { ...f.me, must_change_password: true };
    render(<DeskPage desk={s.desk} view={s.view} />, root());
    await s.desk.begin();
  },
  'not-ready': signedIn,
  ready,
  reasons: async () => {
    const s = await ready();
    s.view.reasonsOpen.value = true;
  },
  ringing: rung,
  'ringing-own-phone': async () => {
    const s = await rung();
    s.server.change({ phone: { kind: 'sip' }, me: { ...s.server.desk.me, device_up: true } });
  },
  unknown: () => rung({
    caller: { cli: 'withheld', dialled: '101' }, people: [], history: [], facts: { language: 'en', cli: 'withheld' },
    answers: [{ question: 'Language', answer: 'English' }], pop_error: 'The records could not be read in time. Ask the caller who they are.',
  }),
  talking,
  held: () => talking({ phase: 'held', since: f.at(Date.now(), -21), muted: true }),
  conflict: async () => {
    const s = await talking();
    const w = s.server.desk.work?.[0];
    if (!w) return;
    s.desk.editNote(w.contact, `${w.note.text} Wants a call back.`);
    s.server.desk.work = [{ ...w, note: { text: `${w.note.text} Supervisor: linked to two other thefts.`, revision: 9 } }];
    s.desk.saveNote(w.contact);
    await settle();
    s.server.change({ work: s.server.desk.work });
  },
  'wrap-up': () => talking({ phase: 'wrap_up', since: f.at(Date.now(), -40), until: f.at(Date.now(), 80) }),
  'also-ringing': async () => {
    const s = await talking({ phase: 'wrap_up', since: f.at(Date.now(), -40), until: f.at(Date.now(), 80) });
    s.phone.end();
    const w = f.work(Date.now(), { contact: 'another', offer: 8, caller: { number: '+447700900123', cli: 'presented', dialled: '101' }, people: [], history: [] });
    s.server.offer(w);
    s.phone.ring(w.offer, w.contact);
  },
  unfinished: async () => {
    const s = await talking({ phase: 'wrap_up', since: f.at(Date.now(), -120), until: f.at(Date.now(), 0) });
    s.phone.end();
    s.server.remove(s.server.desk.work?.[0]?.contact ?? '');
    s.server.notice({ level: 'warning', code: 'wrap_up_over', text: 'Wrap-up time is over. You are ready again.' });
  },
  person: async () => {
    const s = await talking();
    s.view.editPerson(s.desk, f.people()[0]);
  },
  keypad: async () => {
    const s = await talking();
    s.view.dialog.value = 'keypad';
  },
  help: async () => {
    const s = await ready();
    s.view.dialog.value = 'help';
  },
  reconnecting: async () => {
    const s = await talking();
    s.server.up = false;
    s.server.cut(1006);
  },
  'taken-over': async () => {
    const s = await talking();
    s.server.cut(CloseTakenOver);
  },
  call: callStory(() => {}),
  'call-ringing': callStory(async (c) => { await c.call(''); }),
  'call-connected': callStory(async (c, phone) => {
    await c.call('020 7946 0101');
    phone.answered();
    c.press('1');
    c.press('2');
  }),
  'call-no-microphone': callStory(async (c, phone) => {
    phone.microphone = 'NotAllowedError';
    await c.call('');
  }),
  'call-ended': callStory(async (c, phone) => {
    await c.call('');
    phone.answered();
    await settle();
    phone.end();
  }),
};

const name = new URLSearchParams(location.search).get('story');
const story = name ? stories[name] : undefined;
if (story) {
  void story().then(settle).then(() => { document.body.dataset['ready'] = 'yes'; });
} else {
  render(<main class="app-gate"><div class="app-gate__card"><h1 class="govuk-heading-m">Scenes</h1><ul>{Object.keys(stories).map((s) => <li key={s}><a class="govuk-link" href={`?story=${s}`}>{s}</a></li>)}</ul></div></main>, root());
  document.body.dataset['stories'] = Object.keys(stories).join(' ');
}
