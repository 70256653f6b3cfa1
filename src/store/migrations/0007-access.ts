// Scopes by site, and users whom somebody else vouches for.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const COLUMNS = [
  ['users', 'sites'],
  ['users', 'issuer'],
  ['users', 'subject'],
  ['tokens', 'sites'],
  ['quarantine', 'site'],
  ['answers', 'site']
] as const

export const access: Migration = {
  async up(db: Kysely<unknown>) {
    for (const [table, column] of COLUMNS) await db.schema.alterTable(table).addColumn(column, 'text').execute()
    await db.schema.createIndex('users_subject').on('users').columns(['issuer', 'subject']).unique().execute()
  }
}
