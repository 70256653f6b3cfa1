// What shadow rules did: kept apart from the alarms, numbered by itself.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const shadowEvents: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('shadow_events')
      .addColumn('n', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('alarm', 'text', (column) => column.notNull())
      .addColumn('rule', 'text', (column) => column.notNull())
      .addColumn('device', 'text')
      .addColumn('area', 'text')
      .addColumn('site', 'text')
      .addColumn('enterprise', 'text')
      .addColumn('from_level', 'integer', (column) => column.notNull())
      .addColumn('to_level', 'integer', (column) => column.notNull())
      .addColumn('because', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('shadow_events_rule').on('shadow_events').columns(['rule', 'n']).execute()
    await db.schema.createIndex('shadow_events_alarm').on('shadow_events').columns(['alarm', 'n']).execute()
  }
}
