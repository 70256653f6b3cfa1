// What there is to know of a PostgreSQL before a service works with it: for whoever sets it up. Nothing is changed there.

import { Kysely } from 'kysely'
import { OLDEST_SERVER } from './lease.ts'
import { holderOf, type LeaseHolder } from './leaseHolder.ts'
import { EvenDialect, PostgresLink } from './postgres.ts'
import type { Schema, State } from './schema.ts'
import { contentsOf, isKnown, MIGRATION_TABLE, newestSchema } from './upgrade.ts'

export interface ServerLook {
  readonly version: string
  readonly recent: boolean
  /** Whether it is one that only follows another, and takes no writes. */
  readonly follows: boolean
  /** Whether database or role are set to take no writes. */
  readonly closed: boolean
  /** Whether the role may make tables. */
  readonly mayCreate: boolean
  /** How many connections Fenghuo may have at once; those of others are taken off. */
  readonly connections: number
  /** Whether the database keeps text in UTF-8. */
  readonly utf8: boolean
  /** empty; foreign: somebody else's tables; newer or older than this program; ready. */
  readonly content: 'empty' | 'foreign' | 'newer' | 'older' | 'ready'
  readonly holder: LeaseHolder | null
}

interface Facts {
  readonly number: number
  readonly version: string
  readonly follows: boolean
  readonly closed: boolean
  readonly creates: boolean | null
  readonly encoding: string
  readonly connections: number
}

/** The least of what server, database and role allow (-1: no bound of their own), without what others have open. */
const CONNECTIONS = `(select least(
    current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
      - (select count(*) from pg_stat_activity where datid is not null and (datname, usename) is distinct from (current_database(), current_user)),
    nullif(datconnlimit, -1),
    (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user))
  from pg_database where datname = current_database())`

/** Throws a StateFailure, or what the server said, where it does not let us in. */
export async function lookAtServer(url: string): Promise<ServerLook> {
  const link = new PostgresLink(url, { name: 'fenghuo doctor', readOnly: true })
  const state: State = new Kysely<Schema>({ dialect: new EvenDialect(link) })
  try {
    await link.open()
    const { rows } = await link.use((query) =>
      query<Facts>(`select current_setting('server_version_num')::bigint as number, current_setting('server_version') as version,
        pg_is_in_recovery() as follows, has_schema_privilege(current_schema(), 'create') as creates, current_setting('server_encoding') as encoding,
        (select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only') as closed,
        ${CONNECTIONS} as connections`)
    )
    const { number, version, follows, closed, creates, encoding, connections } = rows[0] as Facts
    const { tables, applied } = await contentsOf(state)
    const holder = await link.use(holderOf)
    return {
      version,
      recent: number >= OLDEST_SERVER * 10_000,
      follows,
      closed,
      mayCreate: creates === true,
      connections,
      utf8: encoding === 'UTF8',
      content: contentOf(tables, applied),
      holder
    }
  } finally {
    await state.destroy()
    await link.end()
  }
}

function contentOf(tables: readonly string[], applied: readonly string[]): ServerLook['content'] {
  if (tables.length === 0) return 'empty'
  if (!tables.includes(MIGRATION_TABLE)) return 'foreign'
  if (applied.some((name) => !isKnown(name))) return 'newer'
  return applied.length < newestSchema() ? 'older' : 'ready'
}
