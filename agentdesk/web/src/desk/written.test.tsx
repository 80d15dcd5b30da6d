import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as f from '../fake/fixtures.ts';
import { buttonIn, drawn, settled, World } from '../fake/world.ts';
import type { WorkItem } from '../protocol.gen.ts';
import type { Desk } from './model.ts';
import { DeskPage } from './Page.tsx';
import { View } from './view.ts';

let root: HTMLElement;
let w: World;
let view: View;

async function show(): Promise<Desk> {
  const desk = await w.signedIn();
  view = new View(w.storage);
  render(<DeskPage desk={desk} view={view} />, root);
  await drawn();
  return desk;
}

async function taken(more: Partial<WorkItem> = {}): Promise<{ desk: Desk; mail: WorkItem }> {
  const desk = await show();
  const mail = await w.mail(more);
  await desk.answer();
  await drawn();
  return { desk, mail };
}

const text = () => root.textContent ?? '';
const button = (name: RegExp) => buttonIn(root, name);
const answer = () => root.querySelector<HTMLTextAreaElement>('#reply');

function type(el: HTMLTextAreaElement | HTMLInputElement | null, value: string): void {
  if (!el) throw new Error('the field is not there');
  el.value = value;
  el.dispatchEvent(new Event('input', { bubbles: true }));
}

function alt(code: string): void {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { code, key: '', altKey: true, bubbles: true, cancelable: true }));
}

beforeEach(() => {
  w = new World();
  w.server.reports.set('r1', f.reportReply(w.start));
  root = document.createElement('div');
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});

describe('a written contact', () => {
  it('is announced as what it is, is taken by key and not through the phone', async () => {
    await show();
    const mail = await w.mail({ triage: [{ code: 'words.suicide', sentence: 'They may harm themselves.' }] });
    await drawn();
    const said = root.querySelector('[aria-live="assertive"]')?.textContent ?? '';
    expect(said).toContain('E-mail offered');
    expect(said).toContain('They may harm themselves.');
    alt('KeyA');
    await drawn();
    expect(w.sent('offer.accept')).toEqual([{ offer: mail.offer }]);
    expect(w.phone.state.value.call).toBeUndefined();
    expect(text()).toContain('WTU 123 456 F');
  });

  it('shows what may not be trusted: unproved senders, held files, failed deliveries', async () => {
    const messages = f.messages(w.start).map((m) => (m.id === 'm2' ? { ...m, delivery: { state: 'permanent_failure' as const, at: 0, detail: 'no such mailbox' } } : m));
    await taken({ written: { ...f.mail(w.start).written!, messages } });
    expect(text()).toContain('It does come from example.org');
    expect(text()).toContain('not proved');
    expect(text()).toContain('malware was found');
    expect(text()).toContain('no such mailbox');
    const files = [...root.querySelectorAll('.app-file')];
    expect(files.find((x) => x.textContent?.includes('invoice.pdf.exe'))?.querySelector('a')).toBeNull();
  });

  it('keeps what the form does not ask when a person is changed', async () => {
    const known = { ...f.people(true)[0]!, emails: ['a.example@example.org'], addresses: [{ text: 'Flat 2', postcode: 'SW1A 1AA' }], needs: ['interpreter'] } as NonNullable<WorkItem['people']>[number];
    await taken({ people: [known] });
    button(new RegExp(`^Change ${known.name}`))?.click();
    await drawn();
    type(root.querySelector<HTMLTextAreaElement>('#p-emails'), 'a.example@example.org\nnew@example.org');
    root.querySelector<HTMLFormElement>('.app-form')?.requestSubmit();
    await drawn();
    expect(w.sent('person.save')).toMatchObject([{ person: { id: known.id, emails: ['a.example@example.org', 'new@example.org'], addresses: known.addresses, needs: ['interpreter'] } }]);
  });

  it('shows what somebody else saved of a person meanwhile, and overwrites nothing unseen', async () => {
    const known = { ...f.people(true)[0]!, remarks: 'Rings often', language: 'en', revision: '7' } as NonNullable<WorkItem['people']>[number];
    await taken({ people: [known] });
    button(new RegExp(`^Change ${known.name}`))?.click();
    await drawn();
    type(root.querySelector<HTMLTextAreaElement>('#p-emails'), 'new@example.org');
    const newer = { ...known, remarks: 'Works nights', vulnerable: !known.vulnerable, written_language: 'pl', revision: '8' };
    w.server.refuseNext.set('person.save', { code: 'person_conflict', message: 'Somebody else changed this person.', field: 'person.revision' });
    w.server.newerNext.set('person.save', { person: newer, reports: [] });
    root.querySelector<HTMLFormElement>('.app-form')?.requestSubmit();
    await drawn();
    expect(text()).toContain('Changed meanwhile');
    expect(text()).toContain('Remarks: Works nights');
    expect(root.querySelector<HTMLTextAreaElement>('#p-remarks')?.value).toBe('Works nights');
    expect(root.querySelector<HTMLTextAreaElement>('#p-emails')?.value).toBe('new@example.org');
    root.querySelector<HTMLFormElement>('.app-form')?.requestSubmit();
    await drawn();
    expect(w.sent('person.save')).toMatchObject([
      { person: { revision: '7', emails: ['new@example.org'], remarks: 'Rings often' } },
      { person: { revision: '8', emails: ['new@example.org'], remarks: 'Works nights', vulnerable: !known.vulnerable, written_language: 'pl' } },
    ]);
  });

  it('keeps an answer as it is typed, and through a reload', async () => {
    const { mail } = await taken();
    type(answer(), 'Dear A. Example');
    await w.pass(700);
    expect(w.sent('draft.save')).toMatchObject([{ contact: mail.contact, base: 0, draft: { text: 'Dear A. Example', in_reply_to: 'm3', subject: 'Re: We have your message [K7DX-94MQ-H]' } }]);
    type(answer(), 'Dear A. Example, thank you');
    w.server.silent = true;
    await drawn();
    render(null, root);
    w.server.silent = false;
    w.server.signedOn = f.me;
    const again = w.open();
    await again.begin();
    await settled();
    render(<DeskPage desk={again} view={new View(w.storage)} />, root);
    again.selected.value = mail.contact;
    await drawn();
    expect(answer()?.value).toBe('Dear A. Example, thank you');
  });

  it('offers both when somebody else wrote another answer, and sends nothing by itself', async () => {
    const { desk, mail } = await taken();
    type(answer(), 'mine');
    w.server.desk.work = (w.server.desk.work ?? []).map((x) => ({ ...x, written: { ...x.written!, draft: { text: 'theirs', revision: 4 } } }));
    await w.pass(700);
    w.server.change({ work: w.server.desk.work });
    await drawn();
    expect(desk.drafts.value.get(mail.contact)).toMatchObject({ status: 'conflict', theirs: { text: 'theirs' } });
    expect(answer()?.value).toBe('mine');
    button(/Keep theirs/)?.click();
    await drawn();
    expect(answer()?.value).toBe('theirs');
    expect(w.sent('message.send')).toEqual([]);
  });

  it('sends once, whatever happens to the acknowledgement', async () => {
    const { desk, mail } = await taken();
    type(answer(), 'Thank you.');
    await w.pass(700);
    const written = desk.drafts.value.get(mail.contact)?.answer;
    if (!written) throw new Error('no draft');
    w.server.silent = true;
    const first = desk.send(mail.contact, written);
    await w.pass(10_500);
    expect(await first).toBe(false);
    w.server.silent = false;
    expect(await desk.send(mail.contact, written)).toBe(true);
    const keys = w.sent('message.send').map((m) => (m as { key: string }).key);
    expect(new Set(keys).size).toBe(1);
    expect(w.server.sent.size).toBe(1);
    await drawn();
    expect(answer()?.value).toBe('');
  });

  it('asks for words and a receiver before sending', async () => {
    await taken();
    button(/^Send/)?.click();
    await drawn();
    expect(text()).toContain('Write something first.');
    expect(w.sent('message.send')).toEqual([]);
  });

  it('cannot be answered where that puts somebody at risk', async () => {
    await taken({ written: { ...f.mail(w.start).written!, unsafe: 'Do not write to this address: it puts them at risk.' } });
    expect(answer()).toBeNull();
    expect(text()).toContain('puts them at risk');
  });

  it('is closed in one step, with an outcome', async () => {
    const { desk, mail } = await taken();
    view.chooseOutcome(mail.contact, 'advice_given');
    await drawn();
    alt('Enter');
    await drawn();
    expect(w.sent('contact.close')).toEqual([{ contact: mail.contact, outcome: { code: 'advice_given' } }]);
    expect(desk.desk.value?.work).toEqual([]);
  });

  it('ends only with what was on the page when it was pressed', async () => {
    const { mail } = await taken({ written: { ...f.mail(w.start).written!, seen: 2 } });
    view.chooseOutcome(mail.contact, 'advice_given');
    await drawn();
    alt('Enter');
    await drawn();
    expect(w.sent('contact.close')).toEqual([{ contact: mail.contact, outcome: { code: 'advice_given' }, seen: 2 }]);
  });

  it('is put aside and taken up again; spam can be taken back', async () => {
    const { desk, mail } = await taken();
    alt('KeyZ');
    await drawn();
    expect(desk.current.value?.phase).toBe('parked');
    alt('KeyZ');
    await drawn();
    expect(desk.current.value?.phase).toBe('talking');
    button(/Spam/)?.click();
    await drawn();
    expect(text()).toContain('Marked as spam');
    button(/It is not spam/)?.click();
    await drawn();
    expect(w.sent('contact.spam_undo')).toEqual([{ contact: mail.contact }]);
    expect(text()).not.toContain('Marked as spam');
  });

  it('stays where it is while a call rings, and the call comes to the middle once answered', async () => {
    const { desk, mail } = await taken();
    const call = await w.ring();
    await drawn();
    expect(desk.current.value?.contact).toBe(mail.contact);
    await desk.answer();
    await drawn();
    expect(desk.current.value?.contact).toBe(call.contact);
    alt('KeyI');
    await drawn();
    expect(desk.current.value?.contact).toBe(mail.contact);
  });
});

describe('a report at the desk', () => {
  async function opened(): Promise<{ desk: Desk; mail: WorkItem }> {
    const t = await taken({ report: f.summary(w.start) });
    view.showTab(t.mail.contact, 'report');
    await drawn();
    return t;
  }
  const summary = () => root.querySelector<HTMLTextAreaElement>('#r1-summary');

  it('is made from a contact, with the category named when it is missing', async () => {
    const { mail } = await taken({ reports: [] });
    alt('KeyG');
    await drawn();
    button(/Make the report/)?.click();
    await drawn();
    expect(text()).toContain('Choose a category');
    const select = root.querySelector<HTMLSelectElement>('#new-category');
    if (!select) throw new Error('no category');
    select.value = 'bicycle';
    select.dispatchEvent(new Event('change', { bubbles: true }));
    await drawn();
    button(/Make the report/)?.click();
    await drawn();
    expect(w.sent('report.create')).toMatchObject([{ contact: mail.contact, report: { category: 'bicycle', parties: [{ person: 'p1', roles: ['reporter', 'victim'] }] } }]);
    expect(text()).toContain('INC 1/26NOV26');
  });

  it('is saved by key, and says what is unsaved', async () => {
    await opened();
    type(summary(), 'A blue bicycle with a basket');
    await drawn();
    expect(text()).toContain('Changed, not saved yet');
    alt('KeyS');
    await drawn();
    expect(w.sent('report.save')).toMatchObject([{ report: { version: 4, summary: 'A blue bicycle with a basket' } }]);
    expect(text()).not.toContain('Changed, not saved yet');
  });

  it('takes over what somebody else saved, keeps what was typed, and shows both where they differ', async () => {
    const { desk } = await opened();
    type(summary(), 'mine');
    w.server.savedElsewhere('r1', (r) => ({ ...r, mo: 'Lock picked.', summary: 'theirs' }));
    await drawn();
    expect(text()).toContain('Handler Two');
    expect(root.querySelector<HTMLTextAreaElement>('#r1-mo')?.value).toBe('Lock picked.');
    expect(summary()?.value).toBe('mine');
    expect(await desk.reports.save('r1')).toBe(false);
    expect(w.sent('report.save')).toEqual([]);
    button(/Keep mine: What happened/)?.click();
    await drawn();
    expect(await desk.reports.save('r1')).toBe(true);
    expect(w.server.reports.get('r1')?.report).toMatchObject({ summary: 'mine', mo: 'Lock picked.', version: 6 });
  });

  it('keeps unsaved changes in the browser when it is put away', async () => {
    const { desk } = await opened();
    type(summary(), 'half a sentence');
    desk.reports.close('r1');
    await desk.reports.show({ report: 'r1' });
    await drawn();
    expect(summary()?.value).toBe('half a sentence');
  });

  it('is left by a contact that is not about it', async () => {
    const { desk, mail } = await opened();
    button(/not about this report/)?.click();
    await drawn();
    expect(w.sent('contact.unlink')).toEqual([{ contact: mail.contact }]);
    expect(desk.current.value?.report).toBeUndefined();
    expect(text()).toContain('New report');
  });

  it('opens a restricted report only for a reason, and sends it along', async () => {
    const reply = w.server.reports.get('r1')!;
    w.server.reports.set('r1', { ...reply, report: { ...reply.report, restricted: true } });
    await opened();
    expect(text()).toContain('Why do you need to open it?');
    type(root.querySelector('#reason'), 'The caller is the victim');
    await drawn();
    root.querySelector('.app-reason')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    await drawn();
    expect(summary()).not.toBeNull();
    type(summary(), 'changed');
    await drawn();
    alt('KeyS');
    await drawn();
    expect(w.sent('report.save')).toMatchObject([{ reason: 'The caller is the victim' }]);
  });
});

describe('looking up', () => {
  it('asks once typing pauses, and drops answers that come late', async () => {
    const desk = await show();
    w.server.found = f.hits(w.start);
    alt('KeyL');
    await drawn();
    desk.finder.type('e');
    await w.pass(200);
    expect(w.server.searches).toEqual([]);
    desk.finder.type('exa');
    desk.finder.type('exam');
    await w.pass(200);
    await drawn();
    expect(w.server.searches).toEqual(['exam']);
    expect(text()).toContain('A restricted record');
    desk.finder.type('');
    await w.pass(200);
    expect(desk.finder.hits.value).toEqual([]);
  });
});
