// The judge: readings, presence and time in, transitions out. Pure: no clock, no I/O, no chance. What comes out depends
// on the inputs alone, never on how often time was advanced between them (ticks reveal, they never decide).

import type { Transition } from '../model/alarm.ts'
import type { Fleet } from '../model/fleet.ts'
import type { ReadingColumns } from '../model/readings.ts'
import { LEVELS, type Level } from '../model/tier.ts'
import { carryOver } from './carry.ts'
import { causeGone } from './causeGone.ts'
import { type Doubt, doubts } from './doubts.ts'
import { type Explanation, explain } from './explain.ts'
import { CLOCK_RIGHT, CLOCK_WRONG } from './held.ts'
import { Lines } from './lines.ts'
import { emptyMemory, type Memory, placeOfAlarm, placeOfRule, places } from './memory.ts'
import { type EngineSnapshot, fillMemory, snapshotOf } from './snapshot.ts'
import { alarmId, type Named } from './watch.ts'

export type { EngineSnapshot } from './snapshot.ts'

export interface StandingAlarm {
  readonly id: string
  readonly rule: string
  /** Device id, or area id for a rule `per: area`. */
  readonly subject: string
  readonly level: Level
}

/** Judges one plant. Instants are epoch ms; every call's `receivedAt` or `to` is at or after the one before. */
export class Engine {
  readonly #memory: Memory
  readonly #lines: Lines
  /** Time has been advanced up to and including this instant of our clock. */
  #advancedTo: number
  /** Areas to be judged at the present instant of our clock, each once. */
  readonly #dirtyAreas = new Set<number>()

  /** An engine that has seen nothing yet; rules with problems (`compileRules`) are not judged. */
  constructor(fleet: Fleet, startAt: number) {
    this.#memory = emptyMemory(fleet)
    this.#lines = new Lines(this.#memory)
    this.#advancedTo = startAt - 1
  }

  /** Lets time pass up to and including `to`: what falls due happens at its own instant, in the order of our clock. */
  advance(to: number, out: Transition[]): void {
    this.#passTime(to, true, out)
  }

  /** Judges the samples of one record, rows `from` (inclusive) to `to` (exclusive), received at `receivedAt`. */
  judge(columns: ReadingColumns, from: number, to: number, receivedAt: number, out: Transition[]): void {
    this.#passTime(receivedAt, false, out)
    const start = out.length
    let row = from
    while (row < to) {
      const device = columns.device[row] as number
      const at = columns.at[row] as number
      let end = row + 1
      while (end < to && columns.head[end] === 0) end++
      if (columns.judged[row] === 0 || at < (this.#memory.held.lastAt[device] as number)) this.#signOfLife(device, receivedAt, out)
      else this.#sample(columns, row, end, device, at, receivedAt, out)
      row = end
    }
    inOrder(out, start)
  }

  /** A gateway came or went. Gone: what its devices said last is unknown until they report again. */
  presence(gatewayId: string, online: boolean, receivedAt: number, out: Transition[]): void {
    this.#passTime(receivedAt, false, out)
    const { fleet, held, layout } = this.#memory
    const gateway = fleet.gatewayNumber.get(gatewayId)
    if (online || gateway === undefined) return
    // Losing information turns yes and no into unknown only, which moves no latch but those that ask for it.
    const devices = held
      .forget(gateway)
      .filter((device) => this.#lines.kitOf(device).expiring.length > 0 && held.lastAt[device] !== Number.NEGATIVE_INFINITY)
    const start = out.length
    for (const device of devices) this.#lines.judgeDevice(device, receivedAt - (held.offset[device] as number), receivedAt, false, out)
    if (layout.areasOf !== null) for (const device of devices) this.#judgeAreas(device, receivedAt, receivedAt, out)
    inOrder(out, start)
  }

  /** An operator resets a latched alarm at `at` (our clock). False: not latched, not standing, or its cause is not gone. */
  reset(alarmIdText: string, at: number, out: Transition[]): boolean {
    this.#passTime(at, false, out)
    const place = placeOfAlarm(this.#memory, alarmIdText)
    if (place === null || !place.plan.latched) return false
    const { watch, firstLatch, plan, subject, named } = place
    const { watches, areaLeaves } = this.#memory
    const offset = this.#lines.offsetOf(subject, named)
    areaLeaves.lead = offset
    const start = out.length
    const done = watches.reset(watch, firstLatch, plan, this.#lines.moment(subject, at - offset, at, true), out)
    if (done && named.device !== null) this.#lines.judgeDevice(subject, at - offset, at, false, out)
    else if (done) this.#lines.judgeArea(subject, at - offset, at, false, out)
    inOrder(out, start)
    return done
  }

  /** The next instant of our clock at which something may change by itself; Infinity if nothing can. */
  nextDue(): number {
    this.#dropStale()
    return this.#memory.timers.firstKey
  }

  /** A copy of all that is known; safe to keep while the engine goes on. */
  snapshot(): EngineSnapshot {
    return snapshotOf(this.#memory, this.#advancedTo)
  }

  /** An engine exactly as it was when the snapshot was taken under the same plant. Throws where the plant is another. */
  static restore(fleet: Fleet, snapshot: EngineSnapshot): Engine {
    const engine = new Engine(fleet, snapshot.advancedTo + 1)
    fillMemory(engine.#memory, snapshot)
    engine.#lines.wakeAll()
    return engine
  }

  /**
   * The engine that goes on from `at` (our clock) under another plant. What has not changed keeps its state; changed
   * conditions are judged at once on the values held; alarms whose rule, tier or subject is gone clear.
   */
  under(fleet: Fleet, at: number, out: Transition[]): Engine {
    this.#passTime(at, false, out)
    const start = out.length
    const next = new Engine(fleet, at)
    next.#advancedTo = this.#advancedTo
    carryOver({ memory: this.#memory, lines: this.#lines }, { memory: next.#memory, lines: next.#lines }, at, out)
    inOrder(out, start)
    return next
  }

  /** The alarms that are not clear. */
  *standing(): Generator<StandingAlarm> {
    const { watches } = this.#memory
    for (const { watch, plan, named } of places(this.#memory)) {
      const level = watches.level[watch] as number
      if (level === 0) continue
      const id = alarmId(plan.rule.id, named, watches.raisedAt[watch] as number)
      yield { id, rule: plan.rule.id, subject: named.device ?? named.area ?? '', level: LEVELS[level] as Level }
    }
  }

  /** Whether a latched alarm is on whose cause is gone: it could be reset. */
  causeGone(alarmIdText: string): boolean {
    return causeGone(this.#memory, this.#lines, alarmIdText, this.#advancedTo)
  }

  /** Why a rule stands where it stands on a device or area, as far as time has been advanced; null: it does not watch it. */
  explain(rule: string, subject: Named): Explanation | null {
    const place = placeOfRule(this.#memory, rule, subject)
    return place === null ? null : explain(this.#memory, this.#lines, place, this.#advancedTo)
  }

  /** By rule, on how many of the subjects that `seen` lets pass it cannot be judged as far as time has been advanced, and why. */
  doubts(seen: (subject: Named) => boolean): Map<string, Doubt> {
    return doubts(this.#memory, this.#lines, this.#advancedTo, seen)
  }

  #sample(columns: ReadingColumns, from: number, to: number, device: number, at: number, receivedAt: number, out: Transition[]): void {
    const { held, lineDue, layout } = this.#memory
    if ((lineDue[device] as number) < at) this.#catchUp(device, at, receivedAt, out)
    const { areasOf } = layout
    if (areasOf !== null) this.#catchUpAreas(device, receivedAt - at, receivedAt, out)
    held.lastAt[device] = at
    held.offset[device] = receivedAt - at
    held.lastReceipt[device] = receivedAt
    if (held.clock !== null) held.clock[device] = columns.judged[from] === 2 ? CLOCK_WRONG : CLOCK_RIGHT
    for (let row = from; row < to; row++) {
      const series = columns.series[row] as number
      if (series >= 0) held.take(series, at, columns.value[row] as number, columns.quality[row] as number)
    }
    this.#lines.judgeDevice(device, at, receivedAt, false, out)
    if (areasOf !== null) this.#judgeAreas(device, receivedAt, receivedAt, out)
  }

  /** Something came from the device that is not judged: it is alive, nothing more. */
  #signOfLife(device: number, receivedAt: number, out: Transition[]): void {
    const { held, layout } = this.#memory
    held.lastReceipt[device] = receivedAt
    if (this.#lines.kitOf(device).silentMs.length === 0) return
    this.#lines.judgeDevice(device, receivedAt - (held.offset[device] as number), receivedAt, false, out)
    if (layout.areasOf !== null) this.#judgeAreas(device, receivedAt, receivedAt, out)
  }

  /** A reading moves the device's line to `before`: what is due on the way happens first, each at its own instant. */
  #catchUp(device: number, before: number, receivedAt: number, out: Transition[]): void {
    const { held, lineDue, layout } = this.#memory
    const { timed } = this.#lines.kitOf(device)
    for (let due = lineDue[device] as number; due < before; due = lineDue[device] as number) {
      held.offset[device] = receivedAt - due
      // Silence is counted by our clock, on which the reading has come already: just before it.
      this.#lines.judgeDevice(device, due, receivedAt - 1, true, out)
      if (timed && layout.areasOf !== null) this.#judgeAreas(device, receivedAt, receivedAt - 1, out)
    }
  }

  /** The device's line is about to stand at our clock minus `offset`: delays of its areas run out first. */
  #catchUpAreas(device: number, offset: number, receivedAt: number, out: Transition[]): void {
    const { held, layout, areaDue } = this.#memory
    const { first, area: areaOf } = layout.areasOf as NonNullable<typeof layout.areasOf>
    for (let i = first[device] as number; i < (first[device + 1] as number); i++) {
      const area = areaOf[i] as number
      if (areaDue[area] === Number.POSITIVE_INFINITY) continue
      const [lastAt, before] = [held.lastAt[device] as number, held.offset[device] as number]
      held.lastAt[device] = receivedAt - offset
      held.offset[device] = offset
      const line = receivedAt - this.#lines.areaOffset(area)
      held.lastAt[device] = lastAt
      held.offset[device] = before
      this.#lines.catchUpArea(area, line, receivedAt - 1, out)
    }
  }

  /** Judges the areas of a device where their lines stand when our clock stands at `now`. */
  #judgeAreas(device: number, now: number, clock: number, out: Transition[]): void {
    const { first, area: areaOf } = this.#memory.layout.areasOf as NonNullable<Memory['layout']['areasOf']>
    for (let i = first[device] as number; i < (first[device + 1] as number); i++) {
      const area = areaOf[i] as number
      const line = now - this.#lines.areaOffset(area)
      this.#lines.catchUpArea(area, line, clock, out)
      this.#lines.judgeArea(area, line, clock, false, out)
    }
  }

  #passTime(to: number, inclusive: boolean, out: Transition[]): void {
    const { timers } = this.#memory
    for (let now = timers.firstKey; now < to || (inclusive && now === to && now !== Number.POSITIVE_INFINITY); now = timers.firstKey) {
      const start = out.length
      while (timers.firstKey === now) this.#due(timers.take(), now, out)
      for (const area of this.#dirtyAreas) this.#areaAt(area, now, out)
      this.#dirtyAreas.clear()
      inOrder(out, start)
    }
    this.#advancedTo = Math.max(this.#advancedTo, inclusive ? to : to - 1)
  }

  /** A subject has come up at `now` of our clock: judges it if it is due, or puts it back where it is due later. */
  #due(subject: number, now: number, out: Transition[]): void {
    const { fleet, timers, held, lineDue, layout } = this.#memory
    const area = subject - fleet.devices.length
    if (area >= 0) {
      const due = this.#lines.areaDueByClock(area)
      if (due > now) timers.wake(subject, due)
      else this.#dirtyAreas.add(area)
      return
    }
    const due = this.#lines.deviceDue(subject)
    if (due > now) {
      timers.wake(subject, due)
      return
    }
    const offset = held.offset[subject] as number
    const onLine = lineDue[subject] as number
    this.#lines.judgeDevice(subject, onLine + offset <= now ? onLine : now - offset, now, true, out)
    if (layout.areasOf !== null && this.#lines.kitOf(subject).timed) {
      for (let i = layout.areasOf.first[subject] as number; i < (layout.areasOf.first[subject + 1] as number); i++) {
        this.#dirtyAreas.add(layout.areasOf.area[i] as number)
      }
    }
  }

  #areaAt(area: number, now: number, out: Transition[]): void {
    const due = this.#memory.areaDue[area] as number
    const offset = this.#lines.areaOffset(area)
    this.#lines.judgeArea(area, due + offset <= now ? due : now - offset, now, true, out)
  }

  /** Puts back what comes up too early, until the first key is a true due instant. */
  #dropStale(): void {
    const { timers, fleet } = this.#memory
    for (let subject = timers.first; subject >= 0; subject = timers.first) {
      const area = subject - fleet.devices.length
      const due = area >= 0 ? this.#lines.areaDueByClock(area) : this.#lines.deviceDue(subject)
      if (due <= timers.firstKey) return
      timers.take()
      timers.wake(subject, due)
    }
  }
}

/** Events from `start` on, by instant, rule id, subject id (contract 5). */
function inOrder(events: Transition[], start: number): void {
  if (events.length - start < 2) return
  const sorted = events.slice(start).sort(byInstantRuleSubject)
  for (let i = 0; i < sorted.length; i++) events[start + i] = sorted[i] as Transition
}

function byInstantRuleSubject(a: Transition, b: Transition): number {
  if (a.at !== b.at) return a.at - b.at
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1
  const [subjectA, subjectB] = [a.device ?? a.area ?? '', b.device ?? b.area ?? '']
  return subjectA === subjectB ? 0 : subjectA < subjectB ? -1 : 1
}
