import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { TaskView, WorkItem } from '../protocol.gen.ts';
import { Due } from '../report/Panel.tsx';
import { taskText } from '../report/words.ts';
import type { DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import type { Desk } from './model.ts';
import type { View } from './view.ts';

/** Giving a written contact to another queue. */
export function ForwardDialog({ desk, d, w, onClose }: { desk: Desk; d: DeskState; w: WorkItem; onClose: () => void }): JSX.Element {
  const queues = (d.catalogue.forward_queues ?? []).filter((q) => q.code !== w.queue);
  const [queue, setQueue] = useState(queues[0]?.code ?? '');
  const [note, setNote] = useState('');
  return (
    <Dialog title="Pass on" onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); if (queue) void desk.forward(w.contact, queue, note.trim()).then((ok) => { if (ok) onClose(); }); }}>
        <Field id="forward-queue" label="To" hint="It keeps its time: it does not begin to wait anew.">
          <select class="govuk-select" id="forward-queue" autofocus value={queue} aria-describedby="forward-queue-hint" onChange={(e) => setQueue(e.currentTarget.value)}>{queues.map((q) => <option key={q.code} value={q.code}>{q.label}</option>)}</select>
        </Field>
        <Field id="forward-note" label="What the next handler should know"><textarea class="govuk-textarea" id="forward-note" rows={3} value={note} onInput={(e) => setNote(e.currentTarget.value)} /></Field>
        <Button type="submit" kind="primary" icon="forward" disabled={!queue} busy={desk.busy.value.has('forward')}>Pass it on</Button>
      </form>
    </Dialog>
  );
}

/** Making a contact of its own of a message. */
export function SplitDialog({ desk, d, w, message, onClose }: { desk: Desk; d: DeskState; w: WorkItem; message: string; onClose: () => void }): JSX.Element {
  const [queue, setQueue] = useState('');
  const m = w.written?.messages?.find((x) => x.id === message);
  return (
    <Dialog title="Something else" onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); void desk.split(w.contact, message, queue).then((ok) => { if (ok) onClose(); }); }}>
        <p>The message “{m?.subject || m?.text.slice(0, 80) || 'without text'}” becomes a contact of its own, and waits for a handler.</p>
        <Field id="split-queue" label="Queue">
          <select class="govuk-select" id="split-queue" value={queue} onChange={(e) => setQueue(e.currentTarget.value)}>
            <option value="">As the plan says</option>
            {(d.catalogue.forward_queues ?? []).map((q) => <option key={q.code} value={q.code}>{q.label}</option>)}
          </select>
        </Field>
        <Button type="submit" kind="primary" busy={desk.busy.value.has('split')}>Make it a contact</Button>
      </form>
    </Dialog>
  );
}

function TaskRow({ desk, view, t }: { desk: Desk; view: View; t: TaskView }): JSX.Element {
  return (
    <li class="app-hit">
      <span class="app-hit__title"><button type="button" class="app-link app-hit__open" onClick={() => view.look('report', t.report)}>{taskText(t)}</button></span>
      <span class="app-hit__detail">{[t.reference, t.category?.replaceAll('_', ' ')].filter(Boolean).join(' · ')} <Due at={t.due} now={desk.now.value} what="due" /></span>
      <Button kind="quiet" label={`Done: ${taskText(t)}`} onClick={() => void desk.reports.doneTask(t, '')}>Done</Button>
    </li>
  );
}

/** What is to be done, the most due first: the handler's own, and what is nobody's. */
export function TasksDialog({ desk, view, onClose }: { desk: Desk; view: View; onClose: () => void }): JSX.Element {
  useEffect(() => { void desk.reports.listTasks(); }, []);
  const t = desk.reports.tasks.value;
  const lists: [string, readonly TaskView[]][] = [['Mine', t.mine], ['Anybody’s', t.anyone]];
  return (
    <Dialog title="To be done" onClose={onClose} wide>
      {t.problem && <p class="app-inline app-inline--warn" role="alert">{t.problem}</p>}
      {lists.map(([title, list]) => (
        <section key={title} aria-label={title}>
          <h3 class="app-section__title">{title} <span class="app-count">{list.length}</span></h3>
          {list.length ? <ul class="app-hits">{list.map((x) => <TaskRow key={x.id} desk={desk} view={view} t={x} />)}</ul> : <p class="app-hint">{t.busy ? 'Reading…' : 'Nothing.'}</p>}
        </section>
      ))}
    </Dialog>
  );
}
