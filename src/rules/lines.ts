// The time lines of devices and areas: judges one of them at an instant of its line and knows when it must be looked at
// again. An area's line is the latest of its members'; members that never reported have no line yet.

import type { Transition } from '../model/alarm.ts'
import { HELD } from './held.ts'
import type { BoundKit, Memory } from './memory.ts'
import type { Moment, Named, Plan } from './watch.ts'
import type { Ring } from './windows.ts'

export class Lines {
  readonly #memory: Memory
  readonly #devices: number
  readonly #moment: Moment = { subject: 0, at: 0, clock: 0, byTime: false }

  constructor(memory: Memory) {
    this.#memory = memory
    this.#devices = memory.fleet.devices.length
  }

  /** The one moment of this engine, set. */
  moment(subject: number, at: number, clock: number, byTime: boolean): Moment {
    const moment = this.#moment
    moment.subject = subject
    moment.at = at
    moment.clock = clock
    moment.byTime = byTime
    return moment
  }

  kitOf(device: number): BoundKit {
    return this.#memory.kits[this.#memory.layout.kitOf[device] as number] as BoundKit
  }

  /** Judges every watch of a device at `at` of its line, our clock standing at `clock`; `byTime`: see `Moment`. */
  judgeDevice(device: number, at: number, clock: number, byTime: boolean, out: Transition[]): void {
    const { layout, watches, lineDue, held } = this.#memory
    const kit = this.kitOf(device)
    let watch = layout.firstWatch[device] as number
    let latch = layout.firstLatch[device] as number
    let due = Number.POSITIVE_INFINITY
    const moment = this.moment(device, at, clock, byTime)
    for (let i = 0; i < kit.plans.length; i++) {
      const plan = kit.plans[i] as Plan
      const runsOut = watches.judge(watch, latch, plan, moment, out)
      if (runsOut < due) due = runsOut
      watch++
      latch += plan.tiers.length
    }
    if (kit.timed) due = Math.min(due, this.#changesAt(kit, device, at))
    lineDue[device] = due
    if (kit.silentMs.length > 0) this.#awaitSilence(kit, device, clock)
    else if (due !== Number.POSITIVE_INFINITY) this.#memory.timers.wake(device, due + (held.offset[device] as number))
  }

  /** The next instant of our clock at which the device must be looked at. */
  deviceDue(device: number): number {
    const { lineDue, clockDue, held } = this.#memory
    return Math.min((lineDue[device] as number) + (held.offset[device] as number), clockDue[device] as number)
  }

  judgeArea(area: number, at: number, clock: number, byTime: boolean, out: Transition[]): void {
    const { layout, areaPlans, watches, areaDue, areaLeaves, timers } = this.#memory
    areaLeaves.lead = this.areaOffset(area)
    const watch = layout.deviceWatches + area
    const due = watches.judge(
      watch,
      layout.areaFirstLatch[area] as number,
      areaPlans[area] as Plan,
      this.moment(area, at, clock, byTime),
      out
    )
    areaDue[area] = due
    timers.wake(this.#devices + area, due + areaLeaves.lead)
  }

  areaDueByClock(area: number): number {
    return (this.#memory.areaDue[area] as number) + this.areaOffset(area)
  }

  /** Our clock minus the subject's line: of a device, or of an area watch. */
  offsetOf(subject: number, named: Named): number {
    return named.device === null ? this.areaOffset(subject) : (this.#memory.held.offset[subject] as number)
  }

  /** Our clock minus the area's line. */
  areaOffset(area: number): number {
    const { layout, held } = this.#memory
    const { first, device } = layout.members
    let least = Number.POSITIVE_INFINITY
    for (let i = first[area] as number; i < (first[area + 1] as number); i++) {
      const member = device[i] as number
      if (held.lastAt[member] === Number.NEGATIVE_INFINITY) continue
      const offset = held.offset[member] as number
      if (offset < least) least = offset
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  /** Lets every delay of the area run out that is due on its line before `at`. */
  catchUpArea(area: number, before: number, clock: number, out: Transition[]): void {
    const { areaDue } = this.#memory
    for (let due = areaDue[area] as number; due < before; due = areaDue[area] as number) this.judgeArea(area, due, clock, true, out)
  }

  /** Schedules a device or area again after the arrays were filled from elsewhere. */
  wakeAll(): void {
    for (let device = 0; device < this.#devices; device++) this.#memory.timers.wake(device, this.deviceDue(device))
    for (let area = 0; area < this.#memory.areaDue.length; area++) {
      this.#memory.timers.wake(this.#devices + area, this.areaDueByClock(area))
    }
  }

  /** Notes when the next silence of the device runs out. */
  #awaitSilence(kit: BoundKit, device: number, clock: number): void {
    const { held, clockDue, timers } = this.#memory
    const received = held.lastReceipt[device] as number
    let next = Number.POSITIVE_INFINITY
    for (const windowMs of kit.silentMs) {
      if (received + windowMs > clock) {
        next = received + windowMs
        break
      }
    }
    clockDue[device] = next
    timers.wake(device, this.deviceDue(device))
  }

  /** When delta, rate or stuck of the device next change by themselves, or a value that is missed is held no longer. */
  #changesAt(kit: BoundKit, device: number, at: number): number {
    const { held } = this.#memory
    const first = held.firstSeries[device] as number
    let next = Number.POSITIVE_INFINITY
    const consider = (series: number, due: number): void => {
      const heldUntil = (held.valueAt[series] as number) + kit.profile.silentAfterMs
      if (due > at && due < next && due <= heldUntil && held.state[series] === HELD) next = due
    }
    for (const { place, windowMs } of kit.sliding) {
      const ring = held.rings.get(first + place) as Ring
      const leaving = ring.countUpTo(at - windowMs)
      if (leaving < ring.count) consider(first + place, ring.at(leaving) + windowMs)
    }
    for (const { place, windowMs } of kit.stuck) {
      consider(first + place, (held.steadySince?.[first + place] ?? Number.NaN) + windowMs)
    }
    for (const place of kit.expiring) {
      const unknownAt = (held.valueAt[first + place] as number) + kit.profile.silentAfterMs + 1
      if (unknownAt > at && unknownAt < next && held.state[first + place] === HELD) next = unknownAt
    }
    return next
  }
}
