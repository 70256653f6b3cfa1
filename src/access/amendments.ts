// What people have changed of the plant through the API: every version of every rule, device and gateway, in the state store.
// Invariant: a change and its audit record are written together, or neither is.

import type { Amendable, Amendment, AmendOp, WrittenThing } from '../model/amendment.ts'
import { BulkWrite } from '../store/bulk.ts'
import { guarded } from '../store/failure.ts'
import type { AmendmentRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Audit, AuditEntry } from './audit.ts'

const COLUMNS: readonly (keyof AmendmentRow)[] = [
  'n',
  'kind',
  'id',
  'version',
  'at',
  'by_user',
  'note',
  'op',
  'before',
  'after',
  'secret',
  'base'
]

export class Amendments {
  readonly #state: State
  readonly #audit: Audit
  readonly #inserts = new BulkWrite<AmendmentRow>(COLUMNS, (state, rows) => state.insertInto('amendments').values(rows).compile())

  constructor(state: State, audit: Audit) {
    this.#state = state
    this.#audit = audit
  }

  /** The newest version of each thing that was ever changed, in the order in which they were made. */
  async latest(): Promise<Amendment[]> {
    const newest = this.#state
      .selectFrom('amendments')
      .select(({ fn }) => fn.max('n').as('n'))
      .groupBy(['kind', 'id'])
    const rows = await guarded(() => this.#state.selectFrom('amendments').selectAll().where('n', 'in', newest).orderBy('n').execute())
    return rows.map(amendmentOf)
  }

  /** Versions of one thing, newest first, below `beforeVersion`. */
  async versions(kind: Amendable, id: string, limit: number, beforeVersion = Number.MAX_SAFE_INTEGER): Promise<Amendment[]> {
    const query = this.#state
      .selectFrom('amendments')
      .selectAll()
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where('version', '<', beforeVersion)
      .orderBy('version', 'desc')
      .limit(limit)
    return (await guarded(() => query.execute())).map(amendmentOf)
  }

  /** Keeps the changes with their audit records: all or none; on disk when it resolves. */
  async record(changes: readonly Amendment[], audited: readonly AuditEntry[]): Promise<void> {
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const last = await state.selectFrom('amendments').select('n').orderBy('n', 'desc').limit(1).executeTakeFirst()
        const first = (last?.n ?? 0) + 1
        await this.#inserts.write(
          state,
          changes.map((change, place) => rowOf(first + place, change))
        )
        for (const entry of audited) await this.#audit.appendIn(state, entry)
      })
    )
  }
}

function rowOf(n: number, { kind, id, version, at, by, note, op, before, after, secret, base }: Amendment): AmendmentRow {
  return {
    n,
    kind,
    id,
    version,
    at,
    by_user: plainText(by),
    note: note === null ? null : plainText(note),
    op,
    before: before === null ? null : JSON.stringify(before),
    after: after === null ? null : JSON.stringify(after),
    secret,
    base
  }
}

function amendmentOf(row: AmendmentRow): Amendment {
  const { id, version, at, by_user, note, secret, base } = row
  return {
    kind: row.kind as Amendable,
    id,
    version,
    at,
    by: by_user,
    note,
    op: row.op as AmendOp,
    before: row.before === null ? null : (JSON.parse(row.before) as WrittenThing),
    after: row.after === null ? null : (JSON.parse(row.after) as WrittenThing),
    secret,
    base
  }
}
