import { describe, expect, it } from 'vitest';
import { digitFor } from './Keypad.tsx';
import { keyLabel, shortcutFor, shortcuts, type Press } from './shortcuts.ts';

const press = (more: Partial<Press>): Press => ({ code: '', key: '', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, repeat: false, ...more });

describe('shortcuts', () => {
  it.each([
    ['Alt+A answers', press({ altKey: true, code: 'KeyA', key: 'å' }), false, 'answer'],
    ['while typing too', press({ altKey: true, code: 'KeyA', key: 'a' }), true, 'answer'],
    ['a bare letter is a letter', press({ code: 'KeyA', key: 'a' }), false, undefined],
    ['? outside a field is help', press({ code: 'Slash', key: '?', shiftKey: true }), false, 'help'],
    ['? in a field is a question mark', press({ code: 'Slash', key: '?', shiftKey: true }), true, undefined],
    ['Alt with Control belongs to AltGr', press({ altKey: true, ctrlKey: true, code: 'KeyA' }), false, undefined],
    ['Alt with Shift is not ours', press({ altKey: true, shiftKey: true, code: 'KeyA' }), false, undefined],
    ['a held key acts once', press({ altKey: true, code: 'KeyX', repeat: true }), false, undefined],
    ['the number pad has an Enter', press({ altKey: true, code: 'NumpadEnter' }), false, 'finish'],
  ] as const)('%s', (_name, e, typing, want) => expect(shortcutFor(e, typing)).toBe(want));

  it('share no key', () => {
    const codes = Object.values(shortcuts).map((s) => s.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(keyLabel('hangUp')).toBe('Alt+X');
  });
});

it.each([['5', '5'], ['*', '*'], ['#', '#'], ['a', undefined], ['Enter', undefined]])('key %s is digit %s', (key, want) => {
  expect(digitFor({ key, ctrlKey: false, altKey: false, metaKey: false })).toBe(want);
});
it('leaves Control and digit to the browser', () => {
  expect(digitFor({ key: '1', ctrlKey: true, altKey: false, metaKey: false })).toBeUndefined();
});
