// What an operator must not overlook: the link is lost, or the service itself is not well. Black and white stripes, never
// a colour of a tier.

import { useState } from 'react'
import type { Overview } from '../api.ts'
import { useTimed } from '../clock.ts'
import { type Resource, useAlarmList, useLink } from '../console.tsx'
import { formatAge, formatInstant } from '../format.ts'
import { useWords, type Words, wordsIn } from '../words.ts'
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
  const [all, setAll] = useState(false)
  if (kind === 'lost') return null
  const lines = linesOf(overview, words)
  if (lines.length === 0) return null
  return (
    <div className="banner banner-health" data-all={all}>
      {lines.map(({ said, details }) => (
        <p key={said}>
          <strong role="alert">{said}</strong>
          {details.map((detail) => (
            <small key={detail} title={detail}>
              {words.health.detail(detail)}
            </small>
          ))}
        </p>
      ))}
      <button type="button" className="banner-all" aria-expanded={all} onClick={() => setAll(!all)}>
        {all ? words.alarms.hide : words.health.all(lines.length)}
      </button>
    </div>
  )
}

interface Line {
  readonly said: string
  readonly details: readonly string[]
}

/** What is not well, the worst first: in the order of the sentences, before them what has none. The same is said once. */
function linesOf({ value, problem }: Resource<Overview>, { health }: Words): Line[] {
  const found = (value?.health ?? [])
    .filter(({ state }) => state !== 'ok')
    .map(({ part, state, problem }) => {
      const place = SENTENCES.findIndex((one) => one === `${part}/${state}` || one === `${part.split(' ', 1)[0]} */${state}`)
      return { place, said: health.sentence[SENTENCES[place] ?? ''] ?? health.other(part), detail: problem }
    })
  if (problem !== null) found.push({ place: -1, said: health.overviewFailed, detail: null })
  const bySentence = Map.groupBy(
    found.sort((a, b) => a.place - b.place),
    ({ said }) => said
  )
  return [...bySentence].map(([said, lines]) => ({ said, details: lines.flatMap(({ detail }) => (detail === null ? [] : [detail])) }))
}

const SENTENCES = Object.keys(wordsIn('zh').health.sentence)
