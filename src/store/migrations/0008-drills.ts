// Drills that climb a ladder, with what became of them; receipts that came before their message was known to be accepted.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const TEXTS = ['device', 'rule', 'tier', 'ladder', 'outcome', 'acknowledged_by', 'answer']
const NUMBERS = ['factor', 'ended_at']

export const drills: Migration = {
  async up(db: Kysely<unknown>) {
    // Those of the earlier kind had no ladder; their records stand in the audit log.
    await db.schema.dropTable('drills').execute()
    let table = db.schema
      .createTable('drills')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('by_user', 'text', (column) => column.notNull())
    for (const name of ['site', 'enterprise', 'person', 'note', 'record', 'signature', ...TEXTS]) table = table.addColumn(name, 'text')
    for (const name of NUMBERS) table = table.addColumn(name, 'bigint')
    await table.execute()
    await db.schema
      .createTable('early_receipts')
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('provider_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('problem', 'text')
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('early_receipts_key', ['provider', 'provider_id'])
      .execute()
  }
}
