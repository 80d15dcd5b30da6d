import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Report } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { dateText, toMs } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import type { OpenReport } from './reports.ts';
import { steps } from './words.ts';

/** The trail of the recording decision: each step with its answer and reason, and the next. */
export function Deciding({ desk, id, o, r }: { desk: Desk; id: string; o: OpenReport; r: Report }): JSX.Element {
  const made = r.decisions ?? [];
  const open = steps.filter((s) => !s.avi || (r.kind === 'crime' && desk.may('reports.cancel')));
  const next = open.find((s) => !made.some((m) => m.step === s.code))?.code ?? '';
  const [step, setStep] = useState('');
  const [answer, setAnswer] = useState('yes');
  const [reason, setReason] = useState('');
  const [avi, setAVI] = useState('');
  const chosen = open.find((s) => s.code === (step || next));
  const decide = async () => {
    if (!chosen) return;
    const ok = await desk.reports.decide(id, { step: chosen.code, answer, ...(reason.trim() ? { reason: reason.trim() } : {}), ...(avi.trim() ? { avi: avi.trim() } : {}) });
    if (!ok) return;
    setStep('');
    setReason('');
    setAVI('');
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
              <select class="govuk-select" id={`${id}-step`} value={chosen.code} onChange={(e) => setStep(e.currentTarget.value)}>{open.map((s) => <option key={s.code} value={s.code}>{s.label}</option>)}</select>
            </Field>
          </div>
          <Field id={`${id}-answer`} label="Answer">
            <select class="govuk-select" id={`${id}-answer`} value={answer} onChange={(e) => setAnswer(e.currentTarget.value)}>{chosen.answers.map((a) => <option key={a.code} value={a.code}>{a.label}</option>)}</select>
          </Field>
          <Field id={`${id}-because`} label="Reason"><input class="govuk-input" id={`${id}-because`} autocomplete="off" value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></Field>
          {chosen.avi && <div class="app-grid__all"><Field id={`${id}-avi`} label="Additional verifiable information" hint="What it rests on, and how it can be checked"><input class="govuk-input" id={`${id}-avi`} autocomplete="off" value={avi} aria-describedby={`${id}-avi-hint`} onInput={(e) => setAVI(e.currentTarget.value)} /></Field></div>}
          <div class="app-grid__all"><Button kind="primary" busy={o.busy === 'decide'} onClick={() => void decide()}>Add to the decision</Button></div>
        </fieldset>
      )}
    </>
  );
}
