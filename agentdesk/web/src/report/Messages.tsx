import type { JSX } from 'preact';
import { channels, endingText } from '../desk/words.ts';
import { ago, dateText, toMs } from '../state/clock.ts';
import { Icon } from '../ui/icons.tsx';
import { FileLink } from '../written/Conversation.tsx';
import type { OpenReport } from './reports.ts';

/** The report's contacts, what was written about it, and its files. */
export function Conversation({ o, now }: { o: OpenReport; now: number }): JSX.Element {
  const minute = Math.floor(now / 60_000) * 60_000;
  const files = o.reply.files ?? [];
  return (
    <>
      {files.length > 0 && <ul class="app-files" aria-label="Files of the report">{files.map((a) => <FileLink key={a.id} a={a} />)}</ul>}
      <ol class="app-rows">
        {(o.reply.contacts ?? []).map((e) => (
          <li class="app-row" key={e.contact}><Icon name={channels[e.channel].icon} size={16} /> <strong>{endingText(e)}</strong>{e.handler ? `, ${e.handler}` : ''} <span class="app-hint">{dateText(toMs(e.arrival))}, {ago(toMs(e.arrival), minute)}</span>{e.note && <p class="app-row__statement">{e.note}</p>}</li>
        ))}
        {(o.reply.messages ?? []).map((m) => (
          <li class="app-row" key={m.id}>
            <details>
              <summary><Icon name={channels[m.channel].icon} size={16} /> {m.direction === 'out' ? 'To' : 'From'} {m.direction === 'out' ? m.to?.[0]?.address : m.from.name || m.from.address}: {m.subject || 'no subject'} <span class="app-hint">{dateText(toMs(m.at))}</span></summary>
              <div class="app-message__text" dir="auto" lang={m.language || undefined}>{m.text}</div>
              {!!m.attachments?.length && <ul class="app-files">{m.attachments.map((a) => <FileLink key={a.id} a={a} />)}</ul>}
            </details>
          </li>
        ))}
      </ol>
    </>
  );
}
