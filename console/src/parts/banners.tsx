// What an operator must not overlook: the link is lost, or the service itself is not well. Black and white stripes, never
// a colour of a tier.

import type { Overview } from '../api.ts'
import { useTimed } from '../clock.ts'
import { type Resource, useAlarmList, useLink } from '../console.tsx'
import { formatAge, formatInstant, formatLag } from '../format.ts'
import { useWords } from '../words.ts'

const LAG_WORTH_SAYING_MS = 10_000

export function Banners({ overview }: { overview: Resource<Overview> }) {
  return (
    <div className="banners">
      <LinkBanner />
      <HealthBanner overview={overview} />
    </div>
  )
}

function LinkBanner() {
  const words = useWords()
  const { kind, heardAt, round } = useLink()
  const { current } = useAlarmList()
  const age = useTimed(() => (heardAt === null ? '' : formatAge(Date.now() - heardAt, words)))
  if (kind !== 'lost') {
    if (kind === 'live' && !current && round > 1) return <p className="banner banner-quiet">{words.link.catchingUp}</p>
    return null
  }
  const since = heardAt === null ? words.link.never : words.link.oldSince(formatInstant(heardAt, Date.now()), age)
  return (
    <div className="banner banner-link">
      <strong role="alert">{words.link.lost}</strong>
      <span>{since}</span>
      <small>{words.link.retrying}</small>
    </div>
  )
}

function HealthBanner({ overview }: { overview: Resource<Overview> }) {
  const words = useWords()
  const { kind } = useLink()
  const { value, problem } = overview
  if (kind === 'lost') return null
  const lines: { key: string; said: string; detail: string | null }[] = []
  for (const line of value?.health ?? []) {
    if (line.state === 'ok') continue
    const said = words.health.sentence[`${line.part}/${line.state}`] ?? words.health.other(line.part)
    lines.push({ key: line.part, said, detail: line.problem })
  }
  const lagMs = value?.intake.lagMs ?? 0
  if (lagMs > LAG_WORTH_SAYING_MS) lines.push({ key: 'lag', said: words.health.lag(formatLag(lagMs)), detail: null })
  if (problem !== null) lines.push({ key: 'overview', said: words.health.overviewFailed, detail: null })
  if (lines.length === 0) return null
  return (
    <div className="banner banner-health" role="alert">
      {lines.map(({ key, said, detail }) => (
        <p key={key}>
          <strong>{said}</strong>
          {detail !== null && <small>{detail}</small>}
        </p>
      ))}
    </div>
  )
}
