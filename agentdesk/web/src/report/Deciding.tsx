import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Report } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { dateText, toMs } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import type { OpenReport } from './reports.ts';
import { decisionReasons, steps } from './words.ts';

/** The trail of the recording decision: each step with its answer and reason, and the next. */
export function Deciding({ desk, id, o, r }: { desk: Desk; id: string; o: OpenReport; r: Report }): JSX.Element {
  const made = r.decisions ?? [];
  const open = steps.filter((s) => (!s.recorded || !!r.crime_number) && (!s.avi || desk.may('reports.cancel')) && !(r.crime_number && (s.code === 'record' || s.code === 'cri')));
  const next = open.find((s) => !made.some((m) => m.step === s.code))?.code ?? '';
  const [step, setStep] = useState('');
  const [answer, setAnswer] = useState('yes');
  const [reason, setReason] = useState('');
  const [avi, setAVI] = useState('');
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const chosen = open.find((s) => s.code === (step || next));
  const decide = async () => {
    if (!chosen) return;
    const said = chosen.answers.length ? (chosen.answers.find((a) => a.code === answer) ?? chosen.answers[0])?.code ?? '' : answer.trim();
    if (chosen.coded && !code) {
      setError('Choose a reason');
      return;
    }
    if (!said || (chosen.avi && !avi.trim())) {
      setError(said ? 'Give the additional verifiable information' : 'Give an answer');
      return;
    }
    setError('');
    const why = chosen.coded ? [code, reason.trim()].filter(Boolean).join(': ') : reason.trim();
    const ok = await desk.reports.decide(id, { step: chosen.code, answer: said, ...(why ? { reason: why } : {}), ...(avi.trim() ? { avi: avi.trim() } : {}) });
    if (!ok) return;
    setStep('');
    setReason('');
    setAVI('');
    setCode('');
    setAnswer('yes');
  };
  return (
    <>
      {made.length > 0 && (
        <ol class="app-rows">
          {made.map((m) => {
            const s = steps.find((x) => x.code === m.step);
            return <li class="app-row" key={m.id}><strong>{s?.label ?? m.step.replaceAll('_', ' ')}</strong> {m.answer}{m.reason ? `: ${m.reason}` : ''}{m.avi ? ` (${m.avi})` : ''}<span class="app-hint"> {dateText(toMs(m.at))}, {o.reply.names?.[m.by] ?? m.by}</span></li>;
          })}
        </ol>
      )}
      {chosen && (
        <fieldset class="govuk-fieldset app-grid" disabled={!desk.may('reports.save')}>
          <legend class="govuk-visually-hidden">Next step</legend>
          <div class="app-grid__all">
            <Field id={`${id}-step`} label="Step">
              <select class="govuk-select" id={`${id}-step`} value={chosen.code} onChange={(e) => { setStep(e.currentTarget.value); setError(''); setAnswer(steps.find((s) => s.code === e.currentTarget.value)?.answers[0]?.code ?? ''); }}>{open.map((s) => <option key={s.code} value={s.code}>{s.label}</option>)}</select>
            </Field>
          </div>
          <Field id={`${id}-answer`} label={chosen.ask ?? 'Answer'}>
            {chosen.answers.length
              ? <select class="govuk-select" id={`${id}-answer`} value={answer} onChange={(e) => setAnswer(e.currentTarget.value)}>{chosen.answers.map((a) => <option key={a.code} value={a.code}>{a.label}</option>)}</select>
              : <input class="govuk-input" id={`${id}-answer`} autocomplete="off" value={answer} onInput={(e) => setAnswer(e.currentTarget.value)} />}
          </Field>
          {chosen.coded && (
            <Field id={`${id}-code`} label="Why">
              <select class="govuk-select" id={`${id}-code`} value={code} onChange={(e) => setCode(e.currentTarget.value)}><option value="">Choose</option>{decisionReasons.map((x) => <option key={x.code} value={x.code}>{x.label}</option>)}</select>
            </Field>
          )}
          <Field id={`${id}-because`} label={chosen.coded ? 'In words' : 'Reason'}><input class="govuk-input" id={`${id}-because`} autocomplete="off" value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></Field>
          {chosen.avi && <div class="app-grid__all"><Field id={`${id}-avi`} label="Additional verifiable information" hint="What it rests on, and how it can be checked"><input class="govuk-input" id={`${id}-avi`} autocomplete="off" value={avi} aria-describedby={`${id}-avi-hint`} onInput={(e) => setAVI(e.currentTarget.value)} /></Field></div>}
          {error && <p class="govuk-error-message app-grid__all" role="alert">{error}</p>}
          <div class="app-grid__all"><Button kind="primary" busy={o.busy === 'decide'} onClick={() => void decide()}>Add to the decision</Button></div>
        </fieldset>
      )}
    </>
  );
}
