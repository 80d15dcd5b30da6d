import type { SignedOn } from '../api.ts';
import type { Desk, HistoryEntry, Person, QueueView, WorkItem } from '../protocol.gen.ts';

/** An instant so many seconds from the given milliseconds. */
export function at(nowMs: number, seconds = 0): number {
  return (nowMs + seconds * 1000) * 1e6;
}

export const me: SignedOn = { user: 'handler1', name: 'Handler One', role: 'handler', must_change_password: false };

const day = 86_400;

export function history(now: number): HistoryEntry[] {
  return [
    { contact: 'h1', channel: 'phone', arrival: at(now, -2 * day - 3600), queue_label: 'Crime reports', handler: 'Handler Two', ending: 'answered', outcome: 'crime_recorded', outcome_label: 'Crime recorded', note: 'Bicycle taken from the rack outside the library between 14:00 and 15:30. Blue frame, number known to the caller. Wants to be told if it is found.', person: 'A. Example' },
    { contact: 'h2', channel: 'phone', arrival: at(now, -5 * day), queue_label: 'General', handler: '', ending: 'abandoned_in_queue' },
    { contact: 'h3', channel: 'email', arrival: at(now, -26 * day), queue_label: 'E-mail', handler: 'Handler Three', ending: 'answered', outcome: 'advice_given', outcome_label: 'Advice given', note: 'Asked how to mark a bicycle. Sent the leaflet.', person: 'A. Example' },
    { contact: 'h4', channel: 'phone', arrival: at(now, -210 * day), queue_label: 'General', handler: 'Handler One', ending: 'answered', outcome: 'other_agency', outcome_label: 'Passed to another agency', note: 'Street light out; given the council’s number.', person: 'A. Example' },
  ];
}

export function people(attached = false): Person[] {
  return [
    { id: 'p1', name: 'A. Example', numbers: ['+442079460101'], language: 'pl', vulnerable: true, remarks: 'Hard of hearing: speak slowly, repeat the reference.', attached },
    { id: 'p2', name: 'B. Example', numbers: ['+442079460101', '+447700900123'], language: 'en' },
  ];
}

export function work(now: number, more: Partial<WorkItem> = {}): WorkItem {
  return {
    contact: '01JD0000000000000000000001', channel: 'phone', queue: 'crime', offer: 7, phase: 'ringing',
    since: at(now, -4), until: at(now, 16),
    queue_label: 'Crime reports', arrival: at(now, -47),
    caller: { number: '+442079460101', cli: 'presented', dialled: '101' },
    facts: { language: 'pl', dialled: '101', cli: 'presented', contacts_30d: 3, open_reports: 1, vulnerable: true },
    answers: [{ question: 'Language', answer: 'Polish' }, { question: 'What is it about', answer: 'Report a crime' }],
    why: 'A crime report in Polish; you speak it best of the two handlers free.',
    why_data: {
      plan_version: 4, rule: 'crime reports', queue: 'crime', target: '30s', credit: '10s',
      needs: [{ skill: 'lang.pl', min: 1 }, { skill: 'report.crime', min: 2 }], chosen: 'proficiency',
      eligible: [{ agent: 'handler1', proficiency: 8, idle_since: at(now, -300) }], eligible_count: 2,
      removed: [{ gate: 'skill_missing', count: 5 }, { gate: 'at_capacity', count: 3 }], waiting: 2,
    },
    people: people(), history: history(now), note: { text: '', revision: 0 },
    ...more,
  };
}

export function queues(now: number): QueueView[] {
  return [
    { queue: 'crime', label: 'Crime reports', open: true, waiting: 2, oldest_arrival: at(now, -47), most_due: at(now, -17) },
    { queue: 'general', label: 'General', open: true, waiting: 5, oldest_arrival: at(now, -22), most_due: at(now, 38) },
    { queue: 'followup', label: 'Existing reports', open: true, waiting: 0 },
    { queue: 'lost', label: 'Lost property', open: false, waiting: 0 },
  ];
}

/** A desk that is not ready, with a browser phone. */
export function desk(now: number, more: Partial<Desk> = {}): Desk {
  return {
    me: { agent: 'handler1', name: 'Handler One', role: 'handler', profile: 'crime', state: 'not_ready', reason: 'signed_on', since: at(now, -12), device_up: false },
    phone: { kind: 'browser', uri: 'sip:handler1@c3i.example.org', user: 'handler1', password: 'short-lived', path: '/sip', expires_at: at(now, 3600) },
    work: [],
    queues: queues(now),
    catalogue: {
      plan_version: 4,
      skills: [{ code: 'lang.en', label: 'English' }, { code: 'lang.pl', label: 'Polish' }, { code: 'report.crime', label: 'Recording crimes' }],
      not_ready_reasons: [
        { code: 'break', label: 'Break' }, { code: 'lunch', label: 'Lunch' }, { code: 'paperwork', label: 'Paperwork' },
        { code: 'training', label: 'Training' }, { code: 'meeting', label: 'Meeting' },
      ],
      outcomes: [
        { code: 'crime_recorded', label: 'Crime recorded' }, { code: 'incident_recorded', label: 'Incident recorded' },
        { code: 'advice_given', label: 'Advice given' }, { code: 'other_agency', label: 'Passed to another agency' },
        { code: 'emergency', label: 'Passed to 999' }, { code: 'no_contact', label: 'Nobody there' },
      ],
      languages: [{ code: 'en', label: 'English' }, { code: 'pl', label: 'Polish' }, { code: 'bn', label: 'Bengali' }],
    },
    ...more,
  };
}
