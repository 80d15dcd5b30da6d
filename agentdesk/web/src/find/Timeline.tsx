import type { JSX } from 'preact';
import type { TimelineItem } from '../protocol.gen.ts';
import type { View } from '../desk/view.ts';
import { channels, endingText } from '../desk/words.ts';
import { categories, label, numberOf, statuses } from '../report/words.ts';
import { ago, dateText, toMs } from '../state/clock.ts';
import { Icon, type IconName } from '../ui/icons.tsx';

interface Line {
  icon: IconName;
  title: string;
  by: string;
  text: string;
  report?: string;
}

function line(t: TimelineItem): Line {
  if (t.contact) {
    const e = t.contact;
    return { icon: channels[e.channel].icon, title: endingText(e), by: [e.queue_label, e.handler].filter(Boolean).join(', '), text: e.note ?? '' };
  }
  if (t.message) {
    const m = t.message;
    const how = m.direction === 'out' ? 'We wrote' : m.channel === 'web' ? 'Wrote on the web' : 'Wrote an e-mail';
    return { icon: channels[m.channel].icon, title: `${how}: ${m.subject || 'no subject'}`, by: [m.attachments ? `${m.attachments} file${m.attachments === 1 ? '' : 's'}` : '', m.state === 'permanent_failure' ? 'not delivered' : ''].filter(Boolean).join(', '), text: m.opening ?? '' };
  }
  if (t.report) {
    const r = t.report;
    return { icon: 'report', title: r.masked ? `Restricted report ${r.reference}` : `${r.kind === 'crime' ? 'Crime' : 'Report'} ${numberOf(r)}: ${label(categories, r.category)}`, by: statuses[r.status], text: r.opening ?? '', report: r.id };
  }
  const u = t.update;
  return { icon: 'info', title: 'Told those who follow the report', by: u?.by ?? '', text: u?.text ?? '', ...(u ? { report: u.report } : {}) };
}

/** Everything that passed between a person and us, on every channel, newest first. */
export function Timeline({ items, now, view }: { items: readonly TimelineItem[]; now: number; view: View }): JSX.Element {
  return (
    <ol class="moj-timeline app-timeline">
      {items.map((t, i) => {
        const l = line(t);
        return (
          <li class="moj-timeline__item app-timeline__item" key={`${t.kind}-${t.at}-${i}`}>
            <div class="moj-timeline__header">
              <h3 class="moj-timeline__title"><Icon name={l.icon} size={16} /> {l.report ? <button type="button" class="app-link" onClick={() => view.look('report', l.report ?? '')}>{l.title}</button> : l.title}</h3>
              {l.by && <p class="moj-timeline__byline">{l.by}</p>}
            </div>
            <p class="moj-timeline__date"><time dateTime={new Date(toMs(t.at)).toISOString()}>{dateText(toMs(t.at))}</time> <span class="app-timeline__ago">{ago(toMs(t.at), now)}</span></p>
            {l.text && <div class="moj-timeline__description app-timeline__note" dir="auto">{l.text}</div>}
          </li>
        );
      })}
    </ol>
  );
}
