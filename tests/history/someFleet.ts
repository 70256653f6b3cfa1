// A plant of tanks, and rows for its series: what the history tests store.

import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Metric } from '../../src/model/plant.ts'
import { LATE } from '../../src/model/quality.ts'
import { ReadingColumns } from '../../src/model/readings.ts'

export const NOON = Date.UTC(2026, 5, 15, 12)
export const DAY = 86_400_000

/** Devices D-0, D-1, … with the given metrics each. */
export function someFleet(deviceCount: number, metricIds: readonly string[] = ['level_pct', 'pressure_kpa'], prefix = 'D-'): Fleet {
  const metrics: Metric[] = metricIds.map((id) => ({ id, name: { zh: id, en: id }, unit: '1', min: 0, max: 1e9, stuckAfterMs: null }))
  return numberFleet({
    hash: 'none',
    enterprises: [],
    sites: [],
    areas: [],
    gateways: [],
    rules: [],
    profiles: [{ id: 'tank', name: { zh: '储罐', en: 'Tank' }, metrics, limits: {}, silentAfterMs: 60_000, source: null }],
    devices: Array.from({ length: deviceCount }, (_, number) => ({
      id: `${prefix}${number}`,
      name: { zh: '罐', en: 'Tank' },
      profile: 'tank',
      gateway: null,
      area: null,
      site: null,
      enterprise: null,
      labels: {},
      limits: {}
    }))
  })
}

/** [series, at, value, quality]; series -1 is a sign of life. */
export type Row = readonly [series: number, at: number, value: number, quality?: number]

export function columnsOf(rows: Iterable<Row>): ReadingColumns {
  const columns = new ReadingColumns(16)
  for (const [series, at, value, quality = 0] of rows) columns.push(0, series, at, value, quality, 1, 1)
  return columns
}

/** What `buckets` must answer, calculated the plain way from all rows in journal order. */
export function bruteBuckets(rows: readonly Row[], series: number, from: number, to: number, everyMs: number): object[] {
  const last = new Map<number, Row>()
  for (const row of rows) {
    if (row[0] !== series || row[1] < from || row[1] >= to) continue
    const before = last.get(row[1])
    if (row[3] !== LATE || before === undefined || before[3] === LATE) last.set(row[1], row)
  }
  const sorted = [...last.values()].filter(([, , value, quality = 0]) => quality <= 2 && !Number.isNaN(value)).sort((a, b) => a[1] - b[1])
  const groups = Map.groupBy(sorted, ([, at]) => Math.floor(at / everyMs) * everyMs)
  return [...groups].map(([at, group]) => {
    const values = group.map(([, , value]) => value)
    const sum = values.reduce((total, value) => total + value, 0)
    return { at, min: Math.min(...values), max: Math.max(...values), avg: sum / values.length, last: values.at(-1), count: values.length }
  })
}
