// Everything an engine knows, for one fleet: held values, lines, latches, due instants. Built from the plant alone.

import type { Fleet } from '../model/fleet.ts'
import { AreaLeaves } from './areaLeaves.ts'
import { compileRules } from './compile.ts'
import { DeviceLeaves } from './deviceLeaves.ts'
import { Held } from './held.ts'
import { type Kit, type Layout, layOut, needsOf } from './layout.ts'
import { limitRows } from './limitRows.ts'
import { Timers } from './timers.ts'
import { Binder } from './truth.ts'
import { type Named, type Plan, planOf, Watches } from './watch.ts'

/** A kit with its rules bound. */
export interface BoundKit extends Kit {
  readonly plans: readonly Plan[]
  /** Whether anything about the device changes as time passes, apart from running delays. */
  readonly timed: boolean
}

export interface Memory {
  readonly fleet: Fleet
  readonly layout: Layout
  readonly held: Held
  readonly kits: readonly BoundKit[]
  /** The plan of each area watch. */
  readonly areaPlans: readonly Plan[]
  readonly areaLeaves: AreaLeaves
  readonly watches: Watches
  readonly timers: Timers
  /** Next due instant on each device's line; Infinity for none. */
  readonly lineDue: Float64Array
  /** Next instant of our clock at which a silence of the device runs out. */
  readonly clockDue: Float64Array
  /** Next due instant on each area's line. */
  readonly areaDue: Float64Array
}

export function emptyMemory(fleet: Fleet): Memory {
  const layout = layOut(fleet, compileRules(fleet).rules)
  const held = new Held(fleet, needsOf(fleet, layout))
  const limits = limitRows(fleet)
  const { profiles } = fleet.plant
  const binders = profiles.map((profile) => new Binder(new DeviceLeaves(held, limits, profile)))
  const profileNumber = new Map(profiles.map((profile, number) => [profile, number]))
  const profileOf = Int32Array.from(fleet.profiles, (profile) => profileNumber.get(profile) as number)
  const kits = layout.kits.map((kit): BoundKit => {
    const binder = binders[profileNumber.get(kit.profile) as number] as Binder
    const timed = kit.sliding.length + kit.stuck.length + kit.silentMs.length + kit.expiring.length > 0
    return { ...kit, plans: kit.rules.map((rule) => planOf(layout.rules[rule] as (typeof layout.rules)[number], binder)), timed }
  })
  const areaLeaves = new AreaLeaves(held, layout.members, binders, profileOf)
  const areaBinder = new Binder(areaLeaves)
  const planOfRule = new Map<number, Plan>()
  const areaPlans = layout.areas.map(({ rule }) => {
    const plan = planOfRule.get(rule) ?? planOf(layout.rules[rule] as (typeof layout.rules)[number], areaBinder)
    planOfRule.set(rule, plan)
    return plan
  })
  const devices = fleet.devices.length
  return {
    fleet,
    layout,
    held,
    kits,
    areaPlans,
    areaLeaves,
    watches: new Watches(layout.watches, layout.latches, (watch, subject) => nameOf(fleet, layout, watch, subject)),
    timers: new Timers(devices + layout.areas.length),
    lineDue: new Float64Array(devices).fill(Number.POSITIVE_INFINITY),
    clockDue: new Float64Array(devices).fill(Number.POSITIVE_INFINITY),
    areaDue: new Float64Array(layout.areas.length).fill(Number.POSITIVE_INFINITY)
  }
}

function nameOf(fleet: Fleet, layout: Layout, watch: number, subject: number): Named {
  if (watch < layout.deviceWatches) return { device: fleet.devices[subject]?.id ?? null, area: null }
  return { device: null, area: layout.areas[subject]?.area ?? null }
}

/** A watch with all that is needed to judge it. */
export interface Place {
  readonly watch: number
  readonly firstLatch: number
  readonly plan: Plan
  /** Device number, or area watch number. */
  readonly subject: number
  readonly named: Named
}

/** Every watch: first of the devices in their order, then of the areas. */
export function* places({ fleet, layout, kits, areaPlans }: Memory): Generator<Place> {
  for (let device = 0; device < fleet.devices.length; device++) {
    let watch = layout.firstWatch[device] as number
    let firstLatch = layout.firstLatch[device] as number
    for (const plan of (kits[layout.kitOf[device] as number] as BoundKit).plans) {
      yield { watch, firstLatch, plan, subject: device, named: nameOf(fleet, layout, watch, device) }
      watch++
      firstLatch += plan.tiers.length
    }
  }
  for (const [area, plan] of areaPlans.entries()) {
    const watch = layout.deviceWatches + area
    yield { watch, firstLatch: layout.areaFirstLatch[area] as number, plan, subject: area, named: nameOf(fleet, layout, watch, area) }
  }
}

/** The watch of an alarm id, or null where the id names none that is standing. */
export function placeOfAlarm(memory: Memory, id: string): Place | null {
  const parts = /^([^/]+)\/([^#]+)#(-?\d+)$/.exec(id)
  if (parts === null) return null
  const [, rule, subject, raisedAt] = parts as unknown as [string, string, string, string]
  const place = placeOfRule(memory, rule, { device: null, area: subject }) ?? placeOfRule(memory, rule, { device: subject, area: null })
  if (place === null) return null
  const { level, raisedAt: raised } = memory.watches
  return level[place.watch] !== 0 && raised[place.watch] === Number(raisedAt) ? place : null
}

/** The watch of a rule on a device or area, or null where the rule does not watch it. */
export function placeOfRule(memory: Memory, rule: string, { device: id, area: areaId }: Named): Place | null {
  const { fleet, layout, kits, areaPlans } = memory
  if (id === null) {
    const area = areaPlans.findIndex((plan, number) => plan.rule.id === rule && layout.areas[number]?.area === areaId)
    if (area < 0) return null
    const watch = layout.deviceWatches + area
    const firstLatch = layout.areaFirstLatch[area] as number
    return { watch, firstLatch, plan: areaPlans[area] as Plan, subject: area, named: nameOf(fleet, layout, watch, area) }
  }
  const device = fleet.deviceNumber.get(id)
  if (device === undefined) return null
  const { plans } = kits[layout.kitOf[device] as number] as BoundKit
  let firstLatch = layout.firstLatch[device] as number
  for (const [index, plan] of plans.entries()) {
    const watch = (layout.firstWatch[device] as number) + index
    if (plan.rule.id === rule) return { watch, firstLatch, plan, subject: device, named: nameOf(fleet, layout, watch, device) }
    firstLatch += plan.tiers.length
  }
  return null
}
