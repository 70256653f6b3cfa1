// Where on a metric's range the tiers begin, for bars and trends.

import { type Threshold, TIER_RANK, type Tier } from './api.ts'
import type { HeldValue } from './device-state.ts'

/** A stretch of the metric's range, between `from` and `to`, in which a rule pulls this tier; null: none does. */
export interface Zone {
  readonly from: number
  readonly to: number
  readonly tier: Tier | null
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
 * The stretch of values worth drawing: the metric's range, drawn in to the limits and the value where that range is
 * much wider than both (a range of -60 to 250 °C says little about a tank at 20 °C alarmed at 40 °C).
 */
export function scaleOf(value: HeldValue, thresholds: readonly Threshold[]): { from: number; to: number } {
  const marks = thresholds.map((threshold) => threshold.value)
  if (value.value !== null) marks.push(value.value)
  if (thresholds.length === 0) return { from: value.min, to: value.max }
  const low = Math.min(...marks)
  const high = Math.max(...marks)
  const room = Math.max(high - low, Math.abs(high) * 0.5, (value.max - value.min) * 0.02) * 0.4
  const zeroBased = value.min <= 0 && low >= 0
  return { from: Math.max(value.min, zeroBased ? Math.min(0, low) : low - room), to: Math.min(value.max, high + room) }
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
