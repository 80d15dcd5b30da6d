import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { Icon } from '../ui/icons.tsx';

/** A restricted record is opened only for a reason in words, which is kept. */
export function Reason({ what, text, onReason }: { what: string; text: string; onReason: (reason: string) => void }): JSX.Element {
  const [reason, setReason] = useState('');
  const [error, setError] = useState('');
  const open = (e: Event) => {
    e.preventDefault();
    if (reason.trim().length < 5) {
      setError('Say in a few words why you need to open it');
      return;
    }
    onReason(reason.trim());
  };
  return (
    <form class="app-reason" onSubmit={open}>
      <p class="app-inline app-inline--warn"><Icon name="warning" size={18} /> {text || `This ${what} is restricted.`}</p>
      <Field id="reason" label="Why do you need to open it?" hint="Your name, the time and this reason are kept." error={error}>
        <input class={`govuk-input${error ? ' govuk-input--error' : ''}`} id="reason" autocomplete="off" value={reason} aria-describedby={error ? 'reason-hint reason-error' : 'reason-hint'} onInput={(e) => setReason(e.currentTarget.value)} />
      </Field>
      <Button type="submit" kind="primary">Open it</Button>
    </form>
  );
}
