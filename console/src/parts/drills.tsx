// Drills: one is held only after it has been asked twice, since its messages are real; each leaves a signed record.

import { useState } from 'react'
import { getOverview } from '../api.ts'
import { type Drill, holdDrill, listDrills } from '../api-operations.ts'
import { useConsole, useResource } from '../console.tsx'
import { isEngineer, useHandling } from '../handling.ts'
import { useOperations } from '../operations.ts'
import { useSay } from '../words.ts'
import { Instant } from './age.tsx'
import { Confirmed, Refusal, useDoing } from './doing.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'

const REFRESH_MS = 5000

export function Drills() {
  const { drills } = useOperations()
  const { person } = useConsole()
  const all = useResource('drills', listDrills, REFRESH_MS)
  return (
    <>
      {isEngineer(person.role) && <HoldDrill onHeld={all.reload} />}
      <Reading of={all} what={drills.what} />
      {all.value?.items.length === 0 && <p className="nothing">{drills.none}</p>}
      {all.value?.items.map((drill) => (
        <DrillRecord key={drill.id} drill={drill} />
      ))}
    </>
  )
}

function HoldDrill({ onHeld }: { onHeld: () => void }) {
  const { drills } = useOperations()
  const say = useSay()
  const sites = useResource('sites', getOverview).value?.sites ?? []
  const [site, setSite] = useState('')
  const [person, setPerson] = useState('')
  const [note, setNote] = useState('')
  const [sent, setSent] = useState<number | null>(null)
  const doing = useDoing()
  const hold = async (): Promise<void> => {
    setSent(null)
    const asked = {
      ...(site === '' ? {} : { site }),
      ...(person.trim() === '' ? {} : { person: person.trim() }),
      ...(note.trim() === '' ? {} : { note: note.trim() })
    }
    await doing.run(async () => setSent((await holdDrill(asked)).notifications))
    onHeld()
  }
  return (
    <section className="panel form" aria-label={drills.hold}>
      <p>{drills.lead}</p>
      <label>
        {drills.site}
        <select value={site} onChange={(event) => setSite(event.target.value)}>
          <option value="">{drills.everySite}</option>
          {sites.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one.name, one.id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {drills.person}
        <input value={person} onChange={(event) => setPerson(event.target.value)} />
      </label>
      <label>
        {drills.note}
        <input value={note} maxLength={200} onChange={(event) => setNote(event.target.value)} />
      </label>
      <Confirmed label={drills.hold} question={drills.ask} confirm={drills.send} busy={doing.busy} onConfirm={() => void hold()} />
      <Refusal of={doing} />
      {sent !== null && <p role="status">{drills.sent(sent)}</p>}
    </section>
  )
}

function DrillRecord({ drill }: { drill: Drill }) {
  const { drills } = useOperations()
  const { channel, sent } = useHandling()
  const { columns } = drills
  const count = (of: 'deliveredAt' | 'acknowledgedAt'): number => drill.steps.filter((step) => step[of] !== null).length
  return (
    <section className="panel drill" aria-label={drill.id}>
      <h2>
        <Instant at={Date.parse(drill.at)} /> · {drill.site ?? drill.person ?? drills.everySite} · {drills.by(drill.by)} ·{' '}
        {drill.closedAt === null ? drills.open : drills.closed}
      </h2>
      {drill.note !== null && <p>{drill.note}</p>}
      <p className="faint">{drills.summary(count('acknowledgedAt'), count('deliveredAt'), drill.steps.length)}</p>
      <table className="paper-table">
        <Columns names={[columns.person, columns.way, columns.sent, columns.delivered, columns.acknowledged, columns.problem]} />
        <tbody>
          {drill.steps.map((step) => (
            <tr key={`${step.person} ${step.channel}`}>
              <Cell of={columns.person}>
                <strong>{step.person}</strong>
              </Cell>
              <Cell of={columns.way}>{channel[step.channel] ?? step.channel}</Cell>
              <Cell of={columns.sent}>
                <Time at={step.sentAt} otherwise={sent[step.state] ?? step.state} />
              </Cell>
              <Cell of={columns.delivered}>
                <Time at={step.deliveredAt} otherwise="—" />
              </Cell>
              <Cell of={columns.acknowledged}>
                <Time at={step.acknowledgedAt} otherwise="—" />
              </Cell>
              <Cell of={columns.problem}>{step.problem !== null && <span lang="en">{step.problem}</span>}</Cell>
            </tr>
          ))}
        </tbody>
      </table>
      {drill.signature !== null && (
        <p className="faint">
          {drills.signature} <span className="tag">{drill.signature}</span>
        </p>
      )}
    </section>
  )
}

function Time({ at, otherwise }: { at: string | null; otherwise: string }) {
  return at === null ? <span className="faint">{otherwise}</span> : <Instant at={Date.parse(at)} />
}
