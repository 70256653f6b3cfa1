// Writes points and finds those that the server refuses. A refusal (400, 422) is partial: the other lines are stored, or not,
// and how many is not to be trusted. So nothing is repeated as it was: a metric of the wrong type is left out, what is older
// than the server keeps is found by halving time, and anything else by halving the points, within a bound.

import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { InfluxFailure, type InfluxServer } from './influx.ts'
import { type InfluxPoint, linesOf, withoutPlace } from './influxPoints.ts'
import type { DROP_REASONS, FleetNames } from './messages.ts'

const CONFLICT = /input field "([^"]+)" on measurement "([^"]+)" is type (\w+), already exists as type (\w+)/

type Reason = (typeof DROP_REASONS)[number]

export interface SieveParts {
  readonly server: Pick<InfluxServer, 'write' | 'name'>
  readonly clock: Clock
  /** A line that any server that takes lines at all must take. */
  readonly harmless: () => string
  /** Told what was dropped, and why, as a sentence. */
  readonly dropped: (reason: Reason, readings: number, sentence: string) => void
}

export class InfluxSieve {
  readonly #parts: SieveParts
  /** `measurement metric` -> until when it is left out. */
  readonly #conflicts = new Map<string, number>()

  constructor(parts: SieveParts) {
    this.#parts = parts
  }

  /** Resolves once every point is stored or counted as dropped. Rejects with an InfluxFailure that is worth another attempt. */
  async write(points: readonly InfluxPoint[], names: FleetNames): Promise<void> {
    this.#leaveOut(points, names)
    const failure = await this.#try(points, names)
    if (failure === null) return
    if (failure.trouble === 'large') {
      if (points.length === 1) return this.#drop(points, failure)
      const middle = points.length >> 1
      await this.write(points.slice(0, middle), names)
      return this.write(points.slice(middle), names)
    }
    const [, field, measurement, ours, theirs] = CONFLICT.exec(failure.said) ?? []
    if (field !== undefined && measurement !== undefined) {
      const metric = field.split('.')[0]!
      const key = `${measurement} ${metric}`
      if (!this.#conflicts.has(key)) {
        this.#conflicts.set(key, this.#parts.clock.now() + LIMITS.history.influx.conflictMs)
        this.#leaveOut(points, names, `${field} of ${measurement} is of type ${theirs} there and ${ours} here`)
        return this.write(points, names)
      }
    }
    await this.#refusesLines(failure)
    if (/retention/i.test(failure.said)) await this.#dropOld(points, names, failure)
    else await this.#sift(points, names, failure)
  }

  /** Null: stored. Passing failures reject. */
  async #try(points: readonly InfluxPoint[], names: FleetNames): Promise<InfluxFailure | null> {
    const text = linesOf(points, names)
    if (text === '') return null
    try {
      await this.#parts.server.write(text)
      return null
    } catch (cause) {
      if (cause instanceof InfluxFailure && (cause.trouble === 'refused' || cause.trouble === 'large')) return cause
      throw cause
    }
  }

  /** A server, or something in front of it, that refuses everything must not cost a reading. */
  async #refusesLines(failure: InfluxFailure): Promise<void> {
    try {
      await this.#parts.server.write(this.#parts.harmless())
    } catch {
      throw new InfluxFailure('passing', `it refuses whatever is written: ${failure.said}`)
    }
  }

  #leaveOut(points: readonly InfluxPoint[], names: FleetNames, why = 'as before'): void {
    if (this.#conflicts.size === 0) return
    const now = this.#parts.clock.now()
    for (const [key, until] of this.#conflicts) {
      if (until <= now) {
        this.#conflicts.delete(key)
        continue
      }
      const [measurement, metric] = key.split(' ') as [string, string]
      let left = 0
      for (const point of points) {
        if (names.places[point.device]!.profile !== measurement) continue
        const index = point.places.indexOf(names.metrics[point.device]!.indexOf(metric))
        if (index === -1) continue
        withoutPlace(point, index)
        left++
      }
      if (left === 0) continue
      this.#parts.dropped(
        'refused',
        left,
        `${this.#parts.server.name} refuses ${metric} of ${measurement} (${why}): ${left} readings of it were dropped. Somebody else has written that field: drop it there or give us a database of our own; it is tried again every ${LIMITS.history.influx.conflictMs / 60_000} minutes`
      )
    }
  }

  /** The oldest points are those refused: halving finds where they end. */
  async #dropOld(points: readonly InfluxPoint[], names: FleetNames, failure: InfluxFailure): Promise<void> {
    const sorted = [...points].sort((a, b) => a.at - b.at)
    let [low, high] = [0, sorted.length]
    let last = failure
    while (low < high) {
      const middle = (low + high) >> 1
      const refused = await this.#try(sorted.slice(middle), names)
      if (refused === null) high = middle
      else [low, last] = [middle + 1, refused]
    }
    const old = sorted.slice(0, low)
    if (old.length > 0) this.#drop(old, last)
  }

  /** First the devices whose points are refused, then which of their points. */
  async #sift(points: readonly InfluxPoint[], names: FleetNames, failure: InfluxFailure): Promise<void> {
    const budget = { left: LIMITS.history.influx.sievingRequests }
    const ofDevices = [...Map.groupBy(points, ({ device }) => device).values()]
    await this.#halve(ofDevices, names, failure, budget)
  }

  async #halve(
    groups: readonly (readonly InfluxPoint[])[],
    names: FleetNames,
    failure: InfluxFailure,
    budget: { left: number }
  ): Promise<void> {
    const all = groups.flat()
    if (all.length === 1 || budget.left <= 0) return this.#drop(all, failure)
    const parts = groups.length === 1 ? all.map((point) => [point]) : groups
    const middle = parts.length >> 1
    for (const half of [parts.slice(0, middle), parts.slice(middle)]) {
      budget.left--
      const refused = await this.#try(half.flat(), names)
      if (refused !== null) await this.#halve(half, names, refused, budget)
    }
  }

  #drop(points: readonly InfluxPoint[], { said }: InfluxFailure): void {
    const readings = points.reduce((sum, { places }) => sum + places.length, 0)
    const reason: Reason = /retention/i.test(said) ? 'retention' : 'refused'
    const sentence =
      reason === 'retention'
        ? `${readings} readings are older than what ${this.#parts.server.name} keeps and were dropped; the earliest is of ${new Date(Math.min(...points.slice(0, 1000).map(({ at }) => at))).toISOString()}`
        : `${this.#parts.server.name} refuses ${readings} readings, and they were dropped: ${said}`
    // Emptied, so that another attempt neither sends nor counts them again.
    for (const { places, values, qualities } of points) places.length = values.length = qualities.length = 0
    this.#parts.dropped(reason, readings, sentence)
  }
}
