// Who sends: each process that does has a row in the store and counts up in it. Whoever looks on needs no common clock: a count
// that has not moved for so many looks is of one that is gone, and what it had claimed is in doubt.

import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded, StateFailure } from '../store/failure.ts'
import type { SenderRow, State } from '../store/schema.ts'

/** How a sender is, in its own words. */
export interface SenderFigures {
  readonly sends: boolean
  readonly sending: number
  readonly sent: number
  readonly problem: string | null
}

export interface RosterParts {
  readonly state: State
  /** Of the wall. */
  readonly clock: Clock
  readonly self: Pick<SenderRow, 'id' | 'role' | 'host' | 'pid' | 'version'>
  readonly figures: () => SenderFigures
  /** Called after each look. */
  readonly looked?: () => void
}

/** A sender as it is seen from here. */
export interface SeenSender extends SenderRow {
  readonly alive: boolean
}

export class Roster {
  readonly #parts: RosterParts
  /** By id: its count, and how many looks have found it unmoved. */
  readonly #seen = new Map<string, { row: SenderRow; unmoved: number }>()
  #timer: Timer | null = null
  #beating: Promise<void> | null = null
  #beat = 0
  #startedAt = 0
  /** When another sender than this last counted up, by the monotonic clock. */
  #othersSeenAt: number
  #problem: string | null = null

  constructor(parts: RosterParts) {
    this.#parts = parts
    this.#othersSeenAt = parts.clock.monotonic()
  }

  /** A sentence while nothing can be read or written, else null. */
  get problem(): string | null {
    return this.#problem
  }

  /** Writes itself in and looks round. A service is alone in its role: the one before it is gone. */
  async start(): Promise<void> {
    const { state, clock, self } = this.#parts
    this.#startedAt = clock.now()
    if (self.role === 'service') await guarded(() => state.deleteFrom('senders').where('role', '=', 'service').execute())
    await this.#look()
    this.#timer = clock.every(LIMITS.courier.beatMs, () => this.#beatOnce())
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    await this.#beating
    const { state, self } = this.#parts
    await guarded(() => state.deleteFrom('senders').where('id', '=', self.id).execute()).catch(() => {})
  }

  /** Whom to believe that it still sends what it has claimed. */
  alive(): string[] {
    return [this.#parts.self.id, ...this.#othersAlive().map(({ id }) => id)]
  }

  /** How many share a provider's pace, this one included. */
  sharers(): number {
    return Math.max(1, this.#othersAlive().filter(({ sends }) => sends === 1).length + 1)
  }

  /** How many delivery workers are there. */
  workers(): number {
    return this.#othersAlive().filter(({ role }) => role === 'worker').length
  }

  /** For how long no other sender has counted up, ms. */
  get aloneMs(): number {
    return this.#parts.clock.monotonic() - this.#othersSeenAt
  }

  /** All that are known, this one first. */
  list(): SeenSender[] {
    const rows = [...this.#seen.values()].map(({ row, unmoved }) => ({ ...row, alive: unmoved < LIMITS.courier.beatsMissed }))
    return rows.toSorted((one, other) => one.started_at - other.started_at || (one.id < other.id ? -1 : 1))
  }

  /** Deletes those that have been gone for long. */
  async prune(): Promise<void> {
    const looks = LIMITS.courier.goneMs / LIMITS.courier.beatMs
    const gone = [...this.#seen.values()].filter(({ unmoved }) => unmoved > looks).map(({ row }) => row.id)
    if (gone.length === 0) return
    await guarded(() => this.#parts.state.deleteFrom('senders').where('id', 'in', gone).execute())
  }

  #beatOnce(): void {
    this.#beating ??= this.#look()
      .catch((cause) => {
        if (!(cause instanceof StateFailure)) throw cause
        this.#problem = cause.message
      })
      .finally(() => {
        this.#beating = null
        this.#parts.looked?.()
      })
  }

  async #look(): Promise<void> {
    const { state, clock, self, figures } = this.#parts
    const { sends, sending, sent, problem } = figures()
    const says = { beat: ++this.#beat, beat_at: clock.now(), sends: sends ? 1 : 0, sending, sent, problem }
    await guarded(async () => {
      const row = { ...self, started_at: this.#startedAt, ...says }
      const query = state.insertInto('senders').values(row)
      await query.onConflict((conflict) => conflict.column('id').doUpdateSet(says)).execute()
    })
    const rows = await guarded(() => state.selectFrom('senders').selectAll().execute())
    this.#problem = null
    const known = new Set(rows.map(({ id }) => id))
    for (const id of this.#seen.keys()) if (!known.has(id)) this.#seen.delete(id)
    for (const row of rows) {
      const before = this.#seen.get(row.id)
      this.#seen.set(row.id, { row, unmoved: before?.row.beat === row.beat ? before.unmoved + 1 : 0 })
    }
    if ([...this.#seen.values()].some(({ row, unmoved }) => row.id !== self.id && unmoved === 0)) this.#othersSeenAt = clock.monotonic()
  }

  #othersAlive(): SenderRow[] {
    const { id } = this.#parts.self
    return [...this.#seen.values()]
      .filter(({ row, unmoved }) => row.id !== id && unmoved < LIMITS.courier.beatsMissed)
      .map(({ row }) => row)
  }
}
