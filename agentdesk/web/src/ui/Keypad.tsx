import type { JSX } from 'preact';

export const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;
const letters: Record<string, string> = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' };
const names: Record<string, string> = { '*': 'Star', '#': 'Hash' };

/** The digit a key press means on a telephone keypad, or undefined. */
export function digitFor(e: { key: string; ctrlKey: boolean; altKey: boolean; metaKey: boolean }): string | undefined {
  if (e.ctrlKey || e.altKey || e.metaKey) return undefined;
  return (keys as readonly string[]).includes(e.key) ? e.key : undefined;
}

/** A telephone keypad. */
export function Keypad({ onDigit }: { onDigit: (digit: string) => void }): JSX.Element {
  return (
    <div class="app-keypad" role="group" aria-label="Keypad">
      {keys.map((k) => (
        <button key={k} type="button" class="app-keypad__key" aria-label={names[k]} onClick={() => onDigit(k)}>
          <span class="app-keypad__digit">{k}</span>
          <span class="app-keypad__letters">{letters[k] ?? ' '}</span>
        </button>
      ))}
    </div>
  );
}
