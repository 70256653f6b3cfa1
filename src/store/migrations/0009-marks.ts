// Marks: chattering, stale and first-out alarms, and floods, as they went on and off; and when an event was announced.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const marks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('marks')
      .addColumn('n', 'integer', (of) => of.primaryKey())
      .addColumn('kind', 'text', (of) => of.notNull())
      .addColumn('at', 'bigint', (of) => of.notNull())
      .addColumn('begins', 'integer', (of) => of.notNull())
      .addColumn('since', 'bigint')
      .addColumn('scope', 'text')
      .addColumn('rule', 'text')
      .addColumn('device', 'text')
      .addColumn('area', 'text')
      .addColumn('in_area', 'text')
      .addColumn('site', 'text')
      .addColumn('enterprise', 'text')
      .addColumn('alarms', 'text', (of) => of.notNull())
      .addColumn('announced', 'integer')
      .execute()
    await db.schema.createIndex('marks_at').on('marks').columns(['at', 'n']).execute()
    await db.schema.alterTable('alarm_events').addColumn('announced_at', 'bigint').execute()
    // Until now every rise counted as announced, at its own instant.
    await sql`update alarm_events set announced_at = at where to_level > from_level`.execute(db)
  }
}
