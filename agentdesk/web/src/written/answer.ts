import type { WorkItem } from '../protocol.gen.ts';
import type { Answer } from '../state/drafts.ts';

/** The answer to a contact before a word of it is written: whom to, about what, in reply to which message. */
export function answerTo(w: WorkItem): Answer {
  const written = w.written;
  const last = [...(written?.messages ?? [])].reverse().find((m) => m.direction === 'in');
  const subject = last?.subject || written?.subject || '';
  return {
    to: written?.reply_to?.length ? written.reply_to : written?.from.address ? [written.from] : [],
    subject: subject && !/^re:/i.test(subject) ? `Re: ${subject}` : subject,
    text: '',
    ...(last ? { in_reply_to: last.id } : {}),
    quote: w.channel === 'email',
    ...(written?.mailbox ? { mailbox: written.mailbox } : {}),
    ...(w.facts.language ? { language: w.facts.language } : {}),
  };
}
