// Rules, devices and gateways changed through the API: every version, by whom and why.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const amendments: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('amendments')
      .addColumn('n', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('by_user', 'text', (column) => column.notNull())
      .addColumn('note', 'text')
      .addColumn('op', 'text', (column) => column.notNull())
      .addColumn('before', 'text')
      .addColumn('after', 'text')
      .addColumn('secret', 'text')
      .addColumn('base', 'text')
      .execute()
    await db.schema.createIndex('amendments_thing').unique().on('amendments').columns(['kind', 'id', 'version']).execute()
  }
}
