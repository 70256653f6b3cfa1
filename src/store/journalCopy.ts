// What an instance without our data folder needs to go on exactly: the journal's groups, snapshots and plants, in PostgreSQL.
// Two connections, so that what is acknowledged never waits for a snapshot. Invariant: each write carries the epoch of the
// lease; whoever takes over raises it, which waits for writes under way, and after that nothing of ours is written any more.

import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { LIMITS } from '../platform/limits.ts'
import { Refusal } from '../platform/problem.ts'
import { type FencedClient, fence, openFenced } from './lease.ts'
import type { State } from './schema.ts'

const compressed = promisify(zstdCompress)
const QUICK = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** Longer bodies are compressed beside the main thread. */
const BESIDE_BYTES = 64 * 1024
/** Groups read at a time: most are small, some are not. */
const ROWS_AT_ONCE = 500
const BYTES_AT_ONCE = 8 * 1024 * 1024
/** The epoch is the first parameter of every write. */
const FENCE = fence(1)

/** Records that were flushed together. */
export interface CopiedGroup {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly records: Uint8Array
}

/** Records that are not there, both ends included. */
export interface MissingStretch {
  readonly from: number
  readonly to: number
}

/** What the copy says of itself and of the installation. */
export interface CopyMarks {
  /** Null: no service has run on this store yet. */
  readonly installation: string | null
  /** The epoch of the service that ran on it last; 0: none. */
  readonly term: number
  /** History is stored up to here, as its holder last said. */
  readonly historySeq: number
}

interface GroupRow {
  readonly first_seq: number
  readonly last_seq: number
  readonly body: Buffer
}

/** The copy as the holder of the lease with this epoch sees it. */
export class JournalCopy {
  readonly #groups: FencedClient
  readonly #bulk: FencedClient
  readonly #epoch: number

  constructor(url: string, epoch: number) {
    this.#epoch = epoch
    this.#groups = openFenced(url, epoch)
    this.#bulk = openFenced(url, epoch)
  }

  /** Commits one group; where it is there already, nothing changes. Rejects with a StateFailure. */
  async keep(group: CopiedGroup): Promise<void> {
    await this.#insert(group, '')
  }

  /** The same behind the group before it; false, and nothing is done, where that is not there (any more). */
  async follow(group: CopiedGroup): Promise<boolean> {
    const before = '(select last_seq from journal_groups where first_seq < $2 order by first_seq desc limit 1)'
    return (await this.#insert(group, `and $2 = coalesce(${before}, 0) + 1`)) > 0
  }

  async #insert({ firstSeq, lastSeq, records }: CopiedGroup, condition: string): Promise<number> {
    const body = records.length > BESIDE_BYTES ? await compressed(records, QUICK) : zstdCompressSync(records, QUICK)
    const { count } = await this.#groups.write(
      `insert into journal_groups (first_seq, last_seq, body) select $2::bigint, $3::bigint, $4::bytea where ${FENCE} ${condition}
       on conflict (first_seq) do update set last_seq = excluded.last_seq, body = excluded.body`,
      [this.#epoch, firstSeq, lastSeq, body]
    )
    return count
  }

  /** The first and the last record in it; null where it holds none. */
  async extent(): Promise<{ readonly firstSeq: number; readonly lastSeq: number } | null> {
    const [row] = await this.#rows<{ first: number | null; last: number }>(
      'select min(first_seq) as first, max(last_seq) as last from journal_groups'
    )
    return row === undefined || row.first === null ? null : { firstSeq: row.first, lastSeq: row.last }
  }

  /** What it lacks from its oldest snapshot (without one: from the beginning) to its newest group, and on to `lastSeq`. */
  async missing(lastSeq = 0): Promise<MissingStretch[]> {
    const [oldest = 0] = await this.snapshots()
    const extent = await this.extent()
    if (extent === null) return lastSeq > oldest ? [{ from: oldest + 1, to: lastSeq }] : []
    const found = await this.#rows<MissingStretch>(
      `select before + 1 as from, first_seq - 1 as to
       from (select first_seq, lag(last_seq) over (order by first_seq) as before from journal_groups) as groups
       where first_seq <> before + 1 order by first_seq`
    )
    const head = extent.firstSeq > oldest + 1 ? [{ from: oldest + 1, to: extent.firstSeq - 1 }] : []
    const tail = extent.lastSeq < lastSeq ? [{ from: extent.lastSeq + 1, to: lastSeq }] : []
    return [...head, ...found, ...tail]
  }

  /** The groups with records after `afterSeq`, in order. Throws a Refusal where one is missing in between. */
  async *groups(afterSeq: number): AsyncGenerator<CopiedGroup> {
    let expected: number | null = null
    for (let after = afterSeq; ; ) {
      const rows: readonly GroupRow[] = await this.#rows(
        `select first_seq, last_seq, body from (
           select first_seq, last_seq, body, sum(octet_length(body)) over (order by first_seq) - octet_length(body) as ahead
           from (select first_seq, last_seq, body from journal_groups where last_seq > $1 order by first_seq limit ${ROWS_AT_ONCE}) as following
         ) as summed where ahead < ${BYTES_AT_ONCE} order by first_seq`,
        [after]
      )
      if (rows.length === 0) return
      for (const { first_seq: firstSeq, last_seq: lastSeq, body } of rows) {
        if (expected !== null && firstSeq !== expected) {
          throw lacking([{ from: expected, to: firstSeq - 1 }])
        }
        expected = lastSeq + 1
        after = lastSeq
        yield { firstSeq, lastSeq, records: zstdDecompressSync(body) }
      }
    }
  }

  /** Keeps a snapshot's file, in parts. It counts once all of them are there. */
  async keepSnapshot(seq: number, file: Uint8Array): Promise<void> {
    const whole = await compressed(file, QUICK)
    const size = LIMITS.lease.snapshotPartBytes
    const parts = Math.max(1, Math.ceil(whole.length / size))
    for (let part = 0; part < parts; part++) {
      await this.#bulk.write(
        `insert into engine_snapshots (seq, part, parts, body) select $2::bigint, $3::bigint, $4::bigint, $5::bytea where ${FENCE}
         on conflict (seq, part) do update set parts = excluded.parts, body = excluded.body`,
        [this.#epoch, seq, part, parts, whole.subarray(part * size, (part + 1) * size)]
      )
    }
  }

  /** The seqs of whole snapshots, ascending. */
  async snapshots(): Promise<number[]> {
    const rows = await this.#rows<{ seq: number }>(
      'select seq from engine_snapshots group by seq having count(*) = max(parts) order by seq'
    )
    return rows.map(({ seq }) => seq)
  }

  async snapshot(seq: number): Promise<Buffer> {
    const bodies: Buffer[] = []
    const [first] = await this.#rows<{ parts: number }>('select max(parts) as parts from engine_snapshots where seq = $1', [seq])
    for (let part = 0; part < (first?.parts ?? 0); part++) {
      const [row] = await this.#rows<{ body: Buffer }>('select body from engine_snapshots where seq = $1 and part = $2', [seq, part])
      if (row !== undefined) bodies.push(row.body)
    }
    return zstdDecompressSync(Buffer.concat(bodies))
  }

  /** Keeps a plant's file under its hash. */
  async keepPlant(hash: string, file: Uint8Array): Promise<void> {
    await this.#bulk.write(
      `insert into kept_plants (hash, body) select $2::text, $3::bytea where ${FENCE}
       on conflict (hash) do update set body = excluded.body`,
      [this.#epoch, hash, await compressed(file, QUICK)]
    )
  }

  /** The hashes of the plants in it. */
  async plants(): Promise<string[]> {
    return (await this.#rows<{ hash: string }>('select hash from kept_plants order by hash')).map(({ hash }) => hash)
  }

  async plant(hash: string): Promise<Buffer> {
    const [row] = await this.#rows<{ body: Buffer }>('select body from kept_plants where hash = $1', [hash])
    return row === undefined ? Buffer.alloc(0) : zstdDecompressSync(row.body)
  }

  /**
   * Lets go of the groups that end before `beforeSeq` or at it, and of every snapshot but these. The newest group stays in any
   * case: it says where the numbers go on.
   */
  async prune(beforeSeq: number, snapshots: readonly number[]): Promise<void> {
    await this.#bulk.write(
      `delete from journal_groups where last_seq <= $2::bigint and last_seq < (select max(last_seq) from journal_groups) and ${FENCE}`,
      [this.#epoch, beforeSeq]
    )
    await this.#bulk.write(`delete from engine_snapshots where seq <> all ($2::bigint[]) and ${FENCE}`, [this.#epoch, snapshots])
  }

  /** Empties it: what is in it does not join what comes. */
  async clear(): Promise<void> {
    await this.#bulk.write(`delete from journal_groups where ${FENCE}`, [this.#epoch])
    await this.#bulk.write(`delete from engine_snapshots where ${FENCE}`, [this.#epoch])
  }

  async marks(): Promise<CopyMarks> {
    const [row] = await this.#rows<{ installation: string; term: number; history_seq: number }>(
      'select installation, term, history_seq from copy_state'
    )
    return { installation: row?.installation ?? null, term: row?.term ?? 0, historySeq: row?.history_seq ?? 0 }
  }

  /** Says whose it is from now on, and that the holder of this epoch has begun. */
  async begin(installation: string): Promise<void> {
    await this.#bulk.write(
      `insert into copy_state (id, installation, term, history_seq) select 1, $2::text, $1::bigint, 0 where ${FENCE}
       on conflict (id) do update set installation = excluded.installation, term = excluded.term`,
      [this.#epoch, installation]
    )
  }

  async setHistorySeq(seq: number): Promise<void> {
    await this.#bulk.write(`update copy_state set history_seq = $2::bigint where ${FENCE}`, [this.#epoch, seq])
  }

  async close(): Promise<void> {
    await Promise.all([this.#groups.close(), this.#bulk.close()])
  }

  async #rows<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.#bulk.query<Row>(text, values)).rows
  }
}

/** Nothing can be made of a copy that lacks these. */
export function lacking(stretches: readonly MissingStretch[]): Refusal {
  return new Refusal(
    `The copy of the journal in PostgreSQL lacks ${recordsText(stretches)}: start the instance that served last with its data folder, which makes the copy whole, or restore the database.`
  )
}

/** `the records 12 to 17 and 20 to 21` */
export function recordsText(stretches: readonly MissingStretch[]): string {
  return `the records ${stretches.map(({ from, to }) => `${from} to ${to}`).join(' and ')}`
}

/** The last journal record whose effects are in a state. */
export async function committedSeq(state: State): Promise<number> {
  const row = await state.selectFrom('position').select('seq').executeTakeFirst()
  return row?.seq ?? 0
}
