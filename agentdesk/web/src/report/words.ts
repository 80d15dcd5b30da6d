import type { Code, Grade, PartyRole, ReportStatus, ReportSummary, Task } from '../protocol.gen.ts';

export const categories: Code[] = [
  { code: 'theft', label: 'Theft' }, { code: 'bicycle', label: 'Bicycle theft' }, { code: 'vehicle', label: 'Vehicle crime' },
  { code: 'damage', label: 'Criminal damage' }, { code: 'lost_property', label: 'Lost property' }, { code: 'found_property', label: 'Found property' },
  { code: 'asb', label: 'Anti-social behaviour' }, { code: 'hate', label: 'Hate incident' }, { code: 'burglary', label: 'Burglary' },
  { code: 'violence', label: 'Violence' }, { code: 'fraud', label: 'Fraud' }, { code: 'concern', label: 'Concern for safety' }, { code: 'other', label: 'Something else' },
];

export const statuses: Record<ReportStatus, string> = {
  new: 'New', assessing: 'Being assessed', open: 'Open', waiting: 'Waiting for information', closed: 'Closed', withdrawn: 'Withdrawn',
};

export const grades: Record<Grade, { label: string; charter: string }> = {
  I: { label: 'Immediate', charter: 'attend within 15 minutes' },
  S: { label: 'Significant', charter: 'attend within 60 minutes' },
  E: { label: 'Extended', charter: 'by appointment, within 48 hours' },
  R: { label: 'Referred', charter: 'resolved without attending' },
};

export const partyRoles: Record<PartyRole, string> = { reporter: 'Reporter', victim: 'Victim', witness: 'Witness', suspect: 'Suspect' };

/** The strands of THRIVE, with what to ask of each. */
export const strands = [
  { field: 'threat', letter: 'T', label: 'Threat', ask: 'What is threatened, by whom, and how likely is it?' },
  { field: 'harm', letter: 'H', label: 'Harm', ask: 'What harm was done, or may be?' },
  { field: 'risk', letter: 'R', label: 'Risk', ask: 'How likely is it to happen, or to happen again?' },
  { field: 'investigation', letter: 'I', label: 'Investigation', ask: 'What can be found out: witnesses, cameras, a scene to keep?' },
  { field: 'vulnerability', letter: 'V', label: 'Vulnerability', ask: 'Can they take care of and protect themselves?' },
  { field: 'engagement', letter: 'E', label: 'Engagement', ask: 'What do they want, and how can they be kept informed?' },
  { field: 'prevention', letter: '+', label: 'Prevention', ask: 'What advice was given to prevent another?' },
  { field: 'intervention', letter: '+', label: 'Intervention', ask: 'What can be done now, and by whom?' },
] as const;

export const levels: Code[] = [
  { code: 'not_known', label: 'Not known' }, { code: 'none', label: 'None' }, { code: 'low', label: 'Low' }, { code: 'medium', label: 'Medium' }, { code: 'high', label: 'High' },
];

/** The steps of the recording decision (Home Office Crime Recording Rules). */
export interface Step {
  code: string;
  label: string;
  /** What may be answered; a text of the handler's own when there are none. */
  answers: Code[];
  /** What to write where there is no choice. */
  ask?: string;
  /** The reason is one of the codes of `decisionReasons`, and words if need be. */
  coded?: boolean;
  /** Only of a recorded crime. */
  recorded?: boolean;
  /** Rests on additional verifiable information; for those who may cancel. */
  avi?: boolean;
}

/** The codes are crm.Steps. */
export const steps: Step[] = [
  { code: 'concerns_crime', label: 'Does it concern a crime?', answers: yesNo() },
  { code: 'balance_of_probability', label: 'On the balance of probability, was there a crime?', answers: yesNo() },
  { code: 'contrary_evidence', label: 'Is there credible evidence to the contrary at hand?', answers: yesNo() },
  { code: 'victim_traceable', label: 'Can the victim be traced, or may it be recorded without?', answers: yesNo() },
  { code: 'victim_confirms', label: 'Does the victim confirm it, or need not?', answers: yesNo() },
  { code: 'other_force', label: 'Does another force record it?', answers: yesNo() },
  { code: 'exception', label: 'Does an exception apply?', answers: yesNo() },
  { code: 'record', label: 'Record it as a crime', answers: [{ code: 'yes', label: 'Record it' }] },
  { code: 'cri', label: 'Close it as a crime-related incident', answers: [{ code: 'yes', label: 'Close it so' }], coded: true },
  { code: 'outcome', label: 'Outcome type', answers: [], ask: 'Home Office type, 0 to 22', recorded: true },
  { code: 'reclassify', label: 'Reclassify', answers: [], ask: 'New classification, for example 046/00', recorded: true, avi: true },
  { code: 'transfer', label: 'Transfer to another force', answers: [], ask: 'Which force', recorded: true, avi: true },
  { code: 'cancel', label: 'Cancel the crime record', answers: [{ code: 'yes', label: 'Cancel it' }], coded: true, recorded: true, avi: true },
];

/** Why something is no crime record, or no longer: the codes are crm.Reasons. */
export const decisionReasons: Code[] = [
  { code: 'not_a_crime', label: 'It is not a crime' }, { code: 'not_on_balance_of_probability', label: 'Not on the balance of probability' },
  { code: 'contrary_evidence', label: 'Credible evidence to the contrary' }, { code: 'victim_untraceable', label: 'The victim cannot be traced' },
  { code: 'victim_declines', label: 'The victim declines to confirm' }, { code: 'other_force_records', label: 'Another force records it' },
  { code: 'exception_applies', label: 'An exception applies' }, { code: 'fraud_bureau', label: 'For the national fraud bureau' },
  { code: 'duplicate', label: 'Recorded already' }, { code: 'recorded_in_error', label: 'Recorded in error' }, { code: 'other', label: 'Another reason' },
];

function yesNo(): Code[] {
  return [{ code: 'yes', label: 'Yes' }, { code: 'no', label: 'No' }];
}

export const taskKinds: Record<string, string> = {
  record_decision: 'Recording decision', re_thrive: 'Assess again', written_confirmation: 'Written confirmation', support_referral: 'Victim support referral',
  needs_assessment: 'Needs assessment', update_victim: 'Update the victim', call_back: 'Ring back', send_failed: 'Message not delivered', review: 'Review', other: 'Task',
};

export function taskText(t: Pick<Task, 'kind' | 'text'>): string {
  const kind = taskKinds[t.kind] ?? t.kind.replaceAll('_', ' ');
  return t.text ? `${kind}: ${t.text}` : kind;
}

export function label(codes: readonly Code[], code: string | undefined): string {
  if (!code) return '';
  return codes.find((c) => c.code === code)?.label ?? code.replaceAll('_', ' ');
}

/** The number people quote: the crime number once there is one. */
export function numberOf(r: Pick<ReportSummary, 'crime_number' | 'incident_number' | 'reference'>): string {
  return r.crime_number || r.incident_number || r.reference;
}
