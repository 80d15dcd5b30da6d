import type { ComponentChildren, JSX } from 'preact';

export interface TabItem<T extends string> {
  name: T;
  label: string;
  count?: number | undefined;
  /** Something in it needs attention; said in words after the label. */
  alert?: string | undefined;
}

/** Tabs after the ARIA pattern: arrows move between them, the panel follows. */
export function Tabs<T extends string>({ id, label, items, value, onChange, children }: { id: string; label: string; items: readonly TabItem<T>[]; value: T; onChange: (name: T) => void; children: ComponentChildren }): JSX.Element {
  const keys = (e: KeyboardEvent) => {
    const at = items.findIndex((i) => i.name === value);
    const to = e.key === 'ArrowRight' ? at + 1 : e.key === 'ArrowLeft' ? at - 1 : e.key === 'Home' ? 0 : e.key === 'End' ? items.length - 1 : undefined;
    if (to === undefined || e.altKey || e.ctrlKey) return;
    const next = items[(to + items.length) % items.length];
    if (!next) return;
    e.preventDefault();
    onChange(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <section class="app-panel app-tabs">
      <div class="app-tabs__list" role="tablist" aria-label={label} onKeyDown={keys}>
        {items.map((i) => (
          <button
            key={i.name} type="button" role="tab" id={`${id}-${i.name}`} class="app-tabs__tab"
            aria-selected={i.name === value} aria-controls={`${id}-panel`} tabIndex={i.name === value ? 0 : -1}
            onClick={() => onChange(i.name)}
          >
            {i.label}{i.count ? <span class="app-count">{i.count}</span> : null}{i.alert && <span class="app-tabs__alert"> {i.alert}</span>}
          </button>
        ))}
      </div>
      <div class="app-tabs__panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${value}`}>{children}</div>
    </section>
  );
}
