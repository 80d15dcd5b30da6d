import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { SearchHit } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import type { View } from '../desk/view.ts';
import { dateText, toMs } from '../state/clock.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Icon, type IconName } from '../ui/icons.tsx';

const kinds: Record<string, { one: string; all: string; icon: IconName }> = {
  person: { one: 'Person', all: 'People', icon: 'person' },
  report: { one: 'Report', all: 'Reports', icon: 'report' },
  contact: { one: 'Contact', all: 'Contacts', icon: 'clock' },
  message: { one: 'Message', all: 'Messages', icon: 'mail' },
};

const because: Record<string, string> = {
  name: 'name', sound: 'sounds like it', number: 'number', email: 'e-mail address', reference: 'reference', postcode: 'postcode',
  vehicle: 'registration', property: 'serial number', born: 'date of birth', words: 'words',
};

/** Where a hit leads: a person or a report opens, whatever else leads to the one it belongs to. */
function open(view: View, h: SearchHit): void {
  if (h.kind === 'person' || h.kind === 'report') view.look(h.kind, h.id);
  else if (h.report) view.look('report', h.report);
  else if (h.person) view.look('person', h.person);
}

function Hit({ view, h }: { view: View; h: SearchHit }): JSX.Element {
  const kind = kinds[h.kind];
  const leads = h.kind === 'person' || h.kind === 'report' || !!h.report || !!h.person;
  // What belongs to a restricted record leads to that record, which asks why it is needed.
  const inside = h.report ? 'In a restricted report' : 'About a restricted person';
  const title = h.masked ? (h.kind === 'person' || h.kind === 'report' ? 'A restricted record' : inside) : h.title || h.reference || 'Without a title';
  const found = (h.because ?? []).map((b) => because[b] ?? b).join(', ');
  return (
    <li class="app-hit">
      <span class="app-hit__title"><Icon name={kind?.icon ?? 'info'} size={18} /> {leads ? <button type="button" class="app-link app-hit__open" onClick={() => open(view, h)}>{title}</button> : title}</span>
      <span class="app-hit__detail">{[h.detail, h.reference && h.reference !== title ? h.reference : '', h.at ? dateText(toMs(h.at)) : ''].filter(Boolean).join(' · ')}</span>
      <span class="app-hit__because">{kind?.one ?? h.kind}{found ? `, by ${found}` : ''}{h.restricted && !h.masked ? ', restricted' : ''}{h.masked ? ': opens when you say why' : ''}</span>
    </li>
  );
}

/** Looking something up, as it is typed. */
export function SearchDialog({ desk, view, onClose }: { desk: Desk; view: View; onClose: () => void }): JSX.Element {
  const f = desk.finder;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => () => { if (view.dialog.peek() !== 'look') f.clear(); }, []);
  const keys = (e: KeyboardEvent) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('.app-hit__open') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (e.key === 'ArrowDown') (links[at + 1] ?? links[0])?.focus();
    else if (e.key === 'ArrowUp' && at >= 0) (at ? links[at - 1] : document.getElementById('query'))?.focus();
    else if (e.key === 'Enter' && document.activeElement?.id === 'query') links[0]?.click();
    else return;
    e.preventDefault();
  };
  const state = f.state.value;
  const n = f.hits.value.length;
  const says = state === 'busy' ? 'Looking…' : state === 'failed' ? f.problem.value : state === 'done' ? (n ? `${n} found${f.more.value ? ', and more: type more of it' : ''}` : 'Nothing found') : 'Name, date of birth, number, e-mail address, reference, postcode, registration, serial number, or words of what happened';
  return (
    <Dialog title="Look up" onClose={onClose} wide>
      <div class="app-search" onKeyDown={keys}>
        <label class="govuk-visually-hidden" for="query">Look up</label>
        <div class="app-search__field">
          <Icon name="search" />
          <input class="govuk-input" id="query" type="search" autocomplete="off" autofocus spellcheck={false} value={f.query.value} aria-describedby="search-says" onInput={(e) => f.type(e.currentTarget.value)} />
        </div>
        <div class="app-search__kinds" role="group" aria-label="What to look for">
          <Button kind="quiet" pressed={!f.kind.value} onClick={() => f.only('')}>Everything</Button>
          {Object.entries(kinds).map(([code, k]) => <Button key={code} kind="quiet" pressed={f.kind.value === code} onClick={() => f.only(code)}>{k.all}</Button>)}
        </div>
        <p class="app-hint" id="search-says" role="status">{says}</p>
        <ul class="app-hits" ref={list}>{f.hits.value.map((h) => <Hit key={`${h.kind}-${h.id}`} view={view} h={h} />)}</ul>
        <p class="app-hint">Every look-up is kept with your name.</p>
      </div>
    </Dialog>
  );
}
