// The series behind the alarms, thinned to what a picture can show: lowest and highest value of each of a few hundred equal
// stretches. A second pass over the same source. Invariant: memory grows with the series shown, not with the recording.

import type { AlarmSpan } from '../../alerts/comparing.ts'
import { rulesOf, thresholdsOf } from '../../api/thresholds.ts'
import { Intake } from '../../ingest/intake.ts'
import { type Fleet, numberFleet } from '../../model/fleet.ts'
import type { Reject } from '../../model/journal.ts'
import type { Device, Metric, Plant, Rule } from '../../model/plant.ts'
import { CLOCK_SKEWED, GOOD } from '../../model/quality.ts'
import { ReadingColumns } from '../../model/readings.ts'
import type { Tier } from '../../model/tier.ts'
import type { BacktestSource } from '../backtestSources.ts'

/** Pictures on one page. */
export const TRENDS = 24
const BUCKETS = 600

export interface Trend {
  readonly device: Device
  readonly metric: Metric
  readonly from: number
  readonly to: number
  /** NaN where no good value fell into the stretch. */
  readonly low: Float64Array
  readonly high: Float64Array
  readonly limits: readonly { readonly value: number; readonly tier: Tier; readonly rule: string }[]
  /** The alarms of this device, or of its area, whose rule looks at this metric. */
  readonly alarms: readonly AlarmSpan[]
  /** The same under the other rules; null where there are none. */
  readonly against: readonly AlarmSpan[] | null
}

/** The series that alarmed (under either rules), those with most alarms first, at most `TRENDS`; `left` counts the rest. */
export function trendsOf(
  fleet: Fleet,
  these: readonly AlarmSpan[],
  others: readonly AlarmSpan[] | null,
  from: number,
  to: number
): { trends: Trend[]; left: number } {
  const bySubject = new Map<string, AlarmSpan[]>()
  for (const alarm of [...these, ...(others ?? [])]) {
    const key = alarm.device === null ? `a ${alarm.area}` : `d ${alarm.device}`
    const list = bySubject.get(key)
    if (list === undefined) bySubject.set(key, [alarm])
    else list.push(alarm)
  }
  const isOther = new Set(others)
  const found: Trend[] = []
  for (const [number, device] of fleet.devices.entries()) {
    const own = bySubject.get(`d ${device.id}`) ?? []
    const ofArea = device.area === null ? [] : (bySubject.get(`a ${device.area}`) ?? [])
    if (own.length + ofArea.length === 0) continue
    const rules = rulesOf(fleet, number)
    const { metrics } = fleet.profiles[number] as Fleet['profiles'][number]
    const limits = thresholdsOf(rules, device, metrics)
    for (const metric of metrics) {
      const watching = new Set(rules.filter((rule) => names(rule, metric.id)).map(({ id }) => id))
      const shown = [...own, ...ofArea].filter(({ rule }) => watching.has(rule))
      if (shown.length === 0) continue
      const lines = limits.filter((limit) => limit.metric === metric.id && isOwn(limit, rules))
      const [low, high] = [new Float64Array(BUCKETS).fill(Number.NaN), new Float64Array(BUCKETS).fill(Number.NaN)]
      shown.sort((a, b) => a.raisedAt - b.raisedAt)
      const alarms = shown.filter((alarm) => !isOther.has(alarm))
      const against = others === null ? null : shown.filter((alarm) => isOther.has(alarm))
      found.push({ device, metric, from, to, low, high, limits: lines, alarms, against })
    }
  }
  found.sort((a, b) => countOf(b) - countOf(a))
  return { trends: found.slice(0, TRENDS), left: Math.max(0, found.length - TRENDS) }
}

/** Fills the trends from the source. `plant`: the one that is in force at its beginning. */
export async function fillTrends(trends: readonly Trend[], source: BacktestSource, plant: Plant): Promise<void> {
  if (trends.length === 0) return
  let fleet = numberFleet(plant)
  let intake = new Intake(fleet, source)
  let places = placesOf(fleet, trends)
  const readings = new ReadingColumns()
  const rejects: Reject[] = []
  for await (const step of source.steps()) {
    if (step.kind === 'problem') continue
    const { record } = step
    if (record.kind === 'plant') {
      fleet = numberFleet(await source.plantOf(record))
      intake = intake.under(fleet)
      places = placesOf(fleet, trends)
    }
    if (record.kind !== 'telemetry') continue
    intake.read(record, readings, rejects)
    for (let row = 0; row < readings.length; row++) {
      const trend = places.get(readings.series[row] as number)
      const quality = readings.quality[row] as number
      if (trend !== undefined && (quality === GOOD || quality === CLOCK_SKEWED))
        note(trend, readings.at[row] as number, readings.value[row] as number)
    }
    readings.clear()
    rejects.length = 0
  }
}

function note({ from, to, low, high }: Trend, at: number, value: number): void {
  if (at < from || at > to) return
  const bucket = to === from ? 0 : Math.min(BUCKETS - 1, Math.floor(((at - from) / (to - from)) * BUCKETS))
  // Comparisons with NaN are false: the first value of a stretch is both.
  if (!((low[bucket] as number) <= value)) low[bucket] = value
  if (!((high[bucket] as number) >= value)) high[bucket] = value
}

function placesOf(fleet: Fleet, trends: readonly Trend[]): Map<number, Trend> {
  const places = new Map<number, Trend>()
  for (const trend of trends) {
    const number = fleet.deviceNumber.get(trend.device.id)
    const place = fleet.metricPlace.get(trend.device.profile)?.get(trend.metric.id)
    if (number !== undefined && place !== undefined && fleet.profiles[number]?.id === trend.device.profile)
      places.set((fleet.firstSeries[number] as number) + place, trend)
  }
  return places
}

/** One that counts only together with something else is no limit of this metric. */
function isOwn({ rule, tier }: Trend['limits'][number], rules: readonly Rule[]): boolean {
  const found = rules.find(({ id }) => id === rule)
  const when = found?.tiers.find((other) => other.tier === tier)?.when ?? ''
  return found?.per === 'device' && !/&&|[?!]/.test(when)
}

function countOf({ alarms, against }: Trend): number {
  return Math.max(alarms.length, against?.length ?? 0)
}

function names({ tiers }: Rule, metric: string): boolean {
  const word = new RegExp(`(?<![\\w.])${metric}(?!\\w)`)
  return tiers.some(({ when, clear }) => word.test(when) || (clear !== null && word.test(clear)))
}
