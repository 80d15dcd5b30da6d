import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { face, spoken } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { describedBy, Field } from '../ui/Field.tsx';
import { Icon } from '../ui/icons.tsx';
import { digitFor, Keypad } from '../ui/Keypad.tsx';
import { takesText } from '../ui/shortcuts.ts';
import { Wordmark } from '../ui/Wordmark.tsx';
import { numberProblem, type Caller } from './model.ts';

function Emergency(): JSX.Element {
  return (
    <div class="app-emergency" role="note" aria-label="Emergency">
      <span class="app-emergency__sign"><Icon name="warning" size={28} /></span>
      <p><strong>If it is happening now, or someone is in danger, dial 999.</strong> This page cannot make emergency calls. If you cannot speak on a mobile, ring 999, then press 55. Deaf or hard of hearing: use 999 BSL, or text 999 if you have registered.</p>
    </div>
  );
}

/** Before and after a call: the number field and the one big button. */
function Start({ caller }: { caller: Caller }): JSX.Element {
  const number = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState('');
  const problem = caller.problem.value;
  const ended = caller.stage.value === 'ended';
  const submit = (e: Event) => {
    e.preventDefault();
    const typed = number.current?.value ?? '';
    const bad = numberProblem(typed);
    setWrong(bad);
    if (bad) number.current?.focus();
    else void caller.call(typed);
  };
  return (
    <form onSubmit={submit} noValidate>
      {ended && !problem && <p class="app-call__end" role="status"><Icon name="check" /> {caller.end.value} {caller.seconds.value > 0 && `You were connected for ${spoken(caller.seconds.value)}.`}</p>}
      {problem && <div class="app-inline app-inline--warn" role="alert"><Icon name="warning" /> <p>{problem}</p></div>}
      <Field id="number" label="Your phone number (optional)" hint="So that the call-handler can see what you told us before." error={wrong || undefined}>
        <input ref={number} class={`govuk-input${wrong ? ' govuk-input--error' : ''}`} id="number" name="number" type="tel" inputMode="tel" autocomplete="tel" aria-describedby={describedBy('number', true, !!wrong)} />
      </Field>
      <Button type="submit" kind="primary" icon="phone" class="app-button--call">{ended ? 'Call 101 again' : 'Call 101'}</Button>
      <p class="app-call__small">The call is free. Your browser will ask to use your microphone.</p>
    </form>
  );
}

/** During a call: where it stands, the keypad, mute and hang up. */
function InCall({ caller }: { caller: Caller }): JSX.Element {
  const stage = caller.stage.value;
  const connected = stage === 'connected';
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const digit = digitFor(e);
      if (!digit || takesText(document.activeElement)) return;
      e.preventDefault();
      caller.press(digit);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  const words = {
    starting: ['Connecting…', 'Allow the microphone if your browser asks.'],
    calling: ['Ringing 101…', 'You will hear a menu in a moment.'],
    connected: ['Connected to 101', 'Listen to the menu and press keys below, or wait to speak to a call-handler.'],
    idle: ['', ''],
    ended: ['', ''],
  }[stage];
  return (
    <div class={`app-incall app-incall--${stage}`}>
      <div class="app-incall__state">
        <p class="app-incall__words" role="status"><span class="app-incall__title"><Icon name="phone" size={24} /> {words[0]}</span> <span class="app-incall__more">{words[1]}</span></p>
        {connected && <p class="app-incall__clock" role="timer" aria-label={`Call time ${spoken(caller.seconds.value)}`}><span aria-hidden="true">{face(caller.seconds.value)}</span></p>}
      </div>
      <div class="app-incall__acts">
        {connected && <Button icon={caller.muted.value ? 'micOff' : 'mic'} pressed={caller.muted.value} onClick={() => caller.mute()}>{caller.muted.value ? 'Muted' : 'Mute'}</Button>}
        <Button kind="warning" icon="hangup" onClick={() => caller.hangUp()}>{connected ? 'Hang up' : 'Cancel'}</Button>
      </div>
      {connected && (
        <>
          <output class="app-keypad__sent" aria-label="Keys pressed">{caller.pressed.value || ' '}</output>
          <Keypad onDigit={(d) => caller.press(d)} />
          <p class="app-call__small">You can also type 0–9, * and # on your keyboard.</p>
        </>
      )}
    </div>
  );
}

/** The public call page: emergency first, then one button. */
export function CallPage({ caller }: { caller: Caller }): JSX.Element {
  const stage = caller.stage.value;
  const inCall = stage !== 'idle' && stage !== 'ended';
  return (
    <div class="app-public">
      <a href="#main" class="govuk-skip-link">Skip to main content</a>
      <header class="app-public__head"><div class="app-public__wide"><a class="app-public__home" href="/"><Wordmark of="Police contact centre" /></a></div></header>
      <main class="app-public__main" id="main">
        <Emergency />
        <h1 class="govuk-heading-l">{inCall ? 'Your call' : 'Call the police when it is not an emergency'}</h1>
        {!inCall && <p class="app-public__lead">Speak to a call-handler from this page, without a phone. Use it to report a crime that is over, ask for advice, or add to a report you made.</p>}
        <section class="app-call" aria-label="Call">
          {inCall ? <InCall caller={caller} /> : <Start caller={caller} />}
        </section>
        {!inCall && (
          <section class="app-public__next" aria-labelledby="next-title">
            <h2 class="govuk-heading-m" id="next-title">What happens when you call</h2>
            <ol>
              <li>You choose a language and say what it is about by pressing keys.</li>
              <li>You keep your place in the queue until a call-handler is free.</li>
              <li>The call-handler takes down what happened and tells you what comes next.</li>
            </ol>
            <p>You can also ring 101 from any phone.</p>
          </section>
        )}
      </main>
      <footer class="app-public__foot"><div class="app-public__wide">C3i: contact centre software. Not an emergency service.</div></footer>
    </div>
  );
}
