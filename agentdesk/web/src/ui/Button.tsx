import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icons.tsx';
import { keyLabel, type Shortcut } from './shortcuts.ts';

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  kind?: 'primary' | 'secondary' | 'warning' | 'quiet';
  icon?: IconName;
  shortcut?: Shortcut;
  pressed?: boolean;
  disabled?: boolean;
  /** A request is on its way: the button stays but does nothing. */
  busy?: boolean;
  type?: 'button' | 'submit';
  class?: string;
  label?: string;
  expanded?: boolean;
  controls?: string;
  describedBy?: string;
  id?: string;
}

/** A design-system button with a sign, its shortcut in sight, and honest busy and pressed states. */
export function Button(p: ButtonProps): JSX.Element {
  const kind = { primary: '', secondary: ' govuk-button--secondary', warning: ' govuk-button--warning', quiet: ' app-button--quiet' }[p.kind ?? 'secondary'];
  const off = p.disabled || p.busy;
  return (
    <button
      id={p.id}
      type={p.type ?? 'button'}
      class={`govuk-button app-button${kind}${p.pressed ? ' app-button--pressed' : ''}${p.class ? ` ${p.class}` : ''}`}
      aria-disabled={off ? 'true' : undefined}
      aria-pressed={p.pressed}
      aria-expanded={p.expanded}
      aria-controls={p.controls}
      aria-label={p.label}
      aria-describedby={p.describedBy}
      aria-keyshortcuts={p.shortcut ? keyLabel(p.shortcut) : undefined}
      onClick={(e) => {
        if (off) e.preventDefault();
        else p.onClick?.();
      }}
    >
      {p.icon && <Icon name={p.icon} />}
      <span class="app-button__text">{p.children}</span>
      {p.shortcut && <kbd class="app-kbd" aria-hidden="true">{keyLabel(p.shortcut)}</kbd>}
    </button>
  );
}
