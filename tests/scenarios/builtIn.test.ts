// Every built-in rule of the sample plant, on every profile and metric that it was made for: entered and left, each by itself.

import path from 'node:path'
import { expect, it } from 'vitest'
import { isBuiltIn } from '../../src/app/config/builtInKinds.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { Effects } from '../../src/app/effects.ts'
import { OFFLINE_CLOCK_SKEW_MS, RecordWriter } from '../../src/app/offline.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import type { Metric, Plant, Rule } from '../../src/model/plant.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 20_000
const PLANT = loadPlant(path.resolve(import.meta.dirname, '../../config'), {}).plant as Plant
const RULES = PLANT.rules.filter(({ id }) => isBuiltIn(id.split('.')[0] as string))

/** What the device says at step `i` of 200, unwell in the second and third quarter; and its clock's error. */
function said(kind: string, { min, max, zeroDrift = 0 }: Metric, i: number): { value: number | null; aheadMs: number } {
  const well = min + ((max - min) * (500 + i)) / 1000
  const unwell = i >= 50 && i < 150
  const value = !unwell
    ? kind === 'sensor-below-zero'
      ? 0
      : well
    : kind === 'sensor-faulty'
      ? null
      : kind === 'sensor-out-of-range'
        ? max + 1
        : kind === 'sensor-below-zero'
          ? -zeroDrift - 0.1
          : kind === 'sensor-stuck'
            ? (min + max) / 2
            : well
  return { value, aheadMs: kind === 'clock-wrong' && unwell ? 3_600_000 : 0 }
}

function turnsOf(rule: Rule): string[] {
  const [kind, , metricId] = rule.id.split('.') as [string, string, string | undefined]
  const profile = PLANT.profiles.find(({ id }) => id === rule.appliesTo.profile)!
  const metric = profile.metrics.find(({ id }) => id === metricId) ?? profile.metrics[0]!
  const device = PLANT.devices.find((one) => one.profile === profile.id)!
  // A stuck value needs to last for a quarter of the whole.
  const stepMs = kind === 'sensor-stuck' ? Math.max(STEP, (metric.stuckAfterMs ?? 0) / 90) : STEP
  const held = Math.min(stepMs, profile.silentAfterMs)
  const pipeline = Pipeline.begin(PLANT, 0, START, { clockSkewMs: OFFLINE_CLOCK_SKEW_MS })
  const writer = new RecordWriter(PLANT)
  const effects = new Effects()
  for (let at = 0; at < 200 * stepMs; at += held) {
    const { value, aheadMs } = said(kind, metric, Math.floor(at / stepMs))
    const receivedAt = START + at
    pipeline.take([writer.telemetry(receivedAt, { device: device.id, ts: receivedAt + aheadMs, values: { [metric.id]: value } })], effects)
  }
  return effects.events.flatMap((event) => {
    if (event.kind !== 'transition' || event.device !== device.id || !isBuiltIn(event.rule.split('.')[0] as string)) return []
    return [`${event.rule} ${event.from} -> ${event.to}`]
  })
}

it.each(RULES.map((rule) => [rule.id, rule] as const))('%s is entered and left', (id, rule) => {
  const tier = rule.tiers[0]?.tier
  expect(turnsOf(rule)).toEqual([`${id} clear -> ${tier}`, `${id} ${tier} -> clear`])
})

it('the sample plant asks for faults of every measured value', () => {
  expect(RULES.length).toBeGreaterThan(60)
})
