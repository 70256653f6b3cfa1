// Between the loop and history: hands readings over as long as history keeps up. Where it falls behind, the loop goes on
// without it, and the feed reads the journal again by itself until it has caught up: the journal is history's spool.

import type { History } from '../history/history.ts'
import type { Drops } from '../history/messages.ts'
import { Intake } from '../ingest/intake.ts'
import { type Fleet, numberFleet } from '../model/fleet.ts'
import type { Reject } from '../model/journal.ts'
import { ReadingColumns } from '../model/readings.ts'
import { pause } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import type { RecoveryParts } from './recovery.ts'

const WAIT_MS = 100
const RETRY_MS = 1_000

export interface HistoryFeedParts extends RecoveryParts {
  readonly log: Log
  readonly history: History
}

export class HistoryFeed {
  readonly #parts: HistoryFeedParts
  #fleet: Fleet
  /** The last record whose readings were handed over, or need not be. */
  #offeredSeq: number
  #loopSeq: number
  #catchingUp: Promise<void> | null = null
  #stopped = false
  #problem: string | null = null
  /** Readings of these records are counted by the catching up, not by the loop: those after the first seq, up to the second. */
  #countedHere: (readonly [after: number, upTo: number])[]
  /** History has gone back while it was catching up: that begins again. */
  #wentBack = false
  /** Readings of the loop, and those among them that history had stored before a restart. */
  #total = 0
  #known = 0

  constructor(parts: HistoryFeedParts, fleet: Fleet, loopSeq: number) {
    this.#parts = parts
    this.#fleet = fleet
    this.#loopSeq = loopSeq
    this.#offeredSeq = parts.history.storedSeq
    this.#countedHere = [[this.#offeredSeq, loopSeq]]
    parts.history.onRewind((was) => this.#goBack(was))
    parts.history.setFleet(fleet)
    if (this.#offeredSeq < loopSeq) this.#catchUp('its last stored record lies before the snapshot')
  }

  get storedSeq(): number {
    return this.#parts.history.storedSeq
  }

  /** Readings taken from the journal in this process, how many of them are on disk, and how many the server did not keep. */
  get total(): number {
    return this.#total
  }

  get stored(): number {
    return this.#known + this.#parts.history.storedRows
  }

  get drops(): Drops {
    return this.#parts.history.drops
  }

  /** Readings counted and not yet on disk. */
  get pending(): number {
    const { retention, refused } = this.drops
    return this.#total - this.stored - retention - refused
  }

  get behind(): boolean {
    return this.#catchingUp !== null
  }

  /** A sentence where catching up fails, else null. */
  get problem(): string | null {
    return this.#problem
  }

  /** Hands over what one turn of the loop read, up to `throughSeq`. Never waits. */
  offer(readings: ReadingColumns, throughSeq: number): void {
    this.#loopSeq = throughSeq
    const rows = rowsWithValue(readings)
    this.#total += rows
    if (throughSeq <= this.#parts.history.storedSeq) {
      this.#known += rows
      this.#offeredSeq = Math.max(this.#offeredSeq, throughSeq)
      return
    }
    if (this.#catchingUp !== null) return
    if (this.#parts.history.offer(readings, throughSeq)) this.#offeredSeq = throughSeq
    else this.#catchUp('it cannot keep up with the intake')
  }

  /** From the next offer on, series are numbered as in this fleet. */
  replant(fleet: Fleet): void {
    this.#fleet = fleet
    if (this.#catchingUp === null) this.#parts.history.setFleet(fleet)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#catchingUp
  }

  #catchUp(why: string): void {
    this.#parts.log.warn(`history is behind the journal (${why}); it reads the journal from seq ${this.#offeredSeq + 1} by itself`)
    this.#catchingUp = this.#catchUpAtLast()
  }

  /**
   * The server has lost what it had stored up to `was`. It is read again from the journal and counted again; what was handed
   * over after that and not stored is counted already.
   */
  #goBack(was: number): void {
    const { storedSeq } = this.#parts.history
    const uncounted = this.#countedHere.map(([after, upTo]) => [Math.max(after, this.#offeredSeq), upTo] as const)
    this.#countedHere = [[storedSeq, was] as const, ...uncounted].filter(([after, upTo]) => after < upTo)
    this.#offeredSeq = storedSeq
    this.#wentBack = true
    if (this.#catchingUp === null) this.#catchUp('the server has lost what was stored in it')
  }

  /** Tries until it succeeds or the service ends: nothing is ever handed over past a gap. */
  async #catchUpAtLast(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#readJournal()
      } catch (cause) {
        const problem = `History cannot catch up from the journal: ${messageOf(cause)} It is tried again; what arrives stays in the journal.`
        if (this.#problem !== problem) this.#parts.log.error(problem)
        this.#problem = problem
      }
      await pause(this.#parts.clock, RETRY_MS)
    }
  }

  async #readJournal(): Promise<void> {
    const { plants, journal, history, clock } = this.#parts
    this.#wentBack = false
    let { seq, fleet, intake } = await this.#beginning()
    if (this.#wentBack) return this.#readJournal()
    history.setFleet(fleet)
    const readings = new ReadingColumns(4096)
    const rejects: Reject[] = []
    while (seq < this.#loopSeq) {
      readings.clear()
      rejects.length = 0
      const until = this.#boundaryAfter(seq)
      for (const record of await journal.read(seq, Math.min(LIMITS.loop.recordsPerTurn, until - seq), LIMITS.loop.bytesPerTurn)) {
        if (record.kind === 'plant') {
          if (readings.length > 0) break
          fleet = numberFleet(await plants.load(record.source))
          if (this.#wentBack) return this.#readJournal()
          intake = intake.under(fleet)
          history.setFleet(fleet)
        } else if (record.kind === 'telemetry') intake.read(record, readings, rejects)
        seq = record.seq
      }
      if (this.#stopped) return
      if (this.#wentBack) return this.#readJournal()
      if (seq <= this.#offeredSeq) continue
      while (!history.offer(readings, seq)) {
        await pause(clock, WAIT_MS)
        if (this.#stopped) return
        if (this.#wentBack) return this.#readJournal()
      }
      this.#offeredSeq = seq
      if (this.#countedHere.some(([after, upTo]) => seq > after && seq <= upTo)) this.#total += rowsWithValue(readings)
      await pause(clock, 0)
      if (this.#wentBack) return this.#readJournal()
    }
    // In the very turn in which nothing newer was left: the loop's next offer follows without a gap.
    this.#catchingUp = null
    this.#problem = null
    history.setFleet(this.#fleet)
    this.#parts.log.info(`history has caught up with the journal at seq ${this.#offeredSeq}`)
  }

  /** Up to where records are handed over together: those to be counted, and those that are not, apart. */
  #boundaryAfter(seq: number): number {
    const boundaries = [this.#offeredSeq, ...this.#countedHere.flat()].filter((boundary) => boundary > seq)
    return Math.min(this.#loopSeq, ...boundaries)
  }

  /**
   * Where to read from: the newest snapshot at or before what is handed over, so that lateness and repeats are seen as the
   * loop saw them. Where the journal no longer reaches back to it, the oldest snapshot that it does reach.
   */
  async #beginning(): Promise<{ seq: number; fleet: Fleet; intake: Intake }> {
    const { snapshots, plants, journal, log, options } = this.#parts
    const { oldestSeq } = journal.health()
    let snapshot = await snapshots.newest(this.#offeredSeq)
    if ((snapshot?.seq ?? 0) + 1 < oldestSeq) {
      snapshot = await snapshots.oldest(oldestSeq - 1)
      if (snapshot === null) throw new Refusal(`The journal begins at seq ${oldestSeq}, and no snapshot reaches back to it.`)
      if (snapshot.seq > this.#offeredSeq) {
        log.warn(
          `The journal no longer holds seq ${this.#offeredSeq + 1} to ${snapshot.seq}: readings received in them are missing from history`
        )
        this.#offeredSeq = snapshot.seq
      }
    }
    if (snapshot === null) return { seq: 0, fleet: this.#fleet, intake: new Intake(this.#fleet, options) }
    const fleet = numberFleet(await plants.load(snapshot.state.plantHash))
    return { seq: snapshot.seq, fleet, intake: Intake.restore(fleet, options, snapshot.state.intake) }
  }
}

function rowsWithValue(readings: ReadingColumns): number {
  let rows = 0
  for (let row = 0; row < readings.length; row++) if (readings.series[row] !== -1) rows++
  return rows
}
