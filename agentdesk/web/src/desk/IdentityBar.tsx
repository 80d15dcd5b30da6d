import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { elapsed, face, remaining, spoken, toMs } from '../state/clock.ts';
import { reasonLabel, type DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import { Wordmark } from '../ui/Wordmark.tsx';
import type { Desk } from './model.ts';
import type { View } from './view.ts';
import { channels, states } from './words.ts';

/** The state a handler is in, with its clock. */
function StateClock({ desk, d }: { desk: Desk; d: DeskState }): JSX.Element {
  const me = d.me;
  const now = desk.now.value;
  const ends = me.state === 'resting' && me.until ? remaining(toMs(me.until), now) : undefined;
  const seconds = ends ?? elapsed(toMs(me.since), now);
  const words = states[me.state];
  const reason = me.state === 'busy' || me.state === 'ready' ? '' : reasonLabel(d.catalogue, me.reason);
  const next = me.next ? (me.next === 'ready' ? 'then ready' : `then not ready${me.next_reason ? `: ${reasonLabel(d.catalogue, me.next_reason)}` : ''}`) : '';
  return (
    <div class={`app-state app-state--${me.state}`}>
      <span class="app-state__sign"><Icon name={words.icon} size={22} /></span>
      <span class="app-state__words" role="status">
        <span class="app-state__label">{words.label}</span>
        {(reason || next) && <span class="app-state__reason">{[reason, next].filter(Boolean).join(', ')}</span>}
      </span>
      <span class="app-state__clock" role="timer" aria-label={`${words.label} for ${spoken(seconds)}`}>
        <span aria-hidden="true">{face(seconds)}</span>
      </span>
    </div>
  );
}

/** Reasons for not being ready, as a list of buttons under one. */
function Reasons({ desk, d, view }: { desk: Desk; d: DeskState; view: View }): JSX.Element {
  const open = view.reasonsOpen.value;
  const ref = useRef<HTMLDivElement>(null);
  const reasons = d.catalogue.not_ready_reasons ?? [];
  useEffect(() => {
    if (!open) return;
    ref.current?.querySelector<HTMLElement>('.app-menu__item')?.focus();
    const outside = (e: Event) => {
      if (e.target instanceof Node && !ref.current?.contains(e.target)) view.reasonsOpen.value = false;
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  const close = () => {
    view.reasonsOpen.value = false;
    document.getElementById('not-ready')?.focus();
  };
  const keys = (e: KeyboardEvent) => {
    const items = [...(ref.current?.querySelectorAll<HTMLElement>('.app-menu__item') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (e.key === 'Escape') close();
    else if (e.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
    else if (e.key === 'ArrowUp') items[(at - 1 + items.length) % items.length]?.focus();
    else if (/^[1-9]$/.test(e.key) && !e.altKey && !e.ctrlKey && items[Number(e.key) - 1]) items[Number(e.key) - 1]?.click();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const on = d.me.next ? d.me.next === 'not_ready' : d.me.state === 'not_ready';
  return (
    <div class="app-menu" ref={ref} onKeyDown={open ? keys : undefined}>
      <Button id="not-ready" icon="cup" shortcut="notReady" expanded={open} controls="reasons" pressed={on} busy={desk.busy.value.has('state')} onClick={() => { view.reasonsOpen.value = !open; }}>
        Not ready
      </Button>
      <ul class="app-menu__list" id="reasons" hidden={!open}>
        {reasons.map((r, i) => (
          <li key={r.code}>
            <button type="button" class="app-menu__item" onClick={() => { close(); void desk.notReady(r.code); }}>
              {i < 9 && <kbd class="app-kbd" aria-hidden="true">{i + 1}</kbd>}
              <span>{r.label}</span>
            </button>
          </li>
        ))}
        {!reasons.length && <li class="app-menu__empty">The plan lists no reasons.</li>}
      </ul>
    </div>
  );
}

/** Whether calls can reach this handler, and by which phone. */
function PhoneStatus({ desk, d }: { desk: Desk; d: DeskState }): JSX.Element {
  const own = d.phone.kind === 'sip';
  const reg = desk.phone.state.value.registration;
  const up = own ? d.me.device_up : reg === 'registered';
  const what = own ? 'Desk phone' : 'Browser phone';
  const how = up ? 'ready' : own ? 'not reachable' : reg === 'failed' ? 'not registered' : reg === 'off' ? 'off' : 'connecting';
  return (
    <span class={`app-phone${up ? ' app-phone--up' : ''}`} role="status">
      <Icon name={up ? 'phone' : 'warning'} size={16} /> {what} <span class="app-phone__how">{how}</span>
    </span>
  );
}

/** How much of each channel is in hand, of how much. */
function Capacity({ d }: { d: DeskState }): JSX.Element | null {
  const list = d.me.capacity ?? [];
  if (list.every((c) => c.channel === 'phone')) return null;
  return (
    <span class="app-capacity">
      {list.map((c) => (
        <span key={c.channel} class={c.used >= c.of ? 'app-capacity__full' : ''}>
          <Icon name={channels[c.channel].icon} size={14} /><span class="govuk-visually-hidden">{channels[c.channel].label}: </span> {c.used}<span aria-hidden="true">/</span><span class="govuk-visually-hidden"> of </span>{c.of}
        </span>
      ))}
    </span>
  );
}

const roles = { handler: 'Handler', supervisor: 'Supervisor', manager: 'Manager' } as const;

/** Who is at the desk, in what state and for how long, and the ways to change it. */
export function IdentityBar({ desk, d, view }: { desk: Desk; d: DeskState; view: View }): JSX.Element {
  const ready = d.me.next ? d.me.next === 'ready' : d.me.state === 'ready';
  return (
    <header class="moj-identity-bar app-bar" inert={desk.connection.value.kind === 'stopped'}>
      <div class="app-bar__brand"><Wordmark /></div>
      <StateClock desk={desk} d={d} />
      <div class="app-bar__actions">
        <Button icon="check" shortcut="ready" kind={ready || d.me.state === 'busy' ? 'secondary' : 'primary'} pressed={ready} busy={desk.busy.value.has('state')} onClick={() => void desk.ready()}>Ready</Button>
        <Reasons desk={desk} d={d} view={view} />
      </div>
      <div class="app-bar__who">
        <span class="app-bar__name">{d.me.name}</span>
        <span class="app-bar__role">{roles[d.me.role]} <span aria-hidden="true">·</span> <PhoneStatus desk={desk} d={d} /></span>
        <Capacity d={d} />
      </div>
      <div class="app-bar__find">
        {desk.may('search') && <Button icon="search" shortcut="search" onClick={() => { view.dialog.value = 'search'; }}>Look up</Button>}
        {desk.may('reports.read') && <Button icon="check" shortcut="tasks" onClick={() => { view.dialog.value = 'tasks'; }}>To do</Button>}
      </div>
      <div class="app-bar__tools">
        <Button kind="quiet" icon={view.sound.value ? 'sound' : 'soundOff'} pressed={view.sound.value} label="Ringing sound" onClick={() => view.toggleSound()}>{''}</Button>
        <Button kind="quiet" label="Help and shortcuts" onClick={() => { view.dialog.value = 'help'; }}>?</Button>
        <Button kind="quiet" icon="leave" onClick={() => void desk.signOff()}>Sign off</Button>
      </div>
    </header>
  );
}
