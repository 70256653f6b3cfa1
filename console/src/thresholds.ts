// Where on a metric's range the tiers begin, for bars and trends.

import { type DeviceDetail, type Threshold, TIER_RANK, type Tier } from './api.ts'
import type { HeldValue } from './device-state.ts'

/** A stretch of the metric's range, between `from` and `to`, in which a rule pulls this tier; null: none does. */
export interface Zone {
  readonly from: number
  readonly to: number
  readonly tier: Tier | null
}

/** Comparisons as people write them. */
export const OPERATORS: Readonly<Record<Threshold['op'], string>> = { '>': '>', '>=': '≥', '<': '<', '<=': '≤' }

/**
 * The thresholds of a metric that raise their tier by themselves. One that counts only together with something else
 * ("and", votes of several devices) is no limit of this metric: drawn as one, it would call a normal value abnormal.
 * From the highest value to the lowest.
 */
export function ownThresholds(device: DeviceDetail, metric: string): Threshold[] {
  const own = device.thresholds.filter((threshold) => {
    if (threshold.metric !== metric) return false
    const rule = device.rules.find(({ id }) => id === threshold.rule)
    if (rule === undefined) return true
    return rule.per === 'device' && rule.tiers.some(({ tier, when }) => tier === threshold.tier && !/&&|[?!]/.test(when))
  })
  return own.sort((a, b) => b.value - a.value)
}

/** The highest tier that a value stands in, by the thresholds alone; null: none. */
export function tierAt(value: number, thresholds: readonly Threshold[]): Tier | null {
  let worst: Tier | null = null
  for (const { op, value: limit, tier } of thresholds) {
    const over = op === '>' ? value > limit : op === '>=' ? value >= limit : op === '<' ? value < limit : value <= limit
    if (over && (worst === null || TIER_RANK[tier] > TIER_RANK[worst])) worst = tier
  }
  return worst
}

/**
 * The stretch of values worth drawing: the metric's range, drawn in to its limits (a range of -60 to 250 °C says little
 * about a tank at 20 °C alarmed at 40 °C). It ends on round numbers, so that it stands still while the value moves.
 */
export function scaleOf(value: HeldValue, thresholds: readonly Threshold[]): { from: number; to: number } {
  if (thresholds.length === 0) return { from: value.min, to: value.max }
  const limits = thresholds.map((threshold) => threshold.value)
  const low = Math.min(...limits)
  const high = Math.max(...limits)
  const room = Math.max((high - low) * 0.5, Math.abs(high) * 0.25, high === 0 ? (value.max - value.min) * 0.05 : 0)
  const isFloor = thresholds.every(({ op }) => op === '<' || op === '<=')
  const isCeiling = thresholds.every(({ op }) => op === '>' || op === '>=')
  const now = value.value ?? low
  const from = Math.min(now, isCeiling && low > 0 ? Math.min(0, low) : low - room)
  const to = Math.max(now, isFloor && high > 0 ? high * 3 : high + room)
  const step = roundStep((to - from) / 10)
  return { from: Math.max(value.min, Math.floor(from / step) * step), to: Math.min(value.max, Math.ceil(to / step) * step) }
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)))
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= rough) ?? power
}

/** The range cut at every threshold, each piece with the tier in force there. */
export function zonesOf(scale: { from: number; to: number }, thresholds: readonly Threshold[]): Zone[] {
  const inside = thresholds.map((threshold) => threshold.value).filter((cut) => cut > scale.from && cut < scale.to)
  const cuts = [...new Set([scale.from, ...inside, scale.to])].sort((a, b) => a - b)
  const zones: Zone[] = []
  for (let index = 0; index + 1 < cuts.length; index += 1) {
    const from = cuts[index]!
    const to = cuts[index + 1]!
    zones.push({ from, to, tier: tierAt((from + to) / 2, thresholds) })
  }
  return zones
}
