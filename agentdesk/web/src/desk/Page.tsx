import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { LookDialog } from '../find/Look.tsx';
import { SearchDialog } from '../find/SearchDialog.tsx';
import { elapsed, face, remaining, spoken, toMs } from '../state/clock.ts';
import { languageName, reasonLabel, type DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import { keyLabel } from '../ui/shortcuts.ts';
import { Wordmark } from '../ui/Wordmark.tsx';
import { ConnectionBanner, Notices } from './Banners.tsx';
import { Closing, Unfinished } from './Closing.tsx';
import { ContactCard } from './ContactCard.tsx';
import { HelpDialog, KeypadDialog, PersonDialog } from './Dialogs.tsx';
import { IdentityBar } from './IdentityBar.tsx';
import { isWritten, type Desk } from './model.ts';
import { Middle } from './Middle.tsx';
import { History, People } from './People.tsx';
import { Queues } from './Queues.tsx';
import { NewPassword, SignIn } from './SignIn.tsx';
import type { View } from './view.ts';
import { callerText, channels, likelyName, phaseOf, states } from './words.ts';
import { ForwardDialog, SplitDialog, TasksDialog } from './WrittenDialogs.tsx';

/** Says aloud that a contact rings, without moving the focus. */
function Announcer({ desk, d }: { desk: Desk; d: DeskState }): JSX.Element {
  const w = desk.ringing.value;
  let text = '';
  if (w) {
    const written = isWritten(w);
    const parts = [
      written ? `${channels[w.channel].label} offered` : w.callback ? 'Somebody to be rung back' : 'Call ringing',
      likelyName(w) || callerText(w),
      w.queue_label,
      languageName(d.catalogue, w.facts.language),
      ...(w.answers ?? []).map((a) => a.answer),
      w.facts.vulnerable ? 'Marked vulnerable' : '',
      written ? w.written?.subject : '',
      ...(w.triage ?? []).map((t) => t.sentence),
      d.phone.kind === 'sip' && !written ? 'Answer on your phone' : `${keyLabel('answer')} to answer, ${keyLabel('decline')} to decline`,
    ];
    text = `${parts.filter(Boolean).join('. ')}.`;
  } else if (desk.ringsNow.value) {
    text = `Your phone is ringing. ${keyLabel('answer')} to answer.`;
  }
  return <div class="govuk-visually-hidden" aria-live="assertive" aria-atomic="true">{text}</div>;
}

/** A contact that rings while another is on screen. */
function AlsoRinging({ desk, d }: { desk: Desk; d: DeskState }): JSX.Element | null {
  const w = desk.ringing.value;
  if (!w || w.contact === desk.current.value?.contact) return null;
  return (
    <section class="app-also" aria-label="Ringing">
      <Icon name={channels[w.channel].icon} size={24} />
      <p class="app-also__who"><strong>{isWritten(w) ? 'Offered' : 'Ringing'}: {likelyName(w) || callerText(w)}</strong> <span>{[w.queue_label, languageName(d.catalogue, w.facts.language)].filter(Boolean).join(', ')}</span></p>
      <span class="app-also__clock" role="timer" aria-label={`${spoken(remaining(toMs(w.until), desk.now.value))} left`}><span aria-hidden="true">{face(remaining(toMs(w.until), desk.now.value))}</span></span>
      <div class="app-also__acts">
        {isWritten(w)
          ? <Button kind="primary" icon={channels[w.channel].icon} shortcut="answer" busy={desk.busy.value.has('answer')} onClick={() => void desk.answer()}>Take it</Button>
          : d.phone.kind === 'sip'
          ? <strong>Answer on your phone</strong>
          : <Button kind="primary" icon="phone" shortcut="answer" disabled={!desk.answerable.value} busy={desk.busy.value.has('answer')} onClick={() => void desk.answer()}>Answer</Button>}
        <Button shortcut="decline" busy={desk.busy.value.has('decline')} onClick={() => void desk.decline()}>Decline</Button>
        <Button kind="quiet" onClick={() => { desk.selected.value = w.contact; }}>Look</Button>
      </div>
    </section>
  );
}

/** What is shown while no contact is in hand. */
function Idle({ desk, d, view }: { desk: Desk; d: DeskState; view: View }): JSX.Element {
  const me = d.me;
  const seconds = elapsed(toMs(me.since), desk.now.value);
  if (desk.ringsNow.value) {
    return (
      <section class="app-panel app-idle app-idle--ring" aria-label="Incoming call">
        <Icon name="phone" size={48} />
        <h1 class="app-idle__title">Your phone is ringing</h1>
        <p>The details have not arrived yet. You can answer now.</p>
        <div class="app-idle__acts">
          <Button kind="primary" icon="phone" shortcut="answer" class="app-button--big" busy={desk.busy.value.has('answer')} onClick={() => void desk.answer()}>Answer</Button>
          <Button icon="hangup" shortcut="decline" onClick={() => void desk.decline()}>Decline</Button>
        </div>
      </section>
    );
  }
  const words = {
    ready: ['You are ready', 'The next contact you may take comes to you at once.'],
    not_ready: ['You are not ready', me.reason ? `Reason: ${reasonLabel(d.catalogue, me.reason)}. No contacts are offered to you.` : 'No contacts are offered to you.'],
    resting: ['A short rest', `After: ${reasonLabel(d.catalogue, me.reason)}. Contacts are offered to you again when it is over.`],
    busy: ['One moment', 'Your contact is on its way.'],
    offline: ['You are signed off', 'No contacts are offered to you.'],
  }[me.state];
  return (
    <section class={`app-panel app-idle app-idle--${me.state}`} aria-labelledby="idle-title">
      <span class="app-idle__sign"><Icon name={states[me.state].icon} size={40} /></span>
      <h1 class="app-idle__title" id="idle-title">{words?.[0]}</h1>
      <p class="app-idle__clock" role="timer" aria-label={`For ${spoken(seconds)}`}><span aria-hidden="true">{face(seconds)}</span></p>
      <p class="app-idle__text">{words?.[1]}</p>
      {me.state === 'not_ready' && <Button kind="primary" icon="check" class="app-button--big" busy={desk.busy.value.has('state')} onClick={() => void desk.ready()}>Ready for contacts</Button>}
      {!me.device_up && <p class="app-inline app-inline--warn"><Icon name="warning" size={18} /> Your phone is not reachable, so no calls are offered to you.</p>}
      <p class="app-idle__hint">Everything works by keyboard. <button type="button" class="app-link" onClick={() => { view.dialog.value = 'help'; }}>See the shortcuts</button></p>
    </section>
  );
}

/** All that is in hand, on every channel, the most due first; what rings before everything. */
function Mine({ desk, d, shown }: { desk: Desk; d: DeskState; shown: string | undefined }): JSX.Element {
  const now = desk.now.value;
  return (
    <nav class="app-switch" aria-label="Contacts in hand">
      {d.work.map((x) => {
        const late = !!x.due && toMs(x.due) < now;
        const counts = isWritten(x) && x.phase !== 'ringing' && !!x.due;
        return (
          <button key={x.contact} type="button" class="app-switch__item" aria-current={x.contact === shown ? 'true' : undefined} onClick={() => { desk.selected.value = x.contact; }}>
            <Icon name={isWritten(x) ? channels[x.channel].icon : phaseOf(x).icon} size={16} /> {likelyName(x) || callerText(x)} <span class="app-switch__phase">{phaseOf(x).label}</span>
            {counts && <span class={`app-switch__due${late ? ' app-switch__due--late' : ''}`}>{late ? <><Icon name="warning" size={12} /> overdue</> : `due in ${face(remaining(toMs(x.due), now))}`}</span>}
          </button>
        );
      })}
    </nav>
  );
}

function Workspace({ desk, d, view }: { desk: Desk; d: DeskState; view: View }): JSX.Element {
  const w = desk.current.value;
  const dialog = view.dialog.value;
  const close = () => { view.dialog.value = ''; };
  // A desk that has stopped is still to be read, but only its banner can be used.
  const stopped = desk.connection.value.kind === 'stopped';
  const Main = stopped ? 'div' : 'main';
  return (
    <div class="app-desk">
      <a href={stopped ? "#stopped" : "#main"} class="govuk-skip-link">Skip to the contact</a>
      <Announcer desk={desk} d={d} />
      <IdentityBar desk={desk} d={d} view={view} />
      {stopped
        ? <main id="stopped"><h1 class="govuk-visually-hidden">The desk is not open here</h1><ConnectionBanner desk={desk} /></main>
        : <ConnectionBanner desk={desk} />}
      <Notices desk={desk} />
      <Main class={`app-main${w ? ' app-main--contact' : ''}`} id="main" tabIndex={-1} inert={stopped}>
        {d.work.length > 1 && <Mine desk={desk} d={d} shown={w?.contact} />}
        <AlsoRinging desk={desk} d={d} />
        {d.unfinished.map((u) => <Unfinished key={u.contact} desk={desk} d={d} w={u} view={view} />)}
        {w
          ? <div class="app-columns" key={w.contact}>
              <div class="app-column">
                <ContactCard desk={desk} d={d} w={w} view={view} />
                <People desk={desk} d={d} w={w} view={view} />
              </div>
              <div class="app-column app-column--write">
                <Middle desk={desk} d={d} w={w} view={view} />
                <Closing desk={desk} d={d} w={w} view={view} />
              </div>
              <div class="app-column app-column--side">
                <History desk={desk} w={w} view={view} />
                <Queues desk={desk} d={d} />
              </div>
            </div>
          : <div class="app-rest">
              <Idle desk={desk} d={d} view={view} />
              <Queues desk={desk} d={d} />
            </div>}
      </Main>
      {dialog === 'help' && <HelpDialog onClose={close} />}
      {dialog === 'search' && <SearchDialog desk={desk} view={view} onClose={close} />}
      {dialog === 'tasks' && <TasksDialog desk={desk} view={view} onClose={close} />}
      {dialog === 'look' && <LookDialog desk={desk} d={d} view={view} onClose={close} />}
      {dialog === 'forward' && w && <ForwardDialog desk={desk} d={d} w={w} onClose={close} />}
      {dialog === 'split' && w && <SplitDialog desk={desk} d={d} w={w} message={view.split.value} onClose={close} />}
      {dialog === 'keypad' && <KeypadDialog desk={desk} onClose={close} />}
      {dialog === 'person' && w && view.editing.value && <PersonDialog desk={desk} d={d} w={w} person={view.editing.value} onClose={close} />}
    </div>
  );
}

/** The whole page: sign-in, password, desk. */
export function DeskPage({ desk, view }: { desk: Desk; view: View }): JSX.Element {
  useEffect(() => view.listen(desk), []);
  const s = desk.session.value;
  if (s.kind === 'signed_out') return <SignIn desk={desk} message={s.message} />;
  if (s.kind === 'must_change') return <NewPassword desk={desk} name={s.me.name} user={s.me.user} />;
  const d = desk.desk.value;
  if (s.kind === 'signed_in' && d) return <Workspace desk={desk} d={d} view={view} />;
  return (
    <main class="app-gate" id="main">
      <div class="app-gate__card app-gate__card--wait">
        <Wordmark of="Handlers’ desk" />
        <h1 class="govuk-heading-m"><span role="status">{desk.connection.value.kind === 'stopped' ? 'The desk is not open' : 'Opening the desk…'}</span></h1>
        <ConnectionBanner desk={desk} />
        {s.kind === 'signed_in' && <Button kind="quiet" onClick={() => void desk.signOff()}>Sign off</Button>}
      </div>
    </main>
  );
}
