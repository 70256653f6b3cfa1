// Drills as they go on: each climbs its own ladder until somebody acknowledges it or the last rung has been called in vain.
// Stage of the pipeline: pure, its time is given to it. Apart from everything else: what a drill does moves no alarm, counts
// nowhere, and neither groups, throttles nor floods what is real.

import { type DrillAsked, type DrillOutcome, type DrillTurn, drillId, isDrillId } from '../model/drill.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import type { DeliveryReport, PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import { LIMITS } from '../platform/limits.ts'
import { plainText } from '../store/text.ts'
import { type DrillPlan, drillAlarm, planOfDrill } from './drillPlan.ts'
import { nextDrills, type ScheduledDrills } from './drillSchedule.ts'
import { CALM } from './floodWatch.ts'
import { Ladder, type LadderSnapshot } from './ladder.ts'

interface Running {
  readonly id: string
  readonly at: number
  readonly asked: DrillAsked
  readonly ladder: Ladder
  plan: DrillPlan
  /** When it ends unanswered; null: calls are still to come. */
  endsAt: number | null
}

export interface DrillingSnapshot {
  readonly running: readonly (Pick<Running, 'id' | 'at' | 'asked' | 'endsAt'> & { readonly ladder: LadderSnapshot })[]
  /** Drills of the schedules up to this instant of our clock have been begun. */
  readonly begunTo: number
}

/** What a drill causes. */
export interface DrillEffects {
  readonly notifications: PlannedNotification[]
  readonly drills: DrillTurn[]
}

export class Drilling {
  #plant: Plant
  readonly #running = new Map<string, Running>()
  #begunTo: number
  #next: ScheduledDrills | null

  /** The schedules of the plant begin behind `after`, an instant of our clock. */
  constructor(plant: Plant, after: number) {
    this.#plant = plant
    this.#begunTo = after
    this.#next = nextDrills(plant.duty?.drills ?? [], after)
  }

  static restore(plant: Plant, { running, begunTo }: DrillingSnapshot): Drilling {
    const drilling = new Drilling(plant, begunTo)
    for (const { ladder, ...one } of running) {
      const plan = planOfDrill(plant, one.id, one.asked)
      drilling.#running.set(one.id, { ...one, plan, ladder: Ladder.restore(plan.plant, ladder, CALM, plan.messages) })
    }
    return drilling
  }

  snapshot(): DrillingSnapshot {
    const running = [...this.#running.values()].map(({ id, at, asked, endsAt, ladder }) => {
      return { id, at, asked, endsAt, ladder: ladder.snapshot() }
    })
    return { running, begunTo: this.#begunTo }
  }

  /** Goes on under another plant from `clock` on: the rungs still to come are those of the new one. */
  under(plant: Plant, clock: number): void {
    this.#plant = plant
    this.#begunTo = Math.max(this.#begunTo, clock - 1)
    this.#next = nextDrills(plant.duty?.drills ?? [], this.#begunTo)
    for (const one of this.#running.values()) {
      one.plan = planOfDrill(plant, one.id, one.asked)
      one.ladder.under(one.plan.plant, one.plan.messages)
    }
  }

  /** The next instant of our clock at which something falls due; Infinity if nothing does. */
  get nextDue(): number {
    let next = this.#next?.at ?? Number.POSITIVE_INFINITY
    for (const one of this.#running.values()) next = Math.min(next, dueOf(one))
    return next
  }

  /** Drills that go on. */
  get size(): number {
    return this.#running.size
  }

  /** Begins one. The same id again changes nothing. */
  begin(id: string, asked: DrillAsked, by: string, clock: number, into: DrillEffects): void {
    if (this.#running.has(id) || !isDrillId(id)) return
    const plan = planOfDrill(this.#plant, id, asked)
    const { site, enterprise } = plan.place
    const told = { ...asked, note: asked.note === null ? null : plainText(asked.note) }
    into.drills.push({ kind: 'begun', at: clock, id, by: plainText(by), asked: told, site, enterprise, ladder: plan.ladder })
    const full = this.#running.size >= LIMITS.drill.running
    if (full || plan.ladder === null) {
      const outcome = full ? 'tooMany' : 'nobody'
      into.drills.push({ kind: 'ended', at: clock, id, outcome, by: null, note: null })
      return
    }
    const ladder = new Ladder(plan.plant, CALM, plan.messages)
    const one: Running = { id, at: clock, asked, ladder, plan, endsAt: null }
    this.#running.set(id, one)
    const alarm = drillAlarm(id, asked, clock)
    const { rule, device, area, tier, because } = alarm
    const event = { kind: 'transition', at: clock, rule, device, area, from: 'clear', to: tier, id, because } as const
    ladder.take([{ event, alarm, before: null, announced: true, withheld: null, cause: 'action', clock }], into.notifications)
    settle(one, clock)
  }

  /** What somebody does to a drill: an acknowledgement ends it, everything else is nothing. */
  act({ id, action, note }: OperatorActionBody, by: string, clock: number, into: DrillEffects): void {
    const one = this.#running.get(id)
    if (one !== undefined && action === 'acknowledge') this.#end(one, 'acknowledged', clock, into, by, note)
  }

  /** What became of a message of a drill, known at `clock`. */
  report(report: DeliveryReport, clock: number, into: DrillEffects): void {
    const one = this.#running.get(report.id.slice(0, report.id.indexOf('~')))
    if (one === undefined) return
    one.ladder.report(report, clock, into.notifications)
    settle(one, clock)
  }

  /** Lets time pass up to and including `to`: everything due on the way happens at its own instant. */
  advance(to: number, into: DrillEffects): void {
    for (let now = this.nextDue; now <= to; now = this.nextDue) {
      for (const one of this.#running.values()) {
        if (dueOf(one) > now) continue
        one.ladder.advance(now, into.notifications)
        settle(one, now)
        if (endOf(one) <= now) this.#end(one, 'unanswered', now, into, null, null)
      }
      if (this.#next !== null && this.#next.at <= now) this.#beginScheduled(this.#next, into)
    }
  }

  #beginScheduled({ at, schedules }: ScheduledDrills, into: DrillEffects): void {
    for (const { id, site, tier, factor } of schedules) {
      const asked: DrillAsked = { site, device: null, rule: null, tier, person: null, note: null, factor }
      this.begin(drillId(asked, at), asked, `schedule:${id}`, at, into)
    }
    this.#begunTo = at
    this.#next = nextDrills(this.#plant.duty?.drills ?? [], at)
  }

  #end(one: Running, outcome: DrillOutcome, at: number, into: DrillEffects, by: string | null, note: string | null): void {
    this.#running.delete(one.id)
    const [who, said] = [by === null ? null : plainText(by), note === null ? null : plainText(note)]
    into.drills.push({ kind: 'ended', at, id: one.id, outcome, by: who, note: said })
  }
}

function dueOf(one: Running): number {
  return Math.min(one.ladder.nextDue, endOf(one))
}

function endOf({ at, endsAt }: Running): number {
  return Math.min(endsAt ?? Number.POSITIVE_INFINITY, at + LIMITS.drill.longestMs)
}

/** Where nobody is called any more, those who were called get a while to answer. */
function settle(one: Running, now: number): void {
  one.endsAt = one.ladder.calling ? null : (one.endsAt ?? now + one.plan.patienceMs)
}
