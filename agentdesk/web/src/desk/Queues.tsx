import type { JSX } from 'preact';
import type { QueueView } from '../protocol.gen.ts';
import { elapsed, face, remaining, spoken, toMs } from '../state/clock.ts';
import { overdue, type DeskState } from '../state/desk.ts';
import { Icon } from '../ui/icons.tsx';
import type { Desk } from './model.ts';

function Row({ q, now }: { q: QueueView; now: number }): JSX.Element {
  const late = overdue(q, now);
  const oldest = elapsed(toMs(q.oldest_arrival), now);
  const due = toMs(q.most_due);
  const against = due ? (late ? `${face(elapsed(due, now))} over target` : `due in ${face(remaining(due, now))}`) : '';
  return (
    <li class={`app-queue${late ? ' app-queue--late' : ''}${q.open ? '' : ' app-queue--closed'}`}>
      <span class="app-queue__label">{q.label}</span>
      <span class="app-queue__count">{q.open || q.waiting ? <>{q.waiting}<span class="govuk-visually-hidden"> waiting</span></> : 'Closed'}</span>
      {q.waiting > 0
        ? <span class="app-queue__age">
            <span>oldest <span aria-hidden="true">{face(oldest)}</span><span class="govuk-visually-hidden">{spoken(oldest)}</span></span>
            {against && <span class="app-queue__due">{late && <Icon name="warning" size={14} />} {against}</span>}
          </span>
        : <span class="app-queue__age">{q.open ? 'nothing waiting' : 'outside opening hours'}</span>}
    </li>
  );
}

/** What is waiting in the queues this handler serves. */
export function Queues({ desk, d }: { desk: Desk; d: DeskState }): JSX.Element {
  const total = d.queues.reduce((n, q) => n + q.waiting, 0);
  return (
    <section class="app-panel app-queues" id="queues" tabIndex={0} aria-labelledby="queues-title">
      <div class="app-panel__head">
        <h2 class="app-panel__title" id="queues-title">Waiting in my queues <span class="app-count">{total}</span></h2>
      </div>
      {d.queues.length
        ? <ul class="app-queues__list">{d.queues.map((q) => <Row key={q.queue} q={q} now={desk.now.value} />)}</ul>
        : <p class="app-hint">Your profile serves no queue.</p>}
    </section>
  );
}
