// The first schema: position, alarms and their events, quarantine, users, sessions, tokens, the audit chain.

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

// A migration sees the tables as they were at its time, so it must not lean on today's Schema.
type Tables = Kysely<unknown>

// The one place where dialects differ: in SQLite an integer key is the row's own place, in PostgreSQL it must be a bigint.
const NUMBER_KEY = 'integer'

export const spine: Migration = {
  async up(db: Tables) {
    await alarmTables(db)
    await accessTables(db)
  }
}

async function alarmTables(db: Tables): Promise<void> {
  await db.schema
    .createTable('position')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('advanced_to', 'bigint', (column) => column.notNull())
    .addColumn('last_event', 'bigint', (column) => column.notNull())
    .addColumn('last_reject', 'bigint', (column) => column.notNull())
    .execute()
  await sql`insert into position (id, seq, advanced_to, last_event, last_reject) values (1, 0, 0, 0, 0)`.execute(db)
  await db.schema
    .createTable('alarms')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('device', 'text')
    .addColumn('area', 'text')
    .addColumn('in_area', 'text')
    .addColumn('site', 'text')
    .addColumn('enterprise', 'text')
    .addColumn('tier', 'integer', (column) => column.notNull())
    .addColumn('worst_tier', 'integer', (column) => column.notNull())
    .addColumn('raised_at', 'bigint', (column) => column.notNull())
    .addColumn('cleared_at', 'bigint')
    .addColumn('acknowledged_by', 'text')
    .addColumn('acknowledged_at', 'bigint')
    .addColumn('acknowledged_note', 'text')
    .addColumn('because', 'text', (column) => column.notNull())
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('last_event', 'bigint', (column) => column.notNull())
    .execute()
  // Only what is active is in it: small, however many alarms there have been.
  await sql`create index alarms_active on alarms (tier, raised_at, id) where active = 1`.execute(db)
  await db.schema.createIndex('alarms_raised').on('alarms').columns(['raised_at', 'id']).execute()
  await db.schema.createIndex('alarms_device').on('alarms').columns(['device', 'raised_at', 'id']).execute()
  await db.schema
    .createTable('alarm_events')
    .addColumn('n', NUMBER_KEY, (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('alarm', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('device', 'text')
    .addColumn('area', 'text')
    .addColumn('site', 'text')
    .addColumn('enterprise', 'text')
    .addColumn('from_level', 'integer')
    .addColumn('to_level', 'integer')
    .addColumn('because', 'text')
    .addColumn('action', 'text')
    .addColumn('by_user', 'text')
    .addColumn('note', 'text')
    .execute()
  await db.schema.createIndex('alarm_events_alarm').on('alarm_events').columns(['alarm', 'n']).execute()
  await db.schema.createIndex('alarm_events_at').on('alarm_events').columns(['at', 'n']).execute()
  await db.schema
    .createTable('quarantine')
    .addColumn('id', NUMBER_KEY, (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('gateway', 'text', (column) => column.notNull())
    .addColumn('enterprise', 'text')
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('device', 'text')
    .addColumn('problem', 'text', (column) => column.notNull())
    .addColumn('excerpt', 'text', (column) => column.notNull())
    .execute()
}

async function accessTables(db: Tables): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('password', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('enterprises', 'text')
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('password_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('sessions')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('user_name', 'text', (column) => column.notNull().references('users.name').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('from_address', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('sessions_user').on('sessions').column('user_name').execute()
  await db.schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('user_name', 'text', (column) => column.notNull().references('users.name').onDelete('cascade'))
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('enterprises', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute()
  await db.schema.createIndex('tokens_user').on('tokens').column('user_name').execute()
  await db.schema
    .createTable('audit')
    .addColumn('n', NUMBER_KEY, (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('previous_hash', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute()
}
