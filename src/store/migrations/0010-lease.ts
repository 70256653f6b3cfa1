// Who works with a state store that several could reach. One row. The epoch is a key of it: whoever reads it `for key share`
// holds up the next holder, who raises it, and not the beats of this one.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const lease: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('lease')
      .addColumn('epoch', 'bigint', (column) => column.primaryKey().notNull())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('pid', 'bigint', (column) => column.notNull())
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('beat_at', 'bigint', (column) => column.notNull())
      .execute()
    await sql`insert into lease (epoch, holder, pid, host, beat_at) values (0, '', 0, '', 0)`.execute(db)
  }
}
