// A scope as a condition on rows that say to which enterprise and site they belong: the rule of src/model/scope.ts, in SQL.

import { type RawBuilder, sql } from 'kysely'
import type { Grants } from '../model/scope.ts'

/** True of rows (of a table with the columns `enterprise` and `site`) that are inside the scope. */
export function inScope({ enterprises, sites }: Grants): RawBuilder<boolean> {
  return sql<boolean>`(${among('enterprise', enterprises)} and ${among('site', sites)})`
}

function among(column: string, ids: readonly string[] | null): RawBuilder<unknown> {
  if (ids === null) return sql`1 = 1`
  // `in ()` is not SQL everywhere.
  return ids.length === 0 ? sql`1 = 0` : sql`${sql.ref(column)} in (${sql.join(ids)})`
}
