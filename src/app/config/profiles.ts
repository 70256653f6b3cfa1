// Profiles: one file per kind of device.

import type { Metric, Profile } from '../../model/plant.ts'
import { problem } from '../../platform/problem.ts'
import type { Findings } from './findings.ts'
import { profileShape } from './schema.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { claimedId, durationOr, mapping, nameOr, numberOr, numbers, textOr, type Written } from './written.ts'

export interface Profiles {
  /** By id; a profile with mistakes is here as far as it could be read. */
  readonly byId: ReadonlyMap<string, Profile>
  /** False where a file could not be read at all, so that its id is not known. */
  readonly complete: boolean
}

/** Reads the profile files; null stands for a file that could not be read. */
export function readProfiles(sources: readonly (SourceFile | null)[], findings: Findings): Profiles {
  const byId = new Map<string, Profile>()
  const origins = new Map<string, SourceFile>()
  let complete = true
  for (const source of sources) {
    const id = claimedId(source?.value)
    if (id === null) complete = false
    if (source === null) continue
    hasShape(profileShape, source.value, `profile ${id ?? source.name}`, source, [], findings)
    if (id === null) continue
    const first = origins.get(id)
    if (first !== undefined) {
      findings.problem(problem(`the profile ${id} is already defined in ${first.name}; profile ids are unique`, source.place(['id'])))
      continue
    }
    origins.set(id, source)
    const profile = profileOf(id, mapping(source.value))
    warnOfLimitOrder(profile.limits, profile.limits, `profile ${id}`, source, ['limits'], findings)
    byId.set(id, profile)
  }
  return { byId, complete }
}

/**
 * Warns where a family of limits (x_low_low, x_low, x_high, x_high_high) does not ascend. `merged` holds all limits of the thing,
 * `own` those written at `path`.
 */
export function warnOfLimitOrder(
  merged: Readonly<Record<string, number>>,
  own: Written,
  thing: string,
  source: SourceFile,
  path: Path,
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
        const place = source.place([...path, Object.hasOwn(own, name) ? name : below])
        findings.warning(problem(`${below} (${merged[below]}) of ${thing} is above ${name} (${value})`, place))
      }
      below = name
    }
  }
}

function profileOf(id: string, written: Written): Profile {
  const metrics = Object.entries(mapping(written.metrics)).map(([metric, one]) => metricOf(metric, mapping(one)))
  return Object.freeze({
    id,
    name: nameOr(written.name, id),
    metrics: Object.freeze(metrics),
    limits: numbers(written.limits),
    silentAfterMs: durationOr(written.silentAfter, 0),
    source: textOr(written.source, null)
  })
}

function metricOf(id: string, written: Written): Metric {
  return Object.freeze({
    id,
    name: nameOr(written.name, id),
    unit: textOr(written.unit, '1'),
    // Without bounds of its own every limit is possible, as far as the rules can tell.
    min: numberOr(written.min, Number.NEGATIVE_INFINITY),
    max: numberOr(written.max, Number.POSITIVE_INFINITY),
    stuckAfterMs: durationOr(written.stuckAfter, null),
    // Left out where it is not: plants without it keep their hash.
    ...(typeof written.zeroDrift === 'number' ? { zeroDrift: written.zeroDrift } : {})
  })
}
