// What an operator must not overlook: the link is lost, or the service itself is not well. Black and white stripes, never
// a colour of a tier.

import type { Overview } from '../api.ts'
import { useTimed } from '../clock.ts'
import { type Resource, useAlarmList, useLink } from '../console.tsx'
import { formatAge, formatInstant } from '../format.ts'
import { useWords } from '../words.ts'
import { FloodBanner } from './flood.tsx'

export function Banners({ overview }: { overview: Resource<Overview> }) {
  const words = useWords()
  return (
    <section className="banners" aria-label={words.health.label}>
      <LinkBanner />
      <HealthBanner overview={overview} />
      <FloodBanner overview={overview.value} />
    </section>
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
    const { sentence, other } = words.health
    const any = `${line.part.split(' ', 1)[0]} *`
    const said = sentence[`${line.part}/${line.state}`] ?? sentence[`${any}/${line.state}`] ?? other(line.part)
    lines.push({ key: line.part, said, detail: line.problem })
  }
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
