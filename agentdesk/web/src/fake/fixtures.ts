import type { SignedOn } from '../api.ts';
import type { Desk, HistoryEntry, Message, Permission, Person, QueueView, Report, ReportReply, ReportSummary, SearchHit, TimelineItem, WorkItem } from '../protocol.gen.ts';

/** An instant so many seconds from the given milliseconds. */
export function at(nowMs: number, seconds = 0): number {
  return (nowMs + seconds * 1000) * 1e6;
}

export const me: SignedOn = { user: 'handler1', name: 'Handler One', role: 'handler', must_change_password: false };

const may: Permission[] = ['desk.use', 'people.read', 'people.save', 'messages.write', 'search', 'people.merge', 'reports.read', 'reports.save', 'reports.cancel', 'restricted.open'];

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
    me: { agent: 'handler1', name: 'Handler One', role: 'handler', profile: 'crime', state: 'not_ready', reason: 'signed_on', since: at(now, -12), device_up: false, capacity: [{ channel: 'phone', used: 0, of: 1 }, { channel: 'email', used: 0, of: 3 }, { channel: 'web', used: 0, of: 3 }], may },
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
      forward_queues: [{ code: 'crime', label: 'Crime reports' }, { code: 'general', label: 'General' }, { code: 'lost', label: 'Lost property' }],
      templates: [
        { code: 'received', language: 'en', label: 'We have your message', subject: 'Your message' },
        { code: 'more', language: 'en', label: 'We need to know more', subject: 'A question about your report' },
        { code: 'more', language: 'pl', label: 'Potrzebujemy więcej informacji', subject: 'Pytanie' },
      ],
      mailboxes: [{ code: '101', label: '101@police.example.org' }, { code: 'lost', label: 'lost.property@police.example.org' }],
      spam_grace: '30s',
      languages: [{ code: 'en', label: 'English' }, { code: 'pl', label: 'Polish' }, { code: 'bn', label: 'Bengali' }],
    },
    ...more,
  };
}

/** An e-mail with a photograph, in a thread that has an automatic receipt. */
export function messages(now: number): Message[] {
  const flags = {};
  return [
    {
      id: 'm1', channel: 'email', direction: 'in', at: at(now, -5400), from: { name: 'A. Example', address: 'a.example@example.org' }, to: [{ address: '101@police.example.org' }], subject: 'My bicycle was taken', text: 'Hello,\n\nMy blue bicycle was taken from the rack outside the library yesterday between two and half past three. I have the frame number and a photograph.\n\nA. Example', flags, auth: { spf: 'pass', dkim: 'pass', dmarc: 'pass', domain: 'example.org' }, language: 'en', html_url: '/api/messages/m1/html', raw_url: '/api/messages/m1/raw',
      attachments: [
        { id: 'a1', name: 'bicycle.jpg', size: 284_113, type: 'image/jpeg', scan: 'clean', url: '/api/messages/m1/attachments/a1', preview: true },
        { id: 'a2', name: 'invoice.pdf.exe', size: 51_200, type: 'application/vnd.microsoft.portable-executable', declared: 'application/pdf', scan: 'infected' },
      ],
    },
    { id: 'm2', channel: 'email', direction: 'out', at: at(now, -5390), author: 'system', from: { name: 'Police contact centre', address: '101@police.example.org' }, to: [{ name: 'A. Example', address: 'a.example@example.org' }], subject: 'We have your message [K7DX-94MQ-H]', text: 'Thank you. We have your message. Your reference is K7DX-94MQ-H.', flags: { automatic: true }, auth: {}, language: 'en', delivery: { state: 'delivered', at: at(now, -5388) } },
    { id: 'm3', channel: 'email', direction: 'in', at: at(now, -900), from: { name: 'A. Example', address: 'a.example@example.org' }, subject: 'Re: We have your message [K7DX-94MQ-H]', text: 'The frame number is WTU 123 456 F. The neighbour saw two young men with a grey van.', flags, auth: { spf: 'pass', dkim: 'none', dmarc: 'none' }, language: 'en', raw_url: '/api/messages/m3/raw' },
  ];
}

export function report(now: number): Report {
  return {
    id: 'r1', version: 4, kind: 'incident', created: at(now, -5000), changed: at(now, -600), reference: 'K7DX-94MQ-H', incident_number: 'INC 1234/26NOV26', status: 'open', owner: 'handler1', channel: 'email', category: 'bicycle', outcome_type: 0,
    summary: 'Blue bicycle taken from the rack outside the library, seen last at 14:00, gone at 15:30.', mo: 'Cable lock cut.', from: at(now, -93_600), to: at(now, -88_200), place: { text: 'Outside the library', street: 'High Street', postcode: 'ZZ1 1ZZ' },
    parties: [{ person: 'p1', name: 'A. Example', roles: ['reporter', 'victim'], updates_by: 'email' }, { name: 'Two young men with a grey van', roles: ['suspect'], description: 'Late teens, one with a red cap' }],
    property: [{ id: 't1', status: 'stolen', category: 'bicycle', description: 'Blue town bicycle', make: 'Example Tourer', unique: 'WTU123456F', unique_type: 'frame', value_pence: 45_000 }],
    language: 'en', grade: 'R', record_by: at(now, 81_400), reassess_by: at(now, -240), retention: { group: 3, review: at(now, 6 * 365 * day) },
    assessments: [{ id: 'as1', at: at(now, -4000), by: 'handler1', threat: { level: 'none' }, harm: { level: 'low', text: 'The loss of the bicycle' }, risk: { level: 'low' }, investigation: { level: 'medium', text: 'Camera at the library' }, vulnerability: { level: 'none' }, engagement: { level: 'medium', text: 'Wants to be told by e-mail' }, prevention: { level: 'low', text: 'Marking advice given' }, intervention: { level: 'none' }, rationale: 'No threat; evidence can be gathered by phone.', grade: 'R', reason: 'first' }],
    decisions: [{ id: 'd1', at: at(now, -3900), by: 'handler1', step: 'concerns_crime', answer: 'yes' }],
    updates: [{ at: at(now, -3000), by: 'handler1', text: 'We have asked the library for its camera pictures.' }],
  };
}

export function reportReply(now: number): ReportReply {
  return {
    report: report(now), messages: messages(now).slice(0, 1), files: [], contacts: history(now).slice(0, 1), names: { handler1: 'Handler One' },
    tasks: [{ id: 'k1', report: 'r1', kind: 'record_decision', text: '', created: at(now, -5000), due: at(now, 81_400) }, { id: 'k2', report: 'r1', kind: 'update_victim', text: 'say what the camera showed', created: at(now, -4000), due: at(now, -60), owner: 'handler1' }],
  };
}

export function summary(now: number): ReportSummary {
  const r = report(now);
  return { id: r.id, kind: r.kind, reference: r.reference, incident_number: r.incident_number, status: r.status, category: r.category, grade: 'R', opening: r.summary, created: r.created };
}

/** An e-mail offered or in hand. */
export function mail(now: number, more: Partial<WorkItem> = {}): WorkItem {
  const { offer: _offer, ...base } = work(now);
  return {
    ...base, contact: '01JD0000000000000000000002', offer: 9, channel: 'email', queue: 'crime', phase: 'ringing', since: at(now, -5), until: at(now, 115), arrival: at(now, -900), due: at(now, 13_500),
    caller: { cli: 'unavailable' }, facts: { language: 'en', contacts_30d: 3, open_reports: 1, answers: { category: 'bicycle' } }, answers: [{ question: 'Address', answer: '101@police.example.org' }, { question: 'Seems to be about', answer: 'Bicycle theft' }],
    why: 'An answer in a conversation you had; it is kept for you first.', people: [{ ...people(true)[0]!, emails: ['a.example@example.org'], remarks: '' }],
    written: { subject: 'My bicycle was taken', from: { name: 'A. Example', address: 'a.example@example.org' }, thread: 't1', messages: messages(now), reply_to: [{ name: 'A. Example', address: 'a.example@example.org' }], mailbox: '101' },
    reports: [summary(now)],
    ...more,
  };
}

export function timeline(now: number): TimelineItem[] {
  const h = history(now);
  const m = messages(now);
  return [
    { at: m[2]!.at, kind: 'message', message: { id: 'm3', channel: 'email', direction: 'in', subject: m[2]!.subject!, opening: m[2]!.text } },
    { at: at(now, -5000), kind: 'report', report: summary(now) },
    { at: m[0]!.at, kind: 'message', message: { id: 'm1', channel: 'email', direction: 'in', subject: m[0]!.subject!, opening: m[0]!.text, attachments: 2 } },
    { at: h[0]!.arrival, kind: 'contact', contact: h[0]! },
    { at: h[3]!.arrival, kind: 'contact', contact: h[3]! },
  ];
}

export function hits(now: number): SearchHit[] {
  return [
    { kind: 'person', id: 'p1', title: 'A. Example', detail: '020 7946 0101, ZZ1 1ZZ', because: ['name'], at: at(now, -900) },
    { kind: 'report', id: 'r1', title: 'Bicycle theft, High Street', detail: 'Blue bicycle taken from the rack outside the library', reference: 'K7DX-94MQ-H', because: ['words', 'postcode'], at: at(now, -5000) },
    { kind: 'report', id: 'r9', reference: 'P4QT-81NA-C', because: ['name'], restricted: true, masked: true },
    { kind: 'message', id: 'm9', report: 'r9', restricted: true, masked: true },
    { kind: 'message', id: 'm1', title: 'My bicycle was taken', detail: 'a.example@example.org', reference: 'K7DX-94MQ-H', because: ['words'], at: at(now, -5400) },
  ];
}
