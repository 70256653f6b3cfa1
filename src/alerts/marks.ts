// Marks on alarms, the stage behind the desk: chattering, stale, first-out, and floods. Desk events and time in; changes of marks
// out, each at its own instant however often time is advanced. Pure; a mark changes no alarm's course.

import type { Alarm, DeskEvent } from '../model/alarm.ts'
import type { Fleet } from '../model/fleet.ts'
import type { AlarmMark, FloodNow, MarkChange } from '../model/mark.ts'
import { Agenda } from './agenda.ts'
import { type ChatterSnapshot, ChatterWatch, type Subject } from './chatterWatch.ts'
import { pointOf } from './desk.ts'
import { FirstOut, type FirstOutSnapshot, groupOf } from './firstOut.ts'
import { type FloodSight, type FloodSnapshot, FloodWatch } from './floodWatch.ts'
import { STALE_MS } from './statistics.ts'
import { Whereabouts } from './whereabouts.ts'

/** An alarm that is on. */
interface On {
  readonly subject: Subject
  /** When it is, or was, on for too long: by our clock. */
  readonly staleAt: number
  readonly stale: boolean
}

/** At one instant chatter ends first, then alarms become stale, then floods end. */
interface Due {
  readonly rank: 0 | 1 | 2
  /** A point, an alarm, or a flood. */
  readonly key: string
}

export interface MarksSnapshot {
  readonly on: readonly (readonly [id: string, on: On])[]
  readonly chatter: ChatterSnapshot
  readonly firstOut: FirstOutSnapshot
  readonly floods: FloodSnapshot
}

/** Where alarms carry their marks: the desk. */
export interface Bearer {
  mark(id: string, mark: AlarmMark, on: boolean): void
  alarm(id: string): Alarm | null
}

/** Entries of the agenda that hold nothing any more, before it is made anew. */
const MOST_IDLE = 1_000

export class Marks implements FloodSight {
  #whereabouts: Whereabouts
  readonly #on = new Map<string, On>()
  #chatter = new ChatterWatch()
  #firstOut = new FirstOut()
  #floods = new FloodWatch()
  /** Entries that no longer hold are passed over when they come up. */
  #agenda = new Agenda<Due>()

  constructor(fleet: Fleet) {
    this.#whereabouts = new Whereabouts(fleet)
  }

  static restore(fleet: Fleet, snapshot: MarksSnapshot): Marks {
    const marks = new Marks(fleet)
    for (const [id, on] of snapshot.on) marks.#on.set(id, on)
    marks.#chatter = ChatterWatch.restore(snapshot.chatter)
    marks.#firstOut = FirstOut.restore(snapshot.firstOut)
    marks.#floods = FloodWatch.restore(snapshot.floods)
    marks.#plan()
    return marks
  }

  /** A copy of all that is known. */
  snapshot(): MarksSnapshot {
    return {
      on: [...this.#on],
      chatter: this.#chatter.snapshot(),
      firstOut: this.#firstOut.snapshot(),
      floods: this.#floods.snapshot()
    }
  }

  /** Takes over alarms that stand, of whose past nothing is known; time goes on after `clock`. */
  adopt(alarms: Iterable<Alarm>, clock: number): void {
    for (const alarm of alarms) {
      if (alarm.clearedAt !== null) continue
      const subject = this.#subjectOf(alarm)
      const staleAt = Math.max(clock + 1, alarm.raisedAt + STALE_MS)
      this.#on.set(alarm.id, { subject, staleAt: alarm.stale ? alarm.raisedAt + STALE_MS : staleAt, stale: alarm.stale })
      const group = groupOf(subject)
      if (group !== null) this.#firstOut.adopt(group, alarm, clock)
    }
    this.#plan()
  }

  /** Goes on under another plant; what stands stays where it was raised. */
  under(fleet: Fleet): void {
    this.#whereabouts = new Whereabouts(fleet)
  }

  /** The next instant of our clock at which a mark may go on or off by itself; Infinity if none can. */
  get nextDue(): number {
    return this.#agenda.nextAt
  }

  flooding(enterprise: string | null): boolean {
    return this.#floods.flooding(enterprise)
  }

  /** The floods that are on, the widest first. */
  floods(): FloodNow[] {
    return this.#floods.now()
  }

  /** Rules that chatter, each with the subject on which it does. */
  *chattering(): Generator<Subject> {
    for (const { subject } of this.#chatter.episodes()) yield subject
  }

  /**
   * Takes the next event of the desk; what falls due before it happens before it. Answers the event with the marks that its
   * alarm carries after it.
   */
  take(told: DeskEvent, bearer: Bearer, out: MarkChange[]): DeskEvent {
    const { event, alarm, announced, clock } = told
    this.advance(clock - 1, bearer, out)
    const point = pointOf(alarm.id)
    const subject = this.#on.get(alarm.id)?.subject ?? this.#subjectOf(alarm)
    if (announced) for (const key of this.#floods.note(subject, clock, out)) this.#agenda.add(this.#floods.endsAt(key), { rank: 2, key })
    if (event.kind === 'transition') {
      if (event.to === 'clear') this.#cleared(point, subject, alarm, event.at, clock, bearer, out)
      else if (!this.#on.has(alarm.id)) this.#raised(point, subject, alarm, clock, bearer)
    }
    const group = groupOf(subject)
    const first = group === null ? null : this.#firstOut.seen(group, alarm, announced, clock)
    if (first !== null) {
      const since = first === 'on' ? null : first
      this.#change({ kind: 'firstOut', at: clock, on: first === 'on', since, subject, alarms: [alarm.id] }, bearer, out)
    }
    this.#chatter.left(point, alarm)
    const { firstOut, chattering, stale } = bearer.alarm(alarm.id) ?? alarm
    const same = alarm.firstOut === firstOut && alarm.chattering === chattering && alarm.stale === stale
    return same ? told : { ...told, alarm: { ...alarm, firstOut, chattering, stale } }
  }

  /** Lets time pass up to and including `to`: whatever is due happens at its own instant. */
  advance(to: number, bearer: Bearer, out: MarkChange[]): void {
    for (let now = this.#agenda.nextAt; now <= to && now !== Number.POSITIVE_INFINITY; now = this.#agenda.nextAt) {
      const due: Due[] = []
      while (this.#agenda.nextAt === now) due.push(this.#agenda.take() as Due)
      due.sort((one, other) => one.rank - other.rank || (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
      for (const one of due) this.#due(one, now, bearer, out)
    }
  }

  #due({ rank, key }: Due, now: number, bearer: Bearer, out: MarkChange[]): void {
    if (rank === 1) {
      const on = this.#on.get(key)
      if (on === undefined || on.stale || on.staleAt !== now) return
      this.#on.set(key, { ...on, stale: true })
      this.#change({ kind: 'stale', at: now, on: true, since: null, subject: on.subject, alarms: [key] }, bearer, out)
      return
    }
    const endsAt = rank === 0 ? this.#chatter.endsAt(key) : this.#floods.endsAt(key)
    if (endsAt > now) {
      // Raises or announcements since have put it off.
      if (endsAt !== Number.POSITIVE_INFINITY) this.#agenda.add(endsAt, { rank, key })
    } else if (rank === 2) this.#floods.end(key, now, out)
    else {
      const episode = this.#chatter.end(key)
      if (episode === undefined) return
      const { since, subject, alarms } = episode
      this.#change({ kind: 'chattering', at: now, on: false, since, subject, alarms: [...alarms] }, bearer, out)
    }
  }

  #raised(point: string, subject: Subject, alarm: Alarm, clock: number, bearer: Bearer): void {
    const staleAt = Math.max(clock, alarm.raisedAt + STALE_MS)
    this.#on.set(alarm.id, { subject, staleAt, stale: false })
    if (this.#agenda.size > 2 * (this.#on.size + this.#chatter.size) + MOST_IDLE) this.#plan()
    else this.#agenda.add(staleAt, { rank: 1, key: alarm.id })
    if (this.#chatter.raised(point, alarm.id, clock)) bearer.mark(alarm.id, 'chattering', true)
  }

  #cleared(point: string, subject: Subject, alarm: Alarm, at: number, clock: number, bearer: Bearer, out: MarkChange[]): void {
    const on = this.#on.get(alarm.id)
    this.#on.delete(alarm.id)
    if (on?.stale === true) {
      this.#change({ kind: 'stale', at: clock, on: false, since: on.staleAt, subject, alarms: [alarm.id] }, bearer, out)
    }
    if (!this.#chatter.cleared(point, subject, alarm, at, clock)) return
    this.#agenda.add(this.#chatter.endsAt(point), { rank: 0, key: point })
    this.#change({ kind: 'chattering', at: clock, on: true, since: null, subject, alarms: [alarm.id] }, bearer, out)
  }

  #change(
    change: Pick<MarkChange, 'at' | 'on' | 'since' | 'alarms'> & { readonly kind: AlarmMark; readonly subject: Subject },
    bearer: Bearer,
    out: MarkChange[]
  ): void {
    const { kind, at, on, since, subject, alarms } = change
    for (const id of alarms) bearer.mark(id, kind, on)
    out.push({ kind, at, on, since, scope: null, ...subject, alarms, count: null })
  }

  #subjectOf({ rule, device, area }: Alarm): Subject {
    return { rule, device, area, ...this.#whereabouts.of(device, area) }
  }

  /** Makes the agenda anew from what is known. */
  #plan(): void {
    this.#agenda = new Agenda()
    for (const key of this.#chatter.on()) this.#agenda.add(this.#chatter.endsAt(key), { rank: 0, key })
    for (const [key, { staleAt, stale }] of this.#on) if (!stale) this.#agenda.add(staleAt, { rank: 1, key })
    for (const key of this.#floods.on()) this.#agenda.add(this.#floods.endsAt(key), { rank: 2, key })
  }
}
