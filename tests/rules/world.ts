// A small plant and an engine to feed by hand. Times are seconds after the epoch of the tests.

import type { Transition } from '../../src/model/alarm.ts'
import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Device, Plant, Profile, Rule, RuleTier } from '../../src/model/plant.ts'
import { GOOD, OUT_OF_RANGE, SENSOR_FAULT } from '../../src/model/quality.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import type { Tier } from '../../src/model/tier.ts'
import { parseDuration } from '../../src/platform/duration.ts'
import { Engine } from '../../src/rules/engine.ts'

export const EPOCH = Date.UTC(2026, 0, 1)

const name = (text: string): { zh: string; en: string } => ({ zh: text, en: text })

export interface TierText {
  readonly when: string
  readonly clear?: string
  readonly deadband?: number
  readonly for?: string
  readonly clearFor?: string
}

export interface RuleText {
  readonly id?: string
  readonly appliesTo?: Partial<Rule['appliesTo']>
  readonly per?: 'device' | 'area'
  readonly latched?: boolean
  readonly tiers: Partial<Record<Tier, TierText>>
}

export function rule({ id = 'r', appliesTo = {}, per = 'device', latched = false, tiers }: RuleText): Rule {
  const selector = { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null, ...appliesTo }
  const written = (['blue', 'yellow', 'orange', 'red'] as const).flatMap((tier): RuleTier[] => {
    const text = tiers[tier]
    if (text === undefined) return []
    const forMs = parseDuration(text.for ?? '0s') as number
    const clearForMs = parseDuration(text.clearFor ?? '0s') as number
    return [{ tier, when: text.when, clear: text.clear ?? null, deadband: text.deadband ?? null, forMs, clearForMs }]
  })
  return { id, title: name(id), appliesTo: selector, per, latched, tiers: written, guidance: name(''), source: null }
}

/** Metrics a and b from -1000 to 1000, held for 60 s; level_pct from 0 to 110. */
export const PROFILE: Profile = {
  id: 'tank',
  name: name('tank'),
  metrics: ['a', 'b', 'level_pct'].map((id) => ({
    id,
    name: name(id),
    unit: '1',
    min: id === 'level_pct' ? 0 : -1000,
    max: id === 'level_pct' ? 110 : 1000,
    stuckAfterMs: id === 'b' ? 30_000 : null
  })),
  limits: { high: 85, high_high: 95 },
  silentAfterMs: 60_000,
  source: null
}

export interface DeviceText {
  readonly id: string
  readonly area?: string
  readonly limits?: Record<string, number>
  readonly labels?: Record<string, string>
  readonly profile?: string
}

export function plantOf(
  rules: readonly Rule[],
  devices: readonly DeviceText[] = [{ id: 'D' }],
  profiles: readonly Profile[] = [PROFILE]
): Plant {
  const areas = [...new Set(devices.flatMap(({ area }) => area ?? []))]
  return {
    hash: JSON.stringify([rules, devices, profiles]),
    enterprises: [{ id: 'e', name: name('e') }],
    sites: [{ id: 's', enterprise: 'e', name: name('s'), lat: null, lon: null }],
    areas: areas.map((id) => ({ id, site: 's', name: name(id) })),
    gateways: [{ id: 'gw', enterprise: 'e', name: name('gw'), secret: 'x' }],
    profiles,
    rules,
    devices: devices.map(
      ({ id, area, limits, labels, profile = 'tank' }): Device => ({
        id,
        name: name(id),
        profile,
        gateway: 'gw',
        area: area ?? null,
        site: 's',
        enterprise: 'e',
        labels: labels ?? {},
        limits: { ...profiles.find((one) => one.id === profile)?.limits, ...limits }
      })
    )
  }
}

/** `null` is a faulty value; a number outside the metric's range is out of range. */
export type Values = Record<string, number | null>

export interface SayOptions {
  /** Receipt in seconds; the sample's time where it is not given. */
  readonly received?: number
  readonly late?: boolean
  /** The sample's own time stamp was not believed. */
  readonly clockWrong?: boolean
}

/** An engine with its fleet, fed sample by sample; `log` grows line by line. */
export class World {
  readonly columns = new ReadingColumns(64)
  readonly events: Transition[] = []
  fleet: Fleet
  engine: Engine

  constructor(rules: readonly Rule[], devices?: readonly DeviceText[], profiles?: readonly Profile[]) {
    this.fleet = numberFleet(plantOf(rules, devices, profiles))
    this.engine = new Engine(this.fleet, EPOCH)
  }

  /** A sample of `device` at `seconds`. */
  say(seconds: number, values: Values, device = 'D', { received, late = false, clockWrong = false }: SayOptions = {}): this {
    this.columns.clear()
    this.row(seconds, values, device, late ? 0 : clockWrong ? 2 : 1)
    return this.flush(received ?? seconds)
  }

  /** Puts a sample into the record that `flush` sends. */
  row(seconds: number, values: Values, device = 'D', judged = 1): this {
    const number = this.fleet.deviceNumber.get(device) as number
    const profile = this.fleet.profiles[number] as Profile
    let head = 1
    for (const [metric, value] of Object.entries(values)) {
      const place = profile.metrics.findIndex(({ id }) => id === metric)
      const { min, max } = profile.metrics[place] as Profile['metrics'][number]
      const quality = value === null ? SENSOR_FAULT : value < min || value > max ? OUT_OF_RANGE : GOOD
      const series = (this.fleet.firstSeries[number] as number) + place
      this.columns.push(number, series, EPOCH + seconds * 1000, value ?? Number.NaN, quality, head, judged)
      head = 0
    }
    if (head === 1) this.columns.push(number, -1, EPOCH + seconds * 1000, Number.NaN, GOOD, 1, judged)
    return this
  }

  flush(received: number): this {
    this.engine.judge(this.columns, 0, this.columns.length, EPOCH + received * 1000, this.events)
    this.columns.clear()
    return this
  }

  pass(seconds: number): this {
    this.engine.advance(EPOCH + seconds * 1000, this.events)
    return this
  }

  offline(seconds: number): this {
    this.engine.presence('gw', false, EPOCH + seconds * 1000, this.events)
    return this
  }

  under(rules: readonly Rule[], seconds: number, devices?: readonly DeviceText[], profiles?: readonly Profile[]): this {
    this.fleet = numberFleet(plantOf(rules, devices, profiles))
    this.engine = this.engine.under(this.fleet, EPOCH + seconds * 1000, this.events)
    return this
  }

  /** `5 r/D clear -> yellow: level_pct 86 > 85 for 5s` */
  get log(): string[] {
    return this.events.map((event) => `${line(event)}: ${event.because}`)
  }

  /** The log without the reasons. */
  get turns(): string[] {
    return this.events.map(line)
  }
}

function line({ at, rule: id, device, area, from, to }: Transition): string {
  return `${(at - EPOCH) / 1000} ${id}/${device ?? area} ${from} -> ${to}`
}
