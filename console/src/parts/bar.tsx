// A value against its limits: where it stands, how near the next tier is. Zones are faint; the one it stands in is not.

import type { Threshold } from '../api.ts'
import { type HeldValue, isUsable, type Trust } from '../device-state.ts'
import { formatValue } from '../format.ts'
import { scaleOf, tierAt, zonesOf } from '../thresholds.ts'

export function Bar({ value, trust, thresholds }: { value: HeldValue; trust: Trust; thresholds: readonly Threshold[] }) {
  const scale = scaleOf(value, thresholds)
  const width = scale.to - scale.from
  const usable = isUsable(trust) && value.value !== null
  const place = (at: number): string => `${Math.min(100, Math.max(0, ((at - scale.from) / width) * 100))}%`
  const here = usable ? value.value : null
  const tier = here === null ? null : tierAt(here, thresholds)
  return (
    <div className="bar" data-trust={usable ? 'usable' : 'untrusted'} aria-hidden="true">
      <div className="bar-track">
        {zonesOf(scale, thresholds).map((zone) => (
          <i
            key={zone.from}
            className="bar-zone"
            data-tier={zone.tier ?? 'none'}
            data-here={here !== null && zone.tier !== null && here >= zone.from && here <= zone.to && zone.tier === tier}
            style={{ left: place(zone.from), width: `${((zone.to - zone.from) / width) * 100}%` }}
          />
        ))}
        {value.value !== null && trust !== 'never' && <b className="bar-needle" style={{ left: place(value.value) }} />}
      </div>
      <div className="bar-scale">
        <span>{formatValue(scale.from)}</span>
        <span>{formatValue(scale.to)}</span>
      </div>
    </div>
  )
}
