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

let keys = 0;

const settle = () => new Promise((done) => setTimeout(done, 30));

async function stage(): Promise<Stage> {
  const now = Date.now();
  const server = new FakeServer(f.desk(now));
  server.users.set('handler1', { password: 'one-time', me: { ...f.me, must_change_password: true } });
  server.users.set('handler2', { password: 'password2', me: { ...f.me, user: 'handler2' } });
  server.timelines.set('p1', f.timeline(now));
  server.found = f.hits(now);
  server.reports.set('r1', f.reportReply(now));
  server.people.set('p1', { person: { ...f.people()[0]!, emails: ['a.example@example.org'], date_of_birth: '1984-03-02', gender: 'Female', addresses: [{ street: '1 High Street', town: 'Exampleton', postcode: 'ZZ1 1ZZ' }], safe: { rule: 'limited', methods: ['email'], unsafe_numbers: ['+447700900123'], no_voicemail: true } }, reports: [f.summary(now)] });
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
    local: () => Date.now(), reload: () => {}, newKey: () => String(++keys),
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

async function mailed(more: Parameters<typeof f.mail>[1] = {}): Promise<Stage> {
  const s = await ready();
  s.server.offer(f.mail(Date.now(), more));
  await settle();
  return s;
}

async function written(more: Parameters<typeof f.mail>[1] = {}): Promise<Stage> {
  const s = await mailed(more);
  await s.desk.answer();
  await settle();
  return s;
}

async function reported(): Promise<Stage> {
  const now = Date.now();
  const s = await written({ report: f.summary(now), reports: [] });
  s.server.viewers = [{ agent: 'handler2', name: 'Handler Two' }];
  const w = s.desk.current.value;
  if (w) s.view.showTab(w.contact, 'report');
  while (!s.desk.reports.get('r1')?.presence) await settle();
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
  callback: () => rung({ callback: true }),
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
  mail: mailed,
  'mail-risk': () => mailed({ triage: [{ code: 'words.suicide', sentence: 'They may be about to harm themselves.', quote: 'I cannot go on' }], why: 'Words that suggest a risk to life: before everything else.' }),
  written,
  'written-web': () => written({ channel: 'web', written: { subject: 'Bicycle theft', from: { name: 'A. Example', address: 'a.example@example.org' }, messages: [{ id: 'w1', channel: 'web', direction: 'in', at: f.at(Date.now(), -600), from: { name: 'A. Example', address: 'a.example@example.org' }, text: 'Blue bicycle taken outside the library.', flags: {}, auth: {} }] } }),
  answering: async () => {
    const s = await written();
    const w = s.desk.current.value;
    if (w) s.desk.editDraft(w.contact, { to: [{ name: 'A. Example', address: 'a.example@example.org' }], subject: 'Re: My bicycle was taken', text: 'Dear A. Example,\n\nThank you for the frame number. We have added it to your report and asked the library for its camera pictures.', in_reply_to: 'm3', quote: true, attachments: [{ id: 'u1', name: 'marking-your-bicycle.pdf', size: 120_400, type: 'application/pdf', scan: 'clean' }] });
  },
  'two-in-hand': async () => {
    const s = await written();
    s.server.offer(f.mail(Date.now(), { contact: 'late', offer: 12, phase: 'parked', due: f.at(Date.now(), -300), people: [], written: { subject: 'Lost keys', from: { address: 'b.example@example.org' }, messages: [] } }));
  },
  spam: async () => {
    const s = await written();
    const w = s.desk.current.value;
    if (w) await s.desk.spam(w);
  },
  'no-report': async () => {
    const s = await written();
    const w = s.desk.current.value;
    if (w) s.view.showTab(w.contact, 'report');
  },
  report: reported,
  'report-clash': async () => {
    const s = await reported();
    s.desk.reports.change('r1', 'summary', 'Blue bicycle taken between 14:00 and 15:30; a neighbour saw two young men.');
    s.server.savedElsewhere('r1', (r) => ({ ...r, summary: 'Blue bicycle with a basket taken from the rack.' }));
    await settle();
    await s.desk.reports.save('r1');
  },
  search: async () => {
    const s = await ready();
    s.view.dialog.value = 'search';
    s.desk.finder.type('example');
    await new Promise((done) => setTimeout(done, 250));
  },
  'person-card': async () => {
    const s = await written();
    s.view.look('person', 'p1');
  },
  'person-clash': async () => {
    const s = await written();
    const p = s.desk.current.value?.people?.[0];
    if (!p) return;
    s.view.editing.value = p;
    s.view.dialog.value = 'person';
    await settle();
    s.server.refuseNext.set('person.save', { code: 'person_conflict', message: 'Somebody else changed this person since you opened them. What you wrote is kept here; compare it with the newer record.', field: 'person.revision' });
    s.server.newerNext.set('person.save', { person: { ...p, remarks: 'Works nights: ring after two.', vulnerable: true, revision: '8' }, reports: [] });
    document.querySelector<HTMLFormElement>('form.app-form')?.requestSubmit();
    await settle();
  },
  tasks: async () => {
    const s = await ready();
    s.view.dialog.value = 'tasks';
  },
  forward: async () => {
    const s = await written();
    s.view.dialog.value = 'forward';
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
