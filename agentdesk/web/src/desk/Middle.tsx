import type { JSX } from 'preact';
import type { WorkItem } from '../protocol.gen.ts';
import { NoReport, ReportPanel } from '../report/Panel.tsx';
import { dirty } from '../report/edit.ts';
import { numberOf } from '../report/words.ts';
import type { DeskState } from '../state/desk.ts';
import { Button } from '../ui/Button.tsx';
import { Tabs, type TabItem } from '../ui/Tabs.tsx';
import { Conversation } from '../written/Conversation.tsx';
import { Reply } from '../written/Reply.tsx';
import { isWritten, type Desk } from './model.ts';
import { NoteEditor } from './NoteEditor.tsx';
import type { Tab, View } from './view.ts';

/** What is written in a contact: the messages and the answer, the note, the report. */
export function Middle({ desk, d, w, view }: { desk: Desk; d: DeskState; w: WorkItem; view: View }): JSX.Element {
  const written = isWritten(w);
  const tab = view.tab(w);
  const open = w.report && desk.reports.open.value.get(w.report.id);
  const note = desk.notes.value.get(w.contact);
  const items: TabItem<Tab>[] = [
    ...(written ? [{ name: 'written' as const, label: w.channel === 'web' ? 'Web report' : 'Messages', count: w.written?.messages?.length }] : []),
    { name: 'note', label: 'Note', ...(note?.status === 'conflict' || note?.status === 'refused' ? { alert: 'needs you' } : {}) },
    ...(desk.may('reports.read') ? [{ name: 'report' as const, label: w.report ? `Report ${numberOf(w.report)}` : 'Report', ...(open && dirty(open.edit) ? { alert: 'not saved' } : {}) }] : []),
  ];
  const mayAnswer = written && w.phase !== 'ringing' && w.phase !== 'connecting' && desk.may('messages.write');
  return (
    <Tabs id="middle" label="The contact’s parts" items={items} value={tab} onChange={(t) => view.showTab(w.contact, t)}>
      {tab === 'written' && <div class="app-written"><Conversation desk={desk} w={w} view={view} />{mayAnswer && <Reply key={w.contact} desk={desk} d={d} w={w} />}</div>}
      {tab === 'note' && <NoteEditor desk={desk} w={w} />}
      {tab === 'report' && (w.report ? <><ReportPanel key={w.report.id} desk={desk} d={d} id={w.report.id} w={w} /><p><Button kind="quiet" busy={desk.busy.value.has('link')} onClick={() => void desk.unlink(w.contact)}>This contact is not about this report</Button></p></> : w.phase === 'ringing' ? <p class="app-hint">Take the contact first.</p> : <NoReport desk={desk} w={w} />)}
    </Tabs>
  );
}
