// The limit lines of a trend: where a rule that watches a device compares one metric with one number.

import type { Fleet } from '../model/fleet.ts'
import type { Device, Rule } from '../model/plant.ts'
import { formatDuration } from '../platform/duration.ts'
import { placesOf } from './places.ts'
import type { DeviceDetail } from './shapes.ts'

type Threshold = DeviceDetail['thresholds'][number]

const COMPARISON =
  /(?<![\w.]|[-+*/%]\s*)([a-z][a-z0-9_]*)\s*(>=|<=|>|<)\s*(?:limits\.([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?))(?![\w.(]|\s*[-+*/])/g

/** The rules that watch the device, in the order of the plant. */
export function rulesOf(fleet: Fleet, number: number): readonly Rule[] {
  const device = fleet.devices[number]
  const place = placesOf(fleet).placeOf[number]
  if (device === undefined || place === undefined) return []
  return fleet.plant.rules.filter(({ appliesTo }) => {
    const { profile, devices, labels, area, site, enterprise } = appliesTo
    if (profile !== null && profile !== device.profile) return false
    if (devices !== null && !devices.includes(device.id)) return false
    if (area !== null && area !== place.area?.id) return false
    if (site !== null && site !== place.site?.id) return false
    if (enterprise !== null && enterprise !== place.enterprise) return false
    return Object.entries(labels).every(([label, value]) => device.labels[label] === value)
  })
}

/** Where the rules' conditions hold a metric of the device, as it is, against a limit or a number. */
export function thresholdsOf(rules: readonly Rule[], device: Device, metrics: readonly { readonly id: string }[]): Threshold[] {
  const known = new Set(metrics.map((metric) => metric.id))
  const found: Threshold[] = []
  for (const rule of rules) {
    for (const { tier, when } of rule.tiers) {
      for (const [, metric = '', op, limit, number] of when.matchAll(COMPARISON)) {
        const value = limit === undefined ? Number(number) : device.limits[limit]
        if (value === undefined || !known.has(metric)) continue
        found.push({ metric, rule: rule.id, tier, op: op as Threshold['op'], value, limit: limit ?? null })
      }
    }
  }
  return found
}

/** The rules with the text of their conditions. */
export function ruleBodies(rules: readonly Rule[]): DeviceDetail['rules'] {
  return rules.map(({ id, title, per, latched, source, tiers }) => ({
    id,
    title,
    per,
    latched,
    source,
    tiers: tiers.map(({ tier, when, clear, deadband, forMs, clearForMs }) => ({
      tier,
      when,
      clear,
      deadband,
      for: formatDuration(forMs),
      clearFor: formatDuration(clearForMs)
    }))
  }))
}
