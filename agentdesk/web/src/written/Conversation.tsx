import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AttachmentView, Delivery, Message, WorkItem } from '../protocol.gen.ts';
import { ago, dateText, toMs } from '../state/clock.ts';
import { mailboxText } from '../state/drafts.ts';
import { Button } from '../ui/Button.tsx';
import { Icon } from '../ui/icons.tsx';
import { sizeText } from '../ui/size.ts';
import type { Desk } from '../desk/model.ts';
import type { View } from '../desk/view.ts';

const scans: Partial<Record<AttachmentView['scan'], string>> = {
  infected: 'Held back: malware was found in it',
  scan_failed: 'Held back: it could not be scanned',
};

/** One file: opened in a tab of its own, saved, or held back. */
/** A file as a link. A picture is drawn only when asked for: what people send may be hard to look at. */
export function FileLink({ a }: { a: AttachmentView }): JSX.Element {
  const [drawn, setDrawn] = useState(false);
  const held = scans[a.scan];
  const picture = !!a.url && a.preview && a.type.startsWith('image/');
  return (
    <li class="app-file">
      <Icon name="file" size={18} />
      {a.url
        ? <a class="govuk-link" href={a.url} {...(a.preview ? { target: '_blank', rel: 'noopener noreferrer' } : { download: a.name })}>{a.name || 'File without a name'}<span class="govuk-visually-hidden">{a.preview ? ' (opens in a new tab)' : ' (save)'}</span></a>
        : <span class="app-file__held">{a.name || 'File without a name'}</span>}
      <span class="app-file__more">{[sizeText(a.size), a.type, a.declared && `sent as ${a.declared}`].filter(Boolean).join(', ')}</span>
      {held && <span class="app-file__warn"><Icon name="warning" size={14} /> {held}</span>}
      {a.scan === 'not_scanned' && !held && a.url && <span class="app-file__more">not scanned</span>}
      {picture && <Button kind="quiet" expanded={drawn} label={`${drawn ? 'Hide' : 'Show'} the picture ${a.name}`} onClick={() => setDrawn(!drawn)}>{drawn ? 'Hide' : 'Show'}</Button>}
      {picture && drawn && <img class="app-file__picture" src={a.url} onLoad={(e) => e.currentTarget.closest('li')?.scrollIntoView({ block: 'nearest' })} alt={`Picture sent as ${a.name || 'a file without a name'}`} />}
    </li>
  );
}

const oddities: [keyof Message['flags'], string][] = [
  ['unreadable', 'It could not be read. Open it as it came.'],
  ['truncated', 'Only part of it is shown.'],
  ['encrypted', 'It is encrypted and cannot be read here.'],
  ['bounce', 'A mail server’s report on a message we sent.'],
  ['automatic', 'Sent by a program, not a person.'],
  ['list', 'Sent through a mailing list.'],
];

/** What SPF, DKIM and DMARC say, in one sentence; the details behind it. */
function Sender({ m }: { m: Message }): JSX.Element | null {
  if (m.direction !== 'in' || m.channel !== 'email') return null;
  const { dmarc, spf, dkim, domain } = m.auth;
  const verified = dmarc === 'pass' || (!dmarc && dkim === 'pass');
  const failed = dmarc === 'fail' || spf === 'fail' || dkim === 'fail';
  const text = verified ? `It does come from ${domain || 'its domain'}` : failed ? 'The sender’s address may be forged: be careful' : 'The sender’s address is not proved';
  const details = [spf && `SPF ${spf}`, dkim && `DKIM ${dkim}`, dmarc && `DMARC ${dmarc}`].filter(Boolean).join(', ');
  return (
    <p class={`app-message__auth${failed && !verified ? ' app-message__auth--bad' : ''}`}>
      <Icon name={verified ? 'check' : 'warning'} size={14} /> {text}{details && <span class="app-message__detail"> ({details})</span>}
    </p>
  );
}

const deliveries: Record<Delivery['state'], { text: string; bad?: boolean }> = {
  created: { text: 'Waiting to be sent' },
  sending: { text: 'Being sent' },
  delivered: { text: 'Taken by the receiver’s mail server' },
  temporary_failure: { text: 'Not delivered yet; it is tried again', bad: true },
  permanent_failure: { text: 'Not delivered', bad: true },
};

function DeliveryLine({ d }: { d: Delivery }): JSX.Element {
  const words = deliveries[d.state];
  return (
    <p class={`app-message__delivery${words.bad ? ' app-message__delivery--bad' : ''}`}>
      <Icon name={words.bad ? 'warning' : d.state === 'delivered' ? 'check' : 'clock'} size={14} /> {d.state === 'delivered' ? d.detail || words.text : `${words.text}${d.detail ? `: ${d.detail}` : ''}`}
    </p>
  );
}

function MessageItem({ m, w, view, now, last }: { m: Message; w: WorkItem; view: View; now: number; last: boolean }): JSX.Element {
  const [html, setHTML] = useState(false);
  const out = m.direction === 'out';
  const who = out ? (m.author === 'system' ? 'Automatic receipt' : m.author_name || m.author || 'Us') : m.from.name || m.from.address || 'No sender';
  const odd = out ? [] : oddities.filter(([flag]) => m.flags[flag]);
  return (
    <li class={`app-message${out ? ' app-message--out' : ''}`} id={`message-${m.id}`}>
      <div class="app-message__head">
        <h3 class="app-message__who"><span class="govuk-visually-hidden">{out ? 'From us: ' : 'From: '}</span>{who}</h3>
        <span class="app-message__when"><time dateTime={new Date(toMs(m.at)).toISOString()}>{dateText(toMs(m.at))}</time> <span class="app-message__ago">{ago(toMs(m.at), now)}</span></span>
      </div>
      <p class="app-message__line">
        {!out && m.from.name && m.from.address && <span>{m.from.address}</span>}
        {!!m.to?.length && <span>To {mailboxText(m.to)}</span>}
        {!!m.cc?.length && <span>Copy to {mailboxText(m.cc)}</span>}
        {m.subject && m.subject !== w.written?.subject && <span class="app-message__subject">{m.subject}</span>}
      </p>
      <Sender m={m} />
      {odd.map(([flag, text]) => <p key={flag} class="app-inline app-inline--warn"><Icon name="warning" size={16} /> {text}</p>)}
      {html && m.html_url
        ? <iframe class="app-message__html" sandbox="" src={m.html_url} title={`Message of ${who}, as it was laid out`} />
        : <div class="app-message__text" lang={m.language || undefined} dir="auto">{m.text || '(no text)'}</div>}
      {m.shortened && <p class="app-hint">The text is longer. Open it as it came to read all of it.</p>}
      {!!m.attachments?.length && <ul class="app-files" aria-label="Files">{m.attachments.map((a) => <FileLink key={a.id} a={a} />)}</ul>}
      {m.delivery && <DeliveryLine d={m.delivery} />}
      <div class="app-message__acts">
        {m.html_url && <Button kind="quiet" pressed={html} onClick={() => setHTML(!html)}>{html ? 'As text' : 'As laid out'}</Button>}
        {m.raw_url && <a class="govuk-link app-message__raw" href={m.raw_url} download>As it came</a>}
        {!out && !last && w.phase !== 'ringing' && <Button kind="quiet" label={`About something else: make a contact of its own of the message of ${who}`} onClick={() => { view.split.value = m.id; view.dialog.value = 'split'; }}>About something else</Button>}
      </div>
    </li>
  );
}

/** What was written, oldest first. */
export function Conversation({ desk, w, view }: { desk: Desk; w: WorkItem; view: View }): JSX.Element {
  const messages = w.written?.messages ?? [];
  const now = Math.floor(desk.now.value / 60_000) * 60_000;
  const box = useRef<HTMLDivElement>(null);
  // The newest that a person wrote is what is read first, not our automatic receipt below it.
  const newest = messages.findLast((m) => m.direction === 'in' || m.author !== 'system')?.id;
  useEffect(() => {
    const at = document.getElementById(`message-${newest}`);
    if (box.current && at) box.current.scrollTop += at.getBoundingClientRect().top - box.current.getBoundingClientRect().top;
  }, [w.contact, newest]);
  const only = messages.filter((m) => m.direction === 'in').length < 2;
  return (
    <div class="app-conversation" ref={box} tabIndex={0} role="region" aria-label="Messages">
      {w.written?.earlier && <p class="app-hint">Earlier messages are on the person’s timeline.</p>}
      {messages.length
        ? <ol class="app-messages">{messages.map((m) => <MessageItem key={m.id} m={m} w={w} view={view} now={now} last={only} />)}</ol>
        : <p class="app-hint">{w.pop_error || 'What was written is being read.'}</p>}
    </div>
  );
}
