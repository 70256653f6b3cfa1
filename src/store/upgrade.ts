// Brings the tables of a state store up to date, whichever database holds it; refuses a newer or foreign one with a sentence.

import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { messageOf, Refusal } from '../platform/problem.ts'
import { stateFailure } from './failure.ts'
import { spine } from './migrations/0001-spine.ts'
import { ruleIndex } from './migrations/0002-rule-index.ts'
import { shadowEvents } from './migrations/0003-shadow-events.ts'
import { notifications } from './migrations/0004-notifications.ts'
import { amendments } from './migrations/0005-amendments.ts'
import { lifecycle } from './migrations/0006-lifecycle.ts'
import { access } from './migrations/0007-access.ts'
import { drills } from './migrations/0008-drills.ts'
import { marks } from './migrations/0009-marks.ts'
import { lease } from './migrations/0010-lease.ts'
import { journalCopy } from './migrations/0011-journal-copy.ts'
import { delivery } from './migrations/0012-delivery.ts'
import { upstream } from './migrations/0013-upstream.ts'
import { onServer } from './postgres.ts'
import type { State } from './schema.ts'

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
  '0009-marks': marks,
  '0010-lease': lease,
  '0011-journal-copy': journalCopy,
  '0012-delivery': delivery,
  '0013-upstream': upstream
}

export const MIGRATION_TABLE = 'schema_migrations'
const MIGRATION_LOCK_TABLE = 'schema_migrations_lock'

/** Whether this program has such a migration. */
export function isKnown(name: string): boolean {
  return name in MIGRATIONS
}

/** How many migrations there are in all. */
export function newestSchema(): number {
  return Object.keys(MIGRATIONS).length
}

/** A store that may only be read, and in which there is nothing yet. */
export class EmptyState extends Refusal {}

/** What is in a database: the names of its tables, and of the migrations that were applied to it, in order. */
export async function contentsOf(state: State): Promise<{ readonly tables: readonly string[]; readonly applied: readonly string[] }> {
  const listing = onServer(state)
    ? sql<{ name: string }>`select tablename as name from pg_tables where schemaname = current_schema()`
    : sql<{ name: string }>`select name from sqlite_schema where type = 'table'`
  const tables = (await listing.execute(state)).rows.map((row) => row.name)
  if (!tables.includes(MIGRATION_TABLE)) return { tables, applied: [] }
  const applied = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`.execute(state)
  return { tables, applied: applied.rows.map((row) => row.name).sort() }
}

/** Throws a Refusal where the store is newer than this program, somebody else's, or (where nothing may be written) older. `place` names it to people. */
export async function checkVersion(state: State, place: string, readOnly: boolean): Promise<void> {
  const { tables, applied } = await contentsOf(state)
  const newer = applied.filter((name) => !(name in MIGRATIONS))
  if (newer.length > 0) {
    throw new Refusal(
      `The state store ${place} was written by a newer Fenghuo (it has ${newer.join(', ')}): start that version, or restore a backup made with this one.`
    )
  }
  if (tables.length > 0 && !tables.includes(MIGRATION_TABLE)) {
    throw new Refusal(
      onServer(state)
        ? `The database ${place} holds tables, but no Fenghuo state: create an empty database for it.`
        : `The file ${place} is a database, but not a Fenghuo state: choose another data folder, or move the file away.`
    )
  }
  if (readOnly && tables.length === 0) {
    throw new EmptyState(`The state store ${place} is empty: start the service once, and it is made.`)
  }
  if (readOnly && applied.length < Object.keys(MIGRATIONS).length) {
    throw new Refusal(`The state store ${place} was written by an older Fenghuo: start the service once, and it is brought up to date.`)
  }
}

/** Applies what is missing, all or nothing. */
export async function migrate(state: State): Promise<void> {
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
