import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './Button.tsx';

/**
 * A modal dialog: the browser keeps the focus inside, Escape closes it, and the
 * focus goes back to where it was.
 */
export function Dialog({ title, onClose, children, wide, huge }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; huge?: boolean }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = ref.current;
    const before = document.activeElement;
    if (d && !d.open) d.showModal();
    return () => {
      d?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`app-dialog${huge ? ' app-dialog--huge' : wide ? ' app-dialog--wide' : ''}`}
      aria-labelledby={id}
      onCancel={(e) => { e.preventDefault(); onClose(); }}
      onClick={(e) => { if (e.target === ref.current) onClose(); }}
    >
      <div class="app-dialog__box">
        <div class="app-dialog__head">
          <h2 class="govuk-heading-m" id={id}>{title}</h2>
          <Button kind="quiet" onClick={onClose} class="app-dialog__close">Close</Button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
