// Holding a drill: of a site, a device or a person. It is asked twice, since its messages are real.

import { useId, useState } from 'react'
import { ApiProblem, getOverview, listDevices, TIERS_DOWN, type Tier } from '../api.ts'
import { getDuty, getDutyPlan, holdDrill, type NamedPerson } from '../api-operations.ts'
import { useResource } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { useOperations } from '../operations.ts'
import { useSay, useWords } from '../words.ts'
import { Confirmed, useDoing } from './doing.tsx'
import { TierOptions } from './tier-mark.tsx'

/** How many devices of a site are offered; any other may be typed. */
const DEVICES = 500
const FACTORS = [1, 10, 60] as const

export function HoldDrill({ onHeld }: { onHeld: () => void }) {
  const words = useWords()
  const { drills } = useOperations()
  const say = useSay()
  const sites = useResource('sites', getOverview).value?.sites ?? []
  const [asked, setAsked] = useState({ site: '', device: '', person: '', note: '', tier: 'red' as Tier, fast: 1 })
  const [said, setSaid] = useState('')
  const devices = useResource(`devices ${asked.site}`, async (signal) =>
    asked.site === '' ? [] : (await listDevices({ site: asked.site, limit: DEVICES }, signal)).items
  ).value
  const people = useResource('people', knownPeople).value ?? []
  const doing = useDoing()
  const change = (part: Partial<typeof asked>): void => {
    doing.forget()
    setAsked({ ...asked, ...part })
  }
  const { site, device, person, note, tier, fast } = asked
  const nowhere = site === '' && device.trim() === '' && person.trim() === ''
  const hold = async (): Promise<void> => {
    setSaid('')
    const given = Object.entries({ site, device: device.trim(), person: person.trim(), note: note.trim() }).filter(
      ([, text]) => text !== ''
    )
    await doing.run(async () => {
      const { notifications, ladder } = await holdDrill({ ...Object.fromEntries(given), tier, fast })
      setSaid(drills.sent(notifications, ladder))
    })
    onHeld()
  }
  return (
    <section className="panel form" aria-label={drills.hold}>
      <p>{drills.lead}</p>
      <label>
        {drills.site}
        <select value={site} onChange={(event) => change({ site: event.target.value, device: '' })}>
          <option value="">{drills.chooseSite}</option>
          {sites.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one.name, one.id)}
            </option>
          ))}
        </select>
      </label>
      <Offered label={drills.device} value={device} items={devices ?? []} onChange={(text) => change({ device: text })} />
      <Offered label={drills.person} value={person} items={people} onChange={(text) => change({ person: text })} />
      <label>
        {drills.tier}
        <select value={tier} onChange={(event) => change({ tier: TIERS_DOWN.find((one) => one === event.target.value) ?? 'red' })}>
          <TierOptions />
        </select>
      </label>
      <label>
        {drills.pace}
        <select value={fast} onChange={(event) => change({ fast: Number(event.target.value) })}>
          {FACTORS.map((factor) => (
            <option key={factor} value={factor}>
              {factor === 1 ? drills.asPlanned : drills.factor(factor)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {drills.note}
        <input value={note} maxLength={200} onChange={(event) => change({ note: event.target.value })} />
      </label>
      {nowhere ? (
        <p className="faint">{drills.where}</p>
      ) : (
        <Confirmed label={drills.hold} question={drills.ask} confirm={drills.send} busy={doing.busy} onConfirm={() => void hold()} />
      )}
      {doing.problem !== null && (
        <p className="notice" role="alert">
          {(doing.problem instanceof ApiProblem && drills.refused[doing.problem.status]) || sayProblem(doing.problem, words)}
        </p>
      )}
      {said !== '' && <p role="status">{said}</p>}
    </section>
  )
}

/** An id, with those that are known to choose from. */
function Offered(props: { label: string; value: string; items: readonly NamedPerson[]; onChange: (text: string) => void }) {
  const list = useId()
  const say = useSay()
  return (
    <label>
      {props.label}
      <input
        list={list}
        maxLength={64}
        autoCapitalize="none"
        autoComplete="off"
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <datalist id={list}>
        {props.items.map(({ id, name }) => (
          <option key={id} value={id}>
            {say(name, id)}
          </option>
        ))}
      </datalist>
    </label>
  )
}

/** Who is on duty now or next, and who is responsible: each once. */
async function knownPeople(signal: AbortSignal): Promise<NamedPerson[]> {
  const [{ rotas }, { responsible }] = await Promise.all([getDuty(signal), getDutyPlan(signal)])
  const named = responsible.flatMap(({ roles }) => roles.flatMap(({ person, name }) => (person && name ? [{ id: person, name }] : [])))
  const all = [...rotas.flatMap(({ people, next }) => [...people, ...next]), ...named]
  return [...new Map(all.map((person) => [person.id, person])).values()]
}
