// The book of alarms: what the desk let through, numbered and stored. It decides nothing. Invariant: events, alarms, rejects and position are
// written in one transaction, and memory changes only after it: whoever retries a failed commit, commits it once.

import { sql } from 'kysely'
import { type DeskEvent, type Transition, withheldBy } from '../model/alarm.ts'
import type { DrillTurn } from '../model/drill.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Reject } from '../model/journal.ts'
import type { MarkChange } from '../model/mark.ts'
import type { PlannedNotification } from '../model/notification.ts'
import { maySee, type Scope } from '../model/scope.ts'
import { levelRank, TIERS } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Problem } from '../platform/problem.ts'
import { guarded, StateFailure } from '../store/failure.ts'
import { rebuildable } from '../store/rebuildable.ts'
import type { QuarantineRow, State } from '../store/schema.ts'
import type {
  AlarmCounts,
  AlarmFilter,
  BookedAlarm,
  CommittedEvent as Committed,
  EventFilter,
  Page,
  PageRequest,
  Position,
  QuarantinedReject
} from './booked.ts'
import { displaced, isBeyond, samePosition, storedPosition } from './bookPosition.ts'
import { writeDrills } from './drillRows.ts'
import { isActive, isStanding } from './fold.ts'
import { alarmById, eventsOfAlarm, listAlarms, listEvents, listEventsAfter, listQuarantine } from './listings.ts'
import { type BookedMark, listMarks, MarkBook, type MarkFilter, markAlarms } from './markBook.ts'
import { PlannedBook } from './planned.ts'
import { alarmOfRow, alarmWriter, eventWriter, quarantineWriter, rowOfAlarm, rowOfEvent, rowOfReject } from './rows.ts'
import { lastRaised, transitionsOf } from './ruleRecord.ts'
import { type JournaledReport, settleReported } from './settledBefore.ts'
import { lastShadowRaise, listShadow, ShadowBook, shadowOf } from './shadow.ts'
import type { AlarmStatistics } from './statistics.ts'
import { type Stretch, statisticsOver } from './stretch.ts'
import { Whereabouts } from './whereabouts.ts'

export type CommittedEvent = Committed

/** One event with the alarm after it. */
export interface Happening extends Pick<DeskEvent, 'event' | 'alarm'> {
  /** Missing: a rise is, at its own instant. */
  readonly announced?: boolean
  readonly clock?: number
}

/** The effects of a stretch of the journal, up to `position`. */
export interface Commit {
  /** In the order of their causes. The events of one journal record are never split over two commits. */
  readonly events: readonly Happening[]
  /** What shadow rules did: kept apart from the events. Missing: nothing. */
  readonly shadow?: readonly Transition[]
  readonly rejects: readonly Reject[]
  /** Marks that went on or off; the alarms of the book carry them. Missing: none. */
  readonly marks?: readonly MarkChange[]
  /** Whom to tell what, and whom not and why. Planning twice changes nothing. Missing: nobody. */
  readonly notifications?: readonly PlannedNotification[]
  /** What became of drills. Missing: nothing. */
  readonly drills?: readonly DrillTurn[]
  /** What the journal says was sent, where it is read again at a start. Missing: nothing. */
  readonly reports?: readonly JournaledReport[]
  readonly position: Position
  /** The fleet in force: says where the subjects of new alarms stand. */
  readonly fleet: Fleet
}

/** What one commit puts into the store. */
interface Written {
  readonly committed: readonly CommittedEvent[]
  /** Of each of them. */
  readonly announcedAt: readonly (number | null)[]
  readonly marks: readonly MarkChange[]
  readonly alarms: readonly BookedAlarm[]
  readonly rejects: readonly QuarantineRow[]
  readonly shadow: readonly Transition[]
  readonly notifications: readonly PlannedNotification[]
  readonly drills: readonly DrillTurn[]
  readonly reports: readonly JournaledReport[]
  readonly whereabouts: Whereabouts
}

/** Ids asked for in one statement. */
const IDS_PER_QUERY = 500

export class Book {
  readonly #state: State
  /** For whoever only asks: what takes long there holds up no commit. */
  readonly #reads: State
  readonly #events = eventWriter()
  readonly #alarms = alarmWriter()
  readonly #quarantine = quarantineWriter()
  readonly #shadow = new ShadowBook()
  readonly #planned = new PlannedBook()
  readonly #marks = new MarkBook()
  /** Active alarms, and those that are withheld. */
  readonly #standing = new Map<string, BookedAlarm>()
  #position: Position = { seq: 0, advancedTo: 0 }
  #lastEvent = 0
  #lastReject = 0
  #whereabouts: Whereabouts | null = null
  /** One commit at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  /** A commit has failed: whether it is in the store is asked again before the next. */
  #doubtful = false
  /** The store is not as we left it: nothing is written to it any more. */
  #displaced: StateFailure | null = null

  constructor(state: State, reads: State = state) {
    this.#state = state
    this.#reads = reads
  }

  /** Reads position and standing alarms. Call once before anything else. Throws a StateFailure where the store cannot be read. */
  async load(): Promise<void> {
    await guarded(async () => {
      const { seq, advancedTo, lastEvent, lastReject } = await storedPosition(this.#state)
      const alarms = await this.#state.selectFrom('alarms').selectAll().where('standing', '=', sql.lit(1)).execute()
      await this.#shadow.load(this.#state)
      this.#position = { seq, advancedTo }
      this.#lastEvent = lastEvent
      this.#lastReject = lastReject
      this.#standing.clear()
      for (const alarm of alarms) this.#standing.set(alarm.id, alarmOfRow(alarm))
    })
  }

  /** How far the journal's effects are in the book. */
  position(): Position {
    return this.#position
  }

  /** The number of the last event; 0 before any. */
  get lastEvent(): number {
    return this.#lastEvent
  }

  /**
   * Writes the effects in one transaction and answers the events with their numbers. A commit whose position is not beyond
   * the book's writes nothing and answers none.
   *
   * Throws a StateFailure where the store cannot be written: nothing is changed then, and the same commit can be tried again.
   */
  commit(commit: Commit): Promise<CommittedEvent[]> {
    const done = this.#turn.then(() => this.#commit(commit))
    this.#turn = done.catch(() => {})
    return done
  }

  /** Resolves once all that has been committed would outlive a power loss too. Needed before the journal may forget its causes. */
  async makeDurable(): Promise<void> {
    await guarded(() => this.#state.updateTable('position').set({ id: 1 }).where('id', '=', 1).execute())
  }

  /** Active alarms of a filter from memory, highest tier first, then newest. `state` is taken for active. */
  active(filter: AlarmFilter, scope: Scope): BookedAlarm[] {
    const found: BookedAlarm[] = []
    for (const alarm of this.#standing.values()) {
      if (isActive(alarm) && maySee(scope, alarm) && matches(alarm, filter)) found.push(alarm)
    }
    return found.sort(byTierThenNewest)
  }

  /** Every alarm that is active or withheld. */
  standing(): Iterable<BookedAlarm> {
    return this.#standing.values()
  }

  /** A page of alarms. active: highest tier first, then newest; all: newest first. A cursor from elsewhere is a problem. */
  list(filter: AlarmFilter, page: PageRequest, scope: Scope): Promise<Page<BookedAlarm> | Problem> {
    return listAlarms(this.#reads, filter, page, scope)
  }

  /** The alarm of this id, active or not; null where there is none in the scope. */
  async alarm(id: string, scope: Scope): Promise<BookedAlarm | null> {
    const alarm = this.#standing.get(id) ?? (await alarmById(this.#state, id))
    return alarm !== null && maySee(scope, alarm) ? alarm : null
  }

  /** The alarm with its newest events (at most LIMITS.book.eventsPerAlarm) in their order. */
  async get(id: string, scope: Scope): Promise<{ alarm: BookedAlarm; events: CommittedEvent[] } | null> {
    const alarm = await this.alarm(id, scope)
    return alarm === null ? null : { alarm, events: await eventsOfAlarm(this.#reads, id) }
  }

  /** A page of events in journal order. A cursor from elsewhere is a problem. */
  events(filter: EventFilter, page: PageRequest, scope: Scope): Promise<Page<CommittedEvent> | Problem> {
    return listEvents(this.#reads, filter, page, scope)
  }

  /** Up to `limit` events numbered above `n`, in order: for resuming a live stream. */
  eventsAfter(n: number, limit: number, scope: Scope): Promise<CommittedEvent[]> {
    return listEventsAfter(this.#reads, n, limit, scope)
  }

  /** ISA-18.2 figures of a stretch of time; null where it holds more than LIMITS.book.eventsPerStretch events. */
  statistics(stretch: Stretch, scope: Scope, dayOf?: (at: number) => string): Promise<AlarmStatistics | null> {
    return statisticsOver(this.#reads, stretch, scope, LIMITS.book.eventsPerStretch, dayOf)
  }

  /** When each of these rules last raised an alarm inside the scope, epoch ms; rules that never did are left out. */
  lastRaised(rules: readonly string[], scope: Scope): Promise<Map<string, number>> {
    return lastRaised(this.#reads, rules, scope)
  }

  /** The newest transitions of one rule on one subject (a device's or an area's id), at most `limit`, in their order. */
  transitionsOf(rule: string, subject: string, limit: number, scope: Scope): Promise<Transition[]> {
    return transitionsOf(this.#reads, rule, subject, limit, scope)
  }

  /** A page of what a shadow rule did, newest first. A cursor from elsewhere is a problem. */
  shadowEvents(rule: string, page: PageRequest, scope: Scope): Promise<Page<Transition> | Problem> {
    return listShadow(this.#reads, rule, page, scope)
  }

  /** When a shadow rule last went on, epoch ms; null: never, as far as is kept. */
  lastShadowRaise(rule: string, scope: Scope): Promise<number | null> {
    return lastShadowRaise(this.#reads, rule, scope)
  }

  /** The newest transitions of a shadow rule on one subject, at most `limit`, in their order. */
  shadowTransitionsOf(rule: string, subject: string, limit: number, scope: Scope): Promise<Transition[]> {
    return shadowOf(this.#reads, rule, subject, limit, scope)
  }

  /** A page of marks that went on and off, newest first. A cursor from elsewhere is a problem. */
  marks(filter: MarkFilter, page: PageRequest, scope: Scope): Promise<Page<BookedMark> | Problem> {
    return listMarks(this.#reads, filter, page, scope)
  }

  /** A page of rejects, newest first. */
  quarantine(page: PageRequest, scope: Scope): Promise<Page<QuarantinedReject> | Problem> {
    return listQuarantine(this.#reads, page, scope)
  }

  /** Active alarms by tier and ISA-18.2 state; those that are withheld are nobody's load and are left out. */
  counts(scope: Scope): AlarmCounts {
    const none = { unacknowledged: 0, acknowledged: 0, clearedUnacknowledged: 0 }
    const counts = { blue: { ...none }, yellow: { ...none }, orange: { ...none }, red: { ...none } }
    for (const alarm of this.#standing.values()) {
      if (!maySee(scope, alarm) || !isActive(alarm) || withheldBy(alarm) !== null) continue
      const ofTier = counts[alarm.tier]
      if (alarm.clearedAt !== null) ofTier.clearedUnacknowledged += 1
      else if (alarm.acknowledged === null) ofTier.unacknowledged += 1
      else ofTier.acknowledged += 1
    }
    return counts
  }

  async #commit({
    events,
    shadow = [],
    rejects,
    marks = [],
    notifications = [],
    drills = [],
    reports = [],
    position,
    fleet
  }: Commit): Promise<CommittedEvent[]> {
    if (this.#doubtful) {
      const [known, knownEvent] = [this.#position, this.#lastEvent]
      await this.load()
      this.#doubtful = false
      if (samePosition(this.#position, position)) return listEventsAfter(this.#state, knownEvent, this.#lastEvent - knownEvent, null)
      if (!samePosition(this.#position, known)) this.#displaced = displaced(this.#state, known, this.#position)
    }
    if (this.#displaced !== null) throw this.#displaced
    if (!isBeyond(position, this.#position)) return []
    if (this.#whereabouts?.fleet !== fleet) this.#whereabouts = new Whereabouts(fleet)
    const whereabouts = this.#whereabouts
    const alarms = await this.#alarmsOf([...events.map(({ event }) => event.id), ...marks.flatMap(({ alarms }) => alarms)])
    const committed = this.#numbered(events, alarms, whereabouts)
    const rows = this.#rowsOf(rejects, whereabouts)
    const ids = [...committed.map(({ event }) => event.id), ...markAlarms(alarms, marks)]
    const touched = new Map(ids.map((id) => [id, alarms.get(id) as BookedAlarm]))
    try {
      const announcedAt = events.map(announcedAtOf)
      const written = {
        committed,
        announcedAt,
        alarms: [...touched.values()],
        rejects: rows,
        marks,
        shadow,
        notifications,
        drills,
        reports,
        whereabouts
      }
      this.#shadow.written(await guarded(() => this.#write(written, position)))
    } catch (cause) {
      if (cause instanceof StateFailure && !cause.passing) this.#displaced = cause
      else this.#doubtful = true
      throw cause
    }
    this.#position = position
    this.#lastEvent += committed.length
    this.#lastReject += rows.length
    for (const alarm of touched.values()) {
      if (isStanding(alarm)) this.#standing.set(alarm.id, alarm)
      else this.#standing.delete(alarm.id)
    }
    return committed
  }

  /** The alarms of these ids, as they stand. */
  async #alarmsOf(named: readonly string[]): Promise<Map<string, BookedAlarm>> {
    const alarms = new Map<string, BookedAlarm>()
    const missing = new Set<string>()
    for (const id of named) {
      const alarm = this.#standing.get(id)
      if (alarm === undefined) missing.add(id)
      else alarms.set(id, alarm)
    }
    const ids = [...missing]
    for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
      const some = ids.slice(from, from + IDS_PER_QUERY)
      const rows = await guarded(() => this.#state.selectFrom('alarms').selectAll().where('id', 'in', some).execute())
      for (const row of rows) alarms.set(row.id, alarmOfRow(row))
    }
    return alarms
  }

  /** Numbers the events, and puts the alarms as they are after them into `alarms`. */
  #numbered(events: readonly Happening[], alarms: Map<string, BookedAlarm>, whereabouts: Whereabouts): CommittedEvent[] {
    return events.map(({ event, alarm }, place) => {
      const { rule, device, area } = alarm
      const { inArea, site, enterprise } = alarms.get(event.id) ?? whereabouts.of(device, area)
      const n = this.#lastEvent + place + 1
      alarms.set(event.id, { ...alarm, inArea, site, enterprise, lastEvent: n })
      return { n, event, rule, device, area, site, enterprise }
    })
  }

  #rowsOf(rejects: readonly Reject[], whereabouts: Whereabouts): QuarantineRow[] {
    return rejects
      .slice(-LIMITS.quarantine.rows)
      .map((reject, place) => rowOfReject(this.#lastReject + place + 1, reject, whereabouts.ofReject(reject.gateway, reject.device)))
  }

  /** Answers the number of the last shadow event. */
  #write(
    { committed, announcedAt, alarms, rejects, marks, shadow, notifications, drills, reports, whereabouts }: Written,
    position: Position
  ): Promise<number> {
    const lastEvent = this.#lastEvent + committed.length
    const lastReject = this.#lastReject + rejects.length
    return rebuildable(this.#state, async (state) => {
      const moved = await state
        .updateTable('position')
        .set({ seq: position.seq, advanced_to: position.advancedTo, last_event: lastEvent, last_reject: lastReject })
        .where('id', '=', 1)
        .where('last_event', '=', this.#lastEvent)
        .where('seq', '=', this.#position.seq)
        .executeTakeFirst()
      if (moved.numUpdatedRows !== 1n) throw displaced(state, this.#position, await storedPosition(state))
      await this.#events.write(
        state,
        committed.map((one, place) => rowOfEvent(one, announcedAt[place] ?? null))
      )
      await this.#alarms.write(state, alarms.map(rowOfAlarm))
      await this.#marks.write(state, marks)
      await this.#planned.write(state, notifications)
      await settleReported(state, reports)
      await writeDrills(state, drills)
      const lastShadow = await this.#shadow.write(state, shadow, whereabouts)
      if (rejects.length === 0) return lastShadow
      await this.#quarantine.write(state, rejects)
      await state
        .deleteFrom('quarantine')
        .where('id', '<=', lastReject - LIMITS.quarantine.rows)
        .execute()
      return lastShadow
    })
  }
}

function announcedAtOf({ event, announced, clock }: Happening): number | null {
  if (announced === undefined) return event.kind === 'transition' && levelRank(event.to) > levelRank(event.from) ? event.at : null
  return announced ? (clock ?? event.at) : null
}

function matches(alarm: BookedAlarm, { tiers = TIERS, site, enterprise, device, from = -Infinity, to = Infinity }: AlarmFilter): boolean {
  if (!tiers.includes(alarm.tier) || alarm.raisedAt < from || alarm.raisedAt >= to) return false
  if (site !== undefined && alarm.site !== site) return false
  if (enterprise !== undefined && alarm.enterprise !== enterprise) return false
  return device === undefined || alarm.device === device
}

function byTierThenNewest(one: BookedAlarm, other: BookedAlarm): number {
  const order = levelRank(other.tier) - levelRank(one.tier) || other.raisedAt - one.raisedAt
  if (order !== 0) return order
  return one.id < other.id ? 1 : -1
}
