// Profiles: one file per kind of device.

import type { z } from 'zod'
import type { Metric, Profile } from '../../model/plant.ts'
import type { Text } from '../../model/text.ts'
import { parseDuration } from '../../platform/duration.ts'
import { problem } from '../../platform/problem.ts'
import type { Findings } from './findings.ts'
import { profileShape } from './schema.ts'
import { hasShape } from './shapes.ts'
import type { SourceFile } from './source.ts'

export interface Profiles {
  readonly usable: ReadonlyMap<string, Profile>
  /** Every id that some file claims, also where the file has problems: what refers to it is not wrong. */
  readonly claimed: ReadonlySet<string>
  /** False where a file could not be read at all, so that its id is not known. */
  readonly complete: boolean
}

/** Reads the profile files; null stands for a file that could not be read. */
export function readProfiles(sources: readonly (SourceFile | null)[], findings: Findings): Profiles {
  const usable = new Map<string, Profile>()
  const claimed = new Map<string, SourceFile>()
  let complete = true
  for (const source of sources) {
    if (source === null) {
      complete = false
      continue
    }
    const { value } = source
    const id = claimedId(value)
    if (id === null) complete = false
    const shaped = hasShape(profileShape, value, `profile ${id ?? source.name}`, source, [], findings)
    if (id !== null) {
      const first = claimed.get(id)
      if (first !== undefined)
        findings.problem(problem(`the profile ${id} is already defined in ${first.name}; profile ids are unique`, source.place(['id'])))
      else claimed.set(id, source)
    }
    if (!shaped || usable.has(value.id)) continue
    checkMetrics(value, source, findings)
    warnOfLimitOrder(value.limits ?? {}, `profile ${value.id}`, source, ['limits'], findings)
    usable.set(value.id, profileOf(value))
  }
  return { usable, claimed: new Set(claimed.keys()), complete }
}

/** The id that an entry claims, whatever else is wrong with it. */
export function claimedId(entry: unknown): string | null {
  const id = typeof entry === 'object' && entry !== null ? (entry as { id?: unknown }).id : undefined
  return typeof id === 'string' && id !== '' ? id : null
}

/** A name in both languages; without one, the id serves. */
export function nameOf(written: string | Text | undefined, id: string): Text {
  if (written === undefined) return Object.freeze({ zh: id, en: id })
  return Object.freeze(typeof written === 'string' ? { zh: written, en: written } : { zh: written.zh, en: written.en })
}

/** Frozen, its keys in code unit order, so that equal contents have equal JSON. */
export function sortedRecord<Value>(record: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.freeze(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
}

function checkMetrics(profile: z.input<typeof profileShape>, source: SourceFile, findings: Findings): void {
  for (const [metric, { min, max }] of Object.entries(profile.metrics)) {
    if (min < max) continue
    findings.problem(
      problem(
        `${metric} of profile ${profile.id} has min ${min}, which is not below its max ${max}: no value could be in range`,
        source.place(['metrics', metric, 'min'])
      )
    )
  }
}

/** Warns where a family of limits (x_low_low, x_low, x_high, x_high_high) is not in ascending order. `merged` holds them all. */
export function warnOfLimitOrder(
  merged: Readonly<Record<string, number>>,
  thing: string,
  source: SourceFile,
  path: readonly string[] | readonly (string | number)[],
  findings: Findings
): void {
  const families = new Set(Object.keys(merged).flatMap((name) => /^(.+?)(_low|_high){1,2}$/.exec(name)?.[1] ?? []))
  for (const family of families) {
    let below: string | null = null
    for (const step of ['_low_low', '_low', '_high', '_high_high']) {
      const name = family + step
      const value = merged[name]
      if (value === undefined) continue
      if (below !== null && (merged[below] as number) > value) {
        findings.warning(problem(`${below} (${merged[below]}) of ${thing} is above ${name} (${value})`, source.place([...path, name])))
      }
      below = name
    }
  }
}

function profileOf(written: z.input<typeof profileShape>): Profile {
  const metrics = Object.entries(written.metrics).map(
    ([id, metric]): Metric =>
      Object.freeze({
        id,
        name: nameOf(metric.name, id),
        unit: metric.unit,
        min: metric.min,
        max: metric.max,
        stuckAfterMs: metric.stuckAfter === undefined ? null : parseDuration(metric.stuckAfter)
      })
  )
  return Object.freeze({
    id: written.id,
    name: nameOf(written.name, written.id),
    metrics: Object.freeze(metrics),
    limits: sortedRecord(written.limits ?? {}),
    silentAfterMs: parseDuration(written.silentAfter) as number,
    source: written.source ?? null
  })
}
