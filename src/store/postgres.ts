// The one door to `pg`: exactly one connection behind a mutex, so that statements run one after the other as on SQLite.
// Invariant: whoever began on a connection that was lost meanwhile never goes on on its successor, and no second connection is
// opened behind anybody's back: a session's advisory lock covers every statement.

import {
  type DataTypeNode,
  PostgresAdapter,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  PostgresQueryCompiler,
  type PostgresQueryResult
} from 'kysely'
import pg from 'pg'
import { LIMITS } from '../platform/limits.ts'
import { messageOf } from '../platform/problem.ts'
import { StateFailure } from './failure.ts'
import type { State } from './schema.ts'
import { plainText } from './text.ts'

export interface Answer<Row> {
  readonly rows: readonly Row[]
  /** Rows answered or written. */
  readonly count: number
}

/** Runs one statement. Throws a StateFailure where the connection is lost, else what the server said. */
export type Query = <Row = unknown>(text: string, values?: readonly unknown[]) => Promise<Answer<Row>>

export interface LinkOptions {
  /** What the server calls the connection to its administrator. */
  readonly name: string
  readonly readOnly?: boolean
  /** Runs on each new connection before anybody may use it; where it throws, the connection is given up. */
  readonly admit?: (query: Query) => Promise<void>
  /** Called once for each connection that is lost; not at `end`. */
  readonly onLost?: (cause: unknown) => void
  /** Called where it is ended in good order; waited for. */
  readonly onEnd?: () => Promise<void>
}

const INT8 = 20
const NUMERIC = 1700
/** Counts and instants fit a number; sums of them come as `numeric`. */
const NUMBERS = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser
}
/** Ms; the longest that a timer takes. */
const FOR_EVER = 2 ** 31 - 1
/** Writes that come again and again are parsed by the server once; anything else is planned anew, with its parameters known. */
const PREPARED = /^(insert|update)/
const PREPARED_MOST = 200

/** Whether a place of the state store is a PostgreSQL server, and not a file. */
export function isServer(where: string): boolean {
  return /^postgres(ql)?:\/\//.test(where)
}

/** `host:port/database`: the server as people are told of it, without a password. */
export function serverName(url: string): string {
  if (!URL.canParse(url)) return 'PostgreSQL'
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}:${port === '' ? 5432 : port}${pathname}`
}

/** One connection to a server. `open` it before anything else; after it was lost, `open` makes a new one. */
export class PostgresLink implements PostgresPool {
  readonly options = {}
  readonly #url: string
  readonly #link: LinkOptions
  #client: pg.Client | null = null
  #opening: Promise<void> | null = null
  /** What each connection has prepared: by text, its name there. */
  readonly #prepared = new WeakMap<pg.Client, Map<string, string>>()
  #turn: Promise<void> = Promise.resolve()
  /** Why there is no connection. */
  #problem: unknown = null
  #ended = false
  #unhurried = false

  constructor(url: string, options: LinkOptions) {
    this.#url = url
    this.#link = options
  }

  get connected(): boolean {
    return this.#client !== null
  }

  /** Why every statement fails; null while there is a connection. */
  get failure(): StateFailure | null {
    return this.#client === null ? this.#failure() : null
  }

  /** A sentence while there is no connection. */
  get problem(): string | null {
    if (this.#client !== null || this.#problem === null) return null
    return `${this.#failure().message} (${saidBy(this.#url, this.#problem)})`
  }

  /** Connects. Throws a StateFailure, or what `admit` threw. */
  open(): Promise<void> {
    if (this.#client !== null) return Promise.resolve()
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #open(): Promise<void> {
    const { connectMs, statementMs, graceMs, keepAliveMs } = LIMITS.postgres
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: this.#link.name,
      connectionTimeoutMillis: connectMs,
      query_timeout: statementMs + graceMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      types: NUMBERS
    })
    client.on('error', (cause) => this.#lose(client, cause))
    client.on('end', () => this.#lose(client, new Error('the connection was closed')))
    try {
      await client.connect()
      await client.query(sessionSettings(this.#link.readOnly ?? false))
      await this.#link.admit?.((text, values) => this.#send(client, text, values ?? []))
      if (this.#ended) throw new Error('the state store is being closed')
      this.#problem = null
      this.#client = client
    } catch (cause) {
      this.#problem = cause
      destroy(client)
      throw cause instanceof pg.DatabaseError || cause instanceof StateFailure ? cause : new StateFailure('unreachable', cause, 'server')
    }
  }

  /** Nothing is done on this connection any more: every statement fails for this reason. */
  close(why: StateFailure): void {
    this.#ended = true
    this.#problem = why
    const client = this.#client
    this.#client = null
    if (client !== null) destroy(client)
  }

  /** Gives `act` the connection for itself. */
  async use<Result>(act: (query: Query) => Promise<Result>): Promise<Result> {
    const borrowed = await this.connect()
    try {
      return await act(async <Row>(text: string, values: readonly unknown[] = []) => {
        const { rows, rowCount } = await borrowed.query<Row>(text, values)
        return { rows, count: rowCount ?? 0 }
      })
    } finally {
      borrowed.release()
    }
  }

  /** Whatever is asked while `act` goes on takes as long as it takes. Where it throws, the connection is to be given up. */
  async unhurried<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#unhurried = true
    await this.use((query) => query('set statement_timeout = 0'))
    const result = await act()
    await this.use((query) => query(`set statement_timeout = ${LIMITS.postgres.statementMs}`))
    this.#unhurried = false
    return result
  }

  /** Kysely's way in: the connection for one statement or one transaction. */
  async connect(): Promise<PostgresPoolClient> {
    const before = this.#turn
    let release: () => void = () => {}
    this.#turn = new Promise((resolve) => {
      release = resolve
    })
    await before
    const client = this.#client
    if (client === null) {
      release()
      throw this.#failure()
    }
    const query = async <Row>(text: unknown, values: readonly unknown[] = []): Promise<PostgresQueryResult<Row>> => {
      // What a lost connection had begun is undone by the server: the first failure is the one that is reported.
      if (text === 'rollback' && this.#client !== client) return { command: 'ROLLBACK', rowCount: 0, rows: [] }
      return this.#query(client, text as string, values)
    }
    return { query, release } as PostgresPoolClient
  }

  /** Waits for what is under way, then closes. */
  async end(): Promise<void> {
    await this.#turn
    if (this.#ended) return
    this.#ended = true
    const client = this.#client
    this.#client = null
    await this.#link.onEnd?.()
    await client?.end().catch(() => {})
  }

  async #send<Row>(client: pg.Client, text: string, values: readonly unknown[]): Promise<Answer<Row>> {
    const { rows, rowCount } = await this.#query<Row>(client, text, values)
    return { rows, count: rowCount ?? 0 }
  }

  async #query<Row>(client: pg.Client, text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    try {
      const name = this.#nameOf(client, text)
      const patience = this.#unhurried ? { query_timeout: FOR_EVER } : {}
      const outcome = await client.query({ text, values: values.map(kept), ...(name === null ? {} : { name }), ...patience })
      return outcome as unknown as PostgresQueryResult<Row>
    } catch (cause) {
      if (cause instanceof TypeError || (cause instanceof pg.DatabaseError && cause.severity !== 'FATAL')) throw cause
      this.#lose(client, cause)
      throw new StateFailure('unreachable', cause, 'server')
    }
  }

  #nameOf(client: pg.Client, text: string): string | null {
    if (!PREPARED.test(text)) return null
    const names = this.#prepared.get(client) ?? new Map<string, string>()
    this.#prepared.set(client, names)
    const known = names.get(text)
    if (known !== undefined || names.size >= PREPARED_MOST) return known ?? null
    const name = `s${names.size}`
    names.set(text, name)
    return name
  }

  #failure(): StateFailure {
    return this.#problem instanceof StateFailure ? this.#problem : new StateFailure('unreachable', this.#problem, 'server')
  }

  #lose(client: pg.Client, cause: unknown): void {
    destroy(client)
    if (this.#client !== client) return
    this.#client = null
    this.#problem = cause
    this.#link.onLost?.(cause)
  }
}

/** PostgreSQL with the habits of the embedded store: whole numbers have 64 bits, and text sorts by its code points. */
export class EvenDialect extends PostgresDialect {
  constructor(pool: PostgresPool) {
    super({ pool })
  }

  override createQueryCompiler(): PostgresQueryCompiler {
    return new EvenCompiler()
  }
}

class EvenCompiler extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    if (node.dataType === 'text') this.append('text collate "C"')
    else if (node.dataType === 'integer') this.append('bigint')
    else super.visitDataType(node)
  }
}

/** Whether an open store is one on PostgreSQL. */
export function onServer(state: State): boolean {
  return state.getExecutor().adapter instanceof PostgresAdapter
}

/** What a failed attempt says to people: the server's name and its own words, never the address with a password. */
export function saidBy(url: string, cause: unknown): string {
  return `${serverName(url)}: ${messageOf(cause instanceof StateFailure ? cause.cause : cause)}`
}

function kept(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? plainText(value) : value
}

function sessionSettings(readOnly: boolean): string {
  const { statementMs, lockMs, idleInTransactionMs, keepAliveMs, silentMs } = LIMITS.postgres
  return [
    `set statement_timeout = ${statementMs}`,
    `set lock_timeout = ${lockMs}`,
    `set idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
    `set default_transaction_isolation = 'read committed'`,
    `set client_min_messages = warning`,
    // A host that has vanished is noticed by the server too, and its lock let go.
    `set tcp_keepalives_idle = ${keepAliveMs / 1000}`,
    'set tcp_keepalives_interval = 1',
    'set tcp_keepalives_count = 5',
    `set tcp_user_timeout = ${silentMs}`,
    ...(readOnly ? ['set default_transaction_read_only = on'] : [])
  ].join('; ')
}

function destroy(client: pg.Client): void {
  // `end` would wait for a server that does not answer.
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}
