// The judge's reasons in the words of people: with the names and units of the plant, in both languages, as messages say them.

import { measured } from '../alerts/wordingMeasure.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Metric } from '../model/plant.ts'
import type { Text } from '../model/text.ts'

type Metrics = ReadonlyMap<string, Metric>

const ofLists = new WeakMap<readonly Metric[], Metrics>()
const ofFleets = new WeakMap<Fleet, Metrics>()

/** A reason given for this device; null: for an area, whose reasons may name any device. */
export function reasonText(reason: string, fleet: Fleet, device: string | null): Text {
  const metrics = metricsFor(fleet, device)
  return { zh: measured(reason, metrics, 'zh'), en: measured(reason, metrics, 'en') }
}

function metricsFor(fleet: Fleet, device: string | null): Metrics {
  const profile = device === null ? undefined : fleet.profiles[fleet.deviceNumber.get(device) ?? -1]
  if (profile !== undefined) return kept(ofLists, profile.metrics, () => profile.metrics)
  return kept(ofFleets, fleet, () => fleet.plant.profiles.flatMap(({ metrics }) => metrics))
}

function kept<Key extends object>(known: WeakMap<Key, Metrics>, key: Key, list: () => readonly Metric[]): Metrics {
  let metrics = known.get(key)
  if (metrics === undefined) known.set(key, (metrics = new Map(list().map((metric) => [metric.id, metric]))))
  return metrics
}
