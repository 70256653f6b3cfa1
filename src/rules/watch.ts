// One watch is one rule for one subject: a latch per tier, the alarm's tier is the highest that is on.
// Judging a watch turns its latches and, where its tier changes, writes one transition.

import type { Transition } from '../model/alarm.ts'
import type { Rule } from '../model/plant.ts'
import { LEVELS, levelRank } from '../model/tier.ts'
import { because } from './because.ts'
import type { CompiledRule, CompiledTier } from './compiled.ts'
import { Latches } from './latch.ts'
import { type Binder, type TruthOf, UNKNOWN, YES } from './truth.ts'

interface BoundTier {
  readonly compiled: CompiledTier
  readonly rank: number
  readonly when: TruthOf
  readonly clear: TruthOf
  readonly forMs: number
  readonly clearForMs: number
}

/** A rule bound to one kind of subject. */
export interface Plan {
  readonly rule: Rule
  readonly binder: Binder
  readonly tiers: readonly BoundTier[]
  readonly latched: boolean
}

export function planOf({ rule, tiers }: CompiledRule, binder: Binder): Plan {
  const bound = tiers.map((compiled) => ({
    compiled,
    rank: levelRank(compiled.tier),
    when: binder.truth(compiled.when),
    clear: binder.truth(compiled.clear),
    forMs: compiled.forMs,
    clearForMs: compiled.clearForMs
  }))
  return { rule, binder, tiers: bound, latched: rule.latched }
}

/** Where and when a subject is judged. One object is reused for all of them. */
export interface Moment {
  /** Device number, or number of the area watch. */
  subject: number
  /** On the subject's line. */
  at: number
  clock: number
  /** Whether no input of this instant can still come: only then does a delay run out that is due at exactly `at`. */
  byTime: boolean
}

/** The alarm that a watch stands for, named. */
export interface Named {
  readonly device: string | null
  readonly area: string | null
}

export class Watches {
  readonly latches: Latches
  /** Rank of the alarm's tier, 0 for clear. */
  readonly level: Uint8Array
  /** Instant of the raise from clear: part of the alarm's id. */
  readonly raisedAt: Float64Array
  /** Instant of the last transition; the next one is never before it. */
  readonly eventAt: Float64Array
  readonly #nameOf: (watch: number, subject: number) => Named
  #turned = false

  constructor(watches: number, latches: number, nameOf: (watch: number, subject: number) => Named) {
    this.latches = new Latches(latches)
    this.level = new Uint8Array(watches)
    this.raisedAt = new Float64Array(watches)
    this.eventAt = new Float64Array(watches).fill(Number.NEGATIVE_INFINITY)
    this.#nameOf = nameOf
  }

  /**
   * Judges a watch. Answers the instant on its subject's line at which a delay runs out if nothing else happens;
   * Infinity if none is running.
   */
  judge(watch: number, firstLatch: number, plan: Plan, moment: Moment, out: Transition[]): number {
    let due = this.#turnAll(firstLatch, plan, moment)
    if (!this.#turned) return due
    if (due === moment.at && this.topRank(firstLatch, plan) !== this.level[watch]) {
      // The tier changes anyway: a delay that runs out in this very instant is part of the same transition.
      const { byTime } = moment
      moment.byTime = true
      due = this.#turnAll(firstLatch, plan, moment)
      moment.byTime = byTime
    }
    this.#change(watch, firstLatch, plan, moment, out)
    return due
  }

  /** Applies the verdicts of one moment to every tier; `#turned` says whether any latch moved. */
  #turnAll(firstLatch: number, plan: Plan, moment: Moment): number {
    const { latches } = this
    const { subject, at, clock, byTime } = moment
    let due = Number.POSITIVE_INFINITY
    this.#turned = false
    for (let i = 0; i < plan.tiers.length; i++) {
      const tier = plan.tiers[i] as BoundTier
      const latch = firstLatch + i
      const on = latches.isOn(latch)
      const pull = on ? tier.clear(subject, at, clock) : tier.when(subject, at, clock)
      if (on && plan.latched) {
        latches.pull(latch, pull, at)
        continue
      }
      const patienceMs = on ? tier.clearForMs : tier.forMs
      if (latches.turn(latch, pull, patienceMs, at, byTime)) {
        this.#turned = true
        due = Math.min(due, this.#afterTurn(latch, tier, plan, moment))
      } else if (pull === YES) {
        due = Math.min(due, (latches.pulledSince[latch] as number) + patienceMs)
      }
    }
    return due
  }

  /**
   * An operator's reset of a latched alarm: every tier whose exit has been met for its `clearFor` goes off. False when
   * there is none: the cause is still there, or not known to be gone.
   */
  reset(watch: number, firstLatch: number, plan: Plan, moment: Moment, out: Transition[]): boolean {
    const { subject, at, clock } = moment
    let turned = false
    for (let i = 0; i < plan.tiers.length; i++) {
      const tier = plan.tiers[i] as BoundTier
      const latch = firstLatch + i
      if (!this.latches.isOn(latch)) continue
      if (this.latches.turn(latch, tier.clear(subject, at, clock), tier.clearForMs, at, true)) {
        this.#afterTurn(latch, tier, plan, moment)
        turned = true
      }
    }
    if (turned) this.#change(watch, firstLatch, plan, moment, out, ', reset by an operator')
    return turned
  }

  /** The highest tier that is on. */
  topRank(firstLatch: number, plan: Plan): number {
    for (let i = plan.tiers.length - 1; i >= 0; i--) {
      if (this.latches.isOn(firstLatch + i)) return (plan.tiers[i] as BoundTier).rank
    }
    return 0
  }

  /** Notes that the alarm's tier is now `to`, and writes it down. */
  change(watch: number, rule: Rule, name: Named, to: number, at: number, why: string, out: Transition[]): void {
    const from = this.level[watch] as number
    const eventAt = Math.max(at, this.eventAt[watch] as number)
    this.level[watch] = to
    this.eventAt[watch] = eventAt
    if (from === 0) this.raisedAt[watch] = eventAt
    const transition: Transition = {
      kind: 'transition',
      at: eventAt,
      rule: rule.id,
      device: name.device,
      area: name.area,
      from: LEVELS[from] as Transition['from'],
      to: LEVELS[to] as Transition['to'],
      id: alarmId(rule.id, name, this.raisedAt[watch] as number),
      because: why
    }
    out.push(rule.shadow === true ? { ...transition, shadow: true } : transition)
  }

  /** The opposite pull begins at the very instant of the turn; without patience it acts at the next judgement. */
  #afterTurn(latch: number, tier: BoundTier, plan: Plan, { subject, at, clock }: Moment): number {
    const { latches } = this
    const on = latches.isOn(latch)
    const patienceMs = on ? tier.clearForMs : tier.forMs
    if (patienceMs === 0) return Number.POSITIVE_INFINITY
    const pull = on ? tier.clear(subject, at, clock) : tier.when(subject, at, clock)
    if (pull === UNKNOWN || !latches.pull(latch, pull, at) || (on && plan.latched)) return Number.POSITIVE_INFINITY
    return (latches.pulledSince[latch] as number) + patienceMs
  }

  #change(watch: number, firstLatch: number, plan: Plan, { subject, at, clock }: Moment, out: Transition[], suffix = ''): void {
    const from = this.level[watch] as number
    const to = this.topRank(firstLatch, plan)
    if (to === from) return
    const tier = plan.tiers.find(({ rank }) => rank === Math.max(from, to)) as BoundTier
    const scene = { binder: plan.binder, subject, at, clock }
    const why = to > from ? because(tier.compiled.when, scene, tier.forMs) : because(tier.compiled.clear, scene, tier.clearForMs) + suffix
    this.change(watch, plan.rule, this.#nameOf(watch, subject), to, at, why, out)
  }
}

/** rule/subject#epoch-ms of the raise (contract 5). */
export function alarmId(rule: string, { device, area }: Named, raisedAt: number): string {
  return `${rule}/${device ?? area}#${raisedAt}`
}
