// The one ordered record of everything that can change a judgement. Appends are gathered into groups; a group is written and
// flushed as one, the next begins when it is done. Invariant: `done` is called only for what is on disk (and in the mirror,
// where there is one), in the order of seq.

import type { JournalRecord, RecordKind } from '../../model/journal.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Log } from '../../platform/log.ts'
import type { Part } from '../../platform/parts.ts'
import { messageOf } from '../../platform/problem.ts'
import { type Disk, systemDisk } from './disk.ts'
import { errnoOf, isFull } from './errno.ts'
import { GROUP_HEADER_BYTES, KIND_CODE, mostRecordBytes, SOURCE_BYTES } from './format.ts'
import { type Done, Group } from './group.ts'
import { type JournalMirror, Mirrored } from './mirror.ts'
import { JournalReader } from './reader.ts'
import { recoverJournal } from './recover.ts'
import { folderRefusal } from './refusals.ts'
import { type Bounds, pruneSegments } from './retention.ts'
import type { Segment } from './segment.ts'
import { type Chunk, Tail } from './tail.ts'
import { SegmentWriter } from './writer.ts'

const RETRY_MS = 1000

export interface JournalOptions {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly segmentBytes?: number
  /** A group is closed once it holds this much. */
  readonly groupBytes?: number
  /** Flushed records kept in memory. */
  readonly tailBytes?: number
  readonly disk?: Disk
  /** Where every group must be too before anything in it is acknowledged. */
  readonly mirror?: JournalMirror | null
}

export interface JournalHealth {
  /** full: the disk has no room. failing: it, or the mirror, answers with errors. In both, nothing is acknowledged and it is tried every second. */
  readonly state: 'ok' | 'full' | 'failing'
  readonly problem: string | null
  /** What the start had to cut off, if anything. */
  readonly notice: string | null
  readonly bytes: number
  readonly oldestSeq: number
  readonly flushedSeq: number
}

export class Journal implements Part {
  readonly name = 'journal'
  readonly #options: JournalOptions
  readonly #disk: Disk
  readonly #groupBytes: number
  readonly #segments: Segment[] = []
  readonly #writer: SegmentWriter
  readonly #reader: JournalReader
  readonly #tail: Tail
  readonly #mirrored: Mirrored | null
  readonly #listeners: (() => void)[] = []
  #unlock: (() => void) | null = null
  #chunk: Chunk | null = null
  /** Being filled. */
  #group: Group | null = null
  /** Full, waiting for their turn; with `#group`, in the order of seq. */
  readonly #waiting: Group[] = []
  #inFlight: Group | null = null
  #flushing: Promise<void> = Promise.resolve()
  #isFlushing = false
  #isDue = false
  #isStopping = false
  #retry: { timer: Timer; resume: () => void } | null = null
  #lastSeq = 0
  #flushedSeq = 0
  #unflushedBytes = 0
  #lastReceivedAt = 0
  /** Set where the last run's receipts lie ahead of the clock: from here on, time goes on at half speed until the clock has caught up. */
  #ahead: { readonly at: number; readonly since: number } | null = null
  #state: 'ok' | 'full' | 'failing' = 'ok'
  #problem: string | null = null
  #notice: string | null = null

  constructor(options: JournalOptions) {
    this.#options = options
    this.#disk = options.disk ?? systemDisk
    this.#groupBytes = options.groupBytes ?? LIMITS.journal.groupBytes
    this.#tail = new Tail(options.tailBytes ?? LIMITS.journal.tailBytes)
    this.#writer = new SegmentWriter(this.#disk, options.folder, this.#segments, options.segmentBytes ?? LIMITS.journal.segmentBytes)
    this.#reader = new JournalReader(this.#disk, options.folder, this.#segments)
    this.#mirrored = options.mirror ? new Mirrored(options.mirror, options.clock, options.log) : null
  }

  /** Throws a Refusal where the folder cannot be used, is another process's, or holds a journal broken in the middle. */
  async start(): Promise<void> {
    if (this.#unlock !== null) return
    if (this.#isStopping) throw new Error('a stopped journal is not started again')
    const { folder, log } = this.#options
    try {
      await this.#disk.makeFolder(folder)
      this.#unlock = this.#disk.lock(folder)
      const recovered = await recoverJournal(this.#disk, folder)
      this.#segments.splice(0, this.#segments.length, ...recovered.segments)
      this.#writer.resume(recovered.file)
      this.#flushedSeq = this.#lastSeq = recovered.flushedSeq
      this.#notice = recovered.notice
      this.#beginTime(recovered.lastReceivedAt, 'The newest journal record was received')
    } catch (cause) {
      this.#unlock?.()
      this.#unlock = null
      throw errnoOf(cause) === null ? cause : folderRefusal(folder, cause)
    }
    if (this.#notice !== null) log.warn(this.#notice)
  }

  /**
   * Time goes on from `at` (our clock) at the earliest, as it does from the newest record. For whoever let time pass after that
   * record and told what came of it: what is received from now on must not have been received before.
   */
  notBefore(at: number): void {
    if (at > this.#now()) this.#beginTime(at, 'What has been judged reaches')
  }

  /** Flushes what was appended; where the disk refuses, one last attempt is made and the rest stays unacknowledged. */
  async stop(): Promise<void> {
    if (this.#unlock === null) return
    this.#isStopping = true
    this.#retry?.timer.cancel()
    this.#retry?.resume()
    this.#mirrored?.stop()
    this.#flush()
    await this.#flushing
    await this.#writer.stop()
    this.#unlock()
    this.#unlock = null
  }

  /**
   * Takes one record; the body is copied. `done(seq)` is called once it is on disk, never before, and not at all while the
   * disk refuses. The caller bounds what it appends by `unflushedBytes`.
   */
  append(kind: RecordKind, source: string, body: Uint8Array, done: Done): void {
    if (this.#unlock === null || this.#isStopping) throw new Error('the journal is not running')
    if (source.length * 3 > SOURCE_BYTES) throw new Error(`a source of ${source.length} characters does not fit into the journal`)
    const receivedAt = this.#now()
    this.#lastReceivedAt = receivedAt
    const group = this.#groupFor(mostRecordBytes(source, body), receivedAt)
    this.#unflushedBytes += group.add(KIND_CODE[kind], source, body, receivedAt, done)
    this.#lastSeq++
    if (!this.#isFlushing && !this.#isDue) {
      // After the sockets at hand have been read, so that what arrives together is flushed together.
      this.#isDue = true
      setImmediate(() => this.#flush())
    }
  }

  /** The same, as a promise of the seq; for what comes seldom. */
  appended(kind: RecordKind, source: string, body: Uint8Array): Promise<number> {
    return new Promise((resolve) => this.append(kind, source, body, resolve))
  }

  /** The last record on disk; 0 where there is none. */
  get flushedSeq(): number {
    return this.#flushedSeq
  }

  get unflushedBytes(): number {
    return this.#unflushedBytes
  }

  /**
   * Up to here, epoch ms, our clock may be revealed to whoever has taken every record up to `flushedSeq`: no record still to
   * come was received at or before it. Ask for it in the same turn in which `tail` or `read` had nothing newer.
   */
  watermark(): number {
    const oldest = this.#inFlight ?? this.#waiting[0] ?? this.#group
    return (oldest === null ? this.#now() : oldest.firstReceivedAt) - 1
  }

  /** Flushed records after `afterSeq` from memory: [] where there is nothing newer, null where they must be `read`. */
  tail(afterSeq: number, maxRecords: number, maxBytes: number): JournalRecord[] | null {
    return this.#tail.take(afterSeq, this.#flushedSeq, maxRecords, maxBytes)
  }

  /** Flushed records after `afterSeq` from disk. Throws a Refusal where the journal is broken, or no longer holds them. */
  read(afterSeq: number, maxRecords: number, maxBytes: number): Promise<JournalRecord[]> {
    return this.#reader.read(afterSeq, this.#flushedSeq, maxRecords, maxBytes)
  }

  /** Calls `listener` after every flush. */
  onFlush(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Deletes the oldest whole segments that exceed the bounds, never one with a record at or after `beforeSeq`. */
  prune(bounds: Bounds): Promise<void> {
    const { folder, clock, log } = this.#options
    return pruneSegments(this.#disk, folder, this.#segments, this.#writer.active, bounds, clock.now(), log)
  }

  health(): JournalHealth {
    const mirrorProblem = this.#mirrored?.problem ?? null
    return {
      state: this.#state === 'ok' && mirrorProblem !== null ? 'failing' : this.#state,
      problem: this.#problem ?? mirrorProblem,
      notice: this.#notice,
      bytes: this.#segments.reduce((sum, segment) => sum + segment.bytes, 0),
      oldestSeq: this.#segments[0]?.firstSeq ?? this.#flushedSeq + 1,
      flushedSeq: this.#flushedSeq
    }
  }

  #groupFor(bytes: number, receivedAt: number): Group {
    let group = this.#group
    if (group !== null && group.end - group.start < this.#groupBytes && group.end + bytes <= group.chunk.bytes.length) return group
    if (group !== null) this.#waiting.push(group)
    let chunk = this.#chunk
    const needed = GROUP_HEADER_BYTES + bytes
    // A group begun in a chunk's last corner would be a flush for a handful of records.
    if (chunk === null || chunk.bytes.length - chunk.used < Math.max(needed, this.#groupBytes / 16)) {
      chunk = this.#chunk = this.#tail.open(Math.max(needed, this.#groupBytes), this.#lastSeq + 1)
    }
    group = this.#group = new Group(chunk, this.#lastSeq + 1, receivedAt)
    return group
  }

  #flush(): void {
    this.#isDue = false
    if (this.#isFlushing || this.#unlock === null) return
    this.#isFlushing = true
    this.#flushing = this.#flushAll()
  }

  async #flushAll(): Promise<void> {
    let flushed: Group | null = null
    for (;;) {
      const group = this.#nextToFlush()
      if (group === null && flushed === null) {
        // In the same turn: whoever appends from here on has to call for a flush.
        this.#isFlushing = false
        return
      }
      // The disk, and the mirror, work on the next group while the last one is acknowledged.
      const persisted = group === null ? null : this.#persist(group)
      if (flushed !== null) this.#acknowledge(flushed)
      flushed = null
      if (group === null) continue
      if (!(await persisted)) return
      this.#settle(group)
      flushed = group
    }
  }

  #nextToFlush(): Group | null {
    let next = this.#waiting.shift() ?? null
    if (next === null) {
      next = this.#group
      this.#group = null
    }
    this.#inFlight = next
    return next
  }

  /** True once the group is wherever it must be; false where the journal is stopping, or never will put it there. */
  async #persist(group: Group): Promise<boolean> {
    if (this.#mirrored === null) return this.#onDisk(group)
    const [onDisk, mirrored] = await Promise.all([this.#onDisk(group), this.#mirrored.keep(group)])
    return onDisk && mirrored
  }

  /** True once the group is on disk; false where the journal is stopping and the disk refuses. */
  async #onDisk(group: Group): Promise<boolean> {
    for (;;) {
      try {
        await this.#writer.write(group)
        this.#recovered()
        return true
      } catch (cause) {
        if (errnoOf(cause) === null) throw cause
        this.#failed(cause)
      }
      if (this.#isStopping) return false
      await this.#pause()
    }
  }

  #settle(group: Group): void {
    const { chunk } = group
    this.#flushedSeq = group.firstSeq + group.count - 1
    chunk.flushedEnd = group.end
    chunk.flushedSeq = this.#flushedSeq
    this.#unflushedBytes -= group.end - group.start - GROUP_HEADER_BYTES
    this.#inFlight = null
    this.#tail.trim()
  }

  #acknowledge(group: Group): void {
    const { done, firstSeq } = group
    for (let i = 0; i < done.length; i++) (done[i] as Done)(firstSeq + i)
    for (const listener of this.#listeners) listener()
  }

  #failed(cause: unknown): void {
    const { folder, log } = this.#options
    const state = isFull(cause) ? 'full' : 'failing'
    if (state === 'full') this.#writer.yieldToSpare()
    else this.#writer.abandon()
    const problem =
      state === 'full'
        ? `The disk of the journal folder ${folder} is full: nothing is acknowledged until there is room. Free some space there; it goes on by itself.`
        : `The journal in ${folder} cannot be written: ${messageOf(cause)}. Nothing is acknowledged; it is tried again every second. Check the disk.`
    if (this.#state !== state) log.error(problem)
    this.#state = state
    this.#problem = problem
  }

  #recovered(): void {
    if (this.#state === 'ok') return
    this.#options.log.info('The journal is written again.')
    this.#state = 'ok'
    this.#problem = null
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#retry = null
        resolve()
      }
      this.#retry = { timer: this.#options.clock.after(RETRY_MS, resume), resume }
    })
  }

  /** Nothing is received before `at`, where something stands that this machine's clock may not have reached again. */
  #beginTime(at: number, what: string): void {
    const { clock, log } = this.#options
    this.#lastReceivedAt = at
    const aheadMs = at - clock.now()
    this.#ahead = aheadMs > 0 ? { at, since: clock.monotonic() } : null
    if (aheadMs > 1000) {
      log.warn(
        `${what} ${Math.ceil(aheadMs / 1000)} s ahead of this machine's clock. Check the clock; until it has caught up, time goes on at half speed from there.`
      )
    }
  }

  /** Our clock, but never before the last receipt. */
  #now(): number {
    const now = this.#options.clock.now()
    if (this.#ahead === null) return Math.max(now, this.#lastReceivedAt)
    const ahead = this.#ahead.at + Math.floor((this.#options.clock.monotonic() - this.#ahead.since) / 2)
    if (now >= ahead) this.#ahead = null
    return Math.max(now, ahead, this.#lastReceivedAt)
  }
}
