// More alarms are being announced than a person can take in: said once, with since when and how many, and where to look first.

import type { Flood, Overview } from '../api.ts'
import { useTimed } from '../clock.ts'
import { formatInstant } from '../format.ts'
import { useHandling } from '../handling.ts'
import { addressOf } from '../route.ts'
import { useSay } from '../words.ts'

export function FloodBanner({ overview }: { overview: Overview | null }) {
  const floods = overview?.floods ?? []
  // The flood of everything says what those of its sites say.
  const shown = floods.some(({ scope }) => scope === 'installation') ? floods.filter(({ scope }) => scope === 'installation') : floods
  return shown.map((flood) => <One key={`${flood.scope} ${flood.site ?? flood.enterprise ?? ''}`} flood={flood} overview={overview} />)
}

function One({ flood, overview }: { flood: Flood; overview: Overview | null }) {
  const handling = useHandling()
  const say = useSay()
  const since = useTimed((now) => formatInstant(Date.parse(flood.since), now))
  const place = say(overview?.sites.find(({ id }) => id === flood.site)?.name, flood.site ?? flood.enterprise ?? '')
  return (
    <div className="banner banner-flood">
      <strong role="alert">{handling.flood(place, flood.count, since)}</strong>
      <span>{handling.floodHow}</span>
      <a href={addressOf('alarms', '', { tier: 'red' })}>{handling.floodRed}</a>
    </div>
  )
}
