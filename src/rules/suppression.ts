// Suppression by design, between the engine and whoever tells people: which standing alarms are held back, by which state of the
// plant or which other alarm. Pure; it changes no transition. What one record or one instant causes is taken as a whole, so that
// an alarm and what explains it may come in any order within it.

import type { Transition } from '../model/alarm.ts'
import type { Fleet } from '../model/fleet.ts'
import type { StateActionBody, SuppressionChange, Suppressor } from '../model/suppression.ts'
import { LEVELS, levelRank } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { stateOfRule } from './states.ts'
import { EVERYWHERE, type HoldsBack, Suppressors, scopeOfTarget } from './suppressors.ts'

/** An alarm that is not clear, with what holds it back. */
interface Held {
  readonly id: string
  readonly rule: string
  readonly device: string | null
  readonly area: string | null
  rank: number
  by: readonly Suppressor[]
}

/** Why a suppressor is on in a scope: a device in the state, an alarm, the clock, or a person. */
export interface Reason {
  readonly by: Suppressor
  readonly scope: string
  /** Device id, alarm id, `schedule`, or `person`. */
  readonly source: string
  /** Epoch ms by our clock. */
  readonly since: number
  /** It ends by itself then; Infinity: it does not. */
  readonly until: number
  readonly because: string
}

export interface SuppressionSnapshot {
  readonly alarms: readonly Held[]
  readonly reasons: readonly Reason[]
}

/** What stands when there is nothing else to begin from. */
export interface StandingFact {
  readonly id: string
  readonly rule: string
  readonly subject: string
  readonly level: (typeof LEVELS)[number]
}

const NO_CHANGES: readonly SuppressionChange[] = []

export class Suppression {
  readonly #known: Suppressors
  readonly #alarms = new Map<string, Held>()
  /** The alarms in each scope. */
  readonly #inScope = new Map<string, Set<Held>>()
  /** By suppressor and scope, then by source. */
  readonly #reasons = new Map<string, Map<string, Reason>>()
  /** When each schedule next changes. */
  readonly #scheduled = new Map<Suppressor, number>()
  #nextDue = Number.POSITIVE_INFINITY
  /** Of the group at hand: the alarms to be looked at again, and why a suppressor has ended somewhere. */
  readonly #touched = new Set<Held>()
  readonly #ended = new Map<string, string>()

  /** Begins at `clock` with what stands; `changes` has what is held back from the beginning. */
  constructor(fleet: Fleet, clock: number, standing: Iterable<StandingFact>, changes: SuppressionChange[] = []) {
    this.#known = new Suppressors(fleet)
    if (this.#idle) return
    const areas = new Set(fleet.plant.rules.filter(({ per }) => per === 'area').map(({ id }) => id))
    for (const { id, rule, subject, level } of standing) {
      const named = areas.has(rule) ? { device: null, area: subject } : { device: subject, area: null }
      this.#turn({ id, rule, ...named, to: level, because: 'it was so before' }, clock)
    }
    this.#schedules(clock)
    this.#settle(clock, changes)
  }

  static restore(fleet: Fleet, { alarms, reasons }: SuppressionSnapshot, clock: number): Suppression {
    const suppression = new Suppression(fleet, clock, [])
    suppression.#reasons.clear()
    for (const alarm of alarms) suppression.#keep({ ...alarm })
    for (const reason of reasons) suppression.#put(reason)
    suppression.#touched.clear()
    suppression.#findDue()
    return suppression
  }

  snapshot(): SuppressionSnapshot {
    return { alarms: [...this.#alarms.values()].map((alarm) => ({ ...alarm })), reasons: this.reasons() }
  }

  /** The next instant of our clock at which something changes by itself; Infinity if nothing does. */
  get nextDue(): number {
    return this.#nextDue
  }

  /** Everything that is on somewhere, by suppressor, scope and source. */
  reasons(): Reason[] {
    return [...this.#reasons.keys()].sort().flatMap((key) => [...(this.#reasons.get(key) as Map<string, Reason>).values()])
  }

  /** The alarms that a suppressor holds back at this moment. */
  heldBy(by: Suppressor): string[] {
    return [...this.#alarms.values()].flatMap((alarm) => (alarm.by.includes(by) ? [alarm.id] : [])).sort()
  }

  /** What holds this alarm back. */
  holding(id: string): { by: Suppressor; because: string }[] {
    const alarm = this.#alarms.get(id)
    if (alarm === undefined) return []
    return alarm.by.map((by) => ({ by, because: this.#whyHeld(by, alarm) ?? '' }))
  }

  /**
   * Takes all transitions of one record or one instant, which came at `clock`: of rules people are told of, and of states.
   * `byTime`: no record of this instant can still come, so what is due at `clock` happens too.
   */
  take(transitions: readonly Transition[], clock: number, byTime: boolean): readonly SuppressionChange[] {
    if (this.#idle) return NO_CHANGES
    for (const transition of transitions) this.#turn(transition, clock)
    if (byTime && this.#nextDue <= clock) this.#timesUp(clock)
    if (this.#touched.size === 0) return NO_CHANGES
    const changes: SuppressionChange[] = []
    this.#settle(clock, changes)
    return changes
  }

  /** A person switches a state on or off. Answers why not, as a sentence; null: it was done. */
  act(body: StateActionBody, by: string, clock: number, changes: SuppressionChange[]): string | null {
    const { state, target, until, note } = body
    const obstacle = this.obstacle(body, clock)
    if (obstacle !== null) return obstacle
    const name: Suppressor = `state:${state}`
    const scope = scopeOfTarget(target)
    if (body.action === 'leaveState') this.#end(name, scope, 'person', `switched off by ${by}${note === null ? '' : `: ${note}`}`)
    else {
      const because = `switched on by ${by}${note === null ? '' : `: ${note}`}`
      this.#put({ by: name, scope, source: 'person', since: clock, until: until as number, because })
    }
    this.#settle(clock, changes)
    return null
  }

  /** Why a person cannot switch the state so at `clock`, as a sentence; null: it can be done. */
  obstacle({ action, state, target, until }: StateActionBody, clock: number): string | null {
    const known = this.#known.all.get(`state:${state}`)
    if (known === undefined) return `There is no state ${state}.`
    if (known.longestMs === null) return `The state ${state} goes by itself; nobody switches it.`
    const on = this.#reasons.get(keyOf(known.by, scopeOfTarget(target)))?.has('person') === true
    if (action === 'leaveState') return on ? null : `The state ${state} is not on there.`
    if (until === null || until <= clock) return 'Say until when, in the future.'
    if (until - clock > known.longestMs) return `The state ${state} may be on for ${known.longestMs / 60_000} minutes at most.`
    return null
  }

  /** Goes on under another plant from `clock` on: what is on is on, as far as it is still there. `standing` under the new plant. */
  under(fleet: Fleet, clock: number, standing: Iterable<StandingFact>, changes: SuppressionChange[]): Suppression {
    const facts = [...standing]
    const next = new Suppression(fleet, clock, facts)
    for (const alarm of next.#alarms.values()) alarm.by = this.#alarms.get(alarm.id)?.by ?? []
    for (const reason of this.reasons()) {
      const there = next.#reasons.get(keyOf(reason.by, reason.scope))
      const kind = next.#known.all.get(reason.by)?.kind
      const goesOn = kind === 'manual' || (kind === 'inhibition' && reason.until !== Number.POSITIVE_INFINITY)
      if (goesOn || there?.has(reason.source) === true) next.#put(reason)
    }
    // Nothing may be held back any more where neither states nor inhibitions are left.
    if (next.#idle) {
      const stands = new Set(facts.map(({ id }) => id))
      for (const alarm of this.#alarms.values()) {
        if (!stands.has(alarm.id)) continue
        for (const by of alarm.by) changes.push({ at: clock, id: alarm.id, by, on: false, because: 'it is no longer configured' })
      }
      return next
    }
    for (const alarm of next.#alarms.values()) next.#touched.add(alarm)
    next.#settle(clock, changes)
    return next
  }

  get #idle(): boolean {
    return this.#known.all.size === 0
  }

  /** One transition: of a state, or of an alarm, which may be a source for others. */
  #turn(
    { id, rule, device, area, to, because }: Pick<Transition, 'id' | 'rule' | 'device' | 'area' | 'to' | 'because'>,
    clock: number
  ): void {
    const state = stateOfRule(rule)
    const rank = levelRank(to)
    if (state !== null) {
      const by: Suppressor = `state:${state}`
      const scope = this.#known.scopeFrom({ device, area }, this.#known.all.get(by)?.within ?? 'device')
      if (scope === null || device === null) return
      if (rank === 0) this.#end(by, scope, device, `${device}: ${because}`)
      else this.#put({ by, scope, source: device, since: clock, until: Number.POSITIVE_INFINITY, because: `${device}: ${because}` })
      return
    }
    const known = this.#alarms.get(id)
    if (rank === 0) {
      if (known !== undefined) this.#drop(known)
    } else if (known === undefined) this.#keep({ id, rule, device, area, rank, by: [] })
    else {
      known.rank = rank
      this.#touched.add(known)
    }
    for (const inhibition of this.#known.from(rule)) this.#source(inhibition, { id, device, area, rank, because }, clock)
  }

  #source(
    { by, within, sourceRank, lingerMs }: HoldsBack,
    { id, device, area, rank, because }: { id: string; device: string | null; area: string | null; rank: number; because: string },
    clock: number
  ): void {
    const scope = this.#known.scopeFrom({ device, area }, within)
    if (scope === null) return
    const before = this.#reasons.get(keyOf(by, scope))?.get(id)
    const point = id.slice(0, id.lastIndexOf('#'))
    if (rank >= sourceRank) {
      if (before?.until === Number.POSITIVE_INFINITY) return
      this.#put({ by, scope, source: id, since: before?.since ?? clock, until: Number.POSITIVE_INFINITY, because: `${point}: ${because}` })
    } else if (before !== undefined && lingerMs === 0) this.#end(by, scope, id, `${point} is over: ${because}`)
    else if (before !== undefined) this.#put({ ...before, until: clock + lingerMs })
  }

  #put(reason: Reason): void {
    const { by, scope, source, until } = reason
    const key = keyOf(by, scope)
    let there = this.#reasons.get(key)
    if (there === undefined) this.#reasons.set(key, (there = new Map()))
    there.set(source, reason)
    this.#nextDue = Math.min(this.#nextDue, until)
    this.#touch(by, scope)
  }

  #end(by: Suppressor, scope: string, source: string, because: string): void {
    const key = keyOf(by, scope)
    const there = this.#reasons.get(key)
    if (there?.delete(source) !== true) return
    if (there.size === 0) this.#reasons.delete(key)
    this.#ended.set(key, because)
    this.#touch(by, scope)
  }

  #touch(by: Suppressor, scope: string): void {
    const alarms = scope === EVERYWHERE ? this.#alarms.values() : (this.#inScope.get(scope) ?? [])
    for (const alarm of alarms) if (this.#known.of(alarm.rule).some((one) => one.by === by)) this.#touched.add(alarm)
  }

  #keep(alarm: Held): void {
    this.#alarms.set(alarm.id, alarm)
    for (const scope of this.#known.scopesOf(alarm)) {
      let there = this.#inScope.get(scope)
      if (there === undefined) this.#inScope.set(scope, (there = new Set()))
      there.add(alarm)
    }
    this.#touched.add(alarm)
  }

  #drop(alarm: Held): void {
    this.#alarms.delete(alarm.id)
    this.#touched.delete(alarm)
    for (const scope of this.#known.scopesOf(alarm)) {
      const there = this.#inScope.get(scope)
      there?.delete(alarm)
      if (there?.size === 0) this.#inScope.delete(scope)
    }
  }

  /** What is due at `clock`: times that are up, and schedules that begin or end. */
  #timesUp(clock: number): void {
    for (const { by, scope, source, until } of this.reasons()) {
      if (until <= clock) this.#end(by, scope, source, source === 'person' ? 'its time is over' : 'its source is over')
    }
    this.#schedules(clock)
  }

  #schedules(clock: number): void {
    for (const { by, schedule } of this.#known.all.values()) {
      if (schedule === null || (this.#scheduled.get(by) ?? 0) > clock) continue
      const { on, changesAt } = schedule.at(clock)
      this.#scheduled.set(by, Math.min(changesAt, clock + LIMITS.rules.scheduleDaysAhead * 86_400_000))
      const was = this.#reasons.has(keyOf(by, EVERYWHERE))
      const because = 'its hours have begun'
      if (on && !was) this.#put({ by, scope: EVERYWHERE, source: 'schedule', since: clock, until: Number.POSITIVE_INFINITY, because })
      else if (!on && was) this.#end(by, EVERYWHERE, 'schedule', 'its hours are over')
    }
    this.#findDue()
  }

  #findDue(): void {
    this.#nextDue = Math.min(Number.POSITIVE_INFINITY, ...this.#scheduled.values())
    for (const there of this.#reasons.values()) for (const { until } of there.values()) this.#nextDue = Math.min(this.#nextDue, until)
  }

  /** Looks again at every alarm that may have changed, in the order of rule and subject. */
  #settle(clock: number, changes: SuppressionChange[]): void {
    for (const alarm of [...this.#touched].sort(byRuleSubject)) this.#judge(alarm, clock, changes)
    this.#touched.clear()
    this.#ended.clear()
  }

  #judge(alarm: Held, clock: number, changes: SuppressionChange[]): void {
    const now: Suppressor[] = []
    const { id } = alarm
    for (const one of this.#known.of(alarm.rule)) {
      const why = alarm.rank <= one.upTo ? this.#whyHeld(one.by, alarm) : null
      if (why === null) continue
      now.push(one.by)
      if (!alarm.by.includes(one.by)) changes.push({ at: clock, id, by: one.by, on: true, because: why })
    }
    for (const by of alarm.by) {
      if (!now.includes(by)) changes.push({ at: clock, id, by, on: false, because: this.#whyOver(by, alarm) })
    }
    alarm.by = now
  }

  /** Why a suppressor is on for this alarm; null: it is not. An alarm never explains itself. */
  #whyHeld(by: Suppressor, alarm: Held): string | null {
    const one = this.#known.all.get(by)
    if (one === undefined || !this.#known.applies(one, alarm.rule, alarm)) return null
    for (const scope of one.kind === 'schedule' ? [EVERYWHERE] : this.#known.scopesOf(alarm)) {
      for (const { source, because } of this.#reasons.get(keyOf(by, scope))?.values() ?? []) if (source !== alarm.id) return because
    }
    return null
  }

  #whyOver(by: Suppressor, alarm: Held): string {
    const upTo = this.#known.all.get(by)?.upTo
    if (upTo === undefined) return 'it is no longer configured'
    if (alarm.rank > upTo) return `${LEVELS[alarm.rank]} is above ${LEVELS[upTo]}`
    const scope = [EVERYWHERE, ...this.#known.scopesOf(alarm)].find((one) => this.#ended.has(keyOf(by, one)))
    return scope === undefined ? 'it does not hold back this alarm any more' : (this.#ended.get(keyOf(by, scope)) as string)
  }
}

function keyOf(by: Suppressor, scope: string): string {
  return `${by} ${scope}`
}

function byRuleSubject(one: Held, other: Held): number {
  if (one.rule !== other.rule) return one.rule < other.rule ? -1 : 1
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0
}
