import type { JSX } from 'preact';
import { CloseTakenOver } from '../protocol.gen.ts';
import { stoppedText } from '../state/connection.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import type { Desk } from './model.ts';

/** Whether the desk is connected, when it is not. */
export function ConnectionBanner({ desk }: { desk: Desk }): JSX.Element | null {
  const c = desk.connection.value;
  const call = desk.phone.state.value.call;
  if (c.kind === 'stopped') {
    return (
      <div class="app-banner app-banner--stop">
        <Icon name="plug" />
        <p role="alert"><strong>{stoppedText(c.code)}</strong>{c.code === CloseTakenOver && ' Nothing you typed is lost.'}{call && ' The call you are on keeps its sound here until it ends.'}</p>
        {c.code === CloseTakenOver ? <Button kind="primary" onClick={() => desk.takeBack()}>Use the desk here</Button> : <Button onClick={() => desk.reload()}>Reload</Button>}
      </div>
    );
  }
  const trying = c.kind === 'waiting' || ((c.kind === 'connecting' || c.kind === 'opening') && c.attempt > 0);
  if (!trying || !desk.desk.value) return null;
  return (
    <div class="app-banner app-banner--wait" role="status">
      <Icon name="plug" />
      <p><strong>Reconnecting to C3i…</strong> {call ? 'Your call goes on. ' : ''}What you type is kept and sent when the connection is back.</p>
      {c.kind === 'waiting' && <Button onClick={() => desk.reconnectNow()}>Try now</Button>}
    </div>
  );
}

/** Short messages, newest last, and what the phone complains of. */
export function Notices({ desk }: { desk: Desk }): JSX.Element {
  const problem = desk.phone.state.value.problem;
  return (
    <div class="app-notices" role="region" aria-label="Notices">
      <div aria-live="polite">
        {problem && <div class="app-notice app-notice--warning"><Icon name="warning" /><p>{problem.text}</p></div>}
        {desk.notices.value.map((n) => (
          <div key={n.id} class={`app-notice app-notice--${n.level}`}>
            <Icon name={n.level === 'info' ? 'info' : 'warning'} />
            <p><span class="govuk-visually-hidden">{n.level === 'error' ? 'Error: ' : n.level === 'warning' ? 'Warning: ' : ''}</span>{n.text}</p>
            <Button kind="quiet" label={`Dismiss: ${n.text}`} onClick={() => desk.dismiss(n.id)}>Dismiss</Button>
          </div>
        ))}
        {desk.lostNotes.value.map((n) => (
          <div key={n.contact} class="app-notice app-notice--warning app-notice--lost">
            <Icon name="warning" />
            <div>
              <p>A note typed before could not be saved, because its contact is no longer open. Its text:</p>
              <blockquote>{n.text}</blockquote>
            </div>
            <Button kind="quiet" onClick={() => desk.discardLostNote(n.contact)}>I have kept it, remove</Button>
          </div>
        ))}
      </div>
    </div>
  );
}
