// Between the loop and history: hands readings over as long as history keeps up. Where it falls behind, the loop goes on
// without it, and the feed reads the journal again by itself until it has caught up: the journal is history's spool.

import type { History } from '../history/history.ts'
import { Intake } from '../ingest/intake.ts'
import { type Fleet, numberFleet } from '../model/fleet.ts'
import type { Reject } from '../model/journal.ts'
import { ReadingColumns } from '../model/readings.ts'
import { type Clock, pause } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf } from '../platform/problem.ts'
import type { RecoveryParts } from './recovery.ts'

const WAIT_MS = 100

export interface HistoryFeedParts extends RecoveryParts {
  readonly clock: Clock
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
  /** Readings of the loop, and those among them that history had stored before a restart. */
  #total = 0
  #known = 0

  constructor(parts: HistoryFeedParts, fleet: Fleet, loopSeq: number) {
    this.#parts = parts
    this.#fleet = fleet
    this.#loopSeq = loopSeq
    this.#offeredSeq = parts.history.storedSeq
    parts.history.setFleet(fleet)
    if (this.#offeredSeq < loopSeq) this.#catchUp('its last stored record lies before the snapshot')
  }

  get storedSeq(): number {
    return this.#parts.history.storedSeq
  }

  /** Readings judged so far in this process, and how many of them are on disk. */
  get total(): number {
    return this.#total
  }

  get stored(): number {
    return this.#known + this.#parts.history.storedRows
  }

  get behind(): boolean {
    return this.#catchingUp !== null
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
    this.#catchingUp = this.#readJournal()
      .then(() => {
        if (!this.#stopped) this.#parts.log.info(`history has caught up with the journal at seq ${this.#offeredSeq}`)
      })
      .catch((cause) => this.#parts.log.error(`history cannot catch up from the journal: ${messageOf(cause)}`))
      .finally(() => {
        this.#catchingUp = null
        this.#parts.history.setFleet(this.#fleet)
      })
  }

  /** Re-reads from the newest snapshot at or before what is stored: lateness and repeats are then seen as the loop saw them. */
  async #readJournal(): Promise<void> {
    const { snapshots, plants, journal, history, clock, options } = this.#parts
    const snapshot = await snapshots.newest(this.#offeredSeq)
    let seq = snapshot?.seq ?? 0
    let fleet = snapshot === null ? this.#fleet : numberFleet(await plants.load(snapshot.state.plantHash))
    let intake = snapshot === null ? new Intake(fleet, options) : Intake.restore(fleet, options, snapshot.state.intake)
    history.setFleet(fleet)
    const readings = new ReadingColumns(4096)
    const rejects: Reject[] = []
    while (!this.#stopped && seq < this.#loopSeq) {
      readings.clear()
      rejects.length = 0
      const most = Math.min(LIMITS.loop.recordsPerTurn, (seq < this.#offeredSeq ? this.#offeredSeq : this.#loopSeq) - seq)
      for (const record of await journal.read(seq, most, LIMITS.loop.bytesPerTurn)) {
        if (record.kind === 'plant') {
          if (readings.length > 0) break
          fleet = numberFleet(await plants.load(record.source))
          intake = intake.under(fleet)
          history.setFleet(fleet)
        } else if (record.kind === 'telemetry') intake.read(record, readings, rejects)
        seq = record.seq
      }
      if (seq <= this.#offeredSeq) continue
      while (!this.#stopped && !history.offer(readings, seq)) await pause(clock, WAIT_MS)
      if (this.#stopped) return
      this.#offeredSeq = seq
      await pause(clock, 0)
    }
  }
}

function rowsWithValue(readings: ReadingColumns): number {
  let rows = 0
  for (let row = 0; row < readings.length; row++) if (readings.series[row] !== -1) rows++
  return rows
}
