import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HistoryEntry, Person, WorkItem } from '../protocol.gen.ts';
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
        <span class="app-person__name"><Icon name={p.attached ? 'check' : 'person'} size={18} /> {p.name || 'No name yet'}</span>
        {p.attached && <span class="app-person__tag">This caller</span>}
        {p.vulnerable && <span class="moj-badge app-badge app-badge--alarm"><Icon name="warning" size={12} /> Vulnerable</span>}
        {p.repeat_victim && <span class="moj-badge app-badge app-badge--warn"><Icon name="warning" size={12} /> Repeat victim</span>}
      </div>
      <p class="app-person__more">
        {[(p.numbers ?? []).map(phoneText).join(', '), p.language && languageName(d.catalogue, p.language)].filter(Boolean).join(' · ')}
        {p.remarks && <span class="app-person__remarks">{p.remarks}</span>}
      </p>
      <div class="app-person__acts">
        {!p.attached && <Button busy={desk.busy.value.has('person')} label={`${only ? 'Is the caller' : 'This one'}: ${p.name}`} onClick={() => void desk.attach(w.contact, p.id)}>{only ? 'Is the caller' : 'This one'}</Button>}
        {p.attached && <Button kind="quiet" busy={desk.busy.value.has('person')} label={`Not them: ${p.name}`} onClick={() => void desk.attach(w.contact, '')}>Not them</Button>}
        <Button kind="quiet" icon="edit" label={`Change ${p.name}`} onClick={() => view.editPerson(desk, p)}>Change</Button>
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
      {people.length > 1 && !people.some((p) => p.attached) && <p class="app-hint">More than one person may ring from this number. Ask who is calling.</p>}
      {people.length
        ? <ul class="app-people">{people.map((p) => <PersonRow key={p.id} desk={desk} d={d} w={w} p={p} view={view} only={people.length === 1} />)}</ul>
        : <p class="app-hint">Nobody is known for this {w.caller.number ? 'number' : 'call'}.</p>}
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

/** Earlier contacts as a timeline, newest first; all of a person's on request. */
export function History({ desk, w }: { desk: Desk; w: WorkItem }): JSX.Element {
  const [all, setAll] = useState<{ contact: string; entries: HistoryEntry[] } | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const attached = w.people?.find((p) => p.attached);
  const entries = all?.contact === w.contact ? all.entries : w.history ?? [];
  const more = async (person: string) => {
    setBusy(true);
    const found = await desk.timeline(person);
    setBusy(false);
    if (found.length) setAll({ contact: w.contact, entries: found });
  };
  const now = Math.floor(desk.now.value / 60_000) * 60_000;
  return (
    <section class="app-panel app-history" tabIndex={0} aria-labelledby="history-title">
      <div class="app-panel__head">
        <h2 class="app-panel__title" id="history-title">Earlier contacts {entries.length > 0 && <span class="app-count">{entries.length}</span>}</h2>
        {attached && all?.contact !== w.contact && (w.history?.length ?? 0) > 0 && <Button kind="quiet" busy={busy} onClick={() => void more(attached.id)}>Show all</Button>}
      </div>
      {entries.length
        ? <ol class="moj-timeline app-timeline">{entries.map((e) => <Entry key={e.contact} e={e} now={now} />)}</ol>
        : <p class="app-hint">{w.pop_error ? 'Earlier contacts could not be read.' : 'No earlier contact is known.'}</p>}
    </section>
  );
}
