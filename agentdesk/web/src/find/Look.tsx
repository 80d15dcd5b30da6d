import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { GetPersonReply, TimelineItem } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import type { View } from '../desk/view.ts';
import { phoneText } from '../desk/words.ts';
import { ReportPanel } from '../report/Panel.tsx';
import { Reason } from '../report/Reason.tsx';
import { RequestError } from '../state/connection.ts';
import { languageName, type DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Icon } from '../ui/icons.tsx';
import { Timeline } from './Timeline.tsx';

type Shown = { kind: 'asking' } | { kind: 'reason'; text: string } | { kind: 'failed'; text: string } | { kind: 'there'; reply: GetPersonReply };

/** A person over the page: who they are and everything that passed. */
function PersonCard({ desk, d, id, view }: { desk: Desk; d: DeskState; id: string; view: View }): JSX.Element {
  const [shown, setShown] = useState<Shown>({ kind: 'asking' });
  const [items, setItems] = useState<readonly TimelineItem[]>([]);
  const [before, setBefore] = useState<number | undefined>(undefined);
  const [reason, setReason] = useState('');
  const open = async (why: string) => {
    try {
      setShown({ kind: 'there', reply: await desk.person(id, why) });
      await more();
    } catch (e) {
      const text = e instanceof Error ? e.message : 'Something went wrong. Try again.';
      setShown(e instanceof RequestError && e.code === 'reason_required' ? { kind: 'reason', text } : { kind: 'failed', text });
    }
  };
  const more = async () => {
    const page = await desk.timeline(id, before);
    setItems((old) => [...old, ...(page.timeline ?? [])]);
    setBefore(page.before || undefined);
  };
  useEffect(() => { void open(''); }, [id]);
  if (shown.kind === 'asking') return <p class="app-hint" role="status">Opening…</p>;
  if (shown.kind === 'reason') return <Reason what="person" text={shown.text} onReason={(why) => void open(why)} />;
  if (shown.kind === 'failed') return <p class="app-inline app-inline--warn" role="alert"><Icon name="warning" size={18} /> {shown.text}</p>;
  const p = shown.reply.person;
  const w = desk.current.value;
  const attached = w?.people?.find((x) => x.attached);
  const now = Math.floor(desk.now.value / 60_000) * 60_000;
  const facts: [string, string][] = [
    ['Numbers', (p.numbers ?? []).map(phoneText).join(', ')], ['E-mail', (p.emails ?? []).join(', ')], ['Born', p.date_of_birth ?? ''], ['Gender', p.gender ?? ''],
    ['Address', (p.addresses ?? []).map((a) => [a.street, a.town, a.postcode].filter(Boolean).join(', ') || a.text).join('; ')],
    ['Language', languageName(d.catalogue, p.language)], ['Needs', (p.needs ?? []).join(', ')], ['Remarks', p.remarks ?? ''],
  ];
  return (
    <>
      <div class="app-person__who">
        <span class="app-person__name"><Icon name="person" /> {p.name || 'No name'}</span>
        {p.vulnerable && <span class="moj-badge app-badge app-badge--alarm"><Icon name="warning" size={12} /> Vulnerable</span>}
        {p.repeat_victim && <span class="moj-badge app-badge app-badge--warn"><Icon name="warning" size={12} /> Repeat victim</span>}
        {p.restricted && <span class="moj-badge app-badge app-badge--warn">Restricted</span>}
      </div>
      <SafeLine p={p} />
      <dl class="app-answered">{facts.filter(([, v]) => v).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
      <div class="app-row__acts">
        {w && attached?.id !== p.id && <Button icon="check" onClick={() => { void desk.attach(w.contact, p.id); view.dialog.value = ''; }}>This contact is theirs</Button>}
      </div>
      {p.merged_into && desk.may('people.merge') && <p class="app-inline app-inline--warn">Was found to be the same as another person. <Button kind="quiet" onClick={() => void desk.splitPerson(p.id, 'not the same person').then((ok) => { if (ok) void open(reason); })}>Undo that</Button></p>}
      {attached && attached.id !== p.id && desk.may('people.merge') && (
        <details class="app-section">
          <summary class="app-section__title">Same person as {attached.name}?</summary>
          <div class="app-section__body">
            <Field id="merge-why" label="How do you know?" hint="Both records stay and it can be undone."><input class="govuk-input" id="merge-why" autocomplete="off" value={reason} aria-describedby="merge-why-hint" onInput={(e) => setReason(e.currentTarget.value)} /></Field>
            <Button kind="warning" disabled={!reason.trim()} busy={desk.busy.value.has('merge')} onClick={() => void desk.merge(p.id, attached.id, reason.trim()).then((ok) => { if (ok) view.dialog.value = ''; })}>{`Join ${p.name} to ${attached.name}`}</Button>
          </div>
        </details>
      )}
      <h3 class="app-section__title">Everything that passed</h3>
      {items.length ? <Timeline items={items} now={now} view={view} /> : <p class="app-hint">Nothing yet.</p>}
      {before && <Button onClick={() => void more()}>Earlier</Button>}
    </>
  );
}

/** How a person may be reached, when that is not at will. */
export function SafeLine({ p }: { p: GetPersonReply['person'] }): JSX.Element | null {
  const s = p.safe;
  if (!s?.rule || s.rule === 'any') {
    if (!s?.unsafe_numbers?.length && !s?.unsafe_emails?.length) return null;
  }
  const parts = [
    s.rule === 'never' ? 'Do not contact them: it puts them at risk.' : s.rule === 'limited' ? `Only by ${(s.methods ?? []).join(' or ') || 'the ways they named'}.` : '',
    s.unsafe_numbers?.length ? `Never ring ${s.unsafe_numbers.map(phoneText).join(', ')}.` : '',
    s.unsafe_emails?.length ? `Never write to ${s.unsafe_emails.join(', ')}.` : '',
    s.times ? `Times: ${s.times}.` : '', s.cover_phrase ? `Say you are: ${s.cover_phrase}.` : '', s.no_voicemail ? 'Leave no voicemail.' : '',
  ].filter(Boolean);
  return <p class="app-inline app-inline--alarm"><Icon name="warning" size={18} /> {parts.join(' ')}</p>;
}

/** A person or a report over the page. */
export function LookDialog({ desk, d, view, onClose }: { desk: Desk; d: DeskState; view: View; onClose: () => void }): JSX.Element | null {
  const looking = view.looking.value;
  if (!looking) return null;
  const close = () => {
    const here = desk.current.value?.report?.id;
    if (looking.kind === 'report' && looking.id !== here) desk.reports.close(looking.id);
    onClose();
  };
  const back = () => { close(); view.dialog.value = 'search'; };
  const w = desk.current.value;
  return (
    <Dialog title={looking.kind === 'report' ? 'Report' : 'Person'} onClose={close} huge>
      {desk.finder.query.value && <Button kind="quiet" onClick={back}>Back to what was found</Button>}
      {looking.kind === 'report' && w && w.report?.id !== looking.id && (
        <p><Button icon="link" onClick={() => void desk.reports.link(w.contact, { report: looking.id }, desk.reports.get(looking.id)?.reason).then(() => { view.showTab(w.contact, 'report'); onClose(); }, (e: unknown) => desk.notify('error', 'link', e instanceof Error ? e.message : 'It could not be joined.'))}>This contact belongs to it</Button></p>
      )}
      {looking.kind === 'report' ? <ReportPanel desk={desk} d={d} id={looking.id} /> : <PersonCard key={looking.id} desk={desk} d={d} id={looking.id} view={view} />}
    </Dialog>
  );
}
