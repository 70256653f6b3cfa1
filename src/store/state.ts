// Opens the state store: brings an older schema up to date, refuses a newer or foreign one with a sentence.

import { Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { messageOf, Refusal } from '../platform/problem.ts'
import { failureSentence, stateFailure } from './failure.ts'
import { spine } from './migrations/0001-spine.ts'
import { ruleIndex } from './migrations/0002-rule-index.ts'
import { shadowEvents } from './migrations/0003-shadow-events.ts'
import { notifications } from './migrations/0004-notifications.ts'
import { amendments } from './migrations/0005-amendments.ts'
import { lifecycle } from './migrations/0006-lifecycle.ts'
import { access } from './migrations/0007-access.ts'
import { drills } from './migrations/0008-drills.ts'
import { marks } from './migrations/0009-marks.ts'
import type { Schema, State } from './schema.ts'
import { NodeSqliteDialect, SqliteFile } from './sqlite.ts'

/** Every migration there has ever been, by name, in order. Never change one that has been released: add the next. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-spine': spine,
  '0002-rule-index': ruleIndex,
  '0003-shadow-events': shadowEvents,
  '0004-notifications': notifications,
  '0005-amendments': amendments,
  '0006-lifecycle': lifecycle,
  '0007-access': access,
  '0008-drills': drills,
  '0009-marks': marks
}

const MIGRATION_TABLE = 'schema_migrations'
const MIGRATION_LOCK_TABLE = 'schema_migrations_lock'

/**
 * Opens the SQLite file at `path`, made where it is missing, at the newest schema. `state.destroy()` closes it.
 * With `readOnly` nothing is written: the file must be there and up to date.
 * Throws a Refusal where it cannot be opened, is damaged, locked, foreign, or newer than this program.
 */
export async function openState(path: string, options: { readonly readOnly?: boolean } = {}): Promise<State> {
  const readOnly = options.readOnly ?? false
  let state: State | null = null
  try {
    state = new Kysely<Schema>({ dialect: new NodeSqliteDialect(new SqliteFile(path, readOnly)) })
    await checkVersion(state, path, readOnly)
    if (!readOnly) await migrate(state)
    return state
  } catch (cause) {
    await state?.destroy()
    const failure = stateFailure(cause)
    if (failure === null) throw cause
    throw new Refusal(failureSentence(failure, path), { cause })
  }
}

async function checkVersion(state: State, path: string, readOnly: boolean): Promise<void> {
  const tables = await sql<{ name: string }>`select name from sqlite_schema where type = 'table'`.execute(state)
  const names = new Set(tables.rows.map((row) => row.name))
  const applied = names.has(MIGRATION_TABLE)
    ? (await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)} order by name`.execute(state)).rows.map((row) => row.name)
    : []
  const newer = applied.filter((name) => !(name in MIGRATIONS))
  if (newer.length > 0) {
    throw new Refusal(
      `The state store ${path} was written by a newer Fenghuo (it has ${newer.join(', ')}): start that version, or restore a backup made with this one.`
    )
  }
  if (names.size > 0 && !names.has(MIGRATION_TABLE)) {
    throw new Refusal(`The file ${path} is a database, but not a Fenghuo state: choose another data folder, or move the file away.`)
  }
  if (readOnly && applied.length < Object.keys(MIGRATIONS).length) {
    throw new Refusal(`The state store ${path} was written by an older Fenghuo: start the service once, and it is brought up to date.`)
  }
}

async function migrate(state: State): Promise<void> {
  const migrator = new Migrator({
    db: state,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  throw stateFailure(error) ?? new Error(`the state store cannot be brought up to date: ${messageOf(error)}`, { cause: error })
}
