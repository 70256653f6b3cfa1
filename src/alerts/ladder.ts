// From an alarm to people, until somebody answers. Desk events, delivery reports and time in; planned notifications out, also
// the withheld ones with their reason. Pure: each is planned at its own instant, however often time is advanced, and its id
// follows from the inputs, so planning it twice changes nothing.

import type { Alarm, DeskEvent } from '../model/alarm.ts'
import type { Ladder as LadderPlan, Person, Rung } from '../model/duty.ts'
import type { ChannelKind, DeliveryReport, PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import { type Level, levelRank } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { Agenda, type AgendaSnapshot } from './agenda.ts'
import { pointOf } from './desk.ts'
import type { Held } from './digests.ts'
import { addressOf, DutyPlan } from './dutyLadders.ts'
import type { FloodSight } from './floodWatch.ts'
import { type Bearing, Gate, type GateSnapshot, type Parcel } from './gate.ts'
import { type Messages, PlantMessages } from './ladderMessages.ts'
import { type Attempt, type Call, type Calling, climbsOn, copyOf, isUnreached, type Leg, type Run, type Turn } from './ladderRun.ts'
import { whyNotCall, whyNotNotice } from './withhold.ts'

/** What falls due: a call of a rung, the end of waiting for a receipt, a digest. */
type Step =
  | { readonly kind: 'rung'; readonly alarm: string; readonly generation: number; readonly rung: number; readonly occurrence: number }
  | { readonly kind: 'receipt'; readonly id: string; readonly failed: boolean }
  | { readonly kind: 'digest'; readonly key: string }

export interface LadderSnapshot {
  readonly runs: readonly Run[]
  readonly attempts: readonly (readonly [id: string, attempt: Attempt])[]
  readonly agenda: AgendaSnapshot<Step>
  readonly gate: GateSnapshot
}

export class Ladder {
  #plan: DutyPlan
  #messages: Messages
  #ladders: ReadonlyMap<string, LadderPlan>
  readonly #runs = new Map<string, Run>()
  readonly #attempts = new Map<string, Attempt>()
  #agenda = new Agenda<Step>()
  #gate: Gate

  constructor(plant: Plant, floods: FloodSight, messages: Messages = new PlantMessages(plant)) {
    this.#gate = new Gate(floods)
    this.#plan = new DutyPlan(plant)
    this.#messages = messages
    this.#ladders = laddersOf(plant)
  }

  static restore(plant: Plant, snapshot: LadderSnapshot, floods: FloodSight, messages?: Messages): Ladder {
    const ladder = new Ladder(plant, floods, messages)
    for (const run of snapshot.runs) ladder.#runs.set(run.alarm.id, copyOf(run))
    for (const [id, attempt] of snapshot.attempts) ladder.#attempts.set(id, attempt)
    ladder.#agenda = Agenda.restore(snapshot.agenda)
    ladder.#gate = Gate.restore(snapshot.gate, floods)
    return ladder
  }

  /** Everything needed to go on from here; safe to keep while the ladder goes on. */
  snapshot(): LadderSnapshot {
    return {
      runs: [...this.#runs.values()].map(copyOf),
      attempts: [...this.#attempts],
      agenda: this.#agenda.snapshot(),
      gate: this.#gate.snapshot()
    }
  }

  /** Goes on under another plant: who was told stays told, and the rungs still to come are those of the new one. */
  under(plant: Plant, messages: Messages = new PlantMessages(plant)): void {
    this.#plan = new DutyPlan(plant)
    this.#messages = messages
    this.#ladders = laddersOf(plant)
  }

  /** The next instant of our clock at which something falls due; Infinity if nothing does. */
  get nextDue(): number {
    return this.#agenda.nextAt
  }

  /** Whether a call is still to come, of whatever rung. */
  get calling(): boolean {
    return [...this.#runs.values()].some(({ waiting, stopped }) => waiting > 0 && !stopped)
  }

  /** Alarms that people are being told of, or have been. */
  get size(): number {
    return this.#runs.size
  }

  /** Alarms that somebody must be told of and nobody can be: whatever was tried on the whole ladder has failed. */
  unreached(): Alarm[] {
    return [...this.#runs.values()].filter((run) => run.ladder !== null && isUnreached(run, this.#rungsOf(run))).map(({ alarm }) => alarm)
  }

  /** Takes what the desk let through, in order; what falls due before an event is planned before it. */
  take(events: readonly DeskEvent[], out: PlannedNotification[]): void {
    if (this.#plan.duty === null && this.#runs.size === 0) return
    for (const event of events) {
      this.advance(event.clock - 1, out)
      this.#event(event, out)
    }
  }

  /** What became of a message, known at `clock`. A report on an unknown message, or a second one, changes nothing. */
  report({ id, state }: DeliveryReport, clock: number, out: PlannedNotification[]): void {
    this.advance(clock - 1, out)
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return
    const receipted = this.#plan.duty?.receipts.includes(attempt.channel) ?? false
    if (state === 'sent' && receipted) return
    this.#attempts.delete(id)
    if (state === 'failed') this.#failed(id, attempt, clock, out)
    else this.#reached(id, attempt)
  }

  /** Lets time pass up to and including `to`: everything due on the way is planned at its own instant. */
  advance(to: number, out: PlannedNotification[]): void {
    for (let now = this.#agenda.nextAt; now <= to; now = this.#agenda.nextAt) this.#due(this.#agenda.take() as Step, now, out)
  }

  #due(step: Step, now: number, out: PlannedNotification[]): void {
    switch (step.kind) {
      case 'rung': {
        const run = this.#runs.get(step.alarm)
        if (run === undefined || run.generation !== step.generation) return
        run.waiting--
        if (!run.stopped && (step.occurrence > 1 || step.rung === run.nextRung)) this.#call(run, step.rung, step.occurrence, now, out)
        this.#forgetIfOver(run)
        return
      }
      case 'receipt': {
        const attempt = this.#attempts.get(step.id)
        this.#attempts.delete(step.id)
        if (attempt !== undefined && step.failed) this.#failed(step.id, attempt, now, out)
        return
      }
      case 'digest':
        this.#digest(step.key, now, out)
    }
  }

  #event({ event, alarm, announced, withheld, clock }: DeskEvent, out: PlannedNotification[]): void {
    const from = event.kind === 'transition' ? event.from : null
    if (announced || withheld !== null) return void this.#begin({ event, alarm, announced, withheld, clock }, from, out)
    const run = this.#runs.get(alarm.id)
    if (run === undefined) return
    run.alarm = alarm
    if (event.kind === 'transition') {
      run.from = from
      if (event.to === 'clear') this.#notice(run, 'cleared', new Set(), clock, out)
      else if (levelRank(event.to) < levelRank(event.from)) this.#notice(run, 'eased', new Set(), clock, out)
    }
    this.#forgetIfOver(run)
  }

  /** An alarm is announced, or would be: its ladder begins at the first rung. Who already knows is not forgotten. */
  #begin(
    { event, alarm, withheld, clock }: Pick<DeskEvent, 'event' | 'alarm' | 'announced' | 'withheld' | 'clock'>,
    from: Level | null,
    out: PlannedNotification[]
  ): void {
    const before = this.#runs.get(alarm.id)
    if (before !== undefined && withheld === null && climbsOn(before, this.#rungsOf(before), alarm.tier)) {
      this.#again(Object.assign(before, { alarm, from }), event.kind === 'transition' ? 'escalated' : 'reminder', clock, out)
      return
    }
    const place = this.#plan.placeOf(alarm)
    const ladder = this.#plan.ladderOf(alarm.rule, alarm.tier, place)
    const known = before?.told ?? new Map<string, ChannelKind>()
    if (ladder === null && known.size === 0) {
      this.#runs.delete(alarm.id)
      return
    }
    const reason = event.kind !== 'transition' ? (known.size === 0 ? 'raised' : 'reminder') : from === 'clear' ? 'raised' : 'escalated'
    const run: Run = {
      ...{ alarm, from, place, reason, startedAt: clock, climbedFor: alarm.tier, told: known, calls: new Map() },
      ...{ generation: (before?.generation ?? 0) + 1, ladder: ladder?.id ?? null, nextRung: 1, notices: before?.notices ?? 0 },
      ...{ stopped: withheld !== null, waiting: 0 }
    }
    this.#runs.set(alarm.id, run)
    const informed = new Set(known.keys())
    const first = ladder?.rungs[0]
    if (first !== undefined && (first.afterMs === 0 || withheld !== null)) this.#call(run, 1, 1, clock, out)
    else if (first !== undefined) this.#wait(run, 1, 1, clock + first.afterMs)
    // Those who know of the milder alarm and are not called again learn that it is worse.
    if (reason === 'escalated' && informed.size > 0) this.#notice(run, 'escalated', new Set(run.calls.keys()), clock, out)
  }

  /** Announced again while the ladder climbs on: those who know are told, except by a call of this very instant. */
  #again(run: Run, turn: Turn, clock: number, out: PlannedNotification[]): void {
    const before = out.length
    if (turn === 'reminder') this.advance(clock, out)
    const called = out.slice(before).filter(({ alarms }) => alarms.includes(run.alarm.id))
    this.#notice(run, turn, new Set(called.map(({ person }) => person)), clock, out)
  }

  /** Calls everybody of a rung, and puts the next steps on the agenda. */
  #call(run: Run, rung: number, occurrence: number, now: number, out: PlannedNotification[]): void {
    const ladder = this.#ladders.get(run.ladder ?? '')
    const step = ladder?.rungs[rung - 1]
    if (ladder === undefined || step === undefined) return
    const first = occurrence === 1
    if (first) run.nextRung = rung + 1
    const called = this.#plan.called(step, run.place, now)
    const channel = step.by[0]?.[0] as ChannelKind
    const why = whyNotCall(run.alarm)
    if (why !== null) {
      run.stopped = true
      const reason = first ? run.reason : 'reminder'
      for (const one of called) {
        const to = one.kind === 'person' ? one.person : one.as
        const address = one.kind === 'person' ? addressOf(one.person, channel) : null
        out.push(this.#messages.one({ run, reason, rung, occurrence, at: now, to, channel, address, withheld: why }))
      }
      return
    }
    let hope = false
    for (const one of called) {
      if (one.kind === 'person') hope = this.#try(run, one.person, step, rung, occurrence, 0, now, out) || hope
      else if (first) {
        const sheet = { run, reason: run.reason, rung, occurrence, at: now, to: one.as, channel, address: null } as const
        out.push(this.#messages.one({ ...sheet, withheld: 'nobodyOnDuty' }))
      }
    }
    if (step.repeatMs !== null && occurrence < step.times && hope) this.#wait(run, rung, occurrence + 1, now + step.repeatMs)
    if (!first) return
    const next = ladder.rungs[rung]
    if (next === undefined) return
    if (hope) this.#wait(run, rung + 1, 1, Math.max(now, run.startedAt + next.afterMs))
    else this.#call(run, rung + 1, 1, now, out)
  }

  /** Tries the person by the rung's ways, from `group` on, until one may arrive; false: there is none. */
  #try(
    run: Run,
    person: Person,
    step: Rung,
    rung: number,
    occurrence: number,
    from: number,
    now: number,
    out: PlannedNotification[]
  ): boolean {
    const reason = occurrence > 1 || (run.reason === 'raised' && run.told.has(person.id)) ? 'reminder' : run.reason
    for (let group = from; group < step.by.length; group++) {
      const call: Call = { rung, occurrence, group, pending: new Set(), reached: false, lost: false }
      run.calls.set(person.id, call)
      let hope = false
      for (const channel of step.by[group] ?? []) {
        if (this.#tell({ run, person, rung, occurrence, reason, call }, channel, now, out)) hope = true
      }
      if (hope) return true
      call.lost = true
    }
    return false
  }

  /** Plans one message to one person by one way, or holds it back for a digest; false: it cannot arrive. */
  #tell(calling: Calling, channel: ChannelKind, now: number, out: PlannedNotification[]): boolean {
    const { run, person, rung, occurrence, reason, call } = calling
    const address = addressOf(person, channel)
    const sheet = { run, reason, rung, occurrence, at: now, to: person, channel, address }
    if (address === null) {
      out.push(this.#messages.one({ ...sheet, withheld: 'noAddress' }))
      return false
    }
    const { duty } = this.#plan
    const { site, enterprise } = run.place
    const red = run.alarm.tier === 'red'
    const chatter = run.alarm.chattering && !red && reason === 'raised' ? pointOf(run.alarm.id) : null
    const about = { red, site, enterprise, digest: null, chatter }
    const why = duty === null ? null : this.#gate.why(duty, person, channel, about, now)
    const leg: Leg = { alarm: run.alarm.id, generation: run.generation, rung, occurrence, group: call?.group ?? 0 }
    if (why !== null) {
      // Of repeats the first is recorded: the digest tells of all.
      if (occurrence === 1 || rung === 0) out.push(this.#messages.one({ ...sheet, withheld: why }))
      const known = run.told.has(person.id)
      const held: Held = { ...leg, id: run.alarm.id, alarm: run.alarm, reason, from: run.from, known }
      this.#hold({ person, channel, ladder: run.ladder ?? '', why, site, enterprise, chatter }, held, now)
      return true
    }
    const message = this.#messages.one({ ...sheet, withheld: null })
    out.push(message)
    run.told.set(person.id, channel)
    this.#gone(message, { site, chatter }, call === null ? [] : [leg], now)
    call?.pending.add(message.id)
    return true
  }

  #hold(parcel: Parcel, held: Held, now: number): void {
    const { duty } = this.#plan
    const due = duty === null || !this.#messages.digests ? null : this.#gate.hold(duty, parcel, held, now)
    if (due !== null) this.#agenda.add(due.at, { kind: 'digest', key: due.key })
  }

  /** One message instead of those that were held back, as far as they still matter. */
  #digest(key: string, now: number, out: PlannedNotification[]): void {
    const queue = this.#gate.take(key)
    const { duty } = this.#plan
    const person = this.#plan.people.get(queue?.person ?? '')
    if (queue === undefined || person === undefined || duty === null) return
    const items = [...queue.items.values()].flatMap((item) => this.#stillTold(item, person.id))
    if (items.length === 0) return
    const { channel, site, enterprise, ladder, chatter = null } = queue
    const red = items.some(({ alarm, reason }) => alarm.tier === 'red' && reason !== 'cleared')
    const why = this.#gate.why(duty, person, channel, { red, site, enterprise, digest: queue.why, chatter }, now)
    if (why !== null) {
      for (const item of items) this.#hold({ person, channel, ladder, why, site, enterprise, chatter }, item, now)
      return
    }
    const message = this.#messages.many(queue, items, person, addressOf(person, channel), now)
    out.push(message)
    const legs: Leg[] = []
    for (const { id, generation, rung, occurrence, group, reason } of items) {
      const run = this.#runs.get(id)
      if (run === undefined) continue
      run.told.set(person.id, channel)
      const call = run.calls.get(person.id)
      if (reason === 'cleared' || reason === 'eased' || rung === 0 || call === undefined || run.generation !== generation) continue
      call.pending.add(message.id)
      legs.push({ alarm: id, generation, rung, occurrence, group })
    }
    this.#gone(message, { site, chatter }, legs, now)
    for (const { id } of items) this.#forgetIfOver(this.#runs.get(id))
  }

  /** The alarm as it is now, where the person is still to be told of it. */
  #stillTold(item: Held, person: string): Held[] {
    if (item.reason === 'cleared') return item.known ? [item] : []
    const run = this.#runs.get(item.id)
    if (run === undefined || (item.known && item.reason === 'eased' ? whyNotNotice(run.alarm) : whyNotCall(run.alarm)) !== null) return []
    // It has risen meanwhile, and the person has heard that already.
    if (run.generation !== item.generation && run.told.has(person)) return []
    return [{ ...item, alarm: run.alarm }]
  }

  /** A message has left: counts towards the person's pace, and its end is waited for. */
  #gone(message: PlannedNotification, about: Pick<Bearing, 'site' | 'chatter'>, legs: readonly Leg[], now: number): void {
    const duty = this.#plan.duty
    if (message.withheld !== null || duty === null) return
    this.#gate.sent(duty, message.person, message.channel, about, now)
    if (legs.length === 0) return
    this.#attempts.set(message.id, { person: message.person, channel: message.channel, legs })
    const within = this.#ladders.get(message.ladder)?.receiptWithinMs ?? null
    const forgetMs = LIMITS.duty.reportMs
    this.#agenda.add(now + (within ?? forgetMs), { kind: 'receipt', id: message.id, failed: within !== null })
  }

  #reached(id: string, { person, channel, legs }: Attempt): void {
    for (const leg of legs) {
      const run = this.#runs.get(leg.alarm)
      const call = run?.calls.get(person)
      // Of several ways used together, turns are told by the one that arrived.
      run?.told.set(person, channel)
      if (call?.pending.delete(id)) call.reached = true
    }
  }

  /** A message will not arrive: the next way now, else the next person, which is the next rung once nobody of this one is left. */
  #failed(id: string, { person, channel, legs }: Attempt, now: number, out: PlannedNotification[]): void {
    for (const { alarm, generation, rung, occurrence, group } of legs) {
      const run = this.#runs.get(alarm)
      if (run === undefined) continue
      const call = run.calls.get(person)
      if (run.told.get(person) === channel) {
        const other = [...(call?.pending ?? [])].find((one) => one !== id && this.#attempts.has(one))
        if (other === undefined) run.told.delete(person)
        else run.told.set(person, (this.#attempts.get(other) as Attempt).channel)
      }
      const own = call !== undefined && call.rung === rung && call.occurrence === occurrence && call.group === group
      if (run.generation !== generation || run.stopped || !own || !call.pending.delete(id)) continue
      if (call.reached || call.pending.size > 0 || whyNotCall(run.alarm) !== null) continue
      const step = this.#ladders.get(run.ladder ?? '')?.rungs[rung - 1]
      const who = this.#plan.people.get(person)
      if (step !== undefined && who !== undefined && this.#try(run, who, step, rung, occurrence, group + 1, now, out)) continue
      call.lost = true
      const rungLost = [...run.calls.values()].every((one) => one.rung !== rung || one.lost)
      if (rungLost && run.nextRung === rung + 1) this.#call(run, run.nextRung, 1, now, out)
    }
  }

  /** Tells those who know, and only them, of a turn. */
  #notice(run: Run, reason: Turn, but: ReadonlySet<string>, now: number, out: PlannedNotification[]): void {
    const why = whyNotNotice(run.alarm)
    const occurrence = ++run.notices
    for (const [id, way] of [...run.told]) {
      const person = this.#plan.people.get(id)
      if (person === undefined || but.has(id)) continue
      // Nobody is rung up to hear that there is less to do.
      const less = reason === 'eased' || reason === 'cleared'
      const channel = way === 'voice' && less && addressOf(person, 'sms') !== null ? 'sms' : way
      if (why === null) {
        this.#tell({ run, person, rung: 0, occurrence, reason, call: null }, channel, now, out)
        continue
      }
      const address = addressOf(person, channel)
      out.push(this.#messages.one({ run, reason, rung: 0, occurrence, at: now, to: person, channel, address, withheld: why }))
    }
  }

  #rungsOf({ ladder }: Run): number {
    return this.#ladders.get(ladder ?? '')?.rungs.length ?? 0
  }

  #wait(run: Run, rung: number, occurrence: number, at: number): void {
    run.waiting++
    this.#agenda.add(at, { kind: 'rung', alarm: run.alarm.id, generation: run.generation, rung, occurrence })
  }

  #forgetIfOver(run: Run | undefined): void {
    if (run !== undefined && run.alarm.clearedAt !== null && (run.waiting === 0 || run.stopped)) this.#runs.delete(run.alarm.id)
  }
}

function laddersOf(plant: Plant): ReadonlyMap<string, LadderPlan> {
  return new Map((plant.duty?.ladders ?? []).map((ladder) => [ladder.id, ladder]))
}
