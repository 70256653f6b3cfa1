// node:sqlite in the shape Kysely's SQLite dialect asks for. Invariant: a transaction that SQLite has already given up by
// itself (full disk, I/O error) can still be "rolled back", so that the first failure is the one that is reported.

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type DialectAdapter, SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import { LIMITS } from '../platform/limits.ts'

const CACHED_STATEMENTS = 200

class Statement implements SqliteStatement {
  /** Whether it answers rows; `returning` counts. */
  readonly reader: boolean
  readonly #statement: StatementSync

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[]))
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...(parameters as SQLInputValue[]))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>
  }
}

/**
 * An SQLite file with a write-ahead log. Every commit is on disk when it returns (`synchronous=full`). The database is
 * called on the main thread: statements must be short.
 */
export class SqliteFile implements SqliteDatabase {
  readonly #database: DatabaseSync
  /** The most recently used last. */
  readonly #statements = new Map<string, Statement>()

  constructor(path: string, readOnly: boolean) {
    this.#database = new DatabaseSync(path, { readOnly, timeout: LIMITS.store.busyMs, enableForeignKeyConstraints: true })
    try {
      if (!readOnly) this.#database.exec(`pragma journal_mode = wal; pragma journal_size_limit = ${LIMITS.store.walBytes}`)
      this.#database.exec('pragma synchronous = full')
      const { cacheKib, checkpointPages } = LIMITS.store
      this.#database.exec(`pragma cache_size = -${cacheKib}; pragma wal_autocheckpoint = ${checkpointPages}`)
      // Reads the first page: a file that is no database is found out here.
      this.#database.exec('select count(*) from sqlite_schema')
    } catch (cause) {
      this.#database.close()
      throw cause
    }
  }

  prepare(sql: string): SqliteStatement {
    // A transaction takes the writer's lock at once: it cannot fail for it half way.
    if (sql === 'begin') return this.#prepared('begin immediate')
    if (sql === 'rollback' && !this.#database.isTransaction) return NOTHING_TO_DO
    return this.#prepared(sql)
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = new Statement(this.#database.prepare(sql))
      for (const oldest of this.#statements.keys()) {
        if (this.#statements.size < CACHED_STATEMENTS) break
        this.#statements.delete(oldest)
      }
    } else {
      this.#statements.delete(sql)
    }
    this.#statements.set(sql, statement)
    return statement
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Kysely's SQLite dialect, with migrations inside a transaction: one that is interrupted leaves nothing half done. */
export class NodeSqliteDialect extends SqliteDialect {
  constructor(file: SqliteFile) {
    super({ database: file })
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter()
  }
}

const NOTHING_TO_DO: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator]()
}

/** What the SQLite in this Node says of itself. */
export function sqliteVersion(): string {
  const database = new DatabaseSync(':memory:')
  const { version } = database.prepare('select sqlite_version() as version').get() as { version: string }
  database.close()
  return version
}
