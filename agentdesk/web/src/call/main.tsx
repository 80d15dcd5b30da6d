import { effect } from '@preact/signals';
import { render } from 'preact';
import { httpApi } from '../api.ts';
import { JsSipPhone } from '../phone/jssipPhone.ts';
import { pageTimers } from '../state/timers.ts';
import { Caller } from './model.ts';
import { CallPage } from './Page.tsx';

const audio = document.createElement('audio');
audio.id = 'remote-audio';
audio.autoplay = true;
document.body.append(audio);

const caller = new Caller({
  api: httpApi(),
  phone: new JsSipPhone({ register: false, audio }),
  timers: pageTimers,
  local: () => Date.now(),
});
effect(() => {
  const words = { idle: 'Call 101', starting: 'Connecting…', calling: 'Ringing 101…', connected: 'Connected to 101', ended: 'Call ended' }[caller.stage.value];
  document.title = `${words} – Police contact centre`;
});
addEventListener('beforeunload', (e) => {
  if (caller.stage.value === 'connected') e.preventDefault();
});
addEventListener('pagehide', () => caller.hangUp());

const root = document.getElementById('app');
if (root) render(<CallPage caller={caller} />, root);
