import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { GetPersonReply, Person, WorkItem } from '../protocol.gen.ts';
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

const genders = ['Male', 'Female', 'Trans Male', 'Trans Female', 'Non-Binary', 'Intersex', 'Not Specified', 'Not Known'];

const contactRules = [['', 'Nothing known'], ['any', 'Any way is safe'], ['limited', 'Only in some ways'], ['never', 'Never: it puts them at risk']] as const;

const methods = [['phone', 'Phone'], ['email', 'E-mail'], ['post', 'Post'], ['sms', 'Text message']] as const;

const lines = (text: string) => text.split(/[\n,;]+/).map((n) => n.trim()).filter(Boolean);

/** People the one being written down may be: found by what is typed. */
function Maybe({ desk, w, people, onClose }: { desk: Desk; w: WorkItem; people: readonly Person[]; onClose: () => void }): JSX.Element | null {
  if (!people.length) return null;
  return (
    <div class="app-maybe" role="status">
      <h3 class="app-mini">Already known?</h3>
      <ul>
        {people.slice(0, 4).map((p) => (
          <li key={p.id}>
            <span><strong>{p.masked ? 'A restricted person' : p.name}</strong> {p.certainty === 'certain' ? 'surely' : 'maybe'}{p.because?.length ? `, by ${p.because.join(', ')}` : ''}{!p.masked && p.date_of_birth ? `, born ${p.date_of_birth}` : ''}</span>
            <Button kind="quiet" label={`It is ${p.masked ? 'the restricted person' : p.name}`} onClick={() => { void desk.attach(w.contact, p.id); onClose(); }}>It is them</Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

const labels: Record<string, string> = {
  name: 'Name', given_name: 'Given name', surname: 'Surname', date_of_birth: 'Date of birth', gender: 'Gender', numbers: 'Phone numbers', emails: 'E-mail addresses',
  street: 'Number and street', town: 'Town', postcode: 'Postcode', language: 'Language', needs: 'Communication needs', remarks: 'Remarks', times: 'When', cover_phrase: 'Say that you are',
  unsafe_numbers: 'Never ring', unsafe_emails: 'Never write to', rule: 'Safe contact', vulnerable: 'Vulnerable', repeat_victim: 'Repeat victim', restricted: 'Restricted', no_voicemail: 'Leave no voicemail',
  ...Object.fromEntries(methods.map(([m, text]) => [`method-${m}`, `Only by ${text.toLowerCase()}`])),
};

/** What somebody else changed of a person while the form was open. */
function Meanwhile({ was, is }: { was: Person; is: Person }): JSX.Element {
  const before = shownOf(was);
  const changes = Object.entries(shownOf(is)).filter(([k, v]) => v !== before[k]);
  const text = (v: string | boolean) => (typeof v === 'boolean' ? (v ? 'yes' : 'no') : v || 'nothing');
  return (
    <div class="app-maybe">
      <h3 class="app-mini">Changed meanwhile</h3>
      <ul>{changes.map(([k, v]) => <li key={k}><span><strong>{labels[k] ?? k}</strong>: {text(v)}</span></li>)}</ul>
      <p class="app-hint">What you did not touch is as they saved it. What you wrote stands: look through it, then save again.</p>
    </div>
  );
}

/** What the form shows of a person, by the name of its field. */
function shownOf(p: Person): Record<string, string | boolean> {
  const box = p.addresses?.[0];
  return {
    name: p.name, given_name: p.given_name ?? '', surname: p.surname ?? '', date_of_birth: p.date_of_birth ?? '', gender: p.gender ?? '',
    numbers: (p.numbers ?? []).join('\n'), emails: (p.emails ?? []).join('\n'), street: box?.street ?? '', town: box?.town ?? '', postcode: box?.postcode ?? '',
    language: p.language ?? '', needs: (p.needs ?? []).join(', '), remarks: p.remarks ?? '', times: p.safe?.times ?? '', cover_phrase: p.safe?.cover_phrase ?? '',
    unsafe_numbers: (p.safe?.unsafe_numbers ?? []).join('\n'), unsafe_emails: (p.safe?.unsafe_emails ?? []).join('\n'), rule: p.safe?.rule ?? '',
    vulnerable: !!p.vulnerable, repeat_victim: !!p.repeat_victim, restricted: !!p.restricted, no_voicemail: !!p.safe?.no_voicemail,
    ...Object.fromEntries(methods.map(([m]) => [`method-${m}`, !!p.safe?.methods?.includes(m)])),
  };
}

/** Creating or changing a person. */
export function PersonDialog({ desk, d, w, person, onClose }: { desk: Desk; d: DeskState; w: WorkItem; person: Person; onClose: () => void }): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<{ field: string; text: string } | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [known, setKnown] = useState<readonly Person[]>([]);
  const [rule, setRule] = useState(person.safe?.rule ?? '');
  // What somebody else saved meanwhile: saving again is then a choice.
  const [newer, setNewer] = useState<Person | undefined>(undefined);
  const base = newer ?? person;
  const fields: Record<string, string> = {
    name: 'p-name', numbers: 'p-numbers', language: 'p-language', remarks: 'p-remarks', given_name: 'p-given_name', surname: 'p-surname',
    date_of_birth: 'p-date_of_birth', emails: 'p-emails', postcode: 'p-postcode', 'addresses[0].postcode': 'p-postcode', 'safe.unsafe_numbers': 'p-unsafe_numbers', 'safe.unsafe_emails': 'p-unsafe_emails',
  };
  const read = (): Person => {
    const v = new FormData(form.current ?? undefined);
    const text = (k: string) => String(v.get(k) ?? '').trim();
    const place = { ...base.addresses?.[0], street: text('street'), town: text('town'), postcode: text('postcode').toUpperCase() };
    const rest = base.addresses?.slice(1) ?? [];
    const { certainty: _c, because: _b, masked: _m, attached: _a, merged_into: _into, ...kept } = base;
    return {
      ...kept,
      name: text('name') || [text('given_name'), text('surname')].filter(Boolean).join(' '),
      given_name: text('given_name'), surname: text('surname'), date_of_birth: text('date_of_birth'), gender: text('gender'),
      numbers: lines(text('numbers')), emails: lines(text('emails')),
      addresses: place.street || place.town || place.postcode ? [place, ...rest] : rest,
      language: text('language'), needs: lines(text('needs')),
      vulnerable: v.has('vulnerable'), repeat_victim: v.has('repeat_victim'), restricted: v.has('restricted'), remarks: text('remarks'),
      safe: {
        ...base.safe, rule: text('rule'), methods: text('rule') === 'limited' ? methods.map(([m]) => m).filter((m) => v.has(`method-${m}`)) : [],
        unsafe_numbers: lines(text('unsafe_numbers')), unsafe_emails: lines(text('unsafe_emails')), times: text('times'), cover_phrase: text('cover_phrase'), no_voicemail: v.has('no_voicemail'),
      },
    };
  };
  // Somebody new may be known: look once a field has been filled in.
  const look = async () => {
    if (person.id) return;
    const p = read();
    const clues = {
      ...(p.name ? { name: p.name } : {}), ...(p.given_name ? { given: p.given_name } : {}), ...(p.surname ? { surname: p.surname } : {}), ...(p.date_of_birth ? { date_of_birth: p.date_of_birth } : {}),
      ...(p.numbers?.length ? { numbers: p.numbers } : {}), ...(p.emails?.length ? { emails: p.emails } : {}), ...(p.addresses?.[0]?.postcode ? { postcode: p.addresses[0].postcode } : {}),
    };
    if (Object.keys(clues).length) setKnown(await desk.findPeople({ contact: w.contact, ...clues }));
  };
  useEffect(() => { void look(); }, []);
  // Fields nobody touched here take the newer value; those that were stay.
  const take = (theirs: Person) => {
    const was = shownOf(base);
    const is = shownOf(theirs);
    for (const el of form.current?.elements ?? []) {
      if (el instanceof HTMLInputElement && el.type === 'checkbox') {
        if (el.checked === was[el.name]) el.checked = !!is[el.name];
      } else if ((el instanceof HTMLInputElement || el instanceof HTMLTextAreaElement || el instanceof HTMLSelectElement) && el.name in is) {
        if (el.name === 'rule') setRule((r) => (r === was.rule ? String(is.rule) : r));
        else if (el.value.trim() === String(was[el.name])) el.value = String(is[el.name]);
      }
    }
    setNewer(theirs);
  };
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || !form.current) return;
    const p = read();
    if (!p.name) {
      setError({ field: 'p-name', text: 'Enter a name, or what the caller wants to be called' });
      document.getElementById('p-name')?.focus();
      return;
    }
    setBusy(true);
    try {
      await desk.savePerson(w.contact, p);
      onClose();
    } catch (err) {
      if (err instanceof RequestError && err.code === 'person_conflict' && err.reply) take((err.reply as GetPersonReply).person);
      const field = err instanceof RequestError ? fields[err.field.replace(/^person\./, '')] ?? fields[err.field.replace(/^person\./, '').replace(/\[\d+\].*$/, '')] ?? '' : '';
      setError({ field, text: sentence(err) });
      if (field) document.getElementById(field)?.focus();
    } finally {
      setBusy(false);
    }
  };
  const at = (id: string) => (error?.field === id ? error.text : undefined);
  const box = person.addresses?.[0];
  const input = (name: string, label: string, value: string | undefined, hint = '') => {
    const id = `p-${name}`;
    return (
      <Field id={id} label={label} {...(hint ? { hint } : {})} error={at(id)}>
        <input class={`govuk-input${at(id) ? ' govuk-input--error' : ''}`} id={id} name={name} defaultValue={value ?? ''} autocomplete="off" aria-describedby={describedBy(id, !!hint, !!at(id))} onBlur={() => void look()} />
      </Field>
    );
  };
  const area = (name: string, label: string, value: string, hint: string) => {
    const id = `p-${name}`;
    return (
      <Field id={id} label={label} hint={hint} error={at(id)}>
        <textarea class="govuk-textarea" id={id} name={name} rows={2} defaultValue={value} autocomplete="off" aria-describedby={describedBy(id, true, !!at(id))} onBlur={() => void look()} />
      </Field>
    );
  };
  const check = (name: string, label: string, on: boolean | undefined) => (
    <div class="govuk-checkboxes__item" key={name}>
      <input class="govuk-checkboxes__input" id={`p-${name}`} name={name} type="checkbox" defaultChecked={!!on} />
      <label class="govuk-label govuk-checkboxes__label" for={`p-${name}`}>{label}</label>
    </div>
  );
  return (
    <Dialog title={person.id ? `Change ${person.name}` : 'New person'} onClose={onClose} wide>
      {error && !error.field && <p class="app-inline app-inline--warn" role="alert">{error.text}</p>}
      {newer && <Meanwhile was={person} is={newer} />}
      <Maybe desk={desk} w={w} people={known} onClose={onClose} />
      <form ref={form} onSubmit={submit} noValidate class="app-form">
        <Field id="p-name" label="Name" hint="As they are called" error={at('p-name')}>
          <input class={`govuk-input${at('p-name') ? ' govuk-input--error' : ''}`} id="p-name" name="name" autofocus defaultValue={person.name} autocomplete="off" aria-describedby={describedBy('p-name', true, !!at('p-name'))} onBlur={() => void look()} />
        </Field>
        {input('given_name', 'Given name', person.given_name)}
        {input('surname', 'Surname', person.surname)}
        <Field id="p-date_of_birth" label="Date of birth" error={at('p-date_of_birth')}>
          <input class="govuk-input" id="p-date_of_birth" name="date_of_birth" type="date" defaultValue={person.date_of_birth ?? ''} aria-describedby={describedBy('p-date_of_birth', false, !!at('p-date_of_birth'))} onBlur={() => void look()} />
        </Field>
        <Field id="p-gender" label="Gender">
          <select class="govuk-select" id="p-gender" name="gender" defaultValue={person.gender ?? ''}>
            <option value="">Not asked</option>
            {genders.map((g) => <option key={g} value={g} selected={g === person.gender}>{g}</option>)}
          </select>
        </Field>
        {area('numbers', 'Phone numbers', (person.numbers ?? []).join('\n'), 'One on each line')}
        {area('emails', 'E-mail addresses', (person.emails ?? []).join('\n'), 'One on each line')}
        {input('street', 'Number and street', box?.street)}
        {input('town', 'Town', box?.town)}
        {input('postcode', 'Postcode', box?.postcode)}
        <Field id="p-language" label="Language" error={at('p-language')}>
          <select class="govuk-select" id="p-language" name="language" defaultValue={person.language ?? ''}>
            <option value="">Not known</option>
            {(d.catalogue.languages ?? []).map((l) => <option key={l.code} value={l.code} selected={l.code === person.language}>{l.label}</option>)}
          </select>
        </Field>
        {input('needs', 'Communication needs', (person.needs ?? []).join(', '), 'For example: text relay, large print')}
        <fieldset class="govuk-fieldset app-form__markers">
          <legend class="govuk-fieldset__legend">Markers</legend>
          <div class="govuk-checkboxes govuk-checkboxes--small">
            {check('vulnerable', 'Vulnerable', person.vulnerable)}
            {check('repeat_victim', 'Repeat victim', person.repeat_victim)}
            {check('restricted', 'Restricted: a reason is needed to open the record', person.restricted)}
          </div>
        </fieldset>
        <div class="app-form__all">
          <details class="app-section" open={!!person.safe?.rule || !!person.safe?.unsafe_numbers?.length || !!person.safe?.unsafe_emails?.length}>
            <summary class="app-section__title">How they may be reached safely</summary>
            <div class="app-section__body app-form">
              <Field id="p-rule" label="Safe contact">
                <select class="govuk-select" id="p-rule" name="rule" value={rule} onChange={(e) => setRule(e.currentTarget.value)}>{contactRules.map(([code, text]) => <option key={code} value={code}>{text}</option>)}</select>
              </Field>
              <fieldset class="govuk-fieldset" hidden={rule !== 'limited'}>
                <legend class="govuk-label">Only by</legend>
                <div class="govuk-checkboxes govuk-checkboxes--small">{methods.map(([m, text]) => check(`method-${m}`, text, person.safe?.methods?.includes(m)))}</div>
              </fieldset>
              {area('unsafe_numbers', 'Never ring', (person.safe?.unsafe_numbers ?? []).join('\n'), 'One on each line')}
              {area('unsafe_emails', 'Never write to', (person.safe?.unsafe_emails ?? []).join('\n'), 'One on each line')}
              {input('times', 'When', person.safe?.times)}
              {input('cover_phrase', 'Say that you are', person.safe?.cover_phrase)}
              <div class="govuk-checkboxes govuk-checkboxes--small">{check('no_voicemail', 'Leave no voicemail', person.safe?.no_voicemail)}</div>
            </div>
          </details>
        </div>
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
