// Several processes may send: who holds a notification, which server it goes to, who is there to send, what they were answered.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const delivery: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('notifications')
      .addColumn('host', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await db.schema.alterTable('notifications').addColumn('claimed_by', 'text').execute()
    await db.schema.dropIndex('notifications_queued').execute()
    await sql`create index notifications_queued on notifications (channel, tier, host, next_at, n) where state = 'queued'`.execute(db)
    await db.schema
      .createTable('senders')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('pid', 'integer', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .addColumn('beat', 'bigint', (column) => column.notNull())
      .addColumn('beat_at', 'bigint', (column) => column.notNull())
      .addColumn('sends', 'integer', (column) => column.notNull())
      .addColumn('sending', 'integer', (column) => column.notNull())
      .addColumn('sent', 'bigint', (column) => column.notNull())
      .addColumn('problem', 'text')
      .execute()
    await db.schema
      .createTable('handed_answers')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('provider_id', 'text')
      .execute()
  }
}
