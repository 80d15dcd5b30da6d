import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { WorkItem } from '../protocol.gen.ts';
import type { DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { keyLabel } from '../ui/shortcuts.ts';
import { isWritten, type Desk } from './model.ts';
import type { View } from './view.ts';
import { callerText, likelyName } from './words.ts';

function Outcomes({ id, d, value, onChange, error }: { id: string; d: DeskState; value: string; onChange: (code: string) => void; error?: boolean }): JSX.Element {
  return (
    <select class={`govuk-select${error ? ' govuk-select--error' : ''}`} id={id} value={value} aria-describedby={error ? `${id}-error` : undefined} aria-keyshortcuts={id === 'outcome' ? keyLabel('outcome') : undefined} onChange={(e) => onChange(e.currentTarget.value)}>
      <option value="">Choose an outcome</option>
      {(d.catalogue.outcomes ?? []).map((o) => <option key={o.code} value={o.code}>{o.label}</option>)}
    </select>
  );
}

/** Outcome and finish: chosen at any time, sent once the conversation is over. */
export function Closing({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element {
  const [missing, setMissing] = useState(false);
  const value = view.outcomes.value.get(w.contact) ?? w.outcome ?? '';
  // A written contact ends when it is closed; a call must have ended before.
  const over = w.phase === 'wrap_up' || (isWritten(w) && (w.phase === 'talking' || w.phase === 'parked'));
  const finish = () => {
    if (!value) {
      setMissing(true);
      document.getElementById('outcome')?.focus();
      return;
    }
    void desk.finish(w.contact, value);
  };
  return (
    <section class="app-panel app-closing" aria-label="Outcome">
      <Field id="outcome" label="Outcome" error={missing && !value ? 'Choose an outcome' : undefined}>
        <Outcomes id="outcome" d={d} value={value} error={missing && !value} onChange={(code) => { view.chooseOutcome(w.contact, code); }} />
      </Field>
      <div class="app-closing__acts">
        <Button kind="primary" icon="check" shortcut="finish" disabled={!over} busy={desk.busy.value.has('finish')} onClick={finish} {...(over ? {} : { describedBy: 'finish-when' })}>Finish</Button>
        {w.phase === 'wrap_up' && !w.extended && <Button icon="clock" shortcut="moreTime" busy={desk.busy.value.has('extend')} onClick={() => void desk.extend(w.contact)}>More time</Button>}
        {!over && <span class="app-hint" id="finish-when">{isWritten(w) ? 'Once you have taken it' : 'After the call ends'}</span>}
        {w.phase === 'wrap_up' && w.extended && <span class="app-hint">Time was extended once</span>}
      </div>
    </section>
  );
}

/** A contact whose wrap-up ran out before an outcome was given. */
export function Unfinished({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element {
  const id = `late-${w.contact}`;
  const value = view.outcomes.value.get(w.contact) ?? '';
  return (
    <section class="app-panel app-unfinished" aria-label="Contact without an outcome">
      <p class="app-unfinished__text"><strong>Wrap-up ran out.</strong> {likelyName(w) || callerText(w)}, {w.queue_label}: give it an outcome.</p>
      <div class="app-unfinished__acts">
        <label class="govuk-visually-hidden" for={id}>Outcome of {likelyName(w) || callerText(w)}</label>
        <Outcomes id={id} d={d} value={value} onChange={(code) => view.chooseOutcome(w.contact, code)} />
        <Button kind="primary" disabled={!value} busy={desk.busy.value.has('finish')} onClick={() => void desk.finish(w.contact, value)}>Save</Button>
        <Button kind="quiet" onClick={() => desk.dismissUnfinished(w.contact)}>Leave it</Button>
      </div>
    </section>
  );
}
