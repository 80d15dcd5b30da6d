/** What a shortcut does; the help dialog lists them in this order. */
export const shortcuts = {
  ready: { code: 'KeyR', key: 'R', does: 'Ready for contacts' },
  notReady: { code: 'KeyB', key: 'B', does: 'Not ready: choose a reason' },
  answer: { code: 'KeyA', key: 'A', does: 'Answer what is offered' },
  decline: { code: 'KeyJ', key: 'J', does: 'Decline what is offered' },
  mute: { code: 'KeyM', key: 'M', does: 'Mute or unmute yourself' },
  hold: { code: 'KeyH', key: 'H', does: 'Hold or resume the call' },
  keypad: { code: 'KeyK', key: 'K', does: 'Open the keypad' },
  hangUp: { code: 'KeyX', key: 'X', does: 'Hang up' },
  write: { code: 'KeyW', key: 'W', does: 'Go to the answer' },
  send: { code: 'KeyS', key: 'S', does: 'Send the answer, or save the report' },
  park: { code: 'KeyZ', key: 'Z', does: 'Put a written contact aside, or take it up again' },
  report: { code: 'KeyG', key: 'G', does: 'Go to the report' },
  next: { code: 'KeyI', key: 'I', does: 'Go to the next contact in hand' },
  search: { code: 'KeyL', key: 'L', does: 'Look something up' },
  tasks: { code: 'KeyU', key: 'U', does: 'What is to be done' },
  note: { code: 'KeyN', key: 'N', does: 'Go to the note' },
  person: { code: 'KeyP', key: 'P', does: 'Add a person to the contact' },
  outcome: { code: 'KeyO', key: 'O', does: 'Go to the outcome' },
  moreTime: { code: 'KeyT', key: 'T', does: 'More time to finish' },
  finish: { code: 'Enter', key: 'Enter', does: 'Finish the contact' },
  queues: { code: 'KeyQ', key: 'Q', does: 'Go to what is waiting' },
  help: { code: 'Slash', key: '/', does: 'This list (or ? outside a field)' },
} as const;

export type Shortcut = keyof typeof shortcuts;

/** How a shortcut is written: every one is held with Alt, so that none fires while typing. */
export function keyLabel(s: Shortcut): string {
  return `Alt+${shortcuts[s].key}`;
}

/** As much of a KeyboardEvent as matters. */
export interface Press {
  code: string;
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}

/**
 * The shortcut a key press means, if any. `typing` tells that a text field has
 * the focus: then a bare `?` is a question mark. Keys are known by place, not
 * letter, because Alt changes the letter on some keyboards.
 */
export function shortcutFor(e: Press, typing: boolean): Shortcut | undefined {
  if (e.repeat || e.ctrlKey || e.metaKey) return undefined;
  if (!e.altKey) return e.key === '?' && !typing ? 'help' : undefined;
  if (e.shiftKey) return undefined;
  const code = e.code === 'NumpadEnter' ? 'Enter' : e.code;
  return (Object.keys(shortcuts) as Shortcut[]).find((s) => shortcuts[s].code === code);
}

/** Whether an element takes text. */
export function takesText(el: Element | null): boolean {
  if (!el) return false;
  if (el instanceof HTMLTextAreaElement || el instanceof HTMLSelectElement) return true;
  if (el instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit', 'reset'].includes(el.type);
  return el instanceof HTMLElement && el.isContentEditable;
}
