import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { SafeLine } from '../find/Look.tsx';
import { Timeline } from '../find/Timeline.tsx';
import type { HistoryEntry, Person, TimelineItem, WorkItem } from '../protocol.gen.ts';
import { ago, dateText, toMs } from '../state/clock.ts';
import { languageName, type DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import type { Desk } from './model.ts';
import type { View } from './view.ts';
import { channels, endingText, phoneText } from './words.ts';

function PersonRow({ desk, d, w, p, view, only }: { desk: Desk; d: DeskState; w: WorkItem; p: Person; view: View; only: boolean }): JSX.Element {
  return (
    <li class={`app-person${p.attached ? ' app-person--attached' : ''}`}>
      <div class="app-person__who">
        <span class="app-person__name"><Icon name={p.attached ? 'check' : 'person'} size={18} /> {p.masked ? 'A restricted person' : p.name || 'No name yet'}</span>
        {p.attached && <span class="app-person__tag">{w.channel === 'phone' ? 'This caller' : 'The writer'}</span>}
        {!p.attached && p.certainty && <span class="app-person__tag app-person__tag--maybe">{p.certainty === 'certain' ? 'Surely' : 'Maybe'}{p.because?.length ? `: ${p.because.join(', ')}` : ''}</span>}
        {p.vulnerable && <span class="moj-badge app-badge app-badge--alarm"><Icon name="warning" size={12} /> Vulnerable</span>}
        {p.repeat_victim && <span class="moj-badge app-badge app-badge--warn"><Icon name="warning" size={12} /> Repeat victim</span>}
      </div>
      <p class="app-person__more">
        {[(p.numbers ?? []).map(phoneText).join(', '), p.language && languageName(d.catalogue, p.language)].filter(Boolean).join(' · ')}
        {p.remarks && <span class="app-person__remarks">{p.remarks}</span>}
      </p>
      {!p.masked && <SafeLine p={p} />}
      <div class="app-person__acts">
        {!p.attached && <Button busy={desk.busy.value.has('person')} label={`${only ? (w.written ? 'Is the writer' : 'Is the caller') : 'This one'}: ${p.name}`} onClick={() => void desk.attach(w.contact, p.id)}>{only ? (w.written ? 'Is the writer' : 'Is the caller') : 'This one'}</Button>}
        {p.attached && <Button kind="quiet" busy={desk.busy.value.has('person')} label={`Not them: ${p.name}`} onClick={() => void desk.attach(w.contact, '')}>Not them</Button>}
        <Button kind="quiet" label={`Open ${p.masked ? 'the restricted person' : p.name}`} onClick={() => view.look('person', p.id)}>Open</Button>
        {!p.masked && <Button kind="quiet" icon="edit" label={`Change ${p.name}`} onClick={() => view.editPerson(desk, p)}>Change</Button>}
      </div>
    </li>
  );
}

/** Who the caller may be. */
export function People({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element {
  const people = w.people ?? [];
  return (
    <section class="app-panel" aria-labelledby="people-title">
      <div class="app-panel__head">
        <h2 class="app-panel__title" id="people-title">Person</h2>
        <Button icon="person" shortcut="person" onClick={() => view.editPerson(desk)}>{people.length ? 'Somebody else' : 'Add person'}</Button>
      </div>
      {w.pop_error && <p class="app-inline app-inline--warn"><Icon name="warning" size={18} /> {w.pop_error}</p>}
      {people.length > 1 && !people.some((p) => p.attached) && <p class="app-hint">{w.channel === 'phone' ? 'More than one person may ring from this number.' : 'More than one person may write from this address.'} {w.channel === 'phone' ? 'Ask who is calling.' : 'See who writes.'}</p>}
      {people.length
        ? <ul class="app-people">{people.map((p) => <PersonRow key={p.id} desk={desk} d={d} w={w} p={p} view={view} only={people.length === 1} />)}</ul>
        : <p class="app-hint">Nobody is known for this {w.written ? 'address' : w.caller.number ? 'number' : 'call'}.</p>}
    </section>
  );
}

function Entry({ e, now }: { e: HistoryEntry; now: number }): JSX.Element {
  return (
    <li class="moj-timeline__item app-timeline__item">
      <div class="moj-timeline__header">
        <h3 class="moj-timeline__title"><Icon name={channels[e.channel]?.icon ?? 'phone'} size={16} /> {endingText(e)}</h3>
        <p class="moj-timeline__byline">{e.queue_label}{e.handler ? `, ${e.handler}` : ''}</p>
      </div>
      <p class="moj-timeline__date"><time dateTime={new Date(toMs(e.arrival)).toISOString()}>{dateText(toMs(e.arrival))}</time> <span class="app-timeline__ago">{ago(toMs(e.arrival), now)}{e.person ? `, recorded for ${e.person}` : ''}</span></p>
      {e.note && <div class="moj-timeline__description app-timeline__note">{e.note}</div>}
    </li>
  );
}

/** Earlier contacts, newest first; all that passed with a person, on every channel, on request. */
export function History({ desk, w, view }: { desk: Desk; w: WorkItem; view: View }): JSX.Element {
  const [all, setAll] = useState<{ contact: string; items: readonly TimelineItem[]; before: number } | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const attached = w.people?.find((p) => p.attached);
  const shown = all?.contact === w.contact ? all : undefined;
  const entries = w.history ?? [];
  const more = async (person: string) => {
    setBusy(true);
    const page = await desk.timeline(person, shown?.before);
    setBusy(false);
    setAll({ contact: w.contact, items: [...(shown?.items ?? []), ...(page.timeline ?? [])], before: page.before ?? 0 });
  };
  const now = Math.floor(desk.now.value / 60_000) * 60_000;
  const count = shown ? shown.items.length : entries.length;
  return (
    <section class="app-panel app-history" tabIndex={0} aria-labelledby="history-title">
      <div class="app-panel__head">
        <h2 class="app-panel__title" id="history-title">{shown ? 'Everything that passed' : 'Earlier contacts'} {count > 0 && <span class="app-count">{count}</span>}</h2>
        {attached && !shown && <Button kind="quiet" busy={busy} onClick={() => void more(attached.id)}>Show all</Button>}
      </div>
      {shown
        ? <Timeline items={shown.items} now={now} view={view} />
        : entries.length
          ? <ol class="moj-timeline app-timeline">{entries.map((e) => <Entry key={e.contact} e={e} now={now} />)}</ol>
          : <p class="app-hint">{w.pop_error ? 'Earlier contacts could not be read.' : 'No earlier contact is known.'}</p>}
      {shown && shown.before > 0 && attached && <Button kind="quiet" busy={busy} onClick={() => void more(attached.id)}>Earlier</Button>}
    </section>
  );
}
