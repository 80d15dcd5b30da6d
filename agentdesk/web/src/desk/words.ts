import type { Channel, Code, HistoryEntry, Me, Why, WorkItem } from '../protocol.gen.ts';
import type { IconName } from '../ui/icons.tsx';

/** The words and sign of a phase of a contact. */
export const phases: Record<WorkItem['phase'], { label: string; icon: IconName }> = {
  ringing: { label: 'Ringing', icon: 'phone' },
  connecting: { label: 'Connecting', icon: 'phone' },
  talking: { label: 'Talking', icon: 'phone' },
  held: { label: 'On hold', icon: 'pause' },
  calling: { label: 'Ringing the caller back', icon: 'phone' },
  deferred: { label: 'To be rung back', icon: 'phone' },
  wrap_up: { label: 'Wrap-up', icon: 'edit' },
  parked: { label: 'Parked', icon: 'pause' },
  waiting: { label: 'Waiting', icon: 'clock' },
};

/** The words and sign of a handler's state. */
export const states: Record<Me['state'], { label: string; icon: IconName }> = {
  ready: { label: 'Ready', icon: 'check' },
  not_ready: { label: 'Not ready', icon: 'cup' },
  busy: { label: 'With a contact', icon: 'phone' },
  resting: { label: 'Resting', icon: 'clock' },
  offline: { label: 'Signed off', icon: 'leave' },
};

export const channels: Record<Channel, { label: string; icon: IconName }> = {
  phone: { label: 'Phone call', icon: 'phone' },
  email: { label: 'E-mail', icon: 'mail' },
  web: { label: 'Web form', icon: 'web' },
};

const endings: Record<HistoryEntry['ending'], string> = {
  ivr_contained: 'Dealt with in the menu',
  left_in_ivr: 'Left in the menu',
  answered: 'Answered',
  abandoned_short: 'Rang off at once',
  abandoned_after_message: 'Rang off after a message',
  abandoned_in_queue: 'Rang off while waiting',
  overflowed: 'Passed on',
  callback_taken: 'Asked to be called back',
  failed: 'Failed',
};

/** How an earlier contact ended, in words; a contact without an ending is open. */
export function endingText(e: HistoryEntry): string {
  return e.outcome_label || e.outcome || endings[e.ending] || 'Still open';
}

/** Who is calling, as far as the network tells. */
export function callerText(w: Pick<WorkItem, 'caller'>): string {
  if (w.caller.number) return phoneText(w.caller.number);
  return w.caller.cli === 'withheld' ? 'Number withheld' : 'No number';
}

/** A number in groups that can be read out; anything not known is left as it came. */
export function phoneText(n: string): string {
  let m = /^(?:\+44|0)(20)(\d{4})(\d{4})$/.exec(n);
  if (m) return `0${m[1]} ${m[2]} ${m[3]}`;
  m = /^(?:\+44|0)([17]\d{3})(\d{6})$/.exec(n);
  return m ? `0${m[1]} ${m[2]}` : n;
}

/** The person the contact is recorded for, or the few it can be. */
export function likelyName(w: WorkItem): string {
  const people = w.people ?? [];
  const attached = people.find((p) => p.attached);
  if (attached) return attached.name;
  const names = [...new Set(people.map((p) => p.name).filter(Boolean))];
  return names.length <= 3 ? names.join(' or ') : '';
}

const gates: Record<string, string> = {
  not_ready: 'not ready', desk_lost: 'desk not connected', phone_down: 'phone not registered', resting: 'resting',
  at_capacity: 'with another contact', skill_missing: 'without the skill', refused_this_contact: 'declined or missed this one', kept_for_preferred: 'while it is kept for a handler it prefers',
};

const chosen: Record<string, string> = {
  only_one: 'You were the only handler who could take it.',
  preferred: 'You are the handler it prefers.',
  proficiency: 'You fit its needs best.',
  longest_idle: 'You had been free the longest.',
  id: 'All else being equal, you came first.',
  most_due: 'You became free, and it was the most due of the contacts you may take.',
};

/** Why a contact came here, as lines under the one sentence. */
export function whyLines(why: Why, skills: Code[] = []): string[] {
  const lines: string[] = [];
  const label = (skill: string) => skills.find((s) => s.code === skill)?.label || skill;
  if (why.chosen && chosen[why.chosen]) lines.push(chosen[why.chosen] ?? '');
  lines.push(`Rule “${why.rule || 'default'}” of plan version ${why.plan_version}.`);
  if (why.needs?.length) lines.push(`Needs ${why.needs.map((n) => `${label(n.skill)} at level ${n.min}`).join(', ')}.`);
  lines.push(`To be answered within ${why.target}${why.credit && why.credit !== '0s' ? `, brought forward by ${why.credit}` : ''}.`);
  if (why.removed?.length) lines.push(`Others: ${why.removed.map((g) => `${g.count} ${gates[g.gate] ?? g.gate}`).join(', ')}.`);
  if (why.waiting > 1) lines.push(`${why.waiting} contacts were waiting in the queue.`);
  return lines;
}
