// Who is judged by what, in numbers: devices with the same profile and rules share one kit; an area alarm is one rule in
// one area. Watches (one rule for one subject) and latches (one tier of a watch) are numbered: first all device watches
// in device order, then the area watches.

import type { Fleet } from '../model/fleet.ts'
import type { Profile } from '../model/plant.ts'
import type { CompiledRule } from './compiled.ts'
import { stuckWindow } from './deviceLeaves.ts'
import type { Needs } from './held.ts'
import { walk } from './tree.ts'

/** A metric's place in the profile and a window over it. */
export interface LookBack {
  readonly place: number
  readonly windowMs: number
}

/** What devices of one profile under the same rules have in common. */
export interface Kit {
  readonly profile: Profile
  /** Judged per device; indices into the compiled rules. */
  readonly rules: readonly number[]
  /** Windows of every function that looks back, for the rings. */
  readonly windows: readonly LookBack[]
  /** Of these, the ones whose value changes as time passes: delta and rate. */
  readonly sliding: readonly LookBack[]
  readonly stuck: readonly LookBack[]
  /** Windows of silent(), ascending. */
  readonly silentMs: readonly number[]
  /** Whether a rule asks about the device's clock. */
  readonly clock: boolean
  /** Places of the metrics that decide something by becoming unknown: for states, and for votes that degrade. */
  readonly expiring: readonly number[]
}

export interface AreaWatch {
  readonly rule: number
  readonly area: string
}

export interface Layout {
  readonly rules: readonly CompiledRule[]
  readonly kits: readonly Kit[]
  readonly kitOf: Int32Array
  readonly firstWatch: Int32Array
  readonly firstLatch: Int32Array
  readonly areas: readonly AreaWatch[]
  /** The member devices of each area watch. */
  readonly members: { readonly first: Int32Array; readonly device: Int32Array }
  /** The area watches of each device. */
  readonly areasOf: { readonly first: Int32Array; readonly area: Int32Array } | null
  readonly areaFirstLatch: Int32Array
  readonly deviceWatches: number
  readonly watches: number
  readonly latches: number
}

export function layOut(fleet: Fleet, rules: readonly CompiledRule[]): Layout {
  const devices = fleet.devices.length
  const { kits, kitOf } = kitsOf(fleet, rules)
  const firstWatch = new Int32Array(devices + 1)
  const firstLatch = new Int32Array(devices + 1)
  const latchesOfKit = kits.map((kit) => kit.rules.reduce((sum, rule) => sum + (rules[rule] as CompiledRule).tiers.length, 0))
  for (let device = 0; device < devices; device++) {
    const kit = kitOf[device] as number
    firstWatch[device + 1] = (firstWatch[device] as number) + (kits[kit] as Kit).rules.length
    firstLatch[device + 1] = (firstLatch[device] as number) + (latchesOfKit[kit] as number)
  }
  const { areas, lists } = areasOf(fleet, rules)
  const areaFirstLatch = new Int32Array(areas.length + 1)
  areaFirstLatch[0] = firstLatch[devices] as number
  for (const [number, { rule }] of areas.entries()) {
    areaFirstLatch[number + 1] = (areaFirstLatch[number] as number) + (rules[rule] as CompiledRule).tiers.length
  }
  const deviceWatches = firstWatch[devices] as number
  return {
    rules,
    kits,
    kitOf,
    firstWatch,
    firstLatch,
    areas,
    members: rows(lists),
    areasOf: areas.length === 0 ? null : inverted(lists, devices),
    areaFirstLatch,
    deviceWatches,
    watches: deviceWatches + areas.length,
    latches: areaFirstLatch[areas.length] as number
  }
}

/** The windows each series needs. */
export function needsOf(fleet: Fleet, { kits, kitOf }: Layout): Needs {
  const stuck = kits.some((kit) => kit.stuck.length > 0)
  const clock = kits.some((kit) => kit.clock)
  if (!kits.some((kit) => kit.windows.length > 0)) return { windowMs: null, stuck, clock }
  const windowMs = new Float64Array(fleet.seriesCount)
  for (let device = 0; device < kitOf.length; device++) {
    for (const { place, windowMs: window } of (kits[kitOf[device] as number] as Kit).windows) {
      const series = (fleet.firstSeries[device] as number) + place
      windowMs[series] = Math.max(windowMs[series] as number, window)
    }
  }
  return { windowMs, stuck, clock }
}

function kitsOf(fleet: Fleet, rules: readonly CompiledRule[]): { kits: Kit[]; kitOf: Int32Array } {
  const devices = fleet.devices.length
  const keys = fleet.devices.map(({ profile }) => profile)
  for (const [number, { devices: selected }] of rules.entries()) for (const device of selected) keys[device] += ` ${number}`
  const kits: Kit[] = []
  const kitOf = new Int32Array(devices)
  const numberOf = new Map<string, number>()
  for (let device = 0; device < devices; device++) {
    const key = keys[device] as string
    let number = numberOf.get(key)
    if (number === undefined) {
      number = kits.length
      numberOf.set(key, number)
      kits.push(kitFor(fleet, fleet.profiles[device] as Profile, rules, key.split(' ').slice(1).map(Number)))
    }
    kitOf[device] = number
  }
  return { kits, kitOf }
}

function kitFor(fleet: Fleet, profile: Profile, rules: readonly CompiledRule[], numbers: readonly number[]): Kit {
  const windows: LookBack[] = []
  const sliding: LookBack[] = []
  const stuck: LookBack[] = []
  const silentMs = new Set<number>()
  let clock = false
  const expiring = new Set<number>()
  const placeOf = (metric: string): number => fleet.metricPlace.get(profile.id)?.get(metric) ?? -1
  for (const tier of numbers.flatMap((number) => (rules[number] as CompiledRule).tiers)) {
    for (const condition of [tier.when, tier.clear]) {
      walk(condition, (node) => {
        if (node.kind === 'clockWrong') clock = true
        if (node.kind === 'silent') silentMs.add(node.windowMs)
        if (node.kind === 'notSurely' || (node.kind === 'voted' && node.degrade !== undefined)) {
          walk(node, (inside) => void (inside.kind === 'metric' && expiring.add(placeOf(inside.name))))
        }
        if (node.kind === 'stuck') stuck.push({ place: placeOf(node.metric.name), windowMs: stuckWindow(node, profile) })
        if (node.kind !== 'window') return
        const lookBack = { place: placeOf(node.metric.name), windowMs: node.windowMs }
        windows.push(lookBack)
        if (node.name === 'delta' || node.name === 'rate') sliding.push(lookBack)
      })
    }
  }
  const perDevice = numbers.filter((number) => (rules[number] as CompiledRule).rule.per === 'device')
  return {
    profile,
    rules: perDevice,
    windows: distinct(windows),
    sliding: distinct(sliding),
    stuck: distinct(stuck),
    silentMs: [...silentMs].sort((a, b) => a - b),
    clock,
    expiring: [...expiring]
  }
}

function distinct(lookBacks: readonly LookBack[]): LookBack[] {
  return [...new Map(lookBacks.map((lookBack) => [`${lookBack.place} ${lookBack.windowMs}`, lookBack])).values()]
}

/** One watch for every rule `per: area` and area with members, in the order of rules, then of first members. */
function areasOf(fleet: Fleet, rules: readonly CompiledRule[]): { areas: AreaWatch[]; lists: number[][] } {
  const areas: AreaWatch[] = []
  const lists: number[][] = []
  for (const [rule, { rule: source, devices }] of rules.entries()) {
    if (source.per !== 'area') continue
    const listOf = new Map<string, number[]>()
    for (const device of devices) {
      const area = fleet.devices[device]?.area as string
      const list = listOf.get(area)
      if (list !== undefined) list.push(device)
      else {
        const started = [device]
        listOf.set(area, started)
        areas.push({ rule, area })
        lists.push(started)
      }
    }
  }
  return { areas, lists }
}

function rows(lists: readonly (readonly number[])[]): { first: Int32Array; device: Int32Array } {
  const first = new Int32Array(lists.length + 1)
  for (const [number, list] of lists.entries()) first[number + 1] = (first[number] as number) + list.length
  return { first, device: Int32Array.from(lists.flat()) }
}

function inverted(lists: readonly (readonly number[])[], devices: number): { first: Int32Array; area: Int32Array } {
  const first = new Int32Array(devices + 1)
  for (const list of lists) for (const device of list) first[device + 1] = (first[device + 1] as number) + 1
  for (let device = 0; device < devices; device++) first[device + 1] = (first[device + 1] as number) + (first[device] as number)
  const next = first.slice()
  const area = new Int32Array(first[devices] as number)
  for (const [number, list] of lists.entries()) {
    for (const device of list) area[(next[device] as number)++] = number
  }
  return { first, area }
}
