// The drills that were held: what goes on, and of those that are over the record of who was reached when. A record is signed
// with a secret of this state store, and chained into the audit log in the transaction that closes it.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Scope } from '../model/scope.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { DrillRow, NotificationRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import { serviceSecret } from '../store/serviceSecrets.ts'

/** What became of one message of a drill. Instants in ISO 8601; null: it never was. */
export interface DrillStep {
  readonly rung: number
  readonly occurrence: number
  readonly person: string
  readonly channel: string
  readonly plannedAt: string
  readonly state: string
  readonly sentAt: string | null
  readonly deliveredAt: string | null
  /** When this person answered this message. */
  readonly acknowledgedAt: string | null
  readonly problem: string | null
}

export interface DrillRecord {
  readonly id: string
  readonly drill: true
  readonly at: string
  readonly by: string
  readonly site: string | null
  readonly device: string | null
  readonly rule: string | null
  readonly tier: string
  readonly person: string | null
  readonly note: string | null
  /** Null: none takes such an alarm. */
  readonly ladder: string | null
  /** Delays were divided by this. */
  readonly factor: number
  /** Null while it goes on. */
  readonly endedAt: string | null
  readonly outcome: string | null
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string | null } | null
  /** When the record was closed; null: receipts and answers still go into it. */
  readonly closedAt: string | null
  readonly steps: readonly DrillStep[]
}

/** A drill as it is shown. */
export interface ShownDrill {
  readonly record: DrillRecord
  /** HMAC-SHA256 over `JSON.stringify(record)`, hex; null while it is not closed. */
  readonly signature: string | null
  /** Whether the record is as it was signed; null while it is not closed. */
  readonly genuine: boolean | null
}

/** Writes into the audit log inside the transaction. */
export type Chain = (state: State, who: string, what: string, after: unknown) => Promise<void>

export class Drills {
  readonly #state: State
  /** For whoever only asks. */
  readonly #reads: State

  constructor(state: State, reads: State = state) {
    this.#state = state
    this.#reads = reads
  }

  /** The newest drills, newest first. */
  async list(scope: Scope): Promise<ShownDrill[]> {
    let query = this.#reads.selectFrom('drills').selectAll().orderBy('at', 'desc').orderBy('id').limit(LIMITS.drill.shown)
    if (scope !== null) query = query.where(inScope(scope))
    const rows = await guarded(() => query.execute())
    const shown: ShownDrill[] = []
    for (const row of rows) shown.push(await this.#shown(row))
    return shown
  }

  async one(id: string, scope: Scope): Promise<ShownDrill | null> {
    let query = this.#reads.selectFrom('drills').selectAll().where('id', '=', id)
    if (scope !== null) query = query.where(inScope(scope))
    const row = await guarded(() => query.executeTakeFirst())
    return row === undefined ? null : this.#shown(row)
  }

  /** Whether an answer still goes into its record: it goes on, or was acknowledged just now (others may answer too). */
  async takesAnswers(id: string): Promise<boolean> {
    const query = this.#state.selectFrom('drills').select(['ended_at', 'acknowledged_by', 'record']).where('id', '=', id)
    const row = await guarded(() => query.executeTakeFirst())
    return row !== undefined && row.record === null && (row.ended_at === null || row.acknowledged_by !== null)
  }

  /** Closes what is over: every message has come to its end, or none is waited for any more. Answers how many. */
  async closeDue(now: number, chain: Chain): Promise<number> {
    const query = this.#state.selectFrom('drills').selectAll().where('record', 'is', null).where('ended_at', 'is not', null)
    const over = await guarded(() => query.orderBy('at').execute())
    let closed = 0
    for (const row of over) {
      const messages = await this.#messagesOf(row.id)
      const settled = messages.every(({ state, receipt_due }) => state !== 'queued' && state !== 'sending' && receipt_due === null)
      if (!settled && now < (row.ended_at as number) + LIMITS.drill.settleMs) continue
      const record = recordOf(row, messages, now)
      const text = JSON.stringify(record)
      const signature = signatureOf(await this.#secret(), text)
      const isOurs = await guarded(() =>
        this.#state.transaction().execute(async (state) => {
          const query = state.updateTable('drills').set({ record: text, signature }).where('id', '=', row.id)
          if ((await query.where('record', 'is', null).executeTakeFirst()).numUpdatedRows === 0n) return false
          await chain(state, record.by, `drill.close ${record.id}`, { ...record, signature })
          return true
        })
      )
      if (isOurs) closed += 1
    }
    return closed
  }

  async #shown(row: DrillRow): Promise<ShownDrill> {
    const { record, signature } = row
    if (record === null || signature === null) {
      return { record: recordOf(row, await this.#messagesOf(row.id), null), signature: null, genuine: null }
    }
    const right = Buffer.from(signatureOf(await this.#secret(), record))
    const given = Buffer.from(signature)
    const genuine = right.length === given.length && timingSafeEqual(right, given)
    return { record: JSON.parse(record) as DrillRecord, signature, genuine }
  }

  #messagesOf(id: string): Promise<NotificationRow[]> {
    const query = this.#reads
      .selectFrom('notification_alarms')
      .innerJoin('notifications', 'notifications.n', 'notification_alarms.n')
      .selectAll('notifications')
      .where('notification_alarms.alarm', '=', id)
      .orderBy('notifications.n')
      .limit(LIMITS.drill.steps)
    return guarded(() => query.execute())
  }

  #secret(): Promise<string> {
    return serviceSecret(this.#state, 'drills')
  }
}

function recordOf(row: DrillRow, messages: readonly NotificationRow[], closedAt: number | null): DrillRecord {
  const { id, at, by_user: by, site, device, rule, tier, person, note, ladder, factor, ended_at, outcome, acknowledged_by, answer } = row
  return {
    ...{ id, drill: true, at: iso(at), by, site, device, rule, tier, person, note, ladder, factor },
    endedAt: time(ended_at),
    outcome,
    acknowledged: acknowledged_by === null || ended_at === null ? null : { by: acknowledged_by, at: iso(ended_at), note: answer },
    closedAt: time(closedAt),
    steps: messages.map(stepOf)
  }
}

function stepOf(row: NotificationRow): DrillStep {
  const { rung, occurrence, person, channel, state, withheld, problem } = row
  const times = { sentAt: time(row.sent_at), deliveredAt: time(row.delivered_at), acknowledgedAt: time(row.answered_at) }
  return { rung, occurrence, person, channel, plannedAt: iso(row.at), state, ...times, problem: withheld ?? problem }
}

/** HMAC-SHA256 over the record as it is kept, hex. */
function signatureOf(secret: string, record: string): string {
  return createHmac('sha256', secret).update(record).digest('hex')
}

function time(at: number | null): string | null {
  return at === null ? null : iso(at)
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
