import { effect } from '@preact/signals';
import { render } from 'preact';
import { httpApi } from '../api.ts';
import { JsSipPhone } from '../phone/jssipPhone.ts';
import { claimTab, type Socket, type TabLocks } from '../state/connection.ts';
import { pageTimers, workerTimers, type Timers } from '../state/timers.ts';
import { Desk } from './model.ts';
import { DeskPage } from './Page.tsx';
import { Bell, title } from './ring.ts';
import { View } from './view.ts';
import { callerText, likelyName, states } from './words.ts';

function timers(): Timers {
  try {
    return workerTimers(new Worker(new URL('../state/timer.worker.ts', import.meta.url), { type: 'module' }));
  } catch {
    return pageTimers;
  }
}

function open(): Socket {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}

const audio = document.createElement('audio');
audio.id = 'remote-audio';
audio.autoplay = true;
document.body.append(audio);

const steady = timers();
const desk = new Desk({
  api: httpApi(),
  open,
  phone: new JsSipPhone({ register: true, audio, timers: steady }),
  timers: steady,
  random: Math.random,
  tab: await claimTab(sessionStorage, navigator.locks as TabLocks | undefined),
  storage: localStorage,
  local: () => Date.now(),
  reload: () => location.reload(),
  newKey: () => crypto.randomUUID(),
});
const view = new View(localStorage);

const bell = new Bell(steady);
effect(() => {
  // A mail does not ring: it is announced, and shown.
  if (desk.ringsNow.value && view.sound.value && desk.ringing.value?.channel !== 'email' && desk.ringing.value?.channel !== 'web') bell.start();
  else bell.stop();
});
effect(() => {
  const w = desk.ringing.value;
  const state = desk.desk.value ? states[desk.desk.value.me.state].label : '';
  const who = w ? `${likelyName(w) || callerText(w)}, ${w.queue_label}` : desk.ringsNow.value ? 'your phone' : undefined;
  document.title = title(who, state, Math.floor(desk.now.value / 1000) % 2 === 0);
});
addEventListener('pagehide', () => desk.leaving());
document.addEventListener('visibilitychange', () => { if (document.hidden) desk.leaving(); });
addEventListener('online', () => desk.reconnectNow());

const root = document.getElementById('app');
if (root) render(<DeskPage desk={desk} view={view} />, root);
void desk.begin();
