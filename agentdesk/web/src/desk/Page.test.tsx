import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as f from '../fake/fixtures.ts';
import { buttonIn, drawn, World } from '../fake/world.ts';
import { CloseTakenOver } from '../protocol.gen.ts';
import type { Desk } from './model.ts';
import { DeskPage } from './Page.tsx';
import { Bell, title } from './ring.ts';
import { View } from './view.ts';
import { ManualTimers } from '../state/timers.ts';

let root: HTMLElement;
let w: World;

async function show(): Promise<Desk> {
  const desk = await w.signedIn();
  render(<DeskPage desk={desk} view={new View(w.storage)} />, root);
  await drawn();
  return desk;
}

function alt(code: string): void {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { code, key: '', altKey: true, bubbles: true, cancelable: true }));
}

const text = () => root.textContent ?? '';
const said = () => root.querySelector('[aria-live="assertive"]')?.textContent ?? '';
const button = (name: RegExp) => buttonIn(root, name);

beforeEach(() => {
  w = new World();
  root = document.createElement('div');
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});

describe('the page', () => {
  it('links an empty sign-in to its fields', async () => {
    const desk = w.open();
    render(<DeskPage desk={desk} view={new View(w.storage)} />, root);
    await desk.begin();
    await drawn();
    root.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    await drawn();
    expect([...root.querySelectorAll('.govuk-error-summary a')].map((a) => a.getAttribute('href'))).toEqual(['#user', '#password']);
    expect(root.querySelector('#user')?.getAttribute('aria-describedby')).toBe('user-error');
  });

  it('announces a ringing contact and leaves the focus alone', async () => {
    await show();
    const c = f.work(w.start, { contact: 'first', phase: 'wrap_up', until: f.at(w.start, 60) });
    w.server.change({ work: [c] });
    await drawn();
    alt('KeyN');
    const note = document.activeElement;
    expect(note?.id).toBe('note');
    await w.ring({ contact: 'second', offer: 8 });
    await drawn();
    expect(document.activeElement).toBe(note);
    expect(note?.isConnected).toBe(true);
    expect(said()).toContain('Call ringing');
    expect(said()).toContain('Polish');
    expect(said()).toContain('Alt+A to answer');
    alt('KeyA');
    await drawn();
    expect(root.querySelector('.app-contact--talking')).not.toBeNull();
  });

  it('is worked by keyboard from ready to finished', async () => {
    const desk = await show();
    alt('KeyR');
    await drawn();
    expect(desk.desk.value?.me.state).toBe('ready');
    const c = await w.ring();
    alt('KeyA');
    await drawn();
    expect(text()).toContain('Talking');
    alt('KeyM');
    await drawn();
    expect(button(/^Muted/)?.getAttribute('aria-pressed')).toBe('true');
    alt('KeyH');
    await drawn();
    expect(text()).toContain('On hold');
    alt('KeyX');
    await drawn();
    expect(text()).toContain('Wrap-up');
    alt('Enter');
    await drawn();
    expect(document.activeElement?.id).toBe('outcome');
    const outcome = root.querySelector<HTMLSelectElement>('#outcome');
    if (outcome) outcome.value = 'advice_given';
    outcome?.dispatchEvent(new Event('change', { bubbles: true }));
    await drawn();
    alt('Enter');
    await drawn();
    expect(w.sent('contact.close')).toEqual([{ contact: c.contact, outcome: { code: 'advice_given' } }]);
    expect(text()).toContain('You are ready');
  });

  it('chooses a reason by its number', async () => {
    await show();
    alt('KeyB');
    await drawn();
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: '2', bubbles: true, cancelable: true }));
    await drawn();
    expect(w.sent('state.set')).toEqual([{ state: 'not_ready', reason: 'lunch' }]);
  });

  it('tells a handler with a phone of their own to answer on it', async () => {
    w.server.desk.phone = { kind: 'sip' };
    await show();
    w.server.offer(f.work(w.start));
    await drawn();
    expect(text()).toContain('Answer on your phone');
    expect(button(/^Answer/)).toBeUndefined();
  });

  it('shows what is typed as saved, and says when it is not', async () => {
    await show();
    const c = await w.ring();
    alt('KeyA');
    await drawn();
    const note = root.querySelector<HTMLTextAreaElement>('#note');
    if (note) note.value = 'Seen at five';
    note?.dispatchEvent(new Event('input', { bubbles: true }));
    await w.pass(700);
    await drawn();
    expect(root.querySelector('#note-status')?.textContent).toMatch(/Saved \d\d:\d\d/);
    expect(w.sent('note.save')).toEqual([{ contact: c.contact, text: 'Seen at five', base: 0 }]);
    w.server.up = false;
    w.server.cut(1006);
    if (note) note.value = 'Seen at five by two';
    note?.dispatchEvent(new Event('input', { bubbles: true }));
    await w.pass(700);
    await drawn();
    expect(root.querySelector('#note-status')?.textContent).toContain('Kept in this browser');
    expect(text()).toContain('Reconnecting');
  });

  it('says plainly that another tab has the desk, and takes it back', async () => {
    const desk = await show();
    w.server.cut(CloseTakenOver);
    await drawn();
    expect(root.querySelector('[role=alert]')?.textContent).toContain('another tab');
    expect(root.querySelector('.app-main')?.hasAttribute('inert')).toBe(true);
    button(/Use the desk here/)?.click();
    await drawn();
    expect(desk.connection.value.kind).toBe('live');
    expect(root.querySelector('.app-main')?.hasAttribute('inert')).toBe(false);
  });

  it('shows what waits with its age against target in words', async () => {
    await show();
    const rows = [...root.querySelectorAll('.app-queue')].map((r) => r.textContent);
    expect(rows[0]).toContain('over target');
    expect(rows[1]).toContain('due in');
    expect(rows[3]).toContain('Closed');
  });
});

describe('ringing', () => {
  it('shows in the title, in turns', () => {
    expect(title('A caller, Crime', 'Ready', true)).toBe('☎ Ringing: A caller, Crime');
    expect(title('A caller, Crime', 'Ready', false)).not.toContain('A caller');
    expect(title(undefined, 'Ready', true)).toBe('Ready – C3i desk');
  });

  it('rings every three seconds until stopped, and survives having no sound device', () => {
    const timers = new ManualTimers();
    let tries = 0;
    const bell = new Bell(timers, () => { tries++; throw new Error('no device'); });
    bell.start();
    bell.start();
    timers.advance(6_000);
    expect(tries).toBe(3);
    bell.stop();
    timers.advance(6_000);
    expect(tries).toBe(3);
  });
});
