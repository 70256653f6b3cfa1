// Three ways through one journal: straight replay; live, with flushes that lag, ticks at any rate and batches of any size; and
// live with crashes, snapshots and recovery. What is told is kept as lines, stream by stream, whatever streams Effects has.

import { deserialize, serialize } from 'node:v8'
import { Effects } from '../../src/app/effects.ts'
import { Pipeline, type PipelineSnapshot, type Position } from '../../src/app/pipeline.ts'
import { judgeTurn, mostUntil, type Reach, repeatUnheard, upToPlant } from '../../src/app/turn.ts'
import { type AlarmEvent, alarmEventLine } from '../../src/model/alarm.ts'
import type { JournalRecord } from '../../src/model/journal.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { Random } from '../../src/platform/random.ts'
import { OPTIONS, T0, type World } from './world.ts'

/** Lines by stream. */
export type Told = Record<string, string[]>

export interface Outcome {
  readonly told: Told
  /** What the pipeline knows at the end, as text. */
  readonly knows: string
}

/** These go to history and the live stream, which keep positions of their own: after a crash they come again. */
const NOT_COMMITTED = ['readings', 'presence']

/** Appends what a turn caused. New streams of Effects are told as soon as there are any. */
function tell(effects: Effects, into: Told, committedOnly = false): void {
  for (const [stream, value] of Object.entries(effects)) {
    if (committedOnly && NOT_COMMITTED.includes(stream)) continue
    into[stream] ??= []
    const lines = into[stream]
    if (value instanceof ReadingColumns) for (let row = 0; row < value.length; row++) lines.push(rowText(value, row))
    else if (Array.isArray(value))
      for (const item of value) lines.push(stream === 'events' ? alarmEventLine(item as AlarmEvent) : JSON.stringify(item))
    else throw new Error(`the simulation cannot tell Effects.${stream}: let it be an array, or teach it here`)
  }
}

function rowText({ device, series, at, value, quality, head, judged }: ReadingColumns, row: number): string {
  return [device, series, at, value, quality, head, judged].map((column) => column[row]).join(' ')
}

/** How far a part has looked: it depends on when it was asked, and decides nothing. */
const LOOKED = ['doneTo']

/** Text of anything, keys in order, so that equal content gives equal text. */
function plain(item: unknown): string {
  return JSON.stringify(item, (_, value: unknown) => {
    if (value instanceof Map) return [...value]
    if (value instanceof Set) return [...value]
    if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, String).join(' ')
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !LOOKED.includes(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
    )
  })
}

function hasToBeCommitted(effects: Effects): boolean {
  return Object.entries(effects).some(([stream, value]) => !NOT_COMMITTED.includes(stream) && Array.isArray(value) && value.length > 0)
}

/** One record after the other, as a replay or a backtest reads the journal. */
export function straight({ plants, records, end }: World): Outcome {
  const pipeline = Pipeline.begin(firstPlant(plants, records), 0, T0, OPTIONS)
  const effects = new Effects()
  const told: Told = {}
  for (const record of records) {
    if (record.kind === 'plant') pipeline.replant(record, plants.get(record.source) as Plant, effects)
    else pipeline.take([record], effects)
    tell(effects, told)
    effects.clear()
  }
  pipeline.advance(end, effects)
  tell(effects, told)
  return { told, knows: plain(pipeline.snapshot()) }
}

function firstPlant(plants: World['plants'], [first]: World['records']): Plant {
  return plants.get(first?.source ?? '') as Plant
}

/** The journal as the loop meets it: records count once they are flushed, and time only up to the oldest that is not. */
class LaggingJournal implements Reach {
  readonly records: readonly JournalRecord[]
  readonly #flushedAt: number[] = []
  readonly #hasty: boolean
  #now = T0
  #flushed = 0
  #received = 0

  constructor({ records, end }: World, random: Random, hasty: boolean) {
    this.records = records
    this.#hasty = hasty
    const most = random.pick([0, 5, 200, 3000, 40_000])
    let flushedAt = T0
    for (const { receivedAt } of records) {
      // Several records may lie in one group; a group is never flushed before the one before it.
      if (random.next() < 0.6 || flushedAt < receivedAt)
        flushedAt = Math.min(end, Math.max(flushedAt, receivedAt + random.between(0, most)))
      this.#flushedAt.push(flushedAt)
    }
  }

  get flushedSeq(): number {
    return this.#flushed
  }

  get now(): number {
    return this.#now
  }

  /** The instants at which something is flushed. */
  get flushes(): readonly number[] {
    return this.#flushedAt
  }

  watermark(): number {
    const oldest = this.records[this.#flushed]
    return (oldest === undefined || this.#received === this.#flushed || this.#hasty ? this.#now : oldest.receivedAt) - 1
  }

  moveTo(now: number): void {
    this.#now = now
    while (this.#received < this.records.length && (this.records[this.#received] as JournalRecord).receivedAt <= now) this.#received++
    while (this.#flushed < this.records.length && (this.#flushedAt[this.#flushed] as number) <= now) this.#flushed++
  }

  /** The process dies: what was received has reached the disk, though nobody was told so any more. */
  die(): void {
    this.#flushed = this.#received
    for (let index = 0; index < this.#received; index++) this.#flushedAt[index] = Math.min(this.#flushedAt[index] as number, this.#now)
  }
}

export interface LiveOptions {
  readonly crashes: boolean
  /** For showing that a fault is seen. hasty: time passes beyond what is not flushed yet; forgetful: what was committed is not known. */
  readonly fault?: 'hasty' | 'forgetful'
}

/** The service: its loop over the pipeline, its book, its snapshots; all that a crash leaves, and all that it takes. */
class Service {
  readonly told: Told = {}
  readonly journal: LaggingJournal
  readonly #world: World
  readonly #random: Random
  readonly #effects = new Effects()
  #pipeline: Pipeline
  #committed: Position = { seq: 0, advancedTo: 0 }
  #snapshots: { readonly seq: number; readonly snapshot: PipelineSnapshot }[] = []
  readonly #crashes: boolean
  readonly #forgetful: boolean

  constructor(world: World, random: Random, { crashes, fault }: LiveOptions) {
    this.#world = world
    this.#random = random
    this.#crashes = crashes
    this.#forgetful = fault === 'forgetful'
    this.journal = new LaggingJournal(world, random, fault === 'hasty')
    this.#pipeline = Pipeline.begin(firstPlant(world.plants, world.records), 0, T0, OPTIONS)
  }

  get nextDue(): number {
    return this.#pipeline.nextDue
  }

  get snapshot(): PipelineSnapshot {
    return this.#pipeline.snapshot()
  }

  /** Turns until there is nothing to do; with crashes, perhaps not so far. False: it died. */
  turns(): boolean {
    for (;;) {
      const before = this.#pipeline.position.seq
      const kept = this.#turn()
      if (!kept) return false
      if (this.#pipeline.position.seq === before && this.journal.flushedSeq === before) return true
      if (!this.#crashes && this.#random.next() < 0.2) return true
    }
  }

  #turn(): boolean {
    const random = this.#random
    const { plants, records } = this.#world
    const effects = this.#effects
    repeatUnheard(this.#pipeline, this.#committed, effects)
    const after = this.#pipeline.position.seq
    const most = mostUntil(random.between(1, 8), after, [this.#committed.seq])
    const next = upToPlant(records.slice(after, Math.min(after + most, this.journal.flushedSeq)))
    const plant = next[0]?.kind === 'plant' ? (plants.get(next[0].source) as Plant) : null
    const repeated = judgeTurn(this.#pipeline, next, plant, this.#committed, this.journal, effects)
    if (this.#crashes && random.next() < 0.04) return this.#die()
    if (!repeated) {
      tell(effects, this.told, this.#crashes)
      const { position } = this.#pipeline
      if (hasToBeCommitted(effects) || (position.seq > this.#committed.seq && random.next() < 0.3)) this.#committed = position
    }
    effects.clear()
    if (this.#crashes && random.next() < 0.1) this.#takeSnapshot()
    return !(this.#crashes && random.next() < 0.04) || this.#die()
  }

  #takeSnapshot(): void {
    const { position } = this.#pipeline
    if (position.seq > this.#committed.seq) this.#committed = position
    this.#snapshots.push({ seq: position.seq, snapshot: this.#pipeline.snapshot() })
  }

  /** Dies, and rises from what is on disk. */
  #die(): false {
    const { plants, records } = this.#world
    const random = this.#random
    this.journal.die()
    this.#effects.clear()
    if (this.#forgetful) this.#committed = { seq: this.#snapshots.at(-1)?.seq ?? 0, advancedTo: 0 }
    const usable = this.#snapshots.filter(({ seq }) => seq <= this.#committed.seq)
    const newest = random.next() < 0.15 ? undefined : random.next() < 0.7 ? usable.at(-1) : random.pick([...usable, undefined])
    if (newest === undefined) {
      this.#pipeline = Pipeline.begin(firstPlant(plants, records), 0, T0, OPTIONS)
      return false
    }
    // Written only now: a snapshot must not change while the pipeline goes on.
    const snapshot = deserialize(serialize(newest.snapshot)) as PipelineSnapshot
    this.#pipeline = Pipeline.restore(plants.get(snapshot.plantHash) as Plant, snapshot, OPTIONS)
    return false
  }
}

/** As the service lives: it wakes at flushes, at ticks, where something falls due, and late. */
export function live(world: World, options: LiveOptions): Outcome {
  const random = new Random(Math.imul(world.seed + 1, 0x85ebca6b) ^ (options.crashes ? 0x2545f491 : 0))
  const service = new Service(world, random, options)
  const { journal } = service
  const tickMs = random.pick([400, 1000, 7000, 60_000, 3_600_000])
  const wakes = [...new Set(journal.flushes.map((at) => at + (random.next() < 0.5 ? 0 : random.between(0, 2000))))].sort((a, b) => a - b)
  let down = T0
  for (let now = T0, next = 0; now <= world.end; ) {
    if (now >= down) {
      journal.moveTo(now)
      if (!service.turns()) down = now + random.pick([0, 0, 1000, 30_000])
    }
    while (next < wakes.length && (wakes[next] as number) <= now) next++
    const due = Math.max(now + 1, random.next() < 0.5 ? service.nextDue + 1 : Number.POSITIVE_INFINITY)
    now = Math.min(now + tickMs, wakes[next] ?? Number.POSITIVE_INFINITY, due)
  }
  journal.moveTo(world.end + 1)
  const lastTurns = (): boolean => service.turns() && service.snapshot.position.advancedTo >= world.end
  while (!lastTurns());
  return { told: service.told, knows: plain(service.snapshot) }
}

/** The first difference of two outcomes as a sentence; null where there is none. */
export function difference(one: Outcome, other: Outcome, options: { readonly crashed: boolean }): string | null {
  for (const stream of new Set([...Object.keys(one.told), ...Object.keys(other.told)])) {
    if (options.crashed && NOT_COMMITTED.includes(stream)) continue
    const [a, b] = [one.told[stream] ?? [], other.told[stream] ?? []]
    const at = a.findIndex((line, index) => line !== b[index])
    const first = at === -1 ? a.length : at
    if (at === -1 && a.length === b.length) continue
    return `${stream}, line ${first + 1}:\n  ${a[first] ?? '(nothing)'}\n  ${b[first] ?? '(nothing)'}`
  }
  return one.knows === other.knows
    ? null
    : `what is known at the end:\n  ${around(one.knows, other.knows)}\n  ${around(other.knows, one.knows)}`
}

function around(text: string, other: string): string {
  let at = 0
  while (at < text.length && text[at] === other[at]) at++
  return text.slice(Math.max(0, at - 120), at + 60)
}
