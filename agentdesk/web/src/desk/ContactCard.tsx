import type { JSX } from 'preact';
import type { WorkItem } from '../protocol.gen.ts';
import { dateText, elapsed, face, remaining, spoken, timeText, toMs } from '../state/clock.ts';
import { languageName, type DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import { isWritten, type Desk } from './model.ts';
import type { View } from './view.ts';
import { callerText, channels, likelyName, phaseOf, whyLines } from './words.ts';

/** How long the caller has waited, against the target. */
function waited(w: WorkItem, now: number): { seconds: number; late: boolean } {
  const seconds = elapsed(toMs(w.arrival), now);
  const target = w.why_data.target ? goSeconds(w.why_data.target) : 0;
  return { seconds, late: target > 0 && seconds > target };
}

/** A span as Go writes it ("1m30s") in seconds. */
export function goSeconds(d: string): number {
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  let total = 0;
  for (const [, n, unit] of d.matchAll(/([\d.]+)(ms|h|m|s)/g)) total += Number(n) * (units[unit ?? ''] ?? 0);
  return total;
}

function Fact({ label, children, flag }: { label: string; children: JSX.Element | string; flag?: boolean }): JSX.Element {
  return (
    <div class={`app-fact${flag ? ' app-fact--flag' : ''}`}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The clock of the phase: up while talking, down while there is an end. */
function PhaseClock({ w, now }: { w: WorkItem; now: number }): JSX.Element {
  const down = w.until && (w.phase === 'wrap_up' || w.phase === 'ringing');
  const seconds = down ? remaining(toMs(w.until), now) : elapsed(toMs(w.since), now);
  const low = w.phase === 'wrap_up' && down && seconds <= 20;
  const says = down ? `${spoken(seconds)} left` : `for ${spoken(seconds)}`;
  return (
    <span class={`app-contact__clock${low ? ' app-contact__clock--low' : ''}`} role="timer" aria-label={`${phaseOf(w).label}, ${says}`}>
      <span aria-hidden="true">{face(seconds)}{down ? <span class="app-contact__clock-left"> left</span> : null}</span>
    </span>
  );
}

/** Taking a written contact, and what may be done with one in hand. */
function WrittenControls({ desk, w, view }: { desk: Desk; w: WorkItem; view: View }): JSX.Element | null {
  const busy = desk.busy.value;
  if (w.phase === 'ringing') {
    return (
      <div class="app-contact__controls">
        <Button kind="primary" icon={channels[w.channel].icon} shortcut="answer" class="app-button--big" busy={busy.has('answer')} onClick={() => void desk.answer()}>Take it</Button>
        <Button shortcut="decline" busy={busy.has('decline')} onClick={() => void desk.decline()}>Decline</Button>
      </div>
    );
  }
  if (w.phase === 'wrap_up' || w.phase === 'connecting') return null;
  const spam = w.written?.spam_until;
  if (spam) {
    return (
      <div class="app-contact__controls" role="group" aria-label="Contact">
        <p class="app-inline app-inline--warn" role="status"><Icon name="warning" size={18} /> Marked as spam. It ends in {face(remaining(toMs(spam), desk.now.value))}.</p>
        <Button kind="primary" busy={busy.has('spam')} onClick={() => void desk.spam(w)}>It is not spam</Button>
      </div>
    );
  }
  const parked = w.phase === 'parked';
  return (
    <div class="app-contact__controls" role="group" aria-label="Contact">
      <Button icon={parked ? 'play' : 'pause'} shortcut="park" pressed={parked} busy={busy.has('park')} onClick={() => void desk.park(w)}>{parked ? 'Take up again' : 'Put aside'}</Button>
      <Button icon="forward" onClick={() => { view.dialog.value = 'forward'; }}>Pass on</Button>
      {w.channel === 'email' && <Button icon="warning" busy={busy.has('spam')} onClick={() => void desk.spam(w)}>Spam</Button>}
    </div>
  );
}

/** What taking a callback means, and where it stands. */
function callbackText(phase: WorkItem['phase']): string {
  switch (phase) {
    case 'ringing': return 'They asked to be rung back. When you answer, they are rung for you.';
    case 'connecting':
    case 'calling': return 'They are being rung. Stay on the line.';
    default: return 'They asked to be rung back, and were.';
  }
}

/** What was found in it that may matter at once. */
function Triage({ w }: { w: WorkItem }): JSX.Element | null {
  if (!w.triage?.length) return null;
  return (
    <div class="app-triage">
      <h2 class="app-mini">Found in it</h2>
      <ul>{w.triage.map((t) => <li key={t.code}><Icon name="warning" size={14} /> {t.sentence}{t.quote && <> <q dir="auto">{t.quote}</q></>}</li>)}</ul>
    </div>
  );
}

/** When it is to be answered by. */
function DueFact({ w, now }: { w: WorkItem; now: number }): JSX.Element | null {
  if (!w.due) return null;
  const late = toMs(w.due) < now;
  return (
    <Fact label="Due" flag={late}>
      <>{late && <Icon name="warning" size={14} />} {late ? `${face(elapsed(toMs(w.due), now))} ago` : `in ${face(remaining(toMs(w.due), now))}`}</>
    </Fact>
  );
}

function Controls({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element | null {
  const busy = desk.busy.value;
  if (w.phase === 'ringing') {
    const own = d.phone.kind === 'sip';
    const rings = desk.answerable.value;
    return (
      <div class="app-contact__controls">
        {own
          ? <p class="app-contact__own"><Icon name="phone" /> Answer on your phone</p>
          : <Button kind="primary" icon="phone" shortcut="answer" class="app-button--big" busy={busy.has('answer')} disabled={!rings} describedBy={rings ? undefined as never : 'answer-why'} onClick={() => void desk.answer()}>{busy.has('answer') ? 'Answering…' : 'Answer'}</Button>}
        <Button icon="hangup" shortcut="decline" busy={busy.has('decline')} onClick={() => void desk.decline()}>Decline</Button>
        {!own && !rings && <span class="app-contact__wait" id="answer-why">Your browser phone is not ringing yet.</span>}
      </div>
    );
  }
  if (w.phase === 'wrap_up') return null;
  const connecting = w.phase === 'connecting';
  const held = w.phase === 'held';
  return (
    <div class="app-contact__controls" role="group" aria-label="Call">
      <Button icon={w.muted ? 'micOff' : 'mic'} shortcut="mute" pressed={!!w.muted} disabled={connecting} busy={busy.has('mute') || busy.has('unmute')} onClick={() => void desk.control(w.muted ? 'unmute' : 'mute')}>{w.muted ? 'Muted' : 'Mute'}</Button>
      <Button icon={held ? 'play' : 'pause'} shortcut="hold" pressed={held} disabled={connecting} busy={busy.has('hold') || busy.has('resume')} onClick={() => void desk.control(held ? 'resume' : 'hold')}>{held ? 'Resume' : 'Hold'}</Button>
      <Button icon="keypad" shortcut="keypad" disabled={connecting} onClick={() => { view.dialog.value = 'keypad'; }}>Keypad</Button>
      <Button kind="warning" icon="hangup" shortcut="hangUp" busy={busy.has('hangup')} onClick={() => void desk.control('hangup')}>Hang up</Button>
    </div>
  );
}

/** One contact: who, about what, why here, for how long, and what can be done with the call. */
export function ContactCard({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element {
  const now = desk.now.value;
  const wait = waited(w, now);
  const name = likelyName(w);
  const people = w.people?.length ?? 0;
  const phase = phaseOf(w);
  const written = isWritten(w);
  const attached = w.people?.find((p) => p.attached) ?? (people === 1 ? w.people?.[0] : undefined);
  return (
    <section class={`app-panel app-contact app-contact--${w.phase}`} aria-labelledby="contact-name">
      <div class="app-contact__strip">
        <span class="app-contact__phase"><Icon name={phase.icon} /> {phase.label}{w.muted && !written && w.phase !== 'wrap_up' && <span class="app-contact__muted">, muted</span>}</span>
        <PhaseClock w={w} now={now} />
      </div>
      <div class="app-contact__body">
        <div class="app-contact__head">
          <div>
            <h1 class="app-contact__name" id="contact-name">{name || (people > 1 ? `${people} people share this number` : written ? callerText(w) : 'Unknown caller')}</h1>
            {written && w.written?.subject && <p class="app-contact__subject" dir="auto">{w.written.subject}</p>}
            <p class="app-contact__number"><Icon name={channels[w.channel].icon} size={16} /> {callerText(w)}{w.caller.unverified && <span class="app-contact__unverified"> given by the caller, not checked</span>}{w.caller.dialled && <span class="app-contact__dialled"> rang {w.caller.dialled}</span>}</p>
          </div>
          <div class="app-contact__markers">
            {(attached?.vulnerable ?? w.facts.vulnerable) && <span class="moj-badge app-badge app-badge--alarm"><Icon name="warning" size={14} /> Vulnerable</span>}
            {(attached?.repeat_victim ?? w.facts.repeat_victim) && <span class="moj-badge app-badge app-badge--warn"><Icon name="warning" size={14} /> Repeat victim</span>}
          </div>
        </div>
        {written ? <WrittenControls desk={desk} w={w} view={view} /> : <Controls desk={desk} d={d} w={w} view={view} />}
        {w.callback && <p class="app-inline app-inline--secret"><Icon name="phone" size={18} /> {callbackText(w.phase)}</p>}
        <Triage w={w} />
        <dl class="app-facts">
          <Fact label="Queue">{w.queue_label}</Fact>
          <Fact label="Language">{languageName(d.catalogue, w.facts.language) || 'Not chosen'}</Fact>
          {w.phase === 'ringing' || w.phase === 'connecting'
            ? <Fact label="Waited" flag={wait.late}>
                <>{face(wait.seconds)} <span class="app-fact__aside">{wait.late ? <><Icon name="warning" size={14} /> over {w.why_data.target} target</> : w.why_data.target ? `of ${w.why_data.target}` : ''}</span></>
              </Fact>
            : <Fact label={written ? 'Came in' : 'Rang at'}>{written ? dateText(toMs(w.arrival)) : timeText(toMs(w.arrival))}</Fact>}
          {written && <DueFact w={w} now={now} />}
          {(w.facts.contacts_30d ?? 0) > 0 && <Fact label="Last 30 days">{`${w.facts.contacts_30d} contact${w.facts.contacts_30d === 1 ? '' : 's'}`}</Fact>}
          {(w.facts.open_reports ?? 0) > 0 && <Fact label="Open reports">{String(w.facts.open_reports)}</Fact>}
        </dl>
        {!!w.answers?.length && (
          <div class="app-answers">
            <h2 class="app-mini">{written ? 'What is known' : 'Chosen'}</h2>
            <ol>{w.answers.map((a) => <li key={a.question}><span class="app-answers__q">{a.question}</span> <span class="app-answers__a">{a.answer}</span></li>)}</ol>
          </div>
        )}
        <details class="app-why">
          <summary><span class="app-why__short">{w.why || 'Why it came to you'}</span></summary>
          <ul>{whyLines(w.why_data, d.catalogue.skills ?? []).map((l) => <li key={l}>{l}</li>)}</ul>
        </details>
      </div>
    </section>
  );
}
