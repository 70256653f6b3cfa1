// Major hazard sources after GB 18218: S, R and grade by design and by the levels now, and what of it is not known.

import '../style/hazards.css'
import { type Grading, type HazardSource, listHazardSources } from '../api-operations.ts'
import { useResource } from '../console.tsx'
import { formatValue } from '../format.ts'
import { useOperations } from '../operations.ts'
import { Ago, useLinkLost } from '../parts/age.tsx'
import { Cell, Columns, PageHead, Reading } from '../parts/page-frame.tsx'
import { addressOf } from '../route.ts'
import { useSay } from '../words.ts'

const REFRESH_MS = 15_000
const GRADES = ['', 'I', 'II', 'III', 'IV']

export function HazardsPage() {
  const { hazards } = useOperations()
  const all = useResource('hazard sources', listHazardSources, REFRESH_MS)
  // The gravest first.
  const sources = [...(all.value?.items ?? [])].sort((a, b) => b.live.r - a.live.r || b.design.r - a.design.r)
  return (
    <div className="paper">
      <PageHead title={hazards.title} count={all.value === null ? undefined : hazards.standard(all.value.standard)} />
      <Reading of={all} what={hazards.what} />
      {all.value?.items.length === 0 && <p className="nothing">{hazards.none}</p>}
      {sources.map((source) => (
        <Source key={source.id} source={source} />
      ))}
    </div>
  )
}

function Source({ source }: { source: HazardSource }) {
  const say = useSay()
  const { hazards } = useOperations()
  const { columns } = hazards
  const lost = useLinkLost()
  const { unknownLevels } = source.live
  return (
    <section className="panel hazard" aria-label={say(source.name, source.id)} data-hazard={source.id}>
      <h2>
        {say(source.name, source.id)} <span className="tag">{source.id}</span>
      </h2>
      <p className="faint">
        {say(source.siteName, source.site)} · {hazards.exposed(source.exposed)}
      </p>
      <div className="gradings">
        <Graded name={hazards.live} grading={source.live} doubtful={lost || unknownLevels > 0} />
        <Graded name={hazards.design} grading={source.design} doubtful={false} />
      </div>
      {unknownLevels > 0 && <p className="notice">{hazards.unknown(unknownLevels)}</p>}
      <table className="paper-table">
        <Columns names={[columns.substance, columns.tank, columns.level, columns.live, columns.design, columns.q, columns.beta]} />
        <tbody>
          {source.inventory.map((stored, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: one substance may stand in several tanks and in none
            <tr key={index}>
              <Cell of={columns.substance}>
                <strong>{say(stored.name)}</strong>
                <span className="faint">{[stored.cas, stored.class].filter((one) => one !== null).join(' · ')}</span>
              </Cell>
              <Cell of={columns.tank}>{stored.tank !== null && <a href={addressOf('device', stored.tank)}>{stored.tank}</a>}</Cell>
              <Cell of={columns.level}>
                {stored.unknown !== null ? (
                  <span className="untrusted doubt">
                    {hazards.unknownLevel}
                    <span className="faint" lang="en">
                      {stored.unknown}
                    </span>
                  </span>
                ) : (
                  <span className={lost ? 'untrusted' : undefined}>
                    <b>{formatValue(stored.levelPct ?? 0)} %</b>
                    {stored.levelAt !== null && (
                      <span className="faint">
                        <Ago at={Date.parse(stored.levelAt)} />
                      </span>
                    )}
                  </span>
                )}
              </Cell>
              <Cell of={columns.live}>{hazards.tonnes(formatValue(stored.liveT))}</Cell>
              <Cell of={columns.design}>{hazards.tonnes(formatValue(stored.designT))}</Cell>
              <Cell of={columns.q}>{hazards.tonnes(formatValue(stored.thresholdT))}</Cell>
              <Cell of={columns.beta}>{stored.beta}</Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Graded({ name, grading, doubtful }: { name: string; grading: Grading; doubtful: boolean }) {
  const { hazards } = useOperations()
  return (
    <dl className={doubtful ? 'grading untrusted' : 'grading'}>
      <dt>{name}</dt>
      <dd className="grade">{grading.grade === null ? hazards.notMajor : hazards.grade(GRADES[grading.grade] ?? String(grading.grade))}</dd>
      <dd>
        {hazards.r} = <b>{formatValue(grading.r)}</b>
      </dd>
      <dd>
        {hazards.s} = <b>{formatValue(grading.s)}</b>
      </dd>
      <dd>
        {hazards.alpha} = <b>{grading.alpha}</b>
      </dd>
    </dl>
  )
}
