// Who holds the lease of a state store on PostgreSQL, and when it last gave a sign of life. All ages are by the server's clock.

import type { Query } from './postgres.ts'

/** The advisory lock, one for each schema of a database: several installations may share a server. */
export const LOCK = '1718116401, hashtext(current_schema())'

export interface LeaseHolder {
  /** Of its connection, on the server. */
  readonly pid: number
  /** Its data folder's id; empty where it has not said so yet. */
  readonly instance: string
  /** Where it answers, as it says itself. */
  readonly host: string
  /** How long it has given no sign of life: no beat, and no statement under way or just done. */
  readonly silentMs: number
}

const AGE = (instant: string) => `(extract(epoch from clock_timestamp() - ${instant}) * 1000)::bigint`

interface Row {
  readonly pid: number
  readonly busy: boolean | null
  readonly idle_ms: number | null
}

/** Null: nobody does. */
export async function holderOf(query: Query): Promise<LeaseHolder | null> {
  // A statement that the server works on is a sign of life; one whose answer nobody fetches is none.
  const { rows } = await query<Row>(
    `select l.pid::bigint as pid, a.state = 'active' and a.wait_event_type is distinct from 'Client' as busy, ${AGE('a.state_change')} as idle_ms
     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = 1718116401
       and l.objid::bigint = hashtext(current_schema())::bigint & 4294967295
       and l.database = (select oid from pg_database where datname = current_database())`
  )
  const [row] = rows
  if (row === undefined) return null
  const said = await leaseRow(query)
  // The table speaks of the one before while a new holder has only just locked.
  const own = said !== null && said.pid === row.pid ? said : null
  const ages = [row.busy === true ? 0 : null, row.idle_ms, own?.beat_ms ?? null].filter((age) => age !== null)
  return { pid: row.pid, instance: own?.holder ?? '', host: own?.host ?? '', silentMs: ages.length === 0 ? 0 : Math.min(...ages) }
}

interface Said {
  readonly pid: number
  readonly holder: string
  readonly host: string
  readonly beat_ms: number
}

async function leaseRow(query: Query): Promise<Said | null> {
  const { rows: there } = await query<{ there: boolean }>(`select to_regclass('lease') is not null as there`)
  if (there[0]?.there !== true) return null
  const { rows } = await query<Said>(`select pid, holder, host, ${AGE('to_timestamp(beat_at / 1000.0)')} as beat_ms from lease`)
  return rows[0] ?? null
}
