import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Code, Report, WorkItem } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { dateText, elapsed, face, remaining, toMs } from '../state/clock.ts';
import type { DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { Icon } from '../ui/icons.tsx';
import { Conversation as Messages } from './Messages.tsx';
import { Assessing } from './Assessing.tsx';
import { Deciding } from './Deciding.tsx';
import { dirty, shown, type Field as Name } from './edit.ts';
import { Parties, Things } from './Lists.tsx';
import type { OpenReport } from './reports.ts';
import { Reason } from './Reason.tsx';
import { Tasks, Updates } from './Follow.tsx';
import { categories, grades, label, numberOf, statuses } from './words.ts';

/** A clock that counts to a time, and says so when it has passed. */
export function Due({ at, now, what }: { at: number; now: number; what: string }): JSX.Element {
  const late = toMs(at) < now;
  return (
    <span class={`app-due${late ? ' app-due--late' : ''}`}>
      {late && <Icon name="warning" size={14} />} {what} {late ? <>overdue by {face(elapsed(toMs(at), now))}</> : <>in {face(remaining(toMs(at), now))}</>}
    </span>
  );
}

/** A part of the report that folds. */
export function Section({ title, count, open, children }: { title: string; count?: number; open?: boolean; children: ComponentChildren }): JSX.Element {
  return (
    <details class="app-section" open={open}>
      <summary class="app-section__title">{title}{count ? <span class="app-count">{count}</span> : null}</summary>
      <div class="app-section__body">{children}</div>
    </details>
  );
}

/** A local date and time as the browser's field has it; empty for none. */
export function localTime(instant: number | undefined): string {
  if (!instant) return '';
  const t = new Date(toMs(instant));
  return new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The instant of a browser's date and time field; 0 for none. */
export function instantOf(local: string): number {
  const ms = local ? new Date(local).getTime() : NaN;
  return Number.isFinite(ms) ? ms * 1e6 : 0;
}

function Clashes({ desk, id, o }: { desk: Desk; id: string; o: OpenReport }): JSX.Element | null {
  if (!o.edit.clashes.length) return null;
  const text = (v: unknown) => (v === undefined || v === null || v === '' ? '(empty)' : typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean' ? String(v) : JSON.stringify(v, null, 1).replace(/[{}"[\]]/g, '').trim());
  return (
    <div class="app-conflict" role="alert">
      <p><strong>{o.presence?.changed_by ? `${o.reply.names?.[o.presence.changed_by] ?? o.presence.changed_by} saved this report meanwhile.` : 'Somebody saved this report meanwhile.'}</strong> Choose what stands:</p>
      {o.edit.clashes.map((c) => (
        <div class="app-clash" key={c.field}>
          <h4 class="app-mini">{fieldLabels[c.field] ?? c.field}</h4>
          <div class="app-clash__sides">
            <blockquote><strong>Yours</strong> {text(c.mine)}</blockquote>
            <blockquote><strong>Theirs</strong> {text(c.theirs)}</blockquote>
          </div>
          <div class="app-conflict__acts">
            <Button kind="primary" label={`Keep mine: ${fieldLabels[c.field]}`} onClick={() => desk.reports.settle(id, c.field, 'mine')}>Keep mine</Button>
            <Button label={`Keep theirs: ${fieldLabels[c.field]}`} onClick={() => desk.reports.settle(id, c.field, 'theirs')}>Keep theirs</Button>
          </div>
        </div>
      ))}
    </div>
  );
}

const fieldLabels: Record<Name, string> = {
  status: 'Status', owner: 'Owner', category: 'Category', method: 'Method of reporting', opening_code: 'Opening code', closing_code: 'Closing code', offence_code: 'Offence code', outcome_type: 'Outcome type',
  hate: 'Hate strands', restricted: 'Restricted', summary: 'What happened', mo: 'How it was done', from: 'From', to: 'To', exact: 'Exact time', place: 'Place', parties: 'People',
  property: 'Property', vehicles: 'Vehicles', language: 'Language', needs: 'Communication needs', vulnerable: 'Vulnerable', repeat_victim: 'Repeat victim',
};

function Picked({ id, text, value, codes, blank, error, onChange }: { id: string; text: string; value: string | undefined; codes: readonly Code[]; blank?: string; error?: string | undefined; onChange: (code: string) => void }): JSX.Element {
  const known = !value || codes.some((c) => c.code === value);
  return (
    <Field id={id} label={text} error={error}>
      <select class="govuk-select" id={id} value={value ?? ''} onChange={(e) => onChange(e.currentTarget.value)}>
        {(blank !== undefined || !value) && <option value="">{blank ?? 'Choose'}</option>}
        {codes.map((c) => <option key={c.code} value={c.code}>{c.label}</option>)}
        {!known && <option value={value}>{label([], value)}</option>}
      </select>
    </Field>
  );
}

function Basics({ desk, id, o, r, d }: { desk: Desk; id: string; o: OpenReport; r: Report; d: DeskState }): JSX.Element {
  const set = <F extends Name>(field: F, value: Report[F]) => desk.reports.change(id, field, value);
  const at = (field: string) => (o.problem?.field === field || o.problem?.field.startsWith(`${field}.`) ? o.problem.text : undefined);
  return (
    <div class="app-grid app-grid--two">
      <div class="app-grid__all">
        <Field id={`${id}-summary`} label="What happened" error={at('summary')}>
          <textarea class="govuk-textarea" id={`${id}-summary`} rows={3} value={r.summary} dir="auto" onInput={(e) => set('summary', e.currentTarget.value)} />
        </Field>
      </div>
      <Picked id={`${id}-category`} text="Category" value={r.category} codes={categories} error={at('category')} onChange={(v) => set('category', v)} />
      <Picked id={`${id}-status`} text="Status" value={r.status} codes={Object.entries(statuses).map(([code, l]) => ({ code, label: l }))} error={at('status')} onChange={(v) => set('status', v as Report['status'])} />
      <Field id={`${id}-from`} label="When, or the earliest" error={at('from')}>
        <input class="govuk-input" id={`${id}-from`} type="datetime-local" value={localTime(r.from)} onChange={(e) => set('from', instantOf(e.currentTarget.value))} />
      </Field>
      <Field id={`${id}-to`} label="Latest, if not known exactly" error={at('to')}>
        <input class="govuk-input" id={`${id}-to`} type="datetime-local" value={localTime(r.to)} onChange={(e) => set('to', instantOf(e.currentTarget.value))} />
      </Field>
      <div class="app-grid__all">
        <Field id={`${id}-place`} label="Where" error={at('place.text') ?? at('place')}>
          <input class="govuk-input" id={`${id}-place`} autocomplete="off" value={r.place?.text ?? ''} onInput={(e) => set('place', { ...r.place, text: e.currentTarget.value })} />
        </Field>
      </div>
      <Field id={`${id}-street`} label="Number and street"><input class="govuk-input" id={`${id}-street`} autocomplete="off" value={r.place?.street ?? ''} onInput={(e) => set('place', { ...r.place, street: e.currentTarget.value })} /></Field>
      <Field id={`${id}-postcode`} label="Postcode" error={at('place.postcode')}><input class="govuk-input" id={`${id}-postcode`} autocomplete="off" value={r.place?.postcode ?? ''} onInput={(e) => set('place', { ...r.place, postcode: e.currentTarget.value.toUpperCase() })} /></Field>
      <div class="app-grid__all">
        <Field id={`${id}-mo`} label="How it was done" error={at('mo')}>
          <textarea class="govuk-textarea" id={`${id}-mo`} rows={2} value={r.mo ?? ''} dir="auto" onInput={(e) => set('mo', e.currentTarget.value)} />
        </Field>
      </div>
      <Picked id={`${id}-language`} text="Language" value={r.language} codes={d.catalogue.languages ?? []} blank="Not known" onChange={(v) => set('language', v)} />
      <fieldset class="govuk-fieldset app-form__markers">
        <legend class="govuk-fieldset__legend">Markers</legend>
        <div class="govuk-checkboxes govuk-checkboxes--small">
          {([['vulnerable', 'Vulnerable'], ['repeat_victim', 'Repeat victim'], ['restricted', 'Restricted: a reason is needed to open it']] as const).map(([field, text]) => (
            <div class="govuk-checkboxes__item" key={field}>
              <input class="govuk-checkboxes__input" id={`${id}-${field}`} type="checkbox" checked={!!r[field]} onChange={(e) => set(field, e.currentTarget.checked)} />
              <label class="govuk-label govuk-checkboxes__label" for={`${id}-${field}`}>{text}</label>
            </div>
          ))}
        </div>
        {!!r.repeat_because?.length && <p class="app-hint">Seen before by {r.repeat_because.join(', ')}.</p>}
      </fieldset>
    </div>
  );
}

/** A whole report: what is known, what is decided, what is to be done, and who else has it open. */
export function ReportPanel({ desk, d, id, w }: { desk: Desk; d: DeskState; id: string; w?: WorkItem | undefined }): JSX.Element {
  const o = desk.reports.open.value.get(id);
  const opening = desk.reports.opening.value.get(id);
  useEffect(() => { void desk.reports.show({ report: id, ...(w ? { contact: w.contact } : {}) }); }, [id]);
  if (!o) {
    if (opening?.kind === 'reason_required') return <Reason what="report" text={opening.text} onReason={(reason) => void desk.reports.show({ report: id, ...(w ? { contact: w.contact } : {}) }, reason)} />;
    if (opening?.kind === 'failed') return <p class="app-inline app-inline--warn" role="alert"><Icon name="warning" size={18} /> {opening.text} <Button kind="quiet" onClick={() => void desk.reports.show({ report: id })}>Try again</Button></p>;
    return <p class="app-hint" role="status">Opening the report…</p>;
  }
  const r = shown(o.edit);
  const now = desk.now.value;
  const others = (o.presence?.viewers ?? []).filter((v) => v.agent !== d.me.agent);
  const unsaved = dirty(o.edit);
  const may = desk.may('reports.save');
  return (
    <div class="app-report" id="report-panel" tabIndex={-1}>
      <header class="app-report__head">
        <div>
          <h3 class="app-report__number">{r.kind === 'crime' ? 'Crime' : 'Incident'} {numberOf(r)}</h3>
          <p class="app-report__refs">{r.crime_number && r.incident_number ? `Incident ${r.incident_number} · ` : ''}Reference {r.reference} · {dateText(toMs(r.created))}</p>
        </div>
        <div class="app-report__badges">
          {r.grade ? <span class={`moj-badge app-badge app-badge--grade-${r.grade}`}>{r.grade}: {grades[r.grade].label}</span> : <span class="moj-badge app-badge">Not graded</span>}
          {r.high_harm && <span class="moj-badge app-badge app-badge--alarm"><Icon name="warning" size={12} /> High harm</span>}
          {r.restricted && <span class="moj-badge app-badge app-badge--warn">Restricted</span>}
        </div>
      </header>
      <p class="app-report__clocks">
        {r.record_by ? <Due at={r.record_by} now={now} what="Recording decision" /> : null}
        {r.reassess_by ? <Due at={r.reassess_by} now={now} what="Assess again" /> : null}
      </p>
      {others.length > 0 && <p class="app-report__others" role="status"><Icon name="person" size={16} /> {others.map((v) => v.name || v.agent).join(', ')} {others.length === 1 ? 'has' : 'have'} this report open too</p>}
      <Clashes desk={desk} id={id} o={o} />
      {o.problem && <p class="app-inline app-inline--warn" role="alert"><Icon name="warning" size={18} /> {o.problem.text}</p>}
      <fieldset class="app-report__fields" disabled={!may}>
        <legend class="govuk-visually-hidden">The report</legend>
        <Basics desk={desk} id={id} o={o} r={r} d={d} />
        <Section title="People" count={r.parties?.length ?? 0} open={!!r.parties?.length}><Parties desk={desk} id={id} r={r} w={w} /></Section>
        <Section title="Property and vehicles" count={(r.property?.length ?? 0) + (r.vehicles?.length ?? 0)} open={!!r.property?.length || !!r.vehicles?.length}><Things desk={desk} id={id} r={r} /></Section>
      </fieldset>
      <div class={`app-report__save${unsaved ? ' app-report__save--unsaved' : ''}`}>
        <Button kind="primary" icon="check" shortcut="send" disabled={!unsaved || !may} busy={o.busy === 'save'} onClick={() => void desk.reports.save(id)}>{o.busy === 'save' ? 'Saving…' : 'Save'}</Button>
        <span class="app-hint" role="status">{unsaved ? 'Changed, not saved yet. Kept in this browser.' : 'Saved'}</span>
      </div>
      <Section title="Assessment and grade (THRIVE)" count={r.assessments?.length ?? 0} open={!r.grade}><Assessing desk={desk} id={id} o={o} r={r} w={w} /></Section>
      <Section title="Recording decision" count={r.decisions?.length ?? 0}><Deciding desk={desk} id={id} o={o} r={r} /></Section>
      <Section title="To be done" count={(o.reply.tasks ?? []).filter((t) => !t.done).length} open><Tasks desk={desk} id={id} o={o} /></Section>
      <Section title="Updates and tracking" count={r.updates?.length ?? 0}><Updates desk={desk} id={id} o={o} r={r} /></Section>
      <Section title="Contacts, messages and files" count={(o.reply.contacts?.length ?? 0) + (o.reply.messages?.length ?? 0) + (o.reply.files?.length ?? 0)}><Messages o={o} now={now} /></Section>
      {!!r.answers && Object.keys(r.answers).length > 0 && (
        <Section title="What was answered in the form" count={Object.keys(r.answers).length}>
          <dl class="app-answered">{Object.entries(r.answers).map(([q, a]) => <div key={q}><dt>{q.replaceAll('_', ' ')}</dt><dd>{a}</dd></div>)}</dl>
        </Section>
      )}
    </div>
  );
}

/** Making a report from a contact, or joining one that is there. */
export function NoReport({ desk, w }: { desk: Desk; w: WorkItem }): JSX.Element {
  const [category, setCategory] = useState('');
  const first = w.written?.messages?.find((m) => m.direction === 'in')?.text ?? '';
  const [summary, setSummary] = useState(first.slice(0, 4000));
  const [reference, setReference] = useState('');
  const [error, setError] = useState<{ field: string; text: string } | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const person = w.people?.find((p) => p.attached);
  const [victim, setVictim] = useState(true);
  const tried = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
    } catch (e) {
      const field = (e as { field?: string }).field ?? '';
      setError({ field: field.replace(/^report\./, ''), text: e instanceof Error ? e.message : 'Something went wrong. Try again.' });
    } finally {
      setBusy(false);
    }
  };
  const create = () => {
    if (!category) {
      setError({ field: 'category', text: 'Choose a category' });
      document.getElementById('new-category')?.focus();
      return;
    }
    void tried(() => desk.reports.create(w.contact, {
      category, summary, channel: w.channel, ...(w.facts.language ? { language: w.facts.language } : {}),
      ...(person ? { parties: [{ person: person.id, name: person.name, roles: victim ? ['reporter', 'victim'] : ['reporter'] }] } : {}),
      ...(w.facts.vulnerable || person?.vulnerable ? { vulnerable: true } : {}),
    }));
  };
  const open = (w.reports ?? []).filter((r) => r.status !== 'closed' && r.status !== 'withdrawn');
  return (
    <div class="app-report" id="report-panel" tabIndex={-1}>
      {open.length > 0 && (
        <section aria-labelledby="joins">
          <h3 class="app-report__number" id="joins">Is it about one of these?</h3>
          <ul class="app-hits">
            {open.map((r) => (
              <li class="app-hit" key={r.id}>
                <span class="app-hit__title">{numberOf(r)} {label(categories, r.category)}</span>
                <span class="app-hit__detail">{r.masked ? 'A restricted record' : r.opening} · {statuses[r.status]} · {dateText(toMs(r.created))}</span>
                <Button busy={busy} label={`Belongs to ${numberOf(r)}`} onClick={() => void tried(() => desk.reports.link(w.contact, { report: r.id }))}>It belongs here</Button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="new-report">
        <h3 class="app-report__number" id="new-report">New report</h3>
        {error && !error.field && <p class="app-inline app-inline--warn" role="alert">{error.text}</p>}
        <Picked id="new-category" text="What it is about" value={category} codes={categories} error={error?.field === 'category' ? error.text : undefined} onChange={setCategory} />
        <Field id="new-summary" label="What happened" error={error?.field === 'summary' ? error.text : undefined}>
          <textarea class="govuk-textarea" id="new-summary" rows={4} value={summary} dir="auto" onInput={(e) => setSummary(e.currentTarget.value)} />
        </Field>
        {person && (
          <div class="govuk-checkboxes govuk-checkboxes--small">
            <div class="govuk-checkboxes__item">
              <input class="govuk-checkboxes__input" id="new-victim" type="checkbox" checked={victim} onChange={(e) => setVictim(e.currentTarget.checked)} />
              <label class="govuk-label govuk-checkboxes__label" for="new-victim">{person.name} is the victim, not only the one who reports</label>
            </div>
          </div>
        )}
        {!person && <p class="app-hint">Nobody is recorded for this contact yet. Add the person first, or later.</p>}
        <Button kind="primary" icon="report" busy={busy} disabled={!desk.may('reports.save')} onClick={create}>Make the report</Button>
      </section>
      <section aria-labelledby="join-by" class="app-report__join">
        <h3 class="app-report__number" id="join-by">Or it belongs to a report they name</h3>
        <Field id="join-reference" label="Reference, incident or crime number" error={error?.field === 'reference' ? error.text : undefined}>
          <input class="govuk-input" id="join-reference" autocomplete="off" value={reference} onInput={(e) => setReference(e.currentTarget.value)} />
        </Field>
        <Button icon="link" busy={busy} disabled={!reference.trim()} onClick={() => void tried(() => desk.reports.link(w.contact, { reference: reference.trim() }))}>Join them</Button>
      </section>
    </div>
  );
}
