import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Person, WorkItem } from '../protocol.gen.ts';
import { RequestError } from '../state/connection.ts';
import type { DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { describedBy, Field } from '../ui/Field.tsx';
import { digitFor, Keypad } from '../ui/Keypad.tsx';
import { keyLabel, shortcuts, type Shortcut } from '../ui/shortcuts.ts';
import { sentence, type Desk } from './model.ts';

/** Every shortcut, and what to know of the desk. */
export function HelpDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} wide>
      <dl class="app-keys">
        {(Object.keys(shortcuts) as Shortcut[]).map((s) => (
          <div key={s}><dt><kbd class="app-kbd">{keyLabel(s)}</kbd></dt><dd>{shortcuts[s].does}</dd></div>
        ))}
        <div><dt><kbd class="app-kbd">Esc</kbd></dt><dd>Close what is open</dd></div>
        <div><dt><kbd class="app-kbd">1</kbd>–<kbd class="app-kbd">9</kbd></dt><dd>Choose a reason while the list is open</dd></div>
      </dl>
      <p class="app-hint">Shortcuts work while you type. Nothing moves the cursor out of your note when a call rings: the ringing contact is announced instead.</p>
    </Dialog>
  );
}

/** Tones for a menu at the far end. */
export function KeypadDialog({ desk, onClose }: { desk: Desk; onClose: () => void }): JSX.Element {
  const [sent, setSent] = useState('');
  const send = (digit: string) => {
    setSent((s) => (s + digit).slice(-24));
    void desk.control('dtmf', digit);
  };
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const digit = digitFor(e);
      if (!digit) return;
      e.preventDefault();
      send(digit);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  return (
    <Dialog title="Keypad" onClose={onClose}>
      <output class="app-keypad__sent" aria-label="Sent so far">{sent || ' '}</output>
      <Keypad onDigit={send} />
      <p class="app-hint">Or type 0–9, * and #.</p>
    </Dialog>
  );
}

/** Creating or changing a person. */
export function PersonDialog({ desk, d, w, person, onClose }: { desk: Desk; d: DeskState; w: WorkItem; person: Person; onClose: () => void }): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<{ field: string; text: string } | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const fields: Record<string, string> = { name: 'p-name', numbers: 'p-numbers', emails: 'p-emails', language: 'p-language', remarks: 'p-remarks' };
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || !form.current) return;
    const v = new FormData(form.current);
    const text = (k: string) => String(v.get(k) ?? '').trim();
    if (!text('name')) {
      setError({ field: 'p-name', text: 'Enter a name, or what the caller wants to be called' });
      document.getElementById('p-name')?.focus();
      return;
    }
    const lines = (k: string) => text(k).split(/[\n,;]+/).map((n) => n.trim()).filter(Boolean);
    setBusy(true);
    try {
      // What the form does not ask (addresses, needs, how to reach them safely) stays as it is.
      await desk.savePerson(w.contact, {
        ...person,
        name: text('name'),
        numbers: lines('numbers'),
        emails: lines('emails'),
        language: text('language'),
        vulnerable: v.has('vulnerable'),
        repeat_victim: v.has('repeat_victim'),
        remarks: text('remarks'),
      });
      onClose();
    } catch (err) {
      const field = err instanceof RequestError ? fields[err.field.replace(/^person\./, '')] ?? '' : '';
      setError({ field, text: sentence(err) });
    } finally {
      setBusy(false);
    }
  };
  const at = (id: string) => (error?.field === id ? error.text : undefined);
  return (
    <Dialog title={person.id ? `Change ${person.name}` : 'New person'} onClose={onClose} wide>
      {error && !error.field && <p class="app-inline app-inline--warn" role="alert">{error.text}</p>}
      <form ref={form} onSubmit={submit} noValidate class="app-form">
        <Field id="p-name" label="Name" error={at('p-name')}>
          <input class={`govuk-input${at('p-name') ? ' govuk-input--error' : ''}`} id="p-name" name="name" autofocus defaultValue={person.name} autocomplete="off" aria-describedby={describedBy('p-name', false, !!at('p-name'))} />
        </Field>
        <Field id="p-numbers" label="Phone numbers" hint="One on each line" error={at('p-numbers')}>
          <textarea class="govuk-textarea" id="p-numbers" name="numbers" rows={2} defaultValue={(person.numbers ?? []).join('\n')} autocomplete="off" aria-describedby={describedBy('p-numbers', true, !!at('p-numbers'))} />
        </Field>
        <Field id="p-emails" label="E-mail addresses" hint="One on each line" error={at('p-emails')}>
          <textarea class="govuk-textarea" id="p-emails" name="emails" rows={2} defaultValue={(person.emails ?? []).join('\n')} autocomplete="off" aria-describedby={describedBy('p-emails', true, !!at('p-emails'))} />
        </Field>
        <Field id="p-language" label="Language" error={at('p-language')}>
          <select class="govuk-select" id="p-language" name="language" defaultValue={person.language ?? ''}>
            <option value="">Not known</option>
            {(d.catalogue.languages ?? []).map((l) => <option key={l.code} value={l.code} selected={l.code === person.language}>{l.label}</option>)}
          </select>
        </Field>
        <fieldset class="govuk-fieldset app-form__markers">
          <legend class="govuk-fieldset__legend">Markers</legend>
          <div class="govuk-checkboxes govuk-checkboxes--small">
            {([['vulnerable', 'Vulnerable', person.vulnerable], ['repeat_victim', 'Repeat victim', person.repeat_victim]] as const).map(([name, label, on]) => (
              <div class="govuk-checkboxes__item" key={name}>
                <input class="govuk-checkboxes__input" id={`p-${name}`} name={name} type="checkbox" defaultChecked={!!on} />
                <label class="govuk-label govuk-checkboxes__label" for={`p-${name}`}>{label}</label>
              </div>
            ))}
          </div>
        </fieldset>
        <Field id="p-remarks" label="Remarks" hint="What the next handler should know" error={at('p-remarks')}>
          <textarea class="govuk-textarea" id="p-remarks" name="remarks" rows={3} defaultValue={person.remarks ?? ''} aria-describedby={describedBy('p-remarks', true, !!at('p-remarks'))} />
        </Field>
        <div class="app-form__acts">
          <Button type="submit" kind="primary" busy={busy}>{busy ? 'Saving…' : 'Save and record the contact for them'}</Button>
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
