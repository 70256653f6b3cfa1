// From one plant to the next: what has not changed keeps its state, by device id, metric id, rule id and tier.
// Invariant: an alarm that stood before either stands after or has left a transition.

import type { Transition } from '../model/alarm.ts'
import type { Profile } from '../model/plant.ts'
import { CLOCK_UNKNOWN } from './held.ts'
import type { Lines } from './lines.ts'
import { type Memory, type Place, places } from './memory.ts'

const REMOVED = 'rule removed'

interface Side {
  readonly memory: Memory
  readonly lines: Lines
}

/** Fills `next`, an empty memory under the new plant, from `old` at `at` (our clock). */
export function carryOver(old: Side, next: Side, at: number, out: Transition[]): void {
  carryHeld(old.memory, next.memory)
  const left = new Map<string, Place>()
  for (const place of places(old.memory)) left.set(keyOf(place), place)
  const changedDevices = new Set<number>()
  const changedAreas = new Set<number>()
  const sameSubject = subjectComparison(old.memory, next.memory)
  for (const place of places(next.memory)) {
    const before = left.get(keyOf(place))
    left.delete(keyOf(place))
    const same = before !== undefined && carryWatch(old.memory, next.memory, before, place, sameSubject(before, place))
    if (before !== undefined) settleLevel(next.memory, place, at - next.lines.offsetOf(place.subject, place.named), out)
    if (!same) (place.named.device === null ? changedAreas : changedDevices).add(place.subject)
  }
  for (const place of left.values()) {
    if (old.memory.watches.level[place.watch] === 0) continue
    const line = at - old.lines.offsetOf(place.subject, place.named)
    old.memory.watches.change(place.watch, place.plan.rule, place.named, 0, line, REMOVED, out)
  }
  findDue(next, at)
  judgeChanged(next, changedDevices, changedAreas, at, out)
}

/** Lines and held values, by device and metric. A device under another profile starts anew, but keeps its line. */
function carryHeld({ fleet: from, held: old }: Memory, { fleet: to, held }: Memory): void {
  for (const [number, device] of to.devices.entries()) {
    const before = from.deviceNumber.get(device.id)
    if (before === undefined) continue
    held.lastAt[number] = old.lastAt[before] as number
    held.offset[number] = old.offset[before] as number
    held.lastReceipt[number] = old.lastReceipt[before] as number
    if (held.clock !== null) held.clock[number] = old.clock?.[before] ?? CLOCK_UNKNOWN
    if (from.devices[before]?.profile !== device.profile) continue
    const oldPlaces = from.metricPlace.get(device.profile)
    for (const [metric, place] of to.metricPlace.get(device.profile) ?? []) {
      const oldPlace = oldPlaces?.get(metric)
      if (oldPlace === undefined) continue
      carrySeries(old, (old.firstSeries[before] as number) + oldPlace, held, (held.firstSeries[number] as number) + place)
    }
  }
}

function carrySeries(old: Memory['held'], from: number, held: Memory['held'], to: number): void {
  held.value[to] = old.value[from] as number
  held.valueAt[to] = old.valueAt[from] as number
  held.state[to] = old.state[from] as number
  if (held.steadyValue !== null && held.steadySince !== null) {
    held.steadyValue[to] = old.steadyValue?.[from] ?? (old.value[from] as number)
    held.steadySince[to] = old.steadySince?.[from] ?? (old.valueAt[from] as number)
  }
  const ring = held.rings.get(to)
  const oldRing = old.rings.get(from)
  if (ring === undefined) return
  if (oldRing === undefined) {
    if (old.valueAt[from] !== Number.NEGATIVE_INFINITY) ring.push(old.valueAt[from] as number, old.value[from] as number)
    return
  }
  for (let i = 0; i < oldRing.count; i++) ring.push(oldRing.at(i), oldRing.value(i))
}

/** Takes the latches over, tier by tier; true where the watch judges exactly as before. */
function carryWatch(old: Memory, next: Memory, before: Place, place: Place, sameSubject: boolean): boolean {
  const [from, to] = [old.watches, next.watches]
  to.level[place.watch] = from.level[before.watch] as number
  to.raisedAt[place.watch] = from.raisedAt[before.watch] as number
  to.eventAt[place.watch] = from.eventAt[before.watch] as number
  let same = sameSubject && before.plan.tiers.length === place.plan.tiers.length
  for (const [index, tier] of place.plan.tiers.entries()) {
    const oldIndex = before.plan.tiers.findIndex(({ rank }) => rank === tier.rank)
    if (oldIndex < 0) {
      same = false
      continue
    }
    const [oldLatch, latch] = [before.firstLatch + oldIndex, place.firstLatch + index]
    to.latches.state[latch] = from.latches.state[oldLatch] as number
    to.latches.pulledSince[latch] = from.latches.pulledSince[oldLatch] as number
    to.latches.turnedAt[latch] = from.latches.turnedAt[oldLatch] as number
    if (tierText(before, oldIndex) === tierText(place, index) && same) continue
    same = false
    to.latches.release(latch)
  }
  return same
}

function tierText({ plan }: Place, index: number): string {
  const { tier } = plan.tiers[index]?.compiled ?? {}
  return JSON.stringify([plan.latched, plan.rule.degrade, plan.rule.tiers.find((source) => source.tier === tier)])
}

/** Whether two subjects are the same in all that conditions can see: profile, limits, members. */
function subjectComparison(old: Memory, next: Memory): (before: Place, place: Place) => boolean {
  const profileTexts = new Map<Profile, string>()
  const profileText = (profile: Profile): string => {
    let text = profileTexts.get(profile)
    if (text === undefined) profileTexts.set(profile, (text = JSON.stringify([profile.id, profile.metrics, profile.silentAfterMs])))
    return text
  }
  const sameDevice = (before: number, after: number): boolean => {
    const [a, b] = [old.fleet.devices[before], next.fleet.devices[after]]
    if (a === undefined || b === undefined || a.id !== b.id) return false
    if (profileText(old.fleet.profiles[before] as Profile) !== profileText(next.fleet.profiles[after] as Profile)) return false
    return a.limits === b.limits || JSON.stringify(a.limits) === JSON.stringify(b.limits)
  }
  return (before, place) => {
    if (place.named.device !== null) return sameDevice(before.subject, place.subject)
    const [from, to] = [membersOf(old, before.subject), membersOf(next, place.subject)]
    return from.length === to.length && from.every((member, index) => sameDevice(member, to[index] as number))
  }
}

function membersOf({ layout }: Memory, area: number): Int32Array {
  return layout.members.device.subarray(layout.members.first[area], layout.members.first[area + 1])
}

/** Where the tier that an alarm had is gone, it falls to the highest that is still on. */
function settleLevel(next: Memory, place: Place, at: number, out: Transition[]): void {
  const { watches } = next
  const rank = watches.topRank(place.firstLatch, place.plan)
  if (rank === watches.level[place.watch]) return
  watches.change(place.watch, place.plan.rule, place.named, rank, at, REMOVED, out)
}

/** The due instants of the delays that were running. */
function findDue({ memory, lines }: Side, at: number): void {
  const { latches } = memory.watches
  for (const { plan, firstLatch, subject, named } of places(memory)) {
    const due = named.device === null ? memory.areaDue : memory.lineDue
    for (const [index, tier] of plan.tiers.entries()) {
      const latch = firstLatch + index
      if (!latches.isPulled(latch)) continue
      const on = latches.isOn(latch)
      const runsOut = (latches.pulledSince[latch] as number) + (on ? tier.clearForMs : tier.forMs)
      // What fell due before, while its condition was unknown, waits for the next reading.
      if (runsOut < at - lines.offsetOf(subject, named) || (on && plan.latched)) continue
      due[subject] = Math.min(due[subject] as number, runsOut)
    }
  }
}

/** Judges what has changed at once on the values held. */
function judgeChanged(
  { memory, lines }: Side,
  devices: ReadonlySet<number>,
  areas: ReadonlySet<number>,
  at: number,
  out: Transition[]
): void {
  const { held, fleet } = memory
  for (let device = 0; device < fleet.devices.length; device++) {
    if (held.lastAt[device] === Number.NEGATIVE_INFINITY) continue
    if (!devices.has(device) && !lines.kitOf(device).timed) continue
    lines.judgeDevice(device, at - (held.offset[device] as number), at, false, out)
  }
  for (const area of areas) lines.judgeArea(area, at - lines.areaOffset(area), at, false, out)
  lines.wakeAll()
}

/** A shadow rule that becomes a real one, or the other way round, is another rule: what stood in the one was never told in the other. */
function keyOf({ plan, named }: Place): string {
  return `${plan.rule.shadow === true ? 'shadow ' : ''}${plan.rule.id} ${named.device === null ? 'area' : 'device'} ${named.device ?? named.area}`
}
