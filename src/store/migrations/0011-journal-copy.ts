// What a standby without our data folder needs to go on: the journal, snapshots of the engine, plants, and whose they are.
// Filled only where the state is kept in PostgreSQL.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const journalCopy: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('journal_groups')
      .addColumn('first_seq', 'bigint', (of) => of.primaryKey())
      .addColumn('last_seq', 'bigint', (of) => of.notNull())
      .addColumn('body', sql`bytea`, (of) => of.notNull())
      .execute()
    await db.schema.createIndex('journal_groups_last').on('journal_groups').column('last_seq').execute()
    await db.schema
      .createTable('engine_snapshots')
      .addColumn('seq', 'bigint', (of) => of.notNull())
      .addColumn('part', 'integer', (of) => of.notNull())
      .addColumn('parts', 'integer', (of) => of.notNull())
      .addColumn('body', sql`bytea`, (of) => of.notNull())
      .addPrimaryKeyConstraint('engine_snapshots_key', ['seq', 'part'])
      .execute()
    await db.schema
      .createTable('kept_plants')
      .addColumn('hash', 'text', (of) => of.primaryKey())
      .addColumn('body', sql`bytea`, (of) => of.notNull())
      .execute()
    await db.schema
      .createTable('copy_state')
      .addColumn('id', 'integer', (of) => of.primaryKey())
      .addColumn('installation', 'text', (of) => of.notNull())
      .addColumn('term', 'bigint', (of) => of.notNull())
      .addColumn('history_seq', 'bigint', (of) => of.notNull())
      .execute()
  }
}
