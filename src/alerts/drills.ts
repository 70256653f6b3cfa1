// The drills that were held: begun, followed, and closed with a record of who was reached when. The record is signed with a
// secret of this state store, and chained into the audit log by whoever closes it.

import { createHmac } from 'node:crypto'
import type { Scope } from '../model/scope.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { DrillRow, NotificationRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import { serviceSecret } from '../store/serviceSecrets.ts'
import type { DrillRequest } from './drill.ts'

/** What became of one message of a drill. Instants in ISO 8601; null: it never was. */
export interface DrillStep {
  readonly person: string
  readonly channel: string
  readonly state: string
  readonly sentAt: string | null
  readonly deliveredAt: string | null
  readonly acknowledgedAt: string | null
  readonly problem: string | null
}

export interface DrillRecord {
  readonly id: string
  readonly at: string
  readonly by: string
  readonly site: string | null
  readonly person: string | null
  readonly note: string | null
  /** Null while it goes on. */
  readonly closedAt: string | null
  readonly steps: readonly DrillStep[]
}

const DRILLS_SHOWN = 100

export class Drills {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  async begin({ id, at, site, person, note }: DrillRequest, by: string, enterprise: string | null): Promise<void> {
    const row: DrillRow = {
      ...{ id, at, by_user: by, site, enterprise, person, note },
      ...{ ends_at: at + LIMITS.courier.drillMs, record: null, signature: null }
    }
    await guarded(() => this.#state.insertInto('drills').values(row).execute())
  }

  /** The newest drills, newest first; of those that go on what is so now, without a signature. */
  async list(scope: Scope): Promise<{ record: DrillRecord; signature: string | null }[]> {
    let query = this.#state.selectFrom('drills').selectAll().orderBy('at', 'desc').limit(DRILLS_SHOWN)
    if (scope !== null) query = query.where(inScope(scope))
    const rows = await guarded(() => query.execute())
    return Promise.all(rows.map(async (row) => ({ record: await this.#recordOf(row, null), signature: row.signature })))
  }

  /** Closes what is over: everybody has acknowledged, or the time has run out. Answers the records, signed. */
  async closeDue(now: number): Promise<{ record: DrillRecord; signature: string }[]> {
    const open = await guarded(() => this.#state.selectFrom('drills').selectAll().where('record', 'is', null).orderBy('at').execute())
    const closed: { record: DrillRecord; signature: string }[] = []
    for (const row of open) {
      const record = await this.#recordOf(row, now)
      const settled = record.steps.every(({ state, acknowledgedAt }) => acknowledgedAt !== null || state === 'withheld')
      if (row.ends_at > now && !settled) continue
      const text = JSON.stringify(record)
      const signature = signatureOf(await serviceSecret(this.#state, 'drills'), text)
      await guarded(() => this.#state.updateTable('drills').set({ record: text, signature }).where('id', '=', row.id).execute())
      closed.push({ record, signature })
    }
    return closed
  }

  /** Whether the record is as it was signed. */
  async isGenuine(id: string): Promise<boolean> {
    const row = await guarded(() => this.#state.selectFrom('drills').selectAll().where('id', '=', id).executeTakeFirst())
    if (row === undefined || row.record === null) return false
    return signatureOf(await serviceSecret(this.#state, 'drills'), row.record) === row.signature
  }

  async #recordOf(row: DrillRow, closedAt: number | null): Promise<DrillRecord> {
    if (row.record !== null) return JSON.parse(row.record) as DrillRecord
    const prefix = `${row.id}~`
    const query = this.#state.selectFrom('notifications').selectAll().where('id', '>=', prefix).where('id', '<', `${row.id}\u007f`)
    const rows = await guarded(() => query.orderBy('n').execute())
    const { id, site, person, note } = row
    return {
      id,
      at: iso(row.at),
      by: row.by_user,
      site,
      person,
      note,
      closedAt: closedAt === null ? null : iso(closedAt),
      steps: rows.map(stepOf)
    }
  }
}

function stepOf(row: NotificationRow): DrillStep {
  const time = (at: number | null): string | null => (at === null ? null : iso(at))
  const { person, channel, state, problem } = row
  const times = { sentAt: time(row.sent_at), deliveredAt: time(row.delivered_at), acknowledgedAt: time(row.answered_at) }
  return { person, channel, state, ...times, problem: row.withheld ?? problem }
}

/** HMAC-SHA256 over the record as it is kept, hex. */
function signatureOf(secret: string, record: string): string {
  return createHmac('sha256', secret).update(record).digest('hex')
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
