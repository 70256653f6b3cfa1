// The desk: the one authority on what happens to alarms after they are raised (ISA-18.2). Transitions, operator actions,
// suppression and time in; accepted events out, each with the alarm after it and whether an operator must be told now.
// Pure: no clock, no I/O, no chance; withholding never changes a transition.

import { type Alarm, type AlarmEvent, type DeskEvent, type OperatorAction, SERVICE, type Transition, withheldBy } from '../model/alarm.ts'
import type { Fleet } from '../model/fleet.ts'
import { identitiesOf } from '../model/identity.ts'
import type { OperatorActionBody, ServiceActionBody } from '../model/journal.ts'
import type { AlarmMark } from '../model/mark.ts'
import type { Rule } from '../model/plant.ts'
import type { SuppressionChange } from '../model/suppression.ts'
import { levelRank, type Tier } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { plainText } from '../store/text.ts'
import { type ActionOutcome, type ActionRules, actionOutcome, dispositionNamed, SHELVING_MS } from './actions.ts'
import { Agenda } from './agenda.ts'
import { foldEvent, type Inherited, isStanding } from './fold.ts'
import { type ServiceWindow, ServiceWindows } from './serviceWindows.ts'
import { Whereabouts } from './whereabouts.ts'

/** A rule shelved on one subject: its alarms there are told to nobody, the one that stands and those that come. */
interface Shelf {
  readonly by: string
  readonly at: number
  readonly until: number
  readonly note: string | null
  /** Of the alarm that was shelved; a rise above it ends the shelf: something worse has not been seen. */
  readonly tier: Tier
}

/** What falls due. At one instant windows begin first, then end, then shelves end, then alarms are announced again. */
interface Due {
  readonly rank: 0 | 1 | 2 | 3
  /** Nothing, a point (rule/subject), or an alarm. */
  readonly key: string
  readonly at: number
}

export interface DeskSnapshot {
  readonly alarms: readonly Alarm[]
  readonly over: readonly Alarm[]
  readonly shelves: readonly (readonly [point: string, shelf: Shelf])[]
  readonly windows: readonly ServiceWindow[]
  readonly ahead: readonly (readonly [id: string, changes: readonly SuppressionChange[]])[]
  /** What was due up to this instant of our clock has been done. */
  readonly doneTo: number
}

type Cause = DeskEvent['cause']

export class Desk {
  #whereabouts: Whereabouts
  #rules: ReadonlyMap<string, Rule>
  /** Every alarm that is active or withheld. */
  readonly #alarms = new Map<string, Alarm>()
  /** The last ones that are neither any more, oldest first. */
  readonly #over = new Map<string, Alarm>()
  readonly #shelves = new Map<string, Shelf>()
  #windows = new ServiceWindows()
  /** Suppressions of alarms whose raise is still to come. */
  readonly #ahead = new Map<string, readonly SuppressionChange[]>()
  /** Entries that no longer hold are passed over when they come up. */
  readonly #agenda = new Agenda<Due>()
  #doneTo = Number.NEGATIVE_INFINITY

  constructor(fleet: Fleet) {
    this.#whereabouts = new Whereabouts(fleet)
    this.#rules = rulesOf(fleet)
  }

  static restore(fleet: Fleet, { alarms, over, shelves, windows, ahead, doneTo }: DeskSnapshot): Desk {
    const desk = new Desk(fleet)
    desk.#doneTo = doneTo
    desk.adopt(alarms)
    for (const alarm of over) desk.#over.set(alarm.id, alarm)
    for (const [point, shelf] of shelves) desk.#putShelf(point, shelf)
    for (const window of windows) desk.#putWindow(window)
    for (const [id, changes] of ahead) desk.#ahead.set(id, changes)
    return desk
  }

  /** A copy of all that is known. */
  snapshot(): DeskSnapshot {
    return {
      alarms: [...this.#alarms.values()],
      over: [...this.#over.values()],
      shelves: [...this.#shelves],
      windows: this.#windows.all(),
      ahead: [...this.#ahead],
      doneTo: this.#doneTo
    }
  }

  /** Takes over alarms that stand, as the book knows them. */
  adopt(alarms: Iterable<Alarm>): void {
    for (const alarm of alarms) {
      this.#alarms.set(alarm.id, alarm)
      if (alarm.shelved !== null) this.#putShelf(pointOf(alarm.id), { ...alarm.shelved, tier: alarm.tier })
      if (alarm.realarmAt !== null) this.#agenda.add(alarm.realarmAt, { rank: 3, key: alarm.id, at: alarm.realarmAt })
    }
  }

  /** Goes on under another plant from `clock` on. */
  replant(fleet: Fleet, clock: number): void {
    this.#whereabouts = new Whereabouts(fleet)
    this.#rules = rulesOf(fleet)
    for (const alarm of this.#alarms.values()) {
      const realarmAt = this.#realarmAt(alarm, clock, false)
      if (realarmAt !== alarm.realarmAt) this.#keep({ ...alarm, realarmAt })
    }
  }

  /** The next instant of our clock at which something may fall due by itself; Infinity if nothing can. */
  get nextDue(): number {
    return this.#agenda.nextAt
  }

  /** The alarm of this id as it stands, also for a while after it is over. */
  alarm(id: string): Alarm | null {
    return this.#alarms.get(id) ?? this.#over.get(id) ?? null
  }

  /** Every alarm that is active or withheld. */
  standing(): Iterable<Alarm> {
    return this.#alarms.values()
  }

  /** The alarm carries this mark from now on, or no longer: a fact of its own, which decides nothing here. */
  mark(id: string, mark: AlarmMark, on: boolean): void {
    const known = this.#alarms.has(id) ? this.#alarms : this.#over
    const alarm = known.get(id)
    if (alarm !== undefined) known.set(id, { ...alarm, [mark]: on })
  }

  /** Windows out of service, running and planned. */
  windows(): ServiceWindow[] {
    return this.#windows.all()
  }

  /**
   * What one record or one instant has caused, at `clock`. A suppression that begins with the raise of its alarm, and one that
   * ends with its rise, may stand anywhere in `changes`: it acts first.
   */
  take(transitions: readonly Transition[], changes: readonly SuppressionChange[], clock: number, out: DeskEvent[]): void {
    if (changes.length === 0 && this.#ahead.size === 0) {
      for (const transition of transitions) this.#turn(transition, [], clock, out)
      return
    }
    const open = Map.groupBy(changes, ({ id }) => id)
    for (const transition of transitions) {
      const own = [...(this.#ahead.get(transition.id) ?? []), ...(open.get(transition.id) ?? [])]
      this.#ahead.delete(transition.id)
      open.delete(transition.id)
      this.#turn(transition, own, clock, out)
    }
    for (const own of open.values()) for (const change of own) this.#suppression(change, clock, false, out)
  }

  /**
   * An operator's action on one alarm. What is not acceptable as the alarm stands is no event. `moved`: a reset was followed
   * by a change of the alarm (its transitions are taken after this).
   */
  act(body: OperatorActionBody, by: string, clock: number, moved: boolean, out: DeskEvent[]): ActionOutcome {
    const alarm = this.alarm(body.id) ?? (body.alarm?.id === body.id ? body.alarm : null)
    const outcome = actionOutcome(alarm, body, by, clock, this.#rulesOf(alarm))
    if (outcome.kind !== 'accepted' || alarm === null || (body.action === 'reset' && !moved)) return outcome
    if (this.alarm(body.id) === null) this.#keep(alarm)
    const note = body.note === null ? null : plainText(body.note)
    const event = actionEvent(body, by, clock, note)
    if (body.action === 'unshelve') {
      this.#endShelf(pointOf(body.id), { by, note, clock, cause: 'action', quiet: false }, out)
      return outcome
    }
    if (event.until !== undefined) this.#putShelf(pointOf(body.id), { by, at: clock, until: event.until, note, tier: alarm.tier })
    this.#apply(event, 'action', clock, false, out)
    return outcome
  }

  /** A device, area or site goes out of service, now or later, or returns. Answers why not, as a sentence; null: it was done. */
  serve(body: ServiceActionBody, by: string, clock: number, out: DeskEvent[]): string | null {
    const note = body.note === null ? null : plainText(body.note)
    if (body.action === 'returnToService') {
      const known = this.#windows.of(body.target)
      const running = known.filter(({ from }) => from <= clock)
      const ended = running.length > 0 ? running : known
      for (const window of ended) this.#windows.remove(window)
      this.#settleService(clock, { by, note, cause: 'action' }, out)
      return ended.length > 0 ? null : 'It is not out of service, and no window is planned for it.'
    }
    const window = windowOf(body, by, clock, note)
    const obstacle = this.#windows.obstacle(window, clock)
    if (obstacle !== null) return obstacle.sentence
    this.#putWindow(window)
    if (window.from <= clock) this.#settleService(clock, { by, note, cause: 'action' }, out)
    return null
  }

  /** Lets time pass up to and including `to`: whatever is due happens at its own instant. */
  advance(to: number, out: DeskEvent[]): void {
    for (let now = this.#agenda.nextAt; now <= to && now !== Number.POSITIVE_INFINITY; now = this.#agenda.nextAt) {
      this.#doneTo = Math.max(this.#doneTo, now)
      const due: Due[] = []
      while (this.#agenda.nextAt === now) due.push(this.#agenda.take() as Due)
      due.sort((one, other) => one.rank - other.rank || (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
      if (due.some(({ rank }) => rank <= 1)) this.#windowsTurn(now, out)
      for (const { rank, key } of due) {
        if (rank === 2) this.#shelfDue(key, now, out)
        else if (rank === 3 && this.#alarms.get(key)?.realarmAt === now) {
          this.#apply({ kind: 'action', at: now, id: key, action: 'realarm', by: SERVICE, note: null }, 'time', now, true, out)
        }
      }
    }
  }

  #turn(transition: Transition, changes: readonly SuppressionChange[], clock: number, out: DeskEvent[]): void {
    const { id, from, to } = transition
    const rises = levelRank(to) > levelRank(from)
    const point = pointOf(id)
    const shelf = this.#shelves.get(point)
    if (rises && shelf !== undefined && levelRank(to) > levelRank(shelf.tier)) {
      this.#endShelf(point, { by: SERVICE, note: null, clock, cause: 'transition', quiet: true }, out)
    }
    if (this.alarm(id) !== null) {
      for (const change of changes) this.#suppression(change, clock, rises, out)
      this.#apply(transition, 'transition', clock, rises, out)
      return
    }
    const on = changes.filter((change) => change.on && !changes.some((other) => !other.on && other.by === change.by))
    this.#apply(transition, 'transition', clock, rises, out, this.#inherited(transition, on, clock))
    for (const { by, at, because } of on) {
      this.#apply({ kind: 'action', at, id, action: 'suppress', by, note: because }, 'transition', clock, false, out)
    }
  }

  #inherited({ id, device, area }: Transition, on: readonly SuppressionChange[], clock: number): Inherited {
    const shelf = this.#shelves.get(pointOf(id))
    const window = this.#windows.covering({ device, area, ...this.#whereabouts.of(device, area) }, clock)
    return {
      shelved: shelf === undefined ? null : { by: shelf.by, at: shelf.at, until: shelf.until, note: shelf.note },
      outOfService: window === null ? null : { by: window.by, at: window.from, until: window.until, note: window.note },
      suppressedBy: on.map(({ by }) => by)
    }
  }

  /** `quiet`: a rise follows at once, which is told instead. */
  #suppression(change: SuppressionChange, clock: number, quiet: boolean, out: DeskEvent[]): void {
    const { id, at, by, on, because } = change
    const alarm = this.#alarms.get(id)
    if (alarm === undefined) {
      if (!on || this.#over.has(id)) return
      this.#ahead.set(id, [...(this.#ahead.get(id) ?? []), change])
      const [oldest] = this.#ahead.keys()
      if (this.#ahead.size > LIMITS.desk.suppressionsAhead && oldest !== undefined) this.#ahead.delete(oldest)
      return
    }
    if (alarm.clearedAt !== null || alarm.suppressedBy.includes(by) === on) return
    const action = on ? 'suppress' : 'unsuppress'
    this.#apply({ kind: 'action', at, id, action, by, note: because }, 'transition', clock, !on && !quiet, out)
  }

  #shelfDue(point: string, now: number, out: DeskEvent[]): void {
    if (this.#shelves.get(point)?.until !== now) return
    this.#endShelf(point, { by: SERVICE, note: null, clock: now, cause: 'time', quiet: false }, out)
  }

  #endShelf(point: string, end: { by: string; note: string | null; clock: number; cause: Cause; quiet: boolean }, out: DeskEvent[]): void {
    this.#shelves.delete(point)
    const { by, note, clock, cause, quiet } = end
    for (const { id, clearedAt } of this.#inOrder(({ id, shelved }) => shelved !== null && pointOf(id) === point)) {
      this.#apply({ kind: 'action', at: clock, id, action: 'unshelve', by, note }, cause, clock, clearedAt === null && !quiet, out)
    }
  }

  /** Windows that begin or end now. */
  #windowsTurn(now: number, out: DeskEvent[]): void {
    for (const window of this.#windows.all()) if (window.until <= now) this.#windows.remove(window)
    this.#settleService(now, { by: SERVICE, note: null, cause: 'time' }, out)
  }

  /** Every alarm is out of service exactly while a window covers its subject. */
  #settleService(clock: number, { by, note, cause }: { by: string; note: string | null; cause: Cause }, out: DeskEvent[]): void {
    const moved = new Map<Alarm, ServiceWindow | null>()
    for (const alarm of this.#alarms.values()) {
      const { device, area } = alarm
      const window = this.#windows.covering({ device, area, ...this.#whereabouts.of(device, area) }, clock)
      if (window?.until !== alarm.outOfService?.until) moved.set(alarm, window)
    }
    for (const alarm of this.#inOrder((alarm) => moved.has(alarm))) {
      const { id, clearedAt } = alarm
      const window = moved.get(alarm) ?? null
      if (window === null) {
        this.#apply({ kind: 'action', at: clock, id, action: 'returnToService', by, note }, cause, clock, clearedAt === null, out)
      } else {
        const { by: who, note: why, until } = window
        this.#apply({ kind: 'action', at: clock, id, action: 'outOfService', by: who, note: why, until }, cause, clock, false, out)
      }
    }
  }

  #inOrder(wanted: (alarm: Alarm) => boolean): Alarm[] {
    return [...this.#alarms.values()].filter(wanted).sort(byRuleSubjectRaise)
  }

  /** Folds the event in, and writes it down. `tells`: an operator is to be told, unless the alarm is withheld. */
  #apply(event: AlarmEvent, cause: Cause, clock: number, tells: boolean, out: DeskEvent[], inherited?: Inherited): void {
    const before = this.alarm(event.id)
    const folded = foldEvent(before, event, inherited)
    if (folded === null) return
    const reason = tells ? withheldBy(folded) : null
    const announced = tells && reason === null
    const realarmAt = this.#realarmAt(folded, clock, announced)
    const alarm = realarmAt === folded.realarmAt ? folded : { ...folded, realarmAt }
    this.#keep(alarm)
    out.push({ event, alarm, before, announced, withheld: reason, cause, clock })
  }

  #keep(alarm: Alarm): void {
    const { id, realarmAt } = alarm
    if (realarmAt !== null && realarmAt !== this.#alarms.get(id)?.realarmAt)
      this.#agenda.add(realarmAt, { rank: 3, key: id, at: realarmAt })
    this.#over.delete(id)
    if (isStanding(alarm)) {
      this.#alarms.set(id, alarm)
      return
    }
    this.#alarms.delete(id)
    this.#over.set(id, alarm)
    const [oldest] = this.#over.keys()
    if (this.#over.size > LIMITS.desk.overKept && oldest !== undefined) this.#over.delete(oldest)
  }

  #realarmAt(alarm: Alarm, clock: number, announced: boolean): number | null {
    const rule = this.#rules.get(alarm.rule)
    if (rule === undefined || alarm.clearedAt !== null || withheldBy(alarm) !== null) return null
    const { realarmMs, realarmAcknowledgedMs } = rule
    if (alarm.acknowledged !== null) {
      return realarmAcknowledgedMs === undefined ? null : Math.max(clock, alarm.acknowledged.at + realarmAcknowledgedMs)
    }
    if (realarmMs === undefined) return null
    return announced ? clock + realarmMs : (alarm.realarmAt ?? clock + realarmMs)
  }

  #rulesOf(alarm: Alarm | null): ActionRules {
    const noteRequired = alarm !== null && this.#rules.get(alarm.rule)?.acknowledgeNote === 'required'
    const { shelving, duty } = this.#whereabouts.fleet.plant
    return { noteRequired, shelvingMs: { ...SHELVING_MS, ...shelving }, identities: identitiesOf(duty) }
  }

  #putShelf(point: string, shelf: Shelf): void {
    this.#shelves.set(point, shelf)
    this.#agenda.add(shelf.until, { rank: 2, key: point, at: shelf.until })
  }

  #putWindow(window: ServiceWindow): void {
    this.#windows.add(window)
    // One that has begun is known to every alarm.
    if (window.from > this.#doneTo) this.#agenda.add(window.from, { rank: 0, key: '', at: window.from })
    this.#agenda.add(window.until, { rank: 1, key: '', at: window.until })
  }
}

function rulesOf({ plant }: Fleet): ReadonlyMap<string, Rule> {
  return new Map(plant.rules.map((rule) => [rule.id, rule]))
}

/** rule/subject of an alarm's id. */
export function pointOf(id: string): string {
  return id.slice(0, id.lastIndexOf('#'))
}

function actionEvent(
  { id, action, until, assignee, disposition, verifier }: OperatorActionBody,
  by: string,
  at: number,
  note: string | null
) {
  const event: OperatorAction = { kind: 'action', at, id, action: action as OperatorAction['action'], by, note }
  if (action === 'shelve') return { ...event, until: until as number }
  if (action === 'assign') return { ...event, assignee: assignee === null || assignee === undefined ? null : plainText(assignee) }
  if (action !== 'close') return event
  const closing = { ...event, disposition: dispositionNamed(disposition) ?? 'real' }
  return (verifier ?? '').trim() === '' ? closing : { ...closing, verifier: plainText(verifier as string) }
}

function windowOf({ target, from, until }: ServiceActionBody, by: string, clock: number, note: string | null): ServiceWindow {
  return { target, from: Math.max(clock, from ?? clock), until: until ?? 0, by: plainText(by), note }
}

function byRuleSubjectRaise(one: Alarm, other: Alarm): number {
  if (one.rule !== other.rule) return one.rule < other.rule ? -1 : 1
  const [subject, otherSubject] = [one.device ?? one.area ?? '', other.device ?? other.area ?? '']
  if (subject !== otherSubject) return subject < otherSubject ? -1 : 1
  return one.raisedAt - other.raisedAt
}
