// The history of readings as a part: takes rows from the loop without ever blocking it, answers bounded questions.
// Invariant: what is stored is a prefix of what was offered; everything through `storedSeq` is on disk, once.

import type { Fleet } from '../model/fleet.ts'
import type { ReadingColumns } from '../model/readings.ts'
import type { Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Part } from '../platform/parts.ts'
import { Refusal } from '../platform/problem.ts'
import { Dropped } from './dropped.ts'
import { HistoryFailure } from './failure.ts'
import type { HistoryHealth, HistoryOptions } from './historyOptions.ts'
import {
  type Answer,
  type Drops,
  type FleetNames,
  type FromWorker,
  NO_DROPS,
  type Question,
  type Tended,
  type ToWorker
} from './messages.ts'
import { Outbox, sharedBatch } from './outbox.ts'
import { type Bucket, boundStretch, checkBuckets, type SeriesStretch, type StoredReading } from './stretch.ts'
import { WorkerLine } from './workerLine.ts'

const TEND_MS = 60_000
const EMBEDDED_WORKER = new URL('./embeddedWorker.ts', import.meta.url)
const INFLUX_WORKER = new URL('./influxWorker.ts', import.meta.url)

interface Asked {
  readonly resolve: (answer: Answer) => void
  readonly reject: (cause: Error) => void
}

export class History implements Part {
  readonly name = 'history'
  readonly #options: HistoryOptions
  readonly #outbox = new Outbox(LIMITS.history.rowsPerCommit)
  readonly #asked = new Map<number, Asked>()
  #line: WorkerLine | null = null
  #names: FleetNames = { devices: [], metrics: [], places: [] }
  #fleet: Fleet | null = null
  #storing = false
  #due = false
  #timer: Timer | null = null
  #tendTimer: Timer | null = null
  #flushed: (() => void)[] = []
  #nextId = 1
  #restarts = 0
  #behind = false
  #dead: string | null = null
  #started = false
  #stopping = false
  #troubles: Record<'storing' | 'tending', string | null> = { storing: null, tending: null }
  #storedSeq = 0
  #acceptedSeq = 0
  #storedRows = 0
  readonly #dropped: Dropped
  #onRewind: (lostAfter: number) => void = () => {}
  #held = false

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#dropped = new Dropped(options.clock, options.log)
  }

  /** Everything through this journal seq is on disk. */
  get storedSeq(): number {
    return this.#storedSeq
  }

  /** Everything through this journal seq has been taken: it is stored, or waits here to be stored. */
  get acceptedSeq(): number {
    return this.#acceptedSeq
  }

  /** Rows committed since this part was started; signs of life do not count. */
  get storedRows(): number {
    return this.#storedRows
  }

  /** Rows that the server did not keep since this part was started. */
  get drops(): Drops {
    return this.#dropped.counts
  }

  /** Rows taken and not yet committed. */
  get pendingRows(): number {
    return this.#outbox.rows
  }

  /** Opens the store and reads `storedSeq`. A locked, foreign or unreadable database throws a Refusal that says what to do. */
  async start(): Promise<void> {
    if (this.#line !== null) return
    this.#stopping = false
    this.#storedSeq = this.#acceptedSeq = await this.#openLine()
    this.#started = true
    this.#tendTimer = this.#options.clock.every(TEND_MS, () => void this.tend().catch(() => undefined))
  }

  /**
   * Stores what is pending and closes, within LIMITS.history.stopMs. Where storing is in trouble, what is pending is left
   * to the journal.
   */
  async stop(): Promise<void> {
    const line = this.#line
    if (line === null || this.#stopping) return
    this.#stopping = true
    this.#started = false
    this.#tendTimer?.cancel()
    let overrun = false
    let wake = (): void => {}
    const deadline = this.#options.clock.after(LIMITS.history.stopMs, () => {
      overrun = true
      wake()
    })
    while (!this.#outbox.isEmpty && this.#troubles.storing === null && !overrun && this.#line === line) {
      const turn = new Promise<void>((resolve) => (wake = resolve))
      this.#flushed.push(() => wake())
      this.#postDue()
      await turn
    }
    await Promise.race([line.close(), new Promise<void>((resolve) => (overrun ? resolve() : (wake = resolve)))])
    if (overrun) {
      this.#options.log.error('history did not close in time; what is committed is safe, the rest is in the journal')
      line.abandon()
    }
    deadline.cancel()
    this.#timer?.cancel()
    this.#timer = null
    this.#line = null
    this.#failAsked('History has been stopped')
  }

  /**
   * Calls `act` where a server has lost what had been stored: `storedSeq` and `acceptedSeq` have gone back, and whoever offers
   * begins again behind them, with the fleet first. `was` is what `storedSeq` was before.
   */
  onRewind(act: (was: number) => void): void {
    this.#onRewind = act
  }

  /** From the next offer on, series numbers are those of this fleet. */
  setFleet(fleet: Fleet): void {
    if (this.#fleet === fleet) return
    this.#fleet = fleet
    const metricsOf = new Map(fleet.plant.profiles.map(({ id, metrics }) => [id, metrics.map((metric) => metric.id)]))
    this.#outbox.addFleet({
      devices: fleet.devices.map(({ id }) => id),
      metrics: fleet.profiles.map(({ id }) => metricsOf.get(id)!),
      places: fleet.devices.map(({ profile, area, site, enterprise }) => ({ profile, area, site, enterprise }))
    })
    this.#post()
  }

  /**
   * Takes the rows [0, length) of the records after the previous offer taken and up to `throughSeq`; copies them and never
   * blocks. True: taken, or nothing to do because `throughSeq` has been taken before. False: not taken, the queue is full
   * or the store is lost: the caller goes on without history, and later offers again from the journal after `acceptedSeq`.
   * An offer is stored whole together with its `throughSeq` or not at all; what is offered twice after a crash changes nothing.
   */
  offer(columns: ReadingColumns, throughSeq: number): boolean {
    if (throughSeq <= this.#acceptedSeq) return true
    const { length, series } = columns
    const held = this.#outbox.held
    this.#behind =
      !this.#started || this.#dead !== null || (held > 0 && held + length > (this.#options.pendingRows ?? LIMITS.history.pendingRows))
    if (this.#behind) return false
    let rows = 0
    for (let row = 0; row < length; row++) if (series[row] !== -1) rows++
    this.#outbox.add(columns, rows, throughSeq)
    this.#acceptedSeq = throughSeq
    this.#timer ??= this.#options.clock.after(LIMITS.history.commitMs, this.#onDue)
    if (this.#outbox.hasParcel) this.#post()
    return true
  }

  /** Resolves when everything taken so far is on disk; while storing is in trouble it waits. */
  async flush(): Promise<void> {
    const throughSeq = this.#acceptedSeq
    while (this.#storedSeq < throughSeq) {
      if (this.#dead !== null) throw new HistoryFailure(this.#dead)
      if (!this.#started) throw new HistoryFailure('History has been stopped')
      const change = new Promise<void>((resolve) => void this.#flushed.push(resolve))
      this.#postDue()
      await change
    }
  }

  /**
   * Readings in time order, one per instant (the last in journal order); `after` continues behind that instant.
   * An unknown series has none.
   */
  async readings(stretch: SeriesStretch & { readonly after?: number }): Promise<StoredReading[]> {
    const { device, metric, after } = stretch
    const { from, to } = boundStretch(after === undefined ? stretch.from : Math.max(stretch.from, after + 1), stretch.to)
    const limit = boundLimit(stretch.limit)
    if (from >= to || limit === 0) return []
    const answer = await this.#ask({ kind: 'readings', device, metric, from, to, limit })
    return 'readings' in answer ? answer.readings : []
  }

  /**
   * Intervals aligned to the epoch, in time order, those without a usable value left out. More of them than `limit` and the
   * bound allow throw a Refusal that names the shortest `every` that fits.
   */
  async buckets(stretch: SeriesStretch & { readonly everyMs: number }): Promise<Bucket[]> {
    const { device, metric, everyMs } = stretch
    const { from, to } = boundStretch(stretch.from, stretch.to)
    checkBuckets(from, to, everyMs, boundLimit(stretch.limit))
    if (from >= to) return []
    const answer = await this.#ask({ kind: 'buckets', device, metric, from, to, everyMs })
    return 'buckets' in answer ? answer.buckets : []
  }

  /** Writes closed days as files and deletes what is past retention; called by itself each minute. */
  async tend(): Promise<Tended> {
    if (this.#held) return { written: [], deleted: [] }
    const answer = await this.#send((id) => ({
      kind: 'tend',
      id,
      now: this.#options.clock.now(),
      retentionDays: this.#options.retentionDays
    }))
    return 'tended' in answer ? answer.tended : { written: [], deleted: [] }
  }

  /**
   * For a backup: until `release`, no file of a closed day is written or deleted. Leaves a copy of the open rows in `target`, a
   * file beside the database, and answers the journal seq through which copy and files hold everything.
   */
  async hold(target: string): Promise<number> {
    this.#held = true
    const answer = await this.#send((id) => ({ kind: 'copy', id, target }))
    return 'copiedSeq' in answer ? answer.copiedSeq : 0
  }

  release(): void {
    this.#held = false
  }

  health(): HistoryHealth {
    const problem =
      this.#dead ??
      this.#troubles.storing ??
      this.#troubles.tending ??
      this.#dropped.lately ??
      (this.#behind ? 'History cannot keep up with the intake: it is stored later, from the journal' : null)
    return { state: this.#state(problem), problem, storedSeq: this.#storedSeq, pendingRows: this.#outbox.rows }
  }

  #state(problem: string | null): HistoryHealth['state'] {
    if (problem === null) return 'ok'
    if (this.#dead === null && this.#options.influx && (this.#troubles.storing !== null || this.#dropped.lately !== null)) return 'away'
    return this.#behind && this.#dead === null && this.#troubles.storing === null ? 'behind' : 'failing'
  }

  async #openLine(): Promise<number> {
    const { folder, memoryMb, threads, clock, influx, workerFile } = this.#options
    const line = new WorkerLine(
      workerFile ?? (influx ? INFLUX_WORKER : EMBEDDED_WORKER),
      { folder, memoryMb, threads, now: clock.now(), ...(influx && { influx }) },
      (message) => this.#hear(message),
      (problem) => void this.#lose(problem)
    )
    const storedSeq = await line.opened()
    this.#line = line
    line.post({ kind: 'fleet', names: this.#names })
    return storedSeq
  }

  readonly #onDue = (): void => {
    this.#timer = null
    this.#postDue()
  }

  #postDue(): void {
    this.#due = true
    this.#post()
  }

  /** Posts what the worker may have now: one batch at a time, so that what comes meanwhile is committed together. */
  #post(): void {
    while (this.#line !== null && !this.#storing) {
      if (this.#due && !this.#outbox.hasParcel) {
        this.#outbox.seal()
        this.#due = false
      }
      const parcel = this.#outbox.peek()
      if (parcel === undefined) return
      if (parcel.kind === 'fleet') {
        this.#names = parcel.names
        this.#line.post({ kind: 'fleet', names: parcel.names })
        this.#outbox.done()
      } else {
        this.#storing = true
        this.#line.post({ kind: 'store', batch: sharedBatch(parcel.batch), now: this.#options.clock.now() })
      }
    }
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'stored':
        this.#storing = false
        this.#outbox.done()
        this.#storedSeq = message.throughSeq
        this.#storedRows += message.rows - this.#dropped.add(message.drops ?? NO_DROPS)
        this.#wake()
        this.#post()
        return
      case 'rewound':
        this.#options.log.error(message.problem)
        this.#rewind(message.storedSeq)
        return
      case 'dropped':
        this.#dropped.hear(message.problem, message.expected)
        return
      case 'trouble':
        this.#troubles[message.about] = message.problem
        if (message.problem === null) this.#options.log.info(`history: ${message.about} works again`)
        else this.#options.log.error(message.problem)
        this.#wake()
        return
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.answer)
        this.#asked.delete(message.id)
        return
      case 'failure':
        this.#asked.get(message.id)?.reject(message.refused ? new Refusal(message.problem) : new HistoryFailure(message.problem))
        this.#asked.delete(message.id)
        return
      case 'crashed':
        this.#options.log.error(`the history worker failed: ${message.problem}`)
        return
      case 'opened':
      case 'refused':
    }
  }

  /** The worker has ended by itself: one more is started; pending rows are still here and are posted again. */
  async #lose(problem: string): Promise<void> {
    this.#line = null
    this.#storing = false
    this.#due = true
    this.#failAsked('History is starting again: ask again in a moment')
    if (this.#stopping) return this.#wake()
    if (this.#restarts++ === 0) {
      this.#options.log.error(`${problem}; it is started again`)
      try {
        const storedSeq = await this.#openLine()
        if (storedSeq < this.#storedSeq) this.#rewind(storedSeq)
        return this.#post()
      } catch (cause) {
        this.#dead = `History could not be started again: ${(cause as Error).message}; restart the service, the journal keeps what arrives meanwhile`
      }
    } else this.#dead = `History has ended twice (${problem}): restart the service, the journal keeps what arrives meanwhile`
    this.#options.log.error(this.#dead)
    this.#wake()
  }

  #rewind(storedSeq: number): void {
    const was = this.#storedSeq
    this.#storing = false
    this.#outbox.clear()
    this.#fleet = null
    this.#storedSeq = this.#acceptedSeq = storedSeq
    this.#onRewind(was)
    this.#wake()
  }

  #ask(question: Question): Promise<Answer> {
    if (this.#asked.size >= LIMITS.history.queriesWaiting) {
      return Promise.reject(new HistoryFailure('History is answering too many questions at once: ask again in a moment'))
    }
    return this.#send((id) => ({ kind: 'ask', id, question }))
  }

  #send(message: (id: number) => ToWorker): Promise<Answer> {
    const line = this.#line
    if (line === null || this.#stopping)
      return Promise.reject(new HistoryFailure(this.#dead ?? 'History is not running: ask again in a moment'))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      line.post(message(id))
    })
  }

  #failAsked(sentence: string): void {
    for (const { reject } of this.#asked.values()) reject(new HistoryFailure(sentence))
    this.#asked.clear()
  }

  #wake(): void {
    const waiting = this.#flushed
    this.#flushed = []
    for (const wake of waiting) wake()
  }
}

function boundLimit(limit: number): number {
  return Math.max(0, Math.min(Math.floor(limit) || 0, LIMITS.history.rowsPerQuery))
}
