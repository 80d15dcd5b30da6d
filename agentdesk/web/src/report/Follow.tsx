import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PartyRole, Report } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { dateText, toMs } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { Due, instantOf } from './Panel.tsx';
import type { OpenReport } from './reports.ts';
import { partyRoles, taskText } from './words.ts';

/** What is to be done about the report, by when. */
export function Tasks({ desk, id, o }: { desk: Desk; id: string; o: OpenReport }): JSX.Element {
  const [text, setText] = useState('');
  const [due, setDue] = useState('');
  const tasks = o.reply.tasks ?? [];
  const now = desk.now.value;
  const add = async () => {
    if (text.trim() && (await desk.reports.addTask(id, { text: text.trim(), due: instantOf(due) || (now + 86_400_000) * 1e6 }))) {
      setText('');
      setDue('');
    }
  };
  return (
    <>
      <ul class="app-rows">
        {tasks.map((t) => (
          <li class={`app-row app-task${t.done ? ' app-task--done' : ''}`} key={t.id}>
            <span>{taskText(t)}{t.owner ? ` (${o.reply.names?.[t.owner] ?? t.owner})` : ''}</span>
            {t.done ? <span class="app-hint">Done {dateText(toMs(t.done))}{t.result ? `: ${t.result}` : ''}</span> : <><Due at={t.due} now={now} what="due" /> <Button kind="quiet" label={`Done: ${taskText(t)}`} onClick={() => void desk.reports.doneTask({ id: t.id, report: id }, '')}>Done</Button></>}
          </li>
        ))}
      </ul>
      {desk.may('reports.save') && (
        <div class="app-grid">
          <Field id={`${id}-task`} label="Add a task"><input class="govuk-input" id={`${id}-task`} autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} /></Field>
          <Field id={`${id}-task-due`} label="Due"><input class="govuk-input" id={`${id}-task-due`} type="datetime-local" value={due} onChange={(e) => setDue(e.currentTarget.value)} /></Field>
          <div class="app-grid__all"><Button disabled={!text.trim()} onClick={() => void add()}>Add the task</Button></div>
        </div>
      )}
    </>
  );
}

/** What those who follow the report are told, and the secrets they follow it with. */
export function Updates({ desk, id, o, r }: { desk: Desk; id: string; o: OpenReport; r: Report }): JSX.Element {
  const [text, setText] = useState('');
  const [roles, setRoles] = useState<readonly PartyRole[]>([]);
  const [secret, setSecret] = useState<{ name: string; secret: string } | undefined>(undefined);
  const say = async () => {
    if (text.trim() && (await desk.reports.update(id, text.trim(), [...roles]))) setText('');
  };
  return (
    <>
      {!!r.updates?.length && (
        <ul class="app-rows">
          {[...r.updates].reverse().map((u) => <li class="app-row" key={`${u.at}${u.text}`}>{u.text}<span class="app-hint"> {dateText(toMs(u.at))}, {o.reply.names?.[u.by] ?? u.by}{u.for?.length ? `, for ${u.for.map((x) => partyRoles[x]).join(', ')}` : ''}</span></li>)}
        </ul>
      )}
      {desk.may('reports.save') && (
        <>
          <Field id={`${id}-update`} label="Tell those who follow it" hint="They read this on the tracking page: plain words, and nobody else’s details">
            <textarea class="govuk-textarea" id={`${id}-update`} rows={2} value={text} aria-describedby={`${id}-update-hint`} onInput={(e) => setText(e.currentTarget.value)} />
          </Field>
          <fieldset class="govuk-fieldset app-roles">
            <legend class="govuk-label">For</legend>
            <div class="govuk-checkboxes govuk-checkboxes--small app-roles__list">
              {(['victim', 'reporter', 'witness'] as const).map((role) => (
                <div class="govuk-checkboxes__item" key={role}>
                  <input class="govuk-checkboxes__input" id={`${id}-for-${role}`} type="checkbox" checked={roles.includes(role)} onChange={(e) => setRoles(e.currentTarget.checked ? [...roles, role] : roles.filter((x) => x !== role))} />
                  <label class="govuk-label govuk-checkboxes__label" for={`${id}-for-${role}`}>{partyRoles[role]}</label>
                </div>
              ))}
            </div>
            <p class="app-hint">None chosen: everybody who may follow it.</p>
          </fieldset>
          <div class="app-row__acts">
            <Button busy={o.busy === 'update'} disabled={!text.trim()} onClick={() => void say()}>Publish the update</Button>
            {(r.parties ?? []).map((p, i) => (p.roles?.some((x) => x !== 'suspect') ? <Button key={i} kind="quiet" onClick={() => void desk.reports.secret(id, i).then((s) => { if (s) setSecret({ name: p.name, secret: s }); })}>{`New tracking secret for ${p.name || 'them'}`}</Button> : null))}
          </div>
          {secret && <p class="app-inline app-inline--secret" role="status">Tell {secret.name || 'them'} now, it is not shown again: reference <strong>{r.reference}</strong>, secret <strong>{secret.secret}</strong></p>}
        </>
      )}
    </>
  );
}
