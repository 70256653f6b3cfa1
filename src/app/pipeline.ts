// The one deterministic function: journal records in, alarm events out. Live operation, recovery, backtest and scenarios
// all call this very code; only what stands at its two ends differs. Synchronous and pure: time is in the records.

import { Desk, type DeskSnapshot } from '../alerts/desk.ts'
import { Drilling, type DrillingSnapshot } from '../alerts/drilling.ts'
import type { FloodSight } from '../alerts/floodWatch.ts'
import { Ladder, type LadderSnapshot } from '../alerts/ladder.ts'
import { Marks, type MarksSnapshot } from '../alerts/marks.ts'
import { Intake, type IntakeSnapshot } from '../ingest/intake.ts'
import { Latest, type LatestSnapshot } from '../ingest/latest.ts'
import type { Alarm, DeskEvent, Transition } from '../model/alarm.ts'
import { type DrillActionBody, isDrillId } from '../model/drill.ts'
import { type Fleet, numberFleet } from '../model/fleet.ts'
import type { JournalRecord, OperatorActionBody, ServiceActionBody } from '../model/journal.ts'
import type { DeliveryReport } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import type { StateActionBody, SuppressionChange } from '../model/suppression.ts'
import type { Doubt } from '../rules/doubts.ts'
import { Engine, type EngineSnapshot, type StandingAlarm } from '../rules/engine.ts'
import type { Explanation } from '../rules/explain.ts'
import { stateOfRule } from '../rules/states.ts'
import { Suppression, type SuppressionSnapshot } from '../rules/suppression.ts'
import type { Effects } from './effects.ts'

/** How far the journal has been judged: the last record, and the instant of our clock that time has been advanced to. */
export interface Position {
  readonly seq: number
  readonly advancedTo: number
}

/** Whether a gateway is connected, as the journal knows it. */
export interface Presence {
  readonly online: boolean
  readonly since: number
}

export interface PipelineSnapshot {
  readonly position: Position
  readonly plantHash: string
  readonly intake: IntakeSnapshot
  readonly engine: EngineSnapshot
  readonly latest: LatestSnapshot
  readonly presence: ReadonlyMap<string, Presence>
  /** Missing: written by a version without a desk; `adopt` fills it. */
  readonly desk?: DeskSnapshot
  /** Missing: written by a version without marks; what stands is taken over. */
  readonly marks?: MarksSnapshot
  /** Missing: written by a version that told nobody. */
  readonly ladder?: LadderSnapshot
  /** Missing: written by a version whose drills had no ladder. */
  readonly drilling?: DrillingSnapshot
  /** Missing: written by a version without states and inhibitions, so nothing was held back. */
  readonly suppression?: SuppressionSnapshot
}

export interface PipelineOptions {
  /** A time stamp further ahead of its receipt than this is not believed. */
  readonly clockSkewMs: number
}

export class Pipeline {
  #fleet: Fleet
  #shadows: ReadonlySet<string>
  #intake: Intake
  #engine: Engine
  #latest: Latest
  #desk: Desk
  #marks: Marks
  #ladder: Ladder
  #drilling: Drilling
  #suppression: Suppression
  #presence: Map<string, Presence>
  #position: Position
  /** False after a restore from a snapshot without a desk, until `adopt`. */
  #deskKnown = true
  /** What the engine has said and the desk has not yet taken. */
  readonly #raw: Transition[] = []
  readonly #floods: FloodSight = { flooding: (enterprise) => this.#marks.flooding(enterprise) }

  private constructor(fleet: Fleet, intake: Intake, engine: Engine, latest: Latest, desk: Desk, position: Position) {
    this.#fleet = fleet
    this.#shadows = shadowsOf(fleet)
    this.#intake = intake
    this.#engine = engine
    this.#latest = latest
    this.#desk = desk
    this.#marks = new Marks(fleet)
    this.#ladder = new Ladder(fleet.plant, this.#floods)
    this.#drilling = new Drilling(fleet.plant, position.advancedTo)
    this.#presence = new Map()
    this.#position = position
    this.#suppression = new Suppression(fleet, position.advancedTo, this.#facts(engine))
  }

  /** A pipeline that knows the plant and has seen no record beyond `seq`; its time begins at `startAt` (our clock, epoch ms). */
  static begin(plant: Plant, seq: number, startAt: number, options: PipelineOptions): Pipeline {
    const fleet = numberFleet(plant)
    const position = { seq, advancedTo: startAt - 1 }
    return new Pipeline(fleet, new Intake(fleet, options), new Engine(fleet, startAt), new Latest(fleet), new Desk(fleet), position)
  }

  /** A pipeline exactly as it was when the snapshot was taken. `plant` is the one that `snapshot.plantHash` names. */
  static restore(plant: Plant, snapshot: PipelineSnapshot, options: PipelineOptions): Pipeline {
    const fleet = numberFleet(plant)
    const intake = Intake.restore(fleet, options, snapshot.intake)
    const engine = Engine.restore(fleet, snapshot.engine)
    const desk = snapshot.desk === undefined ? new Desk(fleet) : Desk.restore(fleet, snapshot.desk)
    const pipeline = new Pipeline(fleet, intake, engine, Latest.restore(fleet, snapshot.latest), desk, snapshot.position)
    pipeline.#deskKnown = snapshot.desk !== undefined
    const { suppression, position } = snapshot
    if (suppression !== undefined) pipeline.#suppression = Suppression.restore(fleet, suppression, position.advancedTo)
    if (snapshot.marks === undefined) pipeline.#marks.adopt(desk.standing(), position.advancedTo)
    else pipeline.#marks = Marks.restore(fleet, snapshot.marks)
    if (snapshot.ladder !== undefined) pipeline.#ladder = Ladder.restore(plant, snapshot.ladder, pipeline.#floods)
    if (snapshot.drilling !== undefined) pipeline.#drilling = Drilling.restore(plant, snapshot.drilling)
    pipeline.#presence = new Map(snapshot.presence)
    return pipeline
  }

  get position(): Position {
    return this.#position
  }

  get fleet(): Fleet {
    return this.#fleet
  }

  get latest(): Latest {
    return this.#latest
  }

  get intake(): Intake {
    return this.#intake
  }

  get presence(): ReadonlyMap<string, Presence> {
    return this.#presence
  }

  /** For looking at. */
  get drilling(): Drilling {
    return this.#drilling
  }

  /** For looking at. */
  get desk(): Desk {
    return this.#desk
  }

  /** Floods and chattering alarms. For looking at. */
  get marks(): Marks {
    return this.#marks
  }

  /** False where the alarms that stand must be taken over from the book before anything new is told. */
  get deskKnown(): boolean {
    return this.#deskKnown
  }

  /** Takes over the alarms that stand, as the book knows them at this very position. */
  adopt(alarms: Iterable<Alarm>): void {
    this.#desk = new Desk(this.#fleet)
    this.#desk.adopt(alarms)
    this.#marks = new Marks(this.#fleet)
    this.#marks.adopt(this.#desk.standing(), this.#position.advancedTo)
    this.#deskKnown = true
  }

  /** Whether a latched alarm that is on could be reset: every tier's exit has been met. */
  causeGone(alarm: string): boolean {
    return this.#engine.causeGone(alarm)
  }

  /** What is on of states and inhibitions, and what they hold back. For looking at. */
  get suppression(): Suppression {
    return this.#suppression
  }

  /** The alarms that are not clear; those of shadow rules are none. */
  *standing(): Generator<StandingAlarm> {
    for (const alarm of this.#facts(this.#engine)) if (stateOfRule(alarm.rule) === null) yield alarm
  }

  /** Why a rule stands where it stands on a device or area, as far as judged; null where it does not watch it. */
  explain(rule: string, subject: { readonly device: string | null; readonly area: string | null }): Explanation | null {
    return this.#engine.explain(rule, subject)
  }

  /** On how many of the subjects that `seen` lets pass each rule cannot be judged, and why. */
  doubts(seen: (subject: { readonly device: string | null; readonly area: string | null }) => boolean): ReadonlyMap<string, Doubt> {
    return this.#engine.doubts(seen)
  }

  /** Alarms of which nobody could be told, on the whole ladder. */
  unreached(): Alarm[] {
    return this.#ladder.unreached()
  }

  /** The next instant of our clock at which something falls due by itself; Infinity if nothing does. */
  get nextDue(): number {
    return Math.min(
      this.#engine.nextDue(),
      this.#suppression.nextDue,
      this.#desk.nextDue,
      this.#marks.nextDue,
      this.#ladder.nextDue,
      this.#drilling.nextDue
    )
  }

  /** Takes the records, which follow the position without a gap, in order. A 'plant' record goes through `replant` instead. */
  take(records: readonly JournalRecord[], effects: Effects): void {
    for (const record of records) {
      this.#advanceBefore(record.receivedAt, effects)
      switch (record.kind) {
        case 'telemetry':
          this.#telemetry(record, effects)
          break
        case 'presence':
          this.#present(record, effects)
          break
        case 'action':
          this.#act(record, effects)
          break
        case 'delivery':
          this.#delivered(record, effects)
          break
        case 'plant':
          throw new Error(`record ${record.seq} changes the plant and must be taken by itself`)
      }
      this.#judged(record.receivedAt, effects)
      this.#position = { seq: record.seq, advancedTo: Math.max(this.#position.advancedTo, record.receivedAt - 1) }
    }
  }

  /** Puts another plant in force at this record; the state of what has not changed is kept. */
  replant(record: JournalRecord, plant: Plant, effects: Effects): void {
    this.#advanceBefore(record.receivedAt, effects)
    const fleet = numberFleet(plant)
    this.#engine = this.#engine.under(fleet, record.receivedAt, this.#raw)
    const before = this.#shadows
    this.#shadows = shadowsOf(fleet)
    this.#desk.replant(fleet, record.receivedAt)
    this.#setApart(effects, before.size > 0)
    const changes: SuppressionChange[] = []
    this.#suppression = this.#suppression.under(fleet, record.receivedAt, this.#facts(this.#engine), changes)
    this.#hand(changes, record.receivedAt, effects)
    this.#marks.under(fleet)
    this.#ladder.under(plant)
    this.#drilling.under(plant, record.receivedAt)
    this.#intake = this.#intake.under(fleet)
    this.#latest = this.#latest.under(fleet)
    this.#fleet = fleet
    this.#position = { seq: record.seq, advancedTo: Math.max(this.#position.advancedTo, record.receivedAt - 1) }
  }

  /** Lets time pass up to and including `to` (our clock): everything that falls due on the way happens at its own instant. */
  advance(to: number, effects: Effects): void {
    if (to <= this.#position.advancedTo) return
    this.#passTime(to, effects)
    this.#position = { seq: this.#position.seq, advancedTo: to }
  }

  /** Everything needed to go on from here; safe to keep while the pipeline runs on. */
  snapshot(): PipelineSnapshot {
    return {
      position: this.#position,
      plantHash: this.#fleet.plant.hash,
      intake: this.#intake.snapshot(),
      engine: this.#engine.snapshot(),
      latest: this.#latest.snapshot(),
      presence: new Map(this.#presence),
      desk: this.#desk.snapshot(),
      marks: this.#marks.snapshot(),
      ladder: this.#ladder.snapshot(),
      drilling: this.#drilling.snapshot(),
      suppression: this.#suppression.snapshot()
    }
  }

  /** What is due on the way to `to` happens at its own instant; at one instant, what rules say comes before what the desk does. */
  #passTime(to: number, effects: Effects): void {
    for (let now = this.nextDue; now <= to && now !== Number.POSITIVE_INFINITY; now = this.nextDue) {
      this.#engine.advance(now, this.#raw)
      this.#judged(now, effects, true)
      this.#desk.advance(now, effects.desk)
      this.#tell(effects)
      this.#marks.advance(now, this.#desk, effects.marks)
      this.#ladder.advance(now, effects.notifications)
      this.#drilling.advance(now, effects)
    }
    this.#engine.advance(to, this.#raw)
  }

  #advanceBefore(receivedAt: number, effects: Effects): void {
    if (receivedAt - 1 > this.#position.advancedTo) this.#passTime(receivedAt - 1, effects)
  }

  /** Hands what the engine has said at this instant of our clock to the desk, with what of it is held back. */
  #judged(clock: number, effects: Effects, byTime = false): void {
    if (this.#raw.length > 0 || (byTime && this.#suppression.nextDue <= clock)) {
      this.#setApart(effects)
      this.#hand(this.#suppression.take(this.#raw, clock, byTime), clock, effects)
    }
    this.#tell(effects)
  }

  /** The desk hears of alarms only: neither of states nor of what shadow rules did. */
  #setApart({ shadow }: Effects, had = false): void {
    if (this.#shadows.size > 0 || had) setApart(this.#raw, shadow)
  }

  #hand(changes: readonly SuppressionChange[], clock: number, effects: Effects): void {
    const alarms = this.#raw.filter(({ rule }) => stateOfRule(rule) === null)
    this.#desk.take(alarms, changes, clock, effects.desk)
    this.#raw.length = 0
    this.#tell(effects)
  }

  *#facts(engine: Engine): Generator<StandingAlarm> {
    for (const alarm of engine.standing()) if (!this.#shadows.has(alarm.rule)) yield alarm
  }

  /** What the desk let through is marked and told, one after the other: to the log of events, and up the ladder. */
  #tell({ events, desk, marks, notifications }: Effects): void {
    while (events.length < desk.length) {
      const marked = this.#marks.take(desk[events.length] as DeskEvent, this.#desk, marks)
      desk[events.length] = marked
      this.#ladder.take([marked], notifications)
      events.push(marked.event)
    }
  }

  #delivered({ body, receivedAt }: JournalRecord, effects: Effects): void {
    const report = JSON.parse(text(body)) as DeliveryReport
    effects.reports.push({ at: receivedAt, report })
    if (isDrillId(report.id)) this.#drilling.report(report, receivedAt, effects)
    else this.#ladder.report(report, receivedAt, effects.notifications)
  }

  #telemetry(record: JournalRecord, effects: Effects): void {
    const { readings } = effects
    const from = readings.length
    this.#intake.read(record, readings, effects.rejects)
    if (readings.length === from) return
    this.#engine.judge(readings, from, readings.length, record.receivedAt, this.#raw)
    this.#latest.note(readings, from, readings.length, record.receivedAt)
  }

  #present(record: JournalRecord, effects: Effects): void {
    const { online } = JSON.parse(text(record.body)) as { online: boolean }
    if (this.#presence.get(record.source)?.online !== online) {
      this.#presence.set(record.source, { online, since: record.receivedAt })
      effects.presence.push(record.source)
    }
    this.#engine.presence(record.source, online, record.receivedAt, this.#raw)
  }

  #act(record: JournalRecord, effects: Effects): void {
    const { receivedAt, source: by } = record
    const body = JSON.parse(text(record.body)) as OperatorActionBody | ServiceActionBody | StateActionBody | DrillActionBody
    if (body.id === null && 'state' in body) {
      const changes: SuppressionChange[] = []
      this.#suppression.act(body, by, receivedAt, changes)
      this.#hand(changes, receivedAt, effects)
      return
    }
    if (body.id === null) {
      this.#desk.serve(body, by, receivedAt, effects.desk)
      return
    }
    if ('drill' in body) return void this.#drilling.begin(body.id, body.drill, by, receivedAt, effects)
    if (isDrillId(body.id)) return void this.#drilling.act(body, by, receivedAt, effects)
    if (body.action === 'reset') this.#engine.reset(body.id, receivedAt, this.#raw)
    const moved = this.#raw.some(({ id }) => id === body.id)
    this.#desk.act(body, by, receivedAt, moved, effects.desk)
  }
}

/** Takes what shadow rules did out of the transitions. */
function setApart(transitions: Transition[], shadow: Transition[]): void {
  let kept = 0
  for (const transition of transitions) {
    if (transition.shadow === true) shadow.push(transition)
    else transitions[kept++] = transition
  }
  transitions.length = kept
}

function shadowsOf({ plant }: Fleet): ReadonlySet<string> {
  return new Set(plant.rules.flatMap(({ id, shadow }) => (shadow === true ? [id] : [])))
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
