import type { JSX } from 'preact';

/** The product's plain wordmark. */
export function Wordmark({ of }: { of?: string }): JSX.Element {
  return (
    <span class="app-wordmark">
      <span class="app-wordmark__name">C3i</span>
      {of && <span class="app-wordmark__of">{of}</span>}
    </span>
  );
}
