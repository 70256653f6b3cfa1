// What was done to alarms: shelving, suppression, windows out of service, assignment, closing.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const lifecycle: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['standing', 'shelved', 'suppressed', 'out_of_service', 'settled']) {
      await db.schema
        .alterTable('alarms')
        .addColumn(column, 'integer', (of) => of.notNull().defaultTo(0))
        .execute()
    }
    await db.schema.alterTable('alarms').addColumn('facts', 'text').execute()
    await sql`update alarms set standing = active`.execute(db)
    // Only what is withheld is in it: small, however many alarms there have been.
    await sql`create index alarms_withheld on alarms (raised_at, id) where standing = 1 and shelved + suppressed + out_of_service > 0`.execute(
      db
    )
    // What is withheld may be normal otherwise, and must be known again after a restart.
    await sql`create index alarms_standing on alarms (id) where standing = 1`.execute(db)
    await db.schema.alterTable('alarm_events').addColumn('extras', 'text').execute()
  }
}
