import type { JSX } from 'preact';
import type { WorkItem } from '../protocol.gen.ts';
import { timeText } from '../state/clock.ts';
import { noteLimit, type NoteState } from '../state/notes.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import { keyLabel } from '../ui/shortcuts.ts';
import type { Desk } from './model.ts';

function Status({ n }: { n: NoteState | undefined }): JSX.Element {
  if (!n || (n.status === 'saved' && !n.savedAt)) return <span>Saved as you type</span>;
  switch (n.status) {
    case 'saved': return <><Icon name="check" size={16} /> Saved {timeText(n.savedAt)}</>;
    case 'typing': return <>Typing…</>;
    case 'saving': return <>Saving…</>;
    case 'waiting': return <>Kept here; saved once you answer</>;
    case 'offline': return <><Icon name="warning" size={16} /> Not saved yet. Kept in this browser and tried again.</>;
    case 'refused': return <><Icon name="warning" size={16} /> Not saved: {n.problem} Your text is kept in this browser.</>;
    case 'conflict': return <><Icon name="warning" size={16} /> Changed elsewhere meanwhile</>;
  }
}

/** The note of a contact, saved as it is typed. */
export function NoteEditor({ desk, w }: { desk: Desk; w: WorkItem }): JSX.Element {
  const n = desk.notes.value.get(w.contact);
  const trouble = n && (n.status === 'offline' || n.status === 'refused' || n.status === 'conflict');
  return (
    <section class="app-note" aria-labelledby="note-label">
      <div class="app-panel__head">
        <h2 class="app-panel__title"><label for="note" id="note-label">Note</label> <kbd class="app-kbd" aria-hidden="true">{keyLabel('note')}</kbd></h2>
        <span class={`app-note__status${trouble ? ' app-note__status--trouble' : ''}`} id="note-status"><Status n={n} /></span>
      </div>
      <span class="govuk-visually-hidden" role="status">{trouble ? <Status n={n} /> : ''}</span>
      {n?.status === 'conflict' && (
        <div class="app-conflict">
          <p>This note was also changed elsewhere. The other text is:</p>
          <blockquote>{n.theirs || '(empty)'}</blockquote>
          <div class="app-conflict__acts">
            <Button kind="primary" onClick={() => desk.settleNote(w.contact, 'both')}>Keep both</Button>
            <Button onClick={() => desk.settleNote(w.contact, 'mine')}>Keep mine</Button>
            <Button onClick={() => desk.settleNote(w.contact, 'theirs')}>Keep the other</Button>
          </div>
        </div>
      )}
      <textarea
        class="govuk-textarea app-note__text"
        id="note"
        rows={6}
        maxLength={noteLimit}
        value={n?.text ?? w.note.text}
        aria-describedby="note-status"
        aria-keyshortcuts={keyLabel('note')}
        placeholder="What happened, where and when; who is at risk; what was agreed."
        onInput={(e) => desk.editNote(w.contact, e.currentTarget.value)}
        onBlur={() => desk.saveNote(w.contact)}
      />
    </section>
  );
}
