import { signal } from '@preact/signals';
import type { Person, WorkItem } from '../protocol.gen.ts';
import { shortcutFor, takesText, type Shortcut } from '../ui/shortcuts.ts';
import { isWritten, type Desk } from './model.ts';

/** Dialogs, of which one is open at a time. */
export type DialogName = '' | 'help' | 'keypad' | 'person' | 'search' | 'tasks' | 'forward' | 'split' | 'report' | 'look';

/** Parts of the middle column. */
export type Tab = 'written' | 'note' | 'report';

/** What is open on the page, as opposed to what the desk knows. */
export class View {
  readonly dialog = signal<DialogName>('');
  /** What the middle column shows of each contact. */
  readonly tabs = signal<ReadonlyMap<string, Tab>>(new Map());
  /** The message to be made a contact of its own. */
  readonly split = signal('');
  /** The report, or person, opened over the page. */
  readonly looking = signal<{ kind: 'report' | 'person'; id: string } | undefined>(undefined);
  readonly reasonsOpen = signal(false);
  /** The person being edited; a new one has no id. */
  readonly editing = signal<Person | undefined>(undefined);
  readonly sound = signal(true);
  /** Outcomes chosen but not yet sent, by contact. */
  readonly outcomes = signal<ReadonlyMap<string, string>>(new Map());
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.sound.value = storage.getItem('c3i.sound') !== 'off';
  }

  toggleSound(): void {
    this.sound.value = !this.sound.value;
    this.#storage.setItem('c3i.sound', this.sound.value ? 'on' : 'off');
  }

  chooseOutcome(contact: string, code: string): void {
    this.outcomes.value = new Map(this.outcomes.value).set(contact, code);
  }

  /** The tab shown for a contact: what was written first, for a call the note. */
  tab(w: Pick<WorkItem, 'contact' | 'channel'>): Tab {
    return this.tabs.value.get(w.contact) ?? (isWritten(w) ? 'written' : 'note');
  }

  showTab(contact: string, tab: Tab): void {
    this.tabs.value = new Map(this.tabs.value).set(contact, tab);
  }

  /** Opens a report or a person over the page. */
  look(kind: 'report' | 'person', id: string): void {
    this.looking.value = { kind, id };
    this.dialog.value = 'look';
  }

  /** Opens the form for a person, or for a new one with the caller's number filled in. */
  editPerson(desk: Desk, person?: Person): void {
    const w = desk.current.value;
    if (!w) return;
    this.editing.value = person ?? {
      id: '', name: w.written?.from.name ?? '', numbers: w.caller.number ? [w.caller.number] : [], language: w.facts.language ?? '',
      ...(w.written?.from.address ? { emails: [w.written.from.address] } : {}),
    };
    this.dialog.value = 'person';
  }

  /** Carries out a shortcut; true when it meant something here. */
  run(desk: Desk, s: Shortcut): boolean {
    const talking = desk.talking();
    const current = desk.current.value;
    const onThePhone = !!talking && talking.phase !== 'connecting';
    switch (s) {
      case 'help': this.dialog.value = this.dialog.value === 'help' ? '' : 'help'; return true;
      case 'ready': void desk.ready(); return true;
      case 'notReady': this.reasonsOpen.value = !this.reasonsOpen.value; return true;
      case 'answer': if (desk.ringsNow.value) void desk.answer(); return desk.ringsNow.value;
      case 'decline': if (desk.ringsNow.value) void desk.decline(); return desk.ringsNow.value;
      case 'mute': if (onThePhone) void desk.control(talking.muted ? 'unmute' : 'mute'); return onThePhone;
      case 'hold': if (onThePhone) void desk.control(talking.phase === 'held' ? 'resume' : 'hold'); return onThePhone;
      case 'keypad': if (onThePhone) this.dialog.value = 'keypad'; return onThePhone;
      case 'hangUp': if (talking) void desk.control('hangup'); return !!talking;
      case 'note':
        if (current) this.showTab(current.contact, 'note');
        return soon('note', !!current);
      case 'write': {
        const written = !!current && isWritten(current) && current.phase !== 'ringing';
        if (written) this.showTab(current.contact, 'written');
        return soon('reply', written);
      }
      case 'send': {
        const open = current?.report && desk.reports.get(current.report.id);
        if (current && open && this.tab(current) === 'report') void desk.reports.save(open.reply.report.id);
        else document.querySelector<HTMLElement>('.app-reply__acts .app-button')?.click();
        return !!current;
      }
      case 'park': {
        const can = !!current && isWritten(current) && (current.phase === 'talking' || current.phase === 'parked');
        if (can) void desk.park(current);
        return can;
      }
      case 'report':
        if (current) this.showTab(current.contact, 'report');
        return soon('report-panel', !!current);
      case 'next': {
        const work = desk.desk.value?.work ?? [];
        const at = work.findIndex((w) => w.contact === current?.contact);
        const next = work[(at + 1) % work.length];
        if (next) desk.selected.value = next.contact;
        return !!next;
      }
      case 'search': if (desk.may('search')) this.dialog.value = 'search'; return desk.may('search');
      case 'tasks': if (desk.may('reports.read')) this.dialog.value = 'tasks'; return desk.may('reports.read');
      case 'person': if (current) this.editPerson(desk); return !!current;
      case 'outcome': return focus('outcome');
      case 'queues': return focus('queues');
      case 'moreTime':
        if (current?.phase === 'wrap_up' && !current.extended) void desk.extend(current.contact);
        return current?.phase === 'wrap_up';
      case 'finish': {
        if (!current || !(current.phase === 'wrap_up' || (isWritten(current) && current.phase !== 'ringing'))) return false;
        const code = this.outcomes.value.get(current.contact);
        if (code) void desk.finish(current.contact, code);
        else focus('outcome');
        return true;
      }
    }
  }

  /** Listens for shortcuts on the page; returns how to stop. */
  listen(desk: Desk): () => void {
    const press = (e: KeyboardEvent) => {
      if (desk.session.value.kind !== 'signed_in' || !desk.desk.value) return;
      const s = shortcutFor(e, takesText(document.activeElement));
      if (!s) return;
      if (this.dialog.value && !['help', 'answer', 'decline', 'hangUp', 'mute', 'hold'].includes(s)) return;
      if (this.run(desk, s)) e.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }
}

/** Moves the focus once the page has drawn the tab it is in. */
function soon(id: string, meant: boolean): boolean {
  if (meant && !focus(id)) setTimeout(() => focus(id), 0);
  return meant;
}

function focus(id: string): boolean {
  const el = document.getElementById(id);
  el?.focus();
  el?.scrollIntoView({ block: 'nearest' });
  return !!el;
}
