import type { JSX } from 'preact';
import type { Party, PartyRole, Property, Report, Vehicle, WorkItem } from '../protocol.gen.ts';
import type { Desk } from '../desk/model.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { partyRoles } from './words.ts';

/** A list with one item changed; undefined takes it out. */
export function changed<T>(list: readonly T[] | null | undefined, at: number, item: T | undefined): T[] {
  const next = [...(list ?? [])];
  if (item === undefined) next.splice(at, 1);
  else next[at] = item;
  return next;
}

function Text({ id, label, value, onInput }: { id: string; label: string; value: string | undefined; onInput: (v: string) => void }): JSX.Element {
  return <Field id={id} label={label}><input class="govuk-input" id={id} autocomplete="off" value={value ?? ''} onInput={(e) => onInput(e.currentTarget.value)} /></Field>;
}

function Choice({ id, label, value, choices, onChange }: { id: string; label: string; value: string; choices: readonly (readonly [string, string])[]; onChange: (v: string) => void }): JSX.Element {
  return (
    <Field id={id} label={label}>
      <select class="govuk-select" id={id} value={value} onChange={(e) => onChange(e.currentTarget.value)}>{choices.map(([code, text]) => <option key={code} value={code}>{text}</option>)}</select>
    </Field>
  );
}

const statuses = [['stolen', 'Stolen'], ['damaged', 'Damaged'], ['lost', 'Lost'], ['found', 'Found'], ['recovered', 'Recovered'], ['returned', 'Returned']] as const;
const vehicleStatuses = [['stolen', 'Stolen'], ['damaged', 'Damaged'], ['involved', 'Involved']] as const;
const updates = [['', 'Not asked'], ['email', 'By e-mail'], ['phone', 'By phone'], ['post', 'By post'], ['none', 'Not wanted']] as const;

/** Who is part of the report, and in what part. */
export function Parties({ desk, id, r, w }: { desk: Desk; id: string; r: Report; w?: WorkItem | undefined }): JSX.Element {
  const list = r.parties ?? [];
  const set = (at: number, p: Party | undefined) => desk.reports.change(id, 'parties', changed(list, at, p));
  const add = (p: Party) => desk.reports.change(id, 'parties', [...list, p]);
  const person = w?.people?.find((p) => p.attached);
  const there = !!person && list.some((p) => p.person === person.id);
  return (
    <>
      <ul class="app-rows">
        {list.map((p, i) => {
          const key = `${id}-party-${i}`;
          const roles = p.roles ?? [];
          return (
            <li class="app-row" key={i}>
              <fieldset class="govuk-fieldset">
                <legend class="app-row__title">{p.name || p.description || `Person ${i + 1}`}{p.withdrawn_at ? ' (withdrew)' : ''}</legend>
                <div class="app-grid">
                  {p.person ? null : <Text id={`${key}-name`} label="Name" value={p.name} onInput={(name) => set(i, { ...p, name })} />}
                  <fieldset class="govuk-fieldset app-roles">
                    <legend class="govuk-label">Part in it</legend>
                    <div class="govuk-checkboxes govuk-checkboxes--small app-roles__list">
                      {(Object.entries(partyRoles) as [PartyRole, string][]).map(([role, text]) => (
                        <div class="govuk-checkboxes__item" key={role}>
                          <input class="govuk-checkboxes__input" id={`${key}-${role}`} type="checkbox" checked={roles.includes(role)} onChange={(e) => set(i, { ...p, roles: e.currentTarget.checked ? [...roles, role] : roles.filter((x) => x !== role) })} />
                          <label class="govuk-label govuk-checkboxes__label" for={`${key}-${role}`}>{text}</label>
                        </div>
                      ))}
                    </div>
                  </fieldset>
                  <Choice id={`${key}-updates`} label="Told of progress" value={p.updates_by ?? ''} choices={updates} onChange={(v) => set(i, { ...p, updates_by: v })} />
                  <Choice id={`${key}-support`} label="Victim support" value={p.wants_support === undefined ? '' : p.wants_support ? 'yes' : 'no'} choices={[['', 'Not asked'], ['yes', 'Wants it'], ['no', 'Does not want it']]} onChange={(v) => { const { wants_support: _w, ...rest } = p; set(i, v ? { ...rest, wants_support: v === 'yes' } : rest); }} />
                  {(!p.person || roles.includes('suspect')) && <Text id={`${key}-description`} label="Description" value={p.description} onInput={(description) => set(i, { ...p, description })} />}
                </div>
                {p.statement && <p class="app-row__statement"><strong>Their statement:</strong> {p.statement}</p>}
                <Button kind="quiet" label={`Take out ${p.name || 'this person'}`} onClick={() => set(i, undefined)}>Take out</Button>
              </fieldset>
            </li>
          );
        })}
      </ul>
      <div class="app-row__acts">
        {person && !there && <Button icon="person" onClick={() => add({ person: person.id, name: person.name, roles: ['reporter'] })}>{`Add ${person.name}`}</Button>}
        <Button icon="person" onClick={() => add({ name: '', roles: ['witness'] })}>Add a witness</Button>
        <Button icon="person" onClick={() => add({ name: '', roles: ['suspect'] })}>Add a suspect</Button>
      </div>
    </>
  );
}

/** Things and vehicles, with the numbers they are known by. */
export function Things({ desk, id, r }: { desk: Desk; id: string; r: Report }): JSX.Element {
  const things = r.property ?? [];
  const vehicles = r.vehicles ?? [];
  const thing = (at: number, p: Property | undefined) => desk.reports.change(id, 'property', changed(things, at, p));
  const vehicle = (at: number, v: Vehicle | undefined) => desk.reports.change(id, 'vehicles', changed(vehicles, at, v));
  return (
    <>
      <ul class="app-rows">
        {things.map((p, i) => {
          const key = `${id}-thing-${i}`;
          return (
            <li class="app-row" key={i}>
              <fieldset class="govuk-fieldset">
                <legend class="app-row__title">{p.description || p.category || `Item ${i + 1}`}</legend>
                <div class="app-grid app-grid--three">
                  <Choice id={`${key}-status`} label="Status" value={p.status} choices={statuses} onChange={(status) => thing(i, { ...p, status })} />
                  <Text id={`${key}-category`} label="Kind" value={p.category} onInput={(category) => thing(i, { ...p, category })} />
                  <Text id={`${key}-description`} label="Description" value={p.description} onInput={(description) => thing(i, { ...p, description })} />
                  <Text id={`${key}-make`} label="Make and model" value={p.make} onInput={(make) => thing(i, { ...p, make })} />
                  <Text id={`${key}-unique`} label="Serial, IMEI or frame number" value={p.unique} onInput={(unique) => thing(i, { ...p, unique })} />
                  <Text id={`${key}-value`} label="Value in pounds" value={p.value_pence ? String(p.value_pence / 100) : ''} onInput={(v) => { const n = Math.round(Number(v.replace(/[£,]/g, '')) * 100); if (Number.isFinite(n)) thing(i, { ...p, value_pence: n }); }} />
                </div>
                <Button kind="quiet" label={`Take out ${p.description || p.category || 'this item'}`} onClick={() => thing(i, undefined)}>Take out</Button>
              </fieldset>
            </li>
          );
        })}
        {vehicles.map((v, i) => {
          const key = `${id}-vehicle-${i}`;
          return (
            <li class="app-row" key={`v${i}`}>
              <fieldset class="govuk-fieldset">
                <legend class="app-row__title">{v.vrm || `Vehicle ${i + 1}`}</legend>
                <div class="app-grid app-grid--three">
                  <Choice id={`${key}-status`} label="Status" value={v.status} choices={vehicleStatuses} onChange={(status) => vehicle(i, { ...v, status })} />
                  <Text id={`${key}-vrm`} label="Registration" value={v.vrm} onInput={(vrm) => vehicle(i, { ...v, vrm: vrm.toUpperCase() })} />
                  <Text id={`${key}-make`} label="Make" value={v.make} onInput={(make) => vehicle(i, { ...v, make })} />
                  <Text id={`${key}-model`} label="Model" value={v.model} onInput={(model) => vehicle(i, { ...v, model })} />
                  <Text id={`${key}-colour`} label="Colour" value={v.colour} onInput={(colour) => vehicle(i, { ...v, colour })} />
                </div>
                <Button kind="quiet" label={`Take out ${v.vrm || 'this vehicle'}`} onClick={() => vehicle(i, undefined)}>Take out</Button>
              </fieldset>
            </li>
          );
        })}
      </ul>
      <div class="app-row__acts">
        <Button onClick={() => desk.reports.change(id, 'property', [...things, { id: '', status: 'stolen', category: '' }])}>Add an item</Button>
        <Button onClick={() => desk.reports.change(id, 'vehicles', [...vehicles, { id: '', status: 'stolen' }])}>Add a vehicle</Button>
      </div>
    </>
  );
}
