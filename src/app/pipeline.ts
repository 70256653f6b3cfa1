// The one deterministic function: journal records in, alarm events out. Live operation, recovery, backtest and scenarios
// all call this very code; only what stands at its two ends differs. Synchronous and pure: time is in the records.

import { Intake, type IntakeSnapshot } from '../ingest/intake.ts'
import { Latest, type LatestSnapshot } from '../ingest/latest.ts'
import type { AlarmEvent, OperatorActionKind, Transition } from '../model/alarm.ts'
import { type Fleet, numberFleet } from '../model/fleet.ts'
import type { JournalRecord, OperatorActionBody, Reject } from '../model/journal.ts'
import type { PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import { ReadingColumns } from '../model/readings.ts'
import { Engine, type EngineSnapshot, type StandingAlarm } from '../rules/engine.ts'
import type { Explanation } from '../rules/explain.ts'

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
}

export interface PipelineOptions {
  /** A time stamp further ahead of its receipt than this is not believed. */
  readonly clockSkewMs: number
}

/** What one turn caused. Reused from turn to turn: take what is needed before the next. */
export class Effects {
  readonly events: AlarmEvent[] = []
  /** What shadow rules did: kept apart, and told to nobody. */
  readonly shadow: Transition[] = []
  readonly rejects: Reject[] = []
  readonly readings = new ReadingColumns(4096)
  readonly presence: string[] = []
  /** Whom to tell what, and whom not and why; kept in the transaction of the events. */
  readonly notifications: PlannedNotification[] = []

  clear(): void {
    this.events.length = 0
    this.shadow.length = 0
    this.rejects.length = 0
    this.presence.length = 0
    this.notifications.length = 0
    this.readings.clear()
  }
}

export class Pipeline {
  #fleet: Fleet
  #shadows: ReadonlySet<string>
  #intake: Intake
  #engine: Engine
  #latest: Latest
  #presence: Map<string, Presence>
  #position: Position

  private constructor(fleet: Fleet, intake: Intake, engine: Engine, latest: Latest, position: Position) {
    this.#fleet = fleet
    this.#shadows = shadowsOf(fleet)
    this.#intake = intake
    this.#engine = engine
    this.#latest = latest
    this.#presence = new Map()
    this.#position = position
  }

  /** A pipeline that knows the plant and has seen no record beyond `seq`; its time begins at `startAt` (our clock, epoch ms). */
  static begin(plant: Plant, seq: number, startAt: number, options: PipelineOptions): Pipeline {
    const fleet = numberFleet(plant)
    const position = { seq, advancedTo: startAt - 1 }
    return new Pipeline(fleet, new Intake(fleet, options), new Engine(fleet, startAt), new Latest(fleet), position)
  }

  /** A pipeline exactly as it was when the snapshot was taken. `plant` is the one that `snapshot.plantHash` names. */
  static restore(plant: Plant, snapshot: PipelineSnapshot, options: PipelineOptions): Pipeline {
    const fleet = numberFleet(plant)
    const intake = Intake.restore(fleet, options, snapshot.intake)
    const engine = Engine.restore(fleet, snapshot.engine)
    const pipeline = new Pipeline(fleet, intake, engine, Latest.restore(fleet, snapshot.latest), snapshot.position)
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

  /** The alarms that are not clear; those of shadow rules are none. */
  *standing(): Generator<StandingAlarm> {
    for (const alarm of this.#engine.standing()) if (!this.#shadows.has(alarm.rule)) yield alarm
  }

  /** Why a rule stands where it stands on a device or area, as far as judged; null where it does not watch it. */
  explain(rule: string, subject: { readonly device: string | null; readonly area: string | null }): Explanation | null {
    return this.#engine.explain(rule, subject)
  }

  /** The next instant of our clock at which something falls due by itself; Infinity if nothing does. */
  get nextDue(): number {
    return this.#engine.nextDue()
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
          break
        case 'plant':
          throw new Error(`record ${record.seq} changes the plant and must be taken by itself`)
      }
      this.#position = { seq: record.seq, advancedTo: Math.max(this.#position.advancedTo, record.receivedAt - 1) }
    }
    this.#setApart(effects)
  }

  /** Puts another plant in force at this record; the state of what has not changed is kept. */
  replant(record: JournalRecord, plant: Plant, effects: Effects): void {
    this.#advanceBefore(record.receivedAt, effects)
    const fleet = numberFleet(plant)
    this.#engine = this.#engine.under(fleet, record.receivedAt, effects.events as Transition[])
    const before = this.#shadows
    this.#shadows = shadowsOf(fleet)
    this.#setApart(effects, before.size > 0)
    this.#intake = this.#intake.under(fleet)
    this.#latest = this.#latest.under(fleet)
    this.#fleet = fleet
    this.#position = { seq: record.seq, advancedTo: Math.max(this.#position.advancedTo, record.receivedAt - 1) }
  }

  /** Lets time pass up to and including `to` (our clock): everything that falls due on the way happens at its own instant. */
  advance(to: number, effects: Effects): void {
    if (to <= this.#position.advancedTo) return
    this.#engine.advance(to, effects.events as Transition[])
    this.#setApart(effects)
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
      presence: new Map(this.#presence)
    }
  }

  /** Takes what shadow rules did out of the events. */
  #setApart({ events, shadow }: Effects, had = false): void {
    if (this.#shadows.size === 0 && !had) return
    let kept = 0
    for (const event of events) {
      if (event.kind === 'transition' && event.shadow === true) shadow.push(event)
      else events[kept++] = event
    }
    events.length = kept
  }

  #advanceBefore(receivedAt: number, effects: Effects): void {
    if (receivedAt - 1 > this.#position.advancedTo) this.#engine.advance(receivedAt - 1, effects.events as Transition[])
  }

  #telemetry(record: JournalRecord, effects: Effects): void {
    const { readings } = effects
    const from = readings.length
    this.#intake.read(record, readings, effects.rejects)
    if (readings.length === from) return
    this.#engine.judge(readings, from, readings.length, record.receivedAt, effects.events as Transition[])
    this.#latest.note(readings, from, readings.length, record.receivedAt)
  }

  #present(record: JournalRecord, effects: Effects): void {
    const { online } = JSON.parse(text(record.body)) as { online: boolean }
    if (this.#presence.get(record.source)?.online !== online) {
      this.#presence.set(record.source, { online, since: record.receivedAt })
      effects.presence.push(record.source)
    }
    this.#engine.presence(record.source, online, record.receivedAt, effects.events as Transition[])
  }

  #act(record: JournalRecord, effects: Effects): void {
    const { id, action, note } = JSON.parse(text(record.body)) as OperatorActionBody
    effects.events.push({ kind: 'action', at: record.receivedAt, id, action: action as OperatorActionKind, by: record.source, note })
    if (action === 'reset') this.#engine.reset(id, record.receivedAt, effects.events as Transition[])
  }
}

function shadowsOf({ plant }: Fleet): ReadonlySet<string> {
  return new Set(plant.rules.flatMap(({ id, shadow }) => (shadow === true ? [id] : [])))
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
