// The audit log: append-only, each record's hash covers the hash before it. Whoever changes, removes or slips in a record
// breaks the chain there. Cutting off its end, or writing all of it anew, shows against the anchors kept elsewhere (anchors.ts).

import { createHash } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { guarded } from '../store/failure.ts'
import type { AuditRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Anchor } from './anchors.ts'

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
  | {
      readonly kind: 'whole'
      readonly count: number
      /** Of the last record; empty without one. */
      readonly hash: string
      /** How many anchors it was held against. */
      readonly anchors: number
    }
  | {
      readonly kind: 'unanchored'
      /** The chain ends before the anchor, or has another record in its place. */
      readonly how: 'cutOff' | 'rewritten'
      readonly anchor: Anchor
      readonly sentence: string
    }
  | { readonly kind: 'broken' /** The first broken record. */; readonly n: number; readonly sentence: string }

const RECORDS_PER_QUERY = 1_000

export class Audit {
  readonly #state: State
  /** For whoever only asks. */
  readonly #reads: State
  readonly #clock: Clock

  constructor(state: State, clock: Clock, reads: State = state) {
    this.#state = state
    this.#reads = reads
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

  /** The last record: its number (0: there is none) and hash. */
  async last(): Promise<{ n: number; hash: string }> {
    const query = this.#state.selectFrom('audit').select(['n', 'hash']).orderBy('n', 'desc').limit(1)
    return (await guarded(() => query.executeTakeFirst())) ?? { n: 0, hash: '' }
  }

  /** The hash of record `n`; null: there is no such record. */
  async hashAt(n: number): Promise<string | null> {
    const query = this.#state.selectFrom('audit').select('hash').where('n', '=', n)
    return (await guarded(() => query.executeTakeFirst()))?.hash ?? null
  }

  /** Checks the whole chain, and that it reaches every anchor; names the first record, or else the first anchor, that does not fit. */
  async verify(anchors: readonly Anchor[] = []): Promise<AuditVerdict> {
    const wanted = Map.groupBy(anchors, ({ n }) => n)
    let misfit: AuditVerdict | null = null
    let count = 0
    let hash = ''
    for (;;) {
      const query = this.#reads.selectFrom('audit').selectAll().where('n', '>', count).orderBy('n').limit(RECORDS_PER_QUERY)
      const rows = await guarded(() => query.execute())
      for (const row of rows) {
        const sentence = faultOf(row, count + 1, hash)
        if (sentence !== null) return { kind: 'broken', n: count + 1, sentence }
        count += 1
        hash = row.hash
        const other = wanted.get(count)?.find((anchor) => anchor.hash !== hash)
        if (other !== undefined) misfit ??= misfitOf(other, 'rewritten', count)
      }
      if (rows.length === RECORDS_PER_QUERY) continue
      // What begins anew does not fit from the first anchor on; what was cut off fits until its end.
      const beyond = anchors.find(({ n }) => n > count)
      if (misfit === null && beyond !== undefined) misfit = misfitOf(beyond, 'cutOff', count)
      return misfit ?? { kind: 'whole', count, hash, anchors: anchors.length }
    }
  }

  /** The newest records, newest first, before record `beforeN`. */
  async list(limit: number, beforeN = Number.MAX_SAFE_INTEGER): Promise<AuditRecord[]> {
    const query = this.#reads.selectFrom('audit').selectAll().where('n', '<', beforeN).orderBy('n', 'desc').limit(limit)
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

function misfitOf(anchor: Anchor, how: 'cutOff' | 'rewritten', count: number): AuditVerdict {
  const { day, n } = anchor
  const sentence =
    how === 'cutOff'
      ? `The audit log was cut off: the anchor of ${day} knows record ${n}, and there are only ${count}.`
      : `The audit log was written anew: record ${n} is not the one that the anchor of ${day} knows.`
  return { kind: 'unanchored', how, anchor, sentence }
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
