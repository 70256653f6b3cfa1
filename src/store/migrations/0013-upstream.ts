// Which sessions this installation has with an external MQTT broker: known to whichever instance serves.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const upstream: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('upstream')
      .addColumn('only', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .execute()
  }
}
