import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Template, WorkItem } from '../protocol.gen.ts';
import { timeText } from '../state/clock.ts';
import type { DeskState } from '../state/desk.ts';
import { emptyAnswer, mailboxes, mailboxText, type Answer, type DraftState } from '../state/drafts.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { Icon } from '../ui/icons.tsx';
import { sizeText } from '../ui/size.ts';
import { keyLabel } from '../ui/shortcuts.ts';
import type { Desk } from '../desk/model.ts';
import { answerTo } from './answer.ts';

function Status({ s }: { s: DraftState | undefined }): JSX.Element {
  switch (s?.status) {
    case undefined: return <span>Kept as you write</span>;
    case 'saved': return s.savedAt ? <><Icon name="check" size={16} /> Kept {timeText(s.savedAt)}</> : <span>Kept as you write</span>;
    case 'typing': return <>Writing…</>;
    case 'saving': return <>Keeping…</>;
    case 'waiting': return <>Kept here until you take the contact</>;
    case 'offline': return <><Icon name="warning" size={16} /> Kept in this browser only; tried again</>;
    case 'refused': return <><Icon name="warning" size={16} /> Not kept: {s.problem}</>;
    case 'conflict': return <><Icon name="warning" size={16} /> Changed elsewhere meanwhile</>;
  }
}

/** Writing an answer: kept as it is typed, sent once. */
export function Reply({ desk, d, w }: { desk: Desk; d: DeskState; w: WorkItem }): JSX.Element {
  const state = desk.drafts.value.get(w.contact);
  const written = w.written;
  const kept = state?.answer;
  const started = !!kept && kept !== emptyAnswer;
  const a: Answer = started ? kept : answerTo(w);
  const [error, setError] = useState('');
  const [more, setMore] = useState(false);
  const [uploading, setUploading] = useState(0);
  const file = useRef<HTMLInputElement>(null);
  const busy = desk.busy.value.has('send');
  const edit = (change: Partial<Answer>) => {
    setError('');
    desk.editDraft(w.contact, { ...a, ...change });
  };
  const templates = [...(d.catalogue.templates ?? [])].sort((x, y) => Number(y.language === w.facts.language) - Number(x.language === w.facts.language));
  const fill = async (t: Template | undefined) => {
    if (!t) return;
    const filled = await desk.template(w.contact, t.code, t.language);
    if (!filled) return;
    edit({ text: [a.text.trim(), filled.text].filter(Boolean).join('\n\n'), template: t.code, language: t.language, ...(filled.subject && !a.in_reply_to ? { subject: filled.subject } : {}) });
    document.getElementById('reply')?.focus();
    if (filled.missing?.length) setError(`Fill in what stands in brackets: ${filled.missing.join(', ')}.`);
  };
  const add = async (list: FileList | null) => {
    for (const f of list ?? []) {
      setUploading((n) => n + 1);
      const u = await desk.upload(f);
      setUploading((n) => n - 1);
      const now = desk.drafts.value.get(w.contact)?.answer ?? a;
      if (u) desk.editDraft(w.contact, { ...(now === emptyAnswer ? a : now), attachments: [...(now.attachments ?? []), u] });
    }
    if (file.current) file.current.value = '';
  };
  const send = async () => {
    if (!a.text.trim()) {
      setError('Write something first.');
      document.getElementById('reply')?.focus();
      return;
    }
    if (!a.to?.length) {
      setMore(true);
      setError('Say whom it goes to.');
      return;
    }
    if (await desk.send(w.contact, a)) setError('');
  };
  if (written?.unsafe) {
    return (
      <div class="app-reply">
        <p class="app-inline app-inline--alarm" role="note"><Icon name="warning" size={18} /> {written.unsafe}</p>
      </div>
    );
  }
  return (
    <section class="app-reply" aria-label="Answer">
      <div class="app-panel__head">
        <h3 class="app-reply__title"><label for="reply">Answer</label> <kbd class="app-kbd" aria-hidden="true">{keyLabel('write')}</kbd></h3>
        <span class="app-note__status" id="reply-status" role={state?.status === 'offline' || state?.status === 'refused' ? 'status' : undefined}><Status s={state} /></span>
      </div>
      {state?.status === 'conflict' && (
        <div class="app-conflict">
          <p>Somebody else wrote a different answer meanwhile:</p>
          <blockquote>{state.theirs?.text || '(empty)'}</blockquote>
          <div class="app-conflict__acts">
            <Button kind="primary" onClick={() => desk.settleDraft(w.contact, 'mine')}>Keep mine</Button>
            <Button onClick={() => desk.settleDraft(w.contact, 'theirs')}>Keep theirs</Button>
          </div>
        </div>
      )}
      <p class="app-reply__to">
        <span><strong>To</strong> {mailboxText(a.to) || 'nobody yet'}</span>
        {a.cc?.length ? <span><strong>Copy</strong> {mailboxText(a.cc)}</span> : null}
        <Button kind="quiet" expanded={more} controls="reply-more" onClick={() => setMore(!more)}>{more ? 'Fewer fields' : 'Change'}</Button>
      </p>
      {more && (
        <div class="app-reply__more" id="reply-more">
          <Field id="reply-to" label="To"><input class="govuk-input" id="reply-to" autocomplete="off" value={mailboxText(a.to)} onChange={(e) => edit({ to: mailboxes(e.currentTarget.value) })} /></Field>
          <Field id="reply-cc" label="Copy to"><input class="govuk-input" id="reply-cc" autocomplete="off" value={mailboxText(a.cc)} onChange={(e) => edit({ cc: mailboxes(e.currentTarget.value) })} /></Field>
          <Field id="reply-subject" label="Subject"><input class="govuk-input" id="reply-subject" autocomplete="off" value={a.subject ?? ''} onInput={(e) => edit({ subject: e.currentTarget.value })} /></Field>
          {(d.catalogue.mailboxes?.length ?? 0) > 1 && (
            <Field id="reply-from" label="From">
              <select class="govuk-select" id="reply-from" value={a.mailbox ?? ''} onChange={(e) => edit({ mailbox: e.currentTarget.value })}>
                {(d.catalogue.mailboxes ?? []).map((m) => <option key={m.code} value={m.code}>{m.label}</option>)}
              </select>
            </Field>
          )}
        </div>
      )}
      <textarea
        class="govuk-textarea app-reply__text"
        id="reply"
        rows={4}
        value={a.text}
        dir="auto"
        aria-describedby={error ? 'reply-error reply-status' : 'reply-status'}
        aria-keyshortcuts={keyLabel('write')}
        onInput={(e) => edit({ text: e.currentTarget.value })}
        onBlur={() => desk.saveDraft(w.contact)}
      />
      {error && <p class="govuk-error-message" id="reply-error" role="alert">{error}</p>}
      {!!a.attachments?.length && (
        <ul class="app-files" aria-label="Files to send">
          {a.attachments.map((u) => (
            <li class="app-file" key={u.id}><Icon name="file" size={18} /> {u.name} <span class="app-file__more">{sizeText(u.size)}</span> <Button kind="quiet" label={`Leave out ${u.name}`} onClick={() => edit({ attachments: (a.attachments ?? []).filter((x) => x.id !== u.id) })}>Leave out</Button></li>
          ))}
        </ul>
      )}
      <div class="app-reply__acts">
        <Button kind="primary" icon="mail" shortcut="send" busy={busy} disabled={uploading > 0} onClick={() => void send()}>{busy ? 'Sending…' : 'Send'}</Button>
        {templates.length > 0 && (
          <span class="app-reply__pick">
            <label class="govuk-visually-hidden" for="reply-template">Insert a prepared answer</label>
            <select class="govuk-select" id="reply-template" value="" onChange={(e) => { const at = Number(e.currentTarget.value); e.currentTarget.value = ''; void fill(templates[at]); }}>
              <option value="">Prepared answers</option>
              {templates.map((t, i) => <option key={`${t.code}-${t.language}`} value={String(i)}>{t.label}{t.language !== w.facts.language ? ` (${t.language})` : ''}</option>)}
            </select>
          </span>
        )}
        <Button icon="file" busy={uploading > 0} onClick={() => file.current?.click()}>{uploading > 0 ? 'Taking the file…' : 'Add a file'}</Button>
        <input ref={file} type="file" multiple hidden onChange={(e) => void add(e.currentTarget.files)} />
        <span class="govuk-checkboxes govuk-checkboxes--small app-reply__quote">
          <span class="govuk-checkboxes__item">
            <input class="govuk-checkboxes__input" id="reply-quote" type="checkbox" checked={!!a.quote} onChange={(e) => edit({ quote: e.currentTarget.checked })} />
            <label class="govuk-label govuk-checkboxes__label" for="reply-quote">Quote their message</label>
          </span>
        </span>
      </div>
    </section>
  );
}
