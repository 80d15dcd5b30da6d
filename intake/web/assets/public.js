// What makes the public pages a little quicker to use. Nothing here is needed.
(() => {
  'use strict';
  const all = (selector) => document.querySelectorAll(selector);

  // The page says where it went wrong before anything else.
  document.querySelector('[data-summary]')?.focus();
  for (const link of all('.summary a')) {
    link.addEventListener('click', (e) => {
      const control = document.getElementById(link.hash.slice(1));
      if (!control) return;
      e.preventDefault();
      (control.closest('.group')?.querySelector('legend, label') ?? control).scrollIntoView();
      control.focus({ preventScroll: true });
    });
  }

  // Leaving in a hurry: the button, or Escape three times within five seconds.
  const exit = document.querySelector('[data-exit]');
  if (exit) {
    const leave = () => {
      document.documentElement.classList.add('covered');
      document.title = '…';
      location.replace(exit.href);
    };
    exit.addEventListener('click', (e) => { e.preventDefault(); leave(); });
    const hint = document.querySelector('[data-exit-hint]');
    const status = document.querySelector('[data-exit-status]');
    hint.hidden = false;
    let presses = 0;
    let timer = 0;
    document.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || e.repeat) return;
      presses += 1;
      clearTimeout(timer);
      if (presses === 3) return leave();
      status.textContent = status.dataset[presses];
      timer = setTimeout(() => { presses = 0; status.textContent = ''; }, 5000);
    });
  }

  // A form is sent once; going back makes its button work again.
  for (const form of all('form')) {
    let sent = 0;
    form.addEventListener('submit', (e) => {
      if (!e.submitter?.hasAttribute('data-once')) return;
      if (Date.now() - sent < 3000) e.preventDefault();
      sent = Date.now();
    });
  }
  addEventListener('pageshow', (e) => { if (e.persisted && exit) location.reload(); });

  // "None of these" and the others exclude each other.
  for (const none of all('[data-none]')) {
    const boxes = [...none.closest('fieldset').querySelectorAll('input[type=checkbox]')];
    for (const box of boxes) {
      box.addEventListener('change', () => {
        if (!box.checked) return;
        for (const other of boxes) if (other !== box && (box === none || other === none)) other.checked = false;
      });
    }
  }

  // How many characters are left.
  for (const area of all('[data-count]')) {
    const out = document.getElementById(`${area.id}-count`);
    const most = Number(area.dataset.count);
    const [under, over] = [JSON.parse(out.dataset.left), JSON.parse(out.dataset.over)];
    const plural = new Intl.PluralRules(document.documentElement.lang);
    const say = () => {
      const left = most - [...area.value].length;
      const n = new Intl.NumberFormat(document.documentElement.lang).format(Math.abs(left));
      const texts = left < 0 ? over : under;
      out.textContent = (texts[plural.select(Math.abs(left))] ?? texts.other).replace('%', n);
      out.classList.toggle('error', left < 0);
    };
    area.addEventListener('input', say);
    if (area.value) say();
  }

  for (const button of all('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }

  // Proof of effort: find a number that makes the challenge's hash begin with
  // enough noughts, in slices that leave the page free.
  for (const form of all('[data-effort]')) {
    const challenge = form.dataset.effort;
    const bits = Number(challenge.split('.')[2]);
    if (!crypto.subtle || !bits) continue;
    const encode = new TextEncoder();
    const enough = (b) => {
      let n = 0;
      for (const byte of b) {
        n += Math.clz32(byte) - 24;
        if (byte) break;
      }
      return n >= bits;
    };
    const search = async (from) => {
      const numbers = Array.from({ length: 256 }, (_, i) => from + i);
      const sums = await Promise.all(numbers.map((n) => crypto.subtle.digest('SHA-256', encode.encode(`${challenge}:${n}`))));
      const at = sums.findIndex((s) => enough(new Uint8Array(s)));
      if (at >= 0) form.elements.namedItem('solution').value = String(numbers[at]);
      else setTimeout(search, 0, from + 256);
    };
    search(0);
  }
})();
