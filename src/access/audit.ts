// The audit log: append-only, each record's hash covers the hash before it. Whoever changes, removes or slips in a record
// breaks the chain there. (Cutting off its end is only seen against an anchor kept elsewhere.)

import { createHash } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { guarded } from '../store/failure.ts'
import type { AuditRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'

/** What is recorded: who did what, and what it changed. Never a secret. */
export interface AuditEntry {
  /** A user's name, or `environment` for what the service was started with. */
  readonly who: string
  /** What was done and to what, like `user.create li` or `alarm.acknowledge tank-level/T-101#1767225605000`. */
  readonly what: string
  readonly before: unknown
  readonly after: unknown
}

export interface AuditRecord extends AuditEntry {
  readonly n: number
  /** Epoch ms. */
  readonly at: number
  readonly hash: string
}

export type AuditVerdict =
  | { readonly kind: 'whole'; readonly count: number /** Of the last record; empty without one. */; readonly hash: string }
  | { readonly kind: 'broken' /** The first broken record. */; readonly n: number; readonly sentence: string }

const RECORDS_PER_QUERY = 1_000

export class Audit {
  readonly #state: State
  readonly #clock: Clock

  constructor(state: State, clock: Clock) {
    this.#state = state
    this.#clock = clock
  }

  /** Appends one record; durable when it resolves. */
  async append(who: string, what: string, before: unknown, after: unknown): Promise<void> {
    await guarded(() => this.#state.transaction().execute((state) => this.appendIn(state, { who, what, before, after })))
  }

  /** Appends one record inside the transaction that makes the change itself: both happen or neither. */
  async appendIn(state: State, entry: AuditEntry): Promise<void> {
    const last = await state.selectFrom('audit').select(['n', 'hash']).orderBy('n', 'desc').limit(1).executeTakeFirst()
    const record = {
      n: (last?.n ?? 0) + 1,
      at: this.#clock.now(),
      who: plainText(entry.who),
      what: plainText(entry.what),
      before: jsonOf(entry.before),
      after: jsonOf(entry.after),
      previous_hash: last?.hash ?? ''
    }
    await state
      .insertInto('audit')
      .values({ ...record, hash: hashOf(record) })
      .execute()
  }

  /** Checks the whole chain; names the first record that does not fit. */
  async verify(): Promise<AuditVerdict> {
    let count = 0
    let hash = ''
    for (;;) {
      const query = this.#state.selectFrom('audit').selectAll().where('n', '>', count).orderBy('n').limit(RECORDS_PER_QUERY)
      const rows = await guarded(() => query.execute())
      for (const row of rows) {
        const sentence = faultOf(row, count + 1, hash)
        if (sentence !== null) return { kind: 'broken', n: count + 1, sentence }
        count += 1
        hash = row.hash
      }
      if (rows.length < RECORDS_PER_QUERY) return { kind: 'whole', count, hash }
    }
  }

  /** The newest records, newest first, before record `beforeN`. */
  async list(limit: number, beforeN = Number.MAX_SAFE_INTEGER): Promise<AuditRecord[]> {
    const query = this.#state.selectFrom('audit').selectAll().where('n', '<', beforeN).orderBy('n', 'desc').limit(limit)
    const rows = await guarded(() => query.execute())
    return rows.map(({ n, at, who, what, before, after, hash }) => ({
      n,
      at,
      who,
      what,
      before: parsed(before),
      after: parsed(after),
      hash
    }))
  }
}

function faultOf(row: AuditRow, expected: number, previousHash: string): string | null {
  if (row.n !== expected) return `Audit record ${expected} is missing: the next one there is ${row.n}.`
  if (row.previous_hash !== previousHash)
    return `Audit record ${row.n} does not follow from record ${row.n - 1}: one of them was exchanged.`
  if (row.hash !== hashOf(row)) return `Audit record ${row.n} was changed after it was written.`
  return null
}

/** sha256, hex, over the record's fields as one JSON array. */
function hashOf({ n, at, who, what, before, after, previous_hash }: Omit<AuditRow, 'hash'>): string {
  return createHash('sha256')
    .update(JSON.stringify([n, at, who, what, before, after, previous_hash]))
    .digest('hex')
}

function jsonOf(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

function parsed(text: string | null): unknown {
  return text === null ? null : JSON.parse(text)
}
