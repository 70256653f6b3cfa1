// The lease of a state store on PostgreSQL: who holds it may write, and nobody else. Invariant: it is a session's advisory lock
// on the very connection that everything is written through; whoever lost it cannot write, and each new holder raises the epoch,
// by which what other connections of an earlier holder still try to write is refused.

import { Kysely } from 'kysely'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { Refusal } from '../platform/problem.ts'
import { failureSentence, StateFailure, stateFailure } from './failure.ts'
import { holderOf, LOCK } from './leaseHolder.ts'
import { EvenDialect, PostgresLink, type Query, saidBy, serverName } from './postgres.ts'
import type { Schema, State } from './schema.ts'
import { ServerReads } from './serverReads.ts'
import { checkVersion, migrate } from './upgrade.ts'

export interface LeaseOptions {
  /** Who asks: the id of the data folder. */
  readonly instance: string
  /** Where the service answers, for people. */
  readonly host: string
  readonly clock: Clock
  /** Null: nothing is said. */
  readonly log: Log | null
}

export interface LeasedState {
  readonly state: State
  /** The same, to read only, by connections of their own: what takes long there holds up no commit. Refused once the lease is lost. */
  readonly reads: State
  /** One higher with each holder. */
  readonly epoch: number
  /** Whether the last holder was another instance. */
  readonly takenOver: boolean
  /** A sentence while the server cannot be reached: nothing is read or written then. */
  readonly problem: string | null
  /** Resolves, if ever, with why the lease is gone: nothing can be written any more, and the process must end. */
  readonly lost: Promise<Refusal>
  /** Lets the lease go; the same as `state.destroy()`. */
  release(): Promise<void>
}

/** The oldest server that is used: the oldest that is still cared for by its makers, or was until lately. */
export const OLDEST_SERVER = 13

/**
 * Takes the lease and brings the store up to date. Null where somebody alive holds it: try again. A holder that gives no sign of
 * life is ended. Throws a Refusal where the server cannot be used, or the store is newer than this program or somebody else's.
 */
export async function takeLease(url: string, options: LeaseOptions): Promise<LeasedState | null> {
  const holding = new Holding(url, options)
  try {
    return await holding.take()
  } catch (cause) {
    await holding.end()
    const failure = stateFailure(cause)
    if (failure === null) throw cause
    throw new Refusal(failureSentence(failure, serverName(url)), { cause })
  }
}

class Holding {
  readonly #url: string
  readonly #options: LeaseOptions
  readonly #link: PostgresLink
  readonly #state: State
  /** Null until the lease is held for the first time. */
  #reads: ServerReads | null = null
  /** What the last beat wrote, by the server's clock. */
  #beatAt = 0
  /** Null until the lease is held for the first time. */
  #epoch: number | null = null
  #pid = 0
  #beats: Timer | null = null
  #beating = false
  #waiting: Timer | null = null
  #ended = false
  #tellLost: (why: Refusal) => void = () => {}
  readonly #lost = new Promise<Refusal>((resolve) => {
    this.#tellLost = resolve
  })

  constructor(url: string, options: LeaseOptions) {
    this.#url = url
    this.#options = options
    this.#link = new PostgresLink(url, {
      name: 'fenghuo',
      admit: (query) => (this.#epoch === null ? Promise.resolve() : this.#resume(query, this.#epoch)),
      onLost: (cause) => this.#disconnected(cause),
      onEnd: async () => this.#stop()
    })
    this.#state = new Kysely<Schema>({ dialect: new EvenDialect(this.#link) })
  }

  async take(): Promise<LeasedState | null> {
    await this.#link.open()
    await this.#link.use(checkServer)
    if (!(await this.#link.use((query) => this.#lock(query)))) {
      await this.end()
      return null
    }
    await checkVersion(this.#state, serverName(this.#url), false)
    await this.#link.unhurried(() => migrate(this.#state))
    const { epoch, before } = await this.#link.use((query) => this.#raise(query))
    this.#epoch = epoch
    const reads = this.#openReads(epoch)
    this.#beats = this.#options.clock.every(LIMITS.lease.beatMs, () => void this.#beat())
    const link = this.#link
    return {
      state: this.#state,
      reads,
      get problem() {
        return link.problem
      },
      epoch,
      takenOver: before !== '' && before !== this.#options.instance,
      lost: this.#lost,
      release: () => this.#state.destroy()
    }
  }

  #openReads(epoch: number): State {
    const { clock } = this.#options
    const name = `${fencedName(epoch)} reading`
    const admit = (query: Query): Promise<void> => admitted(query, epoch)
    this.#reads = new ServerReads(this.#url, { name, clock, admit, refusal: () => this.#link.failure })
    return new Kysely<Schema>({ dialect: new EvenDialect(this.#reads) })
  }

  async end(): Promise<void> {
    await this.#stop()
    await this.#state.destroy()
    // Kysely does not close what it was never asked to use.
    await this.#link.end()
  }

  /** True where the lock is ours. Ends a holder that gives no sign of life. */
  async #lock(query: Query): Promise<boolean> {
    if (await tryLock(query)) return true
    const holder = await holderOf(query)
    if (holder === null) return tryLock(query)
    if (holder.silentMs <= LIMITS.lease.staleMs) return false
    this.#options.log?.warn('the holder of the lease gives no sign of life and is ended', { ...holder })
    return this.#evict(query, holder.pid)
  }

  async #evict(query: Query, pid: number): Promise<boolean> {
    const { clock } = this.#options
    await query('select pg_terminate_backend($1)', [pid])
    for (const until = clock.monotonic() + LIMITS.lease.endMs; clock.monotonic() < until; ) {
      if (await tryLock(query)) return true
      await query('select pg_sleep(0.02)')
    }
    return false
  }

  /** The next epoch, in our name. What other connections of the holder before have under way ends first, or is refused. */
  async #raise(query: Query): Promise<{ epoch: number; before: string }> {
    await query(END_FENCED)
    const { instance, host } = this.#options
    const { rows } = await query<{ epoch: number; before: string; pid: number; beat_at: number }>(
      `update lease set epoch = lease.epoch + 1, holder = $1, host = $2, pid = pg_backend_pid(), beat_at = ${NOW}
       from (select epoch, holder from lease) as old returning lease.epoch, old.holder as before, lease.pid, lease.beat_at`,
      [instance, host]
    )
    const [row] = rows
    if (row === undefined) throw new Refusal(`The state store ${serverName(this.#url)} is not whole: its table lease is empty.`)
    // Those that were let in just before.
    await query(END_FENCED)
    this.#pid = row.pid
    this.#beatAt = row.beat_at
    return row
  }

  /** On a new connection: the lock again, and nobody in between, or the lease is lost. */
  async #resume(query: Query, epoch: number): Promise<void> {
    const locked = (await tryLock(query)) || ((await holderOf(query))?.pid === this.#pid && (await this.#evict(query, this.#pid)))
    const { rows } = await query<{ epoch: number; beat_at: number }>('select epoch, beat_at from lease')
    const [row] = rows
    if (row === undefined || row.epoch < epoch || (row.epoch === epoch && row.beat_at < this.#beatAt)) {
      throw new StateFailure('goneBack', null, 'server')
    }
    if (row.epoch !== epoch) throw new StateFailure('taken', null, 'server')
    if (!locked) throw new Error('another connection has the lease')
    const { rows: put } = await query<{ pid: number; beat_at: number }>(
      `update lease set pid = pg_backend_pid(), beat_at = ${NOW} returning pid, beat_at`
    )
    this.#pid = put[0]?.pid ?? 0
    this.#beatAt = put[0]?.beat_at ?? 0
  }

  async #beat(): Promise<void> {
    if (this.#beating || !this.#link.connected) return
    this.#beating = true
    try {
      const beat = `update lease set beat_at = ${NOW} where epoch = $1 returning beat_at`
      const { rows } = await this.#link.use((query) => query<{ beat_at: number }>(beat, [this.#epoch]))
      this.#beatAt = rows[0]?.beat_at ?? this.#beatAt
    } catch {
      // A connection that is lost is made anew; what else there is, the next statement that matters reports.
    } finally {
      this.#beating = false
    }
  }

  #disconnected(cause: unknown): void {
    if (this.#ended || this.#epoch === null) return
    this.#options.log?.error(`the connection to PostgreSQL was lost (${saidBy(this.#url, cause)}); it is made again`)
    this.#reconnectAfter(0, LIMITS.postgres.reconnectMs)
  }

  #reconnectAfter(ms: number, next: number): void {
    if (this.#ended) return
    this.#waiting = this.#options.clock.after(ms, () => void this.#reconnect(next))
  }

  async #reconnect(pauseMs: number): Promise<void> {
    try {
      await this.#link.open()
      this.#options.log?.info('PostgreSQL is connected again, with the same lease')
    } catch (cause) {
      if (cause instanceof StateFailure && !cause.passing) this.#lose(cause)
      else this.#reconnectAfter(pauseMs, Math.min(LIMITS.postgres.reconnectMostMs, pauseMs * 2))
    }
  }

  #lose(why: StateFailure): void {
    this.#link.close(why)
    this.#reads?.close(why)
    void this.#stop()
    this.#options.log?.error(why.message)
    this.#tellLost(new Refusal(why.message, { cause: why }))
  }

  async #stop(): Promise<void> {
    this.#ended = true
    this.#beats?.cancel()
    this.#waiting?.cancel()
    await this.#reads?.end()
  }
}

/** Throws a Refusal where the server is too old. */
async function checkServer(query: Query): Promise<void> {
  const { rows } = await query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::bigint as number, current_setting('server_version') as version`
  )
  const [row] = rows
  if (row !== undefined && row.number >= OLDEST_SERVER * 10_000) return
  throw new Refusal(`PostgreSQL ${row?.version} is too old: version ${OLDEST_SERVER} or newer is needed.`)
}

async function tryLock(query: Query): Promise<boolean> {
  const { rows } = await query<{ got: boolean }>(`select pg_try_advisory_lock(${LOCK}) as got`)
  return rows[0]?.got ?? false
}

/** The server's clock, epoch ms. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint'
/** How the other connections of a holder's process are called on the server: the next holder ends all that are called so. */
const FENCED_NAME = 'fenghuo fenced'

const END_FENCED = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and usename = current_user and application_name like '${FENCED_NAME} %'`

/** Lets a connection in only while the lease is of this epoch. */
async function admitted(query: Query, epoch: number): Promise<void> {
  const { count } = await query('select 1 from lease where epoch = $1', [epoch])
  if (count === 0) throw new StateFailure('taken', null, 'server')
}

/** For a connection beside the one that holds the lease of this epoch. */
function fencedName(epoch: number): string {
  return `${FENCED_NAME} ${epoch}`
}

/**
 * A condition that holds only while the lease is of the epoch in parameter `n` (1: `$1`), and stays so until the statement's
 * transaction ends: whoever takes over waits for it.
 */
export function fence(n: number): string {
  return `exists (select 1 from lease where epoch = $${n} for key share)`
}

/** Another connection of the holder's process: connected at the first need, and again after it was lost. */
export interface FencedClient {
  /** Answers what a statement reads. Throws a StateFailure where the server does not answer. */
  readonly query: Query
  /**
   * Runs a write whose condition has a `fence` in it. Throws a StateFailure, of kind 'taken' where it wrote nothing because
   * somebody else holds the lease meanwhile.
   */
  readonly write: Query
  close(): Promise<void>
}

/** Opens a connection beside the one that holds the lease of `epoch`. Each statement is a transaction of its own. */
export function openFenced(url: string, epoch: number): FencedClient {
  const link = new PostgresLink(url, { name: fencedName(epoch) })
  const query: Query = async (text, values) => {
    try {
      await link.open()
      return await link.use((run) => run(text, values))
    } catch (cause) {
      throw stateFailure(cause) ?? cause
    }
  }
  const write: Query = async <Row>(text: string, values?: readonly unknown[]) => {
    const answer = await query<Row>(text, values)
    if (answer.count > 0) return answer
    await admitted(query, epoch)
    return answer
  }
  return { query, write, close: () => link.end() }
}
