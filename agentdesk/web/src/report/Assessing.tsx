import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Assessment, Grade, Report, Strand, WorkItem } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { dateText, toMs } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import type { OpenReport } from './reports.ts';
import { grades, label, levels, strands } from './words.ts';

type StrandName = (typeof strands)[number]['field'];

const reasons = [
  { code: 'changed_circumstances', label: 'Circumstances have changed' }, { code: 'new_contact', label: 'They have been in touch again' },
  { code: 'overdue', label: 'The time to assess again has come' }, { code: 'grade_change', label: 'The grade should change' },
];

const checks = [
  ['person_history', 'Earlier contacts of the person'], ['number_history', 'Earlier contacts of the number'], ['address_history', 'The address'], ['markers', 'Markers and warnings'],
] as const;

function Past({ a, names }: { a: Assessment; names: Record<string, string> | undefined }): JSX.Element {
  return (
    <li class="app-row">
      <details>
        <summary><strong>{dateText(toMs(a.at))}</strong>, {names?.[a.by] ?? a.by}: {a.grade ? `grade ${a.grade}` : 'no grade'}{a.rationale ? `. ${a.rationale}` : ''}</summary>
        <dl class="app-answered">
          {strands.map((s) => <div key={s.field}><dt>{s.label}: {label(levels, a[s.field]?.level)}</dt><dd>{a[s.field]?.text}</dd></div>)}
        </dl>
      </details>
    </li>
  );
}

/** THRIVE: the series of assessments, and a new one. The grade follows an assessment and nothing else. */
export function Assessing({ desk, id, o, r, w }: { desk: Desk; id: string; o: OpenReport; r: Report; w?: WorkItem | undefined }): JSX.Element {
  const past = [...(r.assessments ?? [])].reverse();
  const [open, setOpen] = useState(!past.length);
  const [values, setValues] = useState<Partial<Record<StrandName, Strand>>>({});
  const [rationale, setRationale] = useState('');
  const [grade, setGrade] = useState<Grade | ''>(r.grade ?? '');
  const [reason, setReason] = useState(past.length ? 'changed_circumstances' : 'first');
  const [done, setDone] = useState<readonly string[]>([]);
  const [error, setError] = useState('');
  const strand = (s: StrandName): Strand => values[s] ?? { level: 'not_known' };
  const set = (s: StrandName, v: Strand) => setValues({ ...values, [s]: v });
  const save = async () => {
    if (!rationale.trim()) {
      setError('Say why, in a sentence');
      document.getElementById(`${id}-rationale`)?.focus();
      return;
    }
    if (!grade) {
      setError('Choose the grade this assessment supports');
      return;
    }
    setError('');
    const all = Object.fromEntries(strands.map((s) => [s.field, strand(s.field)])) as Record<StrandName, Strand>;
    const ok = await desk.reports.assess(id, { ...all, rationale: rationale.trim(), grade, reason, ...(done.length ? { checks_done: [...done] } : {}), ...(w ? { contact: w.contact } : {}) });
    if (!ok) return;
    const made = desk.reports.get(id)?.reply.report.assessments?.at(-1);
    if (made && desk.reports.get(id)?.reply.report.grade !== grade) await desk.reports.grade(id, grade, made.id);
    setOpen(false);
    setValues({});
    setRationale('');
  };
  return (
    <>
      {past.length > 0 && <ul class="app-rows">{past.map((a) => <Past key={a.id} a={a} names={o.reply.names} />)}</ul>}
      {!open && <Button disabled={!desk.may('reports.save')} onClick={() => setOpen(true)}>Assess again</Button>}
      {open && (
        <fieldset class="govuk-fieldset app-thrive" disabled={!desk.may('reports.save')}>
          <legend class="app-row__title">{past.length ? 'New assessment' : 'First assessment'}</legend>
          {past.length > 0 && (
            <Field id={`${id}-why`} label="Why now">
              <select class="govuk-select" id={`${id}-why`} value={reason} onChange={(e) => setReason(e.currentTarget.value)}>{reasons.map((x) => <option key={x.code} value={x.code}>{x.label}</option>)}</select>
            </Field>
          )}
          <fieldset class="govuk-fieldset app-roles">
            <legend class="govuk-label">Checked before assessing</legend>
            <div class="govuk-checkboxes govuk-checkboxes--small app-roles__list">
              {checks.map(([code, text]) => (
                <div class="govuk-checkboxes__item" key={code}>
                  <input class="govuk-checkboxes__input" id={`${id}-check-${code}`} type="checkbox" checked={done.includes(code)} onChange={(e) => setDone(e.currentTarget.checked ? [...done, code] : done.filter((x) => x !== code))} />
                  <label class="govuk-label govuk-checkboxes__label" for={`${id}-check-${code}`}>{text}</label>
                </div>
              ))}
            </div>
          </fieldset>
          <div class="app-strands">
            {strands.map((s) => (
              <div class="app-strand" key={s.field}>
                <span class="app-strand__letter" aria-hidden="true">{s.letter}</span>
                <div class="app-strand__body">
                  <label class="app-strand__label" for={`${id}-${s.field}`}>{s.label}</label>
                  <p class="app-hint" id={`${id}-${s.field}-ask`}>{s.ask}</p>
                  <div class="app-strand__inputs">
                    <select class="govuk-select" aria-label={`${s.label}: level`} value={strand(s.field).level} onChange={(e) => set(s.field, { ...strand(s.field), level: e.currentTarget.value })}>{levels.map((l) => <option key={l.code} value={l.code}>{l.label}</option>)}</select>
                    <input class="govuk-input" id={`${id}-${s.field}`} autocomplete="off" aria-describedby={`${id}-${s.field}-ask`} value={strand(s.field).text ?? ''} onInput={(e) => set(s.field, { ...strand(s.field), text: e.currentTarget.value })} />
                  </div>
                </div>
              </div>
            ))}
          </div>
          <Field id={`${id}-rationale`} label="Rationale" hint="Why this grade, in a sentence a stranger understands">
            <textarea class="govuk-textarea" id={`${id}-rationale`} rows={2} value={rationale} aria-describedby={`${id}-rationale-hint`} onInput={(e) => setRationale(e.currentTarget.value)} />
          </Field>
          <fieldset class="govuk-fieldset">
            <legend class="govuk-label">Grade</legend>
            <div class="govuk-radios govuk-radios--small app-grades">
              {(Object.entries(grades) as [Grade, { label: string; charter: string }][]).map(([code, g]) => (
                <div class="govuk-radios__item" key={code}>
                  <input class="govuk-radios__input" type="radio" id={`${id}-grade-${code}`} name={`${id}-grade`} checked={grade === code} onChange={() => setGrade(code)} />
                  <label class="govuk-label govuk-radios__label" for={`${id}-grade-${code}`}><strong>{code}: {g.label}</strong> <span class="app-hint">{g.charter}</span></label>
                </div>
              ))}
            </div>
          </fieldset>
          {error && <p class="govuk-error-message" role="alert">{error}</p>}
          <div class="app-row__acts">
            <Button kind="primary" icon="check" busy={o.busy === 'assess' || o.busy === 'grade'} onClick={() => void save()}>Save the assessment</Button>
            {past.length > 0 && <Button kind="quiet" onClick={() => setOpen(false)}>Cancel</Button>}
          </div>
        </fieldset>
      )}
    </>
  );
}
