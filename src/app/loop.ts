// The live loop: one turn takes what the journal has flushed, runs it through the pipeline, and hands the effects on:
// readings to history, events and position to the book in one transaction, then to whoever is watching.
// Invariant: an effect leaves only after its cause is in the journal, and exactly once, however often the process dies.

import type { Book, CommittedEvent } from '../alerts/book.ts'
import type { History } from '../history/history.ts'
import type { JournalRecord, Reject } from '../model/journal.ts'
import type { MarkChange } from '../model/mark.ts'
import type { Plant } from '../model/plant.ts'
import type { ReadingColumns } from '../model/readings.ts'
import { type Clock, pause, type Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import { StateFailure } from '../store/failure.ts'
import { Effects } from './effects.ts'
import { HistoryFeed } from './historyFeed.ts'
import type { Pipeline } from './pipeline.ts'
import { journalPlant, type RecoveryParts, restorePipeline } from './recovery.ts'
import { judgeTurn, mostUntil, repeatUnheard, upToPlant } from './turn.ts'

const SNAPSHOT_EVERY_MS = 30_000
/** Bodies judged since the last snapshot that make the next one due at once: a restart re-reads little more than this. */
const SNAPSHOT_EVERY_BYTES = 256 * 1024 * 1024
const COMMIT_POSITION_EVERY_MS = 1_000
const IDLE_TICK_MS = 1_000
const RETRY_MS = 1_000
/** Rejects kept in quarantine from one turn; the rest is only counted, so that a flood of rubbish costs nobody else anything. */
const REJECTS_PER_TURN = 1_000

export interface LoopParts extends RecoveryParts {
  readonly clock: Clock
  readonly log: Log
  readonly book: Book
  readonly history: History
  /** The plant of the configuration; where the journal knows another, a 'plant' record is the first input of this start. */
  readonly plant: Plant
  readonly retention: { readonly bytes: number; readonly ageMs: number }
  /** Takes snapshots in for an instance that may take over elsewhere; null: there is none. Never throws. */
  readonly copying?: { snapshot(seq: number, file: string, storedSeq: number): Promise<void> } | null
}

/** Who watches what a turn has done, after it is committed. Never called while recovering what had been told before. */
export interface Watcher {
  events(committed: readonly CommittedEvent[]): void
  /** Marks that went on or off; they are committed. */
  marks?(changes: readonly MarkChange[]): void
  /** There are planned notifications in the outbox that were not there before. */
  notifications?(): void
  readings(readings: ReadingColumns): void
  rejects(rejects: readonly Reject[]): void
  presence(gatewayIds: readonly string[]): void
}

export class Loop implements Part {
  readonly name = 'loop'
  readonly #parts: LoopParts
  readonly #effects = new Effects()
  readonly #waiting: { seq: number; done: () => void }[] = []
  #pipeline!: Pipeline
  #feed!: HistoryFeed
  #watcher: Watcher | null = null
  #stopping = false
  #running: Promise<void> | null = null
  #wake: () => void = () => {}
  #tick: Timer | null = null
  #committedAt = 0
  #snapshotAt = 0
  #bytesSinceSnapshot = 0
  #snapshotSeq = 0
  /** The plants that this process has judged by, each with the record from which on. */
  #inForce: { readonly seq: number; readonly hash: string }[] = []
  #settledSeq = 0
  #snapshotting: Promise<void> | null = null
  #held = false
  #problem: string | null = null
  #failed = false
  #tellFailure: (failure: Refusal) => void = () => {}

  /** Resolves, if ever, with why the loop cannot go on: nothing is judged any more, and the process must end. */
  readonly failure: Promise<Refusal>

  constructor(parts: LoopParts) {
    this.#parts = parts
    this.failure = new Promise((resolve) => {
      this.#tellFailure = resolve
    })
  }

  /** There once the loop has started. */
  get pipeline(): Pipeline {
    return this.#pipeline
  }

  get feed(): HistoryFeed {
    return this.#feed
  }

  /** A sentence where the loop cannot go on at the moment, else null. */
  get problem(): string | null {
    return this.#problem
  }

  /** Records flushed but not yet judged. */
  get lag(): number {
    return this.#parts.journal.flushedSeq - this.#pipeline.position.seq
  }

  /** For a backup: until `release`, no snapshot and no part of the journal is deleted. Resolves once none is being deleted. */
  async hold(): Promise<void> {
    this.#held = true
    await this.#snapshotting
  }

  release(): void {
    this.#held = false
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
  }

  async start(): Promise<void> {
    if (this.#running !== null) return
    const { clock, plant, journal, book, snapshots } = this.#parts
    this.#refuseLostJournal()
    await snapshots.open()
    this.#pipeline = await restorePipeline(this.#parts, plant, book.position().seq)
    journal.notBefore(Math.max(book.position().advancedTo, this.#pipeline.position.advancedTo) + 1)
    this.#snapshotSeq = this.#pipeline.position.seq
    this.#inForce = [{ seq: this.#snapshotSeq, hash: this.#pipeline.fleet.plant.hash }]
    this.#feed = new HistoryFeed(this.#parts, this.#pipeline.fleet, this.#pipeline.position.seq)
    this.#committedAt = clock.monotonic()
    this.#snapshotAt = clock.monotonic()
    try {
      while (this.#pipeline.position.seq < journal.flushedSeq) await this.#turn()
      if (this.#pipeline.fleet.plant.hash !== plant.hash) await journalPlant(this.#parts, plant)
    } catch (cause) {
      await this.#feed.stop()
      throw cause
    }
    journal.onFlush(() => this.#wake())
    this.#running = this.#run().catch((cause) => this.#fail(cause))
  }

  /**
   * Judges what is flushed, commits, leaves a snapshot. Throws where the effects could not be committed: the journal holds
   * their causes, and the next start commits them.
   */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake()
    await this.#running
    await this.#snapshotting
    await this.#feed.stop()
    if (this.#failed) return
    if (this.#problem !== null) throw new Refusal(this.#problem)
    if (this.#pipeline.position.seq > this.#snapshotSeq) await this.#takeSnapshot().catch((cause) => this.#noSnapshot(cause))
  }

  /** Resolves once the record has been judged and its effects are committed. */
  settled(seq: number): Promise<void> {
    if (this.#settledSeq >= seq) return Promise.resolve()
    return new Promise((done) => void this.#waiting.push({ seq, done }))
  }

  /** Numbers go on where the journal ends: one that ends before what was made of it would be taken for known, and passed over. */
  #refuseLostJournal(): void {
    const { journal, book, history } = this.#parts
    const { flushedSeq } = journal
    for (const [what, seq] of [
      ['The state store', book.position().seq],
      ['History', history.storedSeq]
    ] as const) {
      if (seq <= flushedSeq) continue
      throw new Refusal(
        `${what} knows the journal up to seq ${seq}, but the journal in the data folder ends at seq ${flushedSeq}: a part of it is missing. Restore the data folder from one backup, or choose an empty one.`
      )
    }
  }

  /** The end of the loop for a reason that trying again would not mend. What is acknowledged stays in the journal. */
  #fail(cause: unknown): void {
    if (this.#stopping && cause instanceof StateFailure && cause.passing) return
    const known = cause instanceof Refusal
    this.#problem = known
      ? cause.message
      : `Judging failed after journal record ${this.#pipeline.position.seq} through a fault of this program: ${messageOf(cause)}. Start it again; what was acknowledged is in the journal.`
    this.#failed = true
    this.#parts.log.error(this.#problem, known ? {} : { stack: cause instanceof Error ? cause.stack : undefined })
    this.#tellFailure(new Refusal(this.#problem, { cause }))
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const worked = await this.#turn()
      this.#afterTurn()
      // Between turns the sockets and the journal get their share: a backlog must not starve acknowledgements.
      if (worked) await new Promise<void>((resolve) => setImmediate(resolve))
      else if (!this.#stopping) await this.#sleep()
    }
    while (await this.#turn());
  }

  /** Waits for a flush, the next instant something falls due, or a tick. */
  #sleep(): Promise<void> {
    const { clock, journal } = this.#parts
    if (journal.flushedSeq > this.#pipeline.position.seq) return Promise.resolve()
    const { nextDue } = this.#pipeline
    // It fell due while the last turn was being committed.
    if (nextDue <= journal.watermark()) return new Promise((resolve) => void setImmediate(resolve))
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#tick?.cancel()
        this.#wake = () => {}
        resolve()
      }
      const untilDue = nextDue + 1 - clock.now()
      // What is due and must wait for a record that is not on disk yet is revealed by its flush.
      this.#tick = clock.after(untilDue < 1 ? IDLE_TICK_MS : Math.min(IDLE_TICK_MS, untilDue), () => this.#wake())
    })
  }

  /** One turn; true if there were records. */
  async #turn(): Promise<boolean> {
    const { journal, book, plants } = this.#parts
    const effects = this.#effects
    repeatUnheard(this.#pipeline, book.position(), effects)
    // A snapshot of an earlier version has no desk: the book knows what stands where it was left off.
    if (!this.#pipeline.deskKnown && this.#pipeline.position.seq >= book.position().seq) this.#pipeline.adopt(book.standing())
    const records = upToPlant(await this.#next())
    const [first] = records
    const plant = first?.kind === 'plant' ? await plants.load(first.source) : null
    const repeated = judgeTurn(this.#pipeline, records, plant, book.position(), journal, effects)
    if (first !== undefined && plant !== null) {
      this.#feed.replant(this.#pipeline.fleet)
      this.#inForce.push({ seq: first.seq, hash: first.source })
      plants.judged(first.source)
    }
    for (const { body } of records) this.#bytesSinceSnapshot += body.length
    await this.#handOn(first !== undefined, repeated)
    return first !== undefined
  }

  /** The next records, cut where what was done before ends. */
  async #next(): Promise<readonly JournalRecord[]> {
    const { journal, book } = this.#parts
    const after = this.#pipeline.position.seq
    const most = mostUntil(LIMITS.loop.recordsPerTurn, after, [book.position().seq, this.#feed.storedSeq])
    return journal.tail(after, most, LIMITS.loop.bytesPerTurn) ?? journal.read(after, most, LIMITS.loop.bytesPerTurn)
  }

  async #handOn(hadRecords: boolean, repeated: boolean): Promise<void> {
    const { book, clock } = this.#parts
    const { position, fleet } = this.#pipeline
    const { desk: events, shadow, rejects, readings, presence, marks, notifications, drills } = this.#effects
    // Once people are being told, what came of it is in the store before it is in the journal.
    const reports = this.#running === null ? this.#effects.reports : []
    if (hadRecords) this.#feed.offer(readings, position.seq)
    const committed = book.position()
    if (!repeated) {
      const due = clock.monotonic() - this.#committedAt >= COMMIT_POSITION_EVERY_MS && position.seq > committed.seq
      let fresh: readonly CommittedEvent[] = []
      if ([events, shadow, rejects, marks, notifications, drills, reports].some(({ length }) => length > 0) || due) {
        const kept = rejects.length > REJECTS_PER_TURN ? rejects.slice(0, REJECTS_PER_TURN) : rejects
        const turn = { events, shadow, rejects: kept, marks, notifications, drills, reports, position, fleet }
        fresh = await this.#commit(() => book.commit(turn))
        this.#committedAt = clock.monotonic()
      }
      if (fresh.length > 0) this.#watcher?.events(fresh)
      if (marks.length > 0) this.#watcher?.marks?.(marks)
      if (notifications.length > 0) this.#watcher?.notifications?.()
      if (rejects.length > 0) this.#watcher?.rejects(rejects)
      if (presence.length > 0) this.#watcher?.presence(presence)
      if (readings.length > 0) this.#watcher?.readings(readings)
    }
    this.#wakeWaiting(position.seq)
  }

  /** Commits, again and again while the store cannot write for a passing reason: nothing is judged past what is not stored. */
  async #commit(act: () => Promise<readonly CommittedEvent[]>): Promise<readonly CommittedEvent[]> {
    for (;;) {
      try {
        const fresh = await act()
        if (this.#problem !== null) this.#parts.log.info('the state store accepts writes again')
        this.#problem = null
        return fresh
      } catch (cause) {
        if (!(cause instanceof StateFailure && cause.passing)) throw cause
        const sentence = `${cause.message} Until then alarms wait; it is tried again each second.`
        if (this.#problem !== sentence) this.#parts.log.error(sentence)
        this.#problem = sentence
        // Before the doors are open nobody could see why it waits: the start is refused with the sentence.
        if (this.#stopping || this.#running === null) throw cause
        await pause(this.#parts.clock, RETRY_MS)
      }
    }
  }

  #wakeWaiting(seq: number): void {
    this.#settledSeq = seq
    if (this.#waiting.length === 0) return
    const still = this.#waiting.filter((entry) => entry.seq > seq)
    const done = this.#waiting.filter((entry) => entry.seq <= seq)
    this.#waiting.length = 0
    this.#waiting.push(...still)
    for (const entry of done) entry.done()
  }

  #afterTurn(): void {
    const due = this.#bytesSinceSnapshot >= SNAPSHOT_EVERY_BYTES || this.#parts.clock.monotonic() - this.#snapshotAt >= SNAPSHOT_EVERY_MS
    if (!due || this.#snapshotting !== null || this.#pipeline.position.seq === this.#snapshotSeq) return
    this.#snapshotAt = this.#parts.clock.monotonic()
    this.#bytesSinceSnapshot = 0
    this.#snapshotting = this.#takeSnapshot()
      .catch((cause) => this.#noSnapshot(cause))
      .finally(() => {
        this.#snapshotting = null
      })
  }

  #noSnapshot(cause: unknown): void {
    this.#parts.log.warn(`a snapshot could not be written (${messageOf(cause)}); recovery will re-read more of the journal`)
  }

  /** The state is copied at once; position and events up to it are on disk before the file counts and the journal may forget. */
  async #takeSnapshot(): Promise<void> {
    const { book, snapshots, journal, retention, copying } = this.#parts
    const snapshot = this.#pipeline.snapshot()
    const { position } = snapshot
    if (position.seq > book.position().seq) await book.commit({ events: [], rejects: [], position, fleet: this.#pipeline.fleet })
    await book.makeDurable()
    const file = await snapshots.write(position.seq, snapshot)
    this.#snapshotSeq = position.seq
    await copying?.snapshot(position.seq, file, this.#feed.storedSeq)
    if (this.#held) return
    const beforeSeq = await snapshots.prune(this.#feed.storedSeq)
    await journal.prune({ beforeSeq, maxBytes: retention.bytes, maxAgeMs: retention.ageMs })
    await this.#prunePlants(beforeSeq)
  }

  /** Keeps those that the oldest snapshot, taken after `oldest`, and what follows it are judged by. */
  async #prunePlants(oldest: number): Promise<void> {
    const { journal, plants } = this.#parts
    const from = this.#inForce.findLastIndex(({ seq }) => seq <= oldest)
    // Older than this process; or all of the journal can be judged again, from its first record on.
    if (from === -1 || journal.health().oldestSeq === 1) return
    this.#inForce.splice(0, from)
    await plants.prune(new Set(this.#inForce.map(({ hash }) => hash)))
  }
}
