// Drills: each leaves a signed record.

import { acknowledgeDrill, type Drill, listDrills } from '../api-operations.ts'
import { useConsole, useResource } from '../console.tsx'
import { isEngineer, useHandling } from '../handling.ts'
import { useOperations } from '../operations.ts'
import { useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Refusal, useDoing } from './doing.tsx'
import { HoldDrill } from './hold-drill.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'
import { ROMAN } from './tier-mark.tsx'

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
        <DrillRecord key={drill.id} drill={drill} mayAct={person.role !== 'viewer'} onChanged={all.reload} />
      ))}
    </>
  )
}

function DrillRecord({ drill, mayAct, onChanged }: { drill: Drill; mayAct: boolean; onChanged: () => void }) {
  const words = useWords()
  const { drills } = useOperations()
  const doing = useDoing()
  const count = (of: 'deliveredAt' | 'acknowledgedAt'): number => drill.steps.filter((step) => step[of] !== null).length
  const outcome = drill.endedAt === null ? drills.open : (drills.outcomes[drill.outcome ?? ''] ?? drill.outcome)
  const end = async (): Promise<void> => {
    await doing.run(() => acknowledgeDrill(drill.id))
    onChanged()
  }
  return (
    <section className="panel drill" aria-label={drill.id} data-outcome={drill.outcome ?? 'open'}>
      <h2>
        <Instant at={Date.parse(drill.at)} /> · {drill.person ?? drill.device ?? drill.site} ·{' '}
        {words.tierName(words.tier[drill.tier], ROMAN[drill.tier])} · {outcome}
      </h2>
      <p className="faint">
        {drills.by(drill.by)} · {drills.summary(count('acknowledgedAt'), count('deliveredAt'), drill.steps.length)}
        {drill.factor > 1 && ` · ${drills.factor(drill.factor)}`}
        {drill.acknowledged !== null && (
          <>
            {' '}
            · {drills.acknowledgedBy(drill.acknowledged.by)} <Instant at={Date.parse(drill.acknowledged.at)} />
          </>
        )}
      </p>
      {drill.note !== null && <p>{drill.note}</p>}
      {mayAct && drill.endedAt === null && (
        <button type="button" className="button" disabled={doing.busy} onClick={() => void end()}>
          {drills.acknowledge}
        </button>
      )}
      <Refusal of={doing} />
      <DrillSteps drill={drill} />
      {drill.signature !== null && (
        <p className="faint">
          {drills.signature} <span className="tag">{drill.signature}</span> {drill.genuine === false ? drills.forged : drills.genuine}
        </p>
      )}
    </section>
  )
}

function DrillSteps({ drill }: { drill: Drill }) {
  const { drills } = useOperations()
  const { channel, sent, notSent } = useHandling()
  const { columns } = drills
  if (drill.steps.length === 0) return null
  return (
    <table className="paper-table">
      <Columns
        names={[columns.rung, columns.person, columns.way, columns.sent, columns.delivered, columns.acknowledged, columns.problem]}
      />
      <tbody>
        {drill.steps.map((step) => (
          <tr key={`${step.rung} ${step.occurrence} ${step.person} ${step.channel}`}>
            <Cell of={columns.rung}>{step.rung}</Cell>
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
            <Cell of={columns.problem}>{step.problem !== null && (notSent[step.problem] ?? <span lang="en">{step.problem}</span>)}</Cell>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Time({ at, otherwise }: { at: string | null; otherwise: string }) {
  return at === null ? <span className="faint">{otherwise}</span> : <Instant at={Date.parse(at)} />
}
