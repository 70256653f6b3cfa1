// The ladders in the order of the plan: the first that fits an alarm is its ladder.

import { useState } from 'react'
import { TIERS_DOWN } from '../api.ts'
import { getDutyPlan, type Ladder } from '../api-operations.ts'
import { useResource } from '../console.tsx'
import { formatAge } from '../format.ts'
import { useHandling } from '../handling.ts'
import { useOperations } from '../operations.ts'
import { useSay, useWords, type Words } from '../words.ts'
import { Cell, Columns, Reading } from './page-frame.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

export function Ladders() {
  const words = useWords()
  const { duty } = useOperations()
  const plan = useResource('duty plan', getDutyPlan)
  const [tier, setTier] = useState('')
  const all = plan.value?.ladders ?? []
  const shown = all.filter(({ appliesTo }) => tier === '' || appliesTo.tiers === null || appliesTo.tiers.some((one) => one === tier))
  return (
    <>
      <div className="filter">
        {TIERS_DOWN.map((one) => (
          <button
            key={one}
            type="button"
            className="button chip"
            aria-pressed={tier === one}
            onClick={() => setTier(tier === one ? '' : one)}
          >
            <TierMark tier={one} />
            {words.tierName(words.tier[one], ROMAN[one])}
          </button>
        ))}
      </div>
      <Reading of={plan} what={duty.plan} />
      {plan.value !== null && shown.length === 0 && <p className="nothing">{duty.noLadders}</p>}
      {shown.map((ladder) => (
        <OneLadder key={ladder.id} ladder={ladder} />
      ))}
    </>
  )
}

function OneLadder({ ladder }: { ladder: Ladder }) {
  const words = useWords()
  const say = useSay()
  const { duty } = useOperations()
  const { channel } = useHandling()
  const { ladderColumns: columns } = duty
  return (
    <section className="panel" aria-label={ladder.id}>
      <h2>{ladder.id}</h2>
      <p className="faint">
        <Applies ladder={ladder} />
        {ladder.receiptWithinMs !== null && ` · ${duty.receipt(span(ladder.receiptWithinMs, words))}`}
      </p>
      <table className="paper-table">
        <Columns names={[columns.rung, columns.after, columns.tell, columns.by, columns.repeat]} />
        <tbody>
          {ladder.rungs.map((rung, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the place on the ladder is what a rung is
            <tr key={index}>
              <Cell of={columns.rung}>{index + 1}</Cell>
              <Cell of={columns.after}>{rung.afterMs === 0 ? duty.atOnce : duty.after(span(rung.afterMs, words))}</Cell>
              <Cell of={columns.tell}>
                {rung.tell.map(({ target, name }) => (
                  <span key={target} className="told-target">
                    <strong>{targetName(target, say(name), duty.role)}</strong> <span className="tag">{target}</span>
                  </span>
                ))}
              </Cell>
              <Cell of={columns.by}>
                {rung.by.map((together) => together.map((kind) => channel[kind] ?? kind).join(duty.together)).join(duty.orElse)}
              </Cell>
              <Cell of={columns.repeat}>{rung.repeatMs === null ? duty.once : duty.repeat(span(rung.repeatMs, words), rung.times)}</Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const EXACT_MS = 600_000

/** As it is written: 90 s are not 1 min. */
const span = (ms: number, words: Words): string =>
  ms < EXACT_MS && ms % 60_000 !== 0 ? words.time.seconds(ms / 1000) : formatAge(ms, words)

/** The name of a rota, team or person; a responsible one is called by the role. */
function targetName(target: string, name: string, roles: Readonly<Record<string, string>>): string {
  const [kind = '', id = ''] = target.split(':', 2)
  return name !== '' ? name : kind === 'responsible' ? (roles[id] ?? id) : id
}

function Applies({ ladder: { appliesTo } }: { ladder: Ladder }) {
  const words = useWords()
  const { duty } = useOperations()
  const { tiers, rules, area, site, enterprise } = appliesTo
  const said = [
    tiers === null ? null : tiers.map((tier) => words.tierName(words.tier[tier], ROMAN[tier])).join(' / '),
    rules === null ? null : duty.rules(rules.join(', ')),
    area === null ? null : `${duty.place.area} ${area}`,
    site === null ? null : `${duty.place.site} ${site}`,
    enterprise === null ? null : `${duty.place.enterprise} ${enterprise}`
  ].filter((part) => part !== null)
  return (
    <>
      {duty.applies} {said.length === 0 ? duty.anything : said.join(' · ')}
    </>
  )
}
