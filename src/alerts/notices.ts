// What the outbox answers to whoever asks: who was told what, by what way, with what success, and who was not, and why.

import { CHANNEL_KINDS, type ChannelKind, NOTIFICATION_STATES, type NotificationState } from '../model/notification.ts'
import type { Scope } from '../model/scope.ts'
import type { Tier } from '../model/tier.ts'
import type { Problem } from '../platform/problem.ts'
import { guarded } from '../store/failure.ts'
import type { AnswerRow, NotificationRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import type { Page, PageRequest } from './booked.ts'
import { parseCursor } from './cursor.ts'
import { isProblem, pageLimit, pageOf } from './listings.ts'
import { tierOf } from './message.ts'

/** A notification as it stands. Instants in epoch ms. */
export interface Notice {
  readonly n: number
  readonly id: string
  readonly at: number
  readonly reason: string
  readonly alarms: readonly string[]
  readonly tier: Tier
  readonly site: string | null
  readonly enterprise: string | null
  readonly ladder: string
  readonly rung: number
  readonly occurrence: number
  readonly person: string
  readonly channel: ChannelKind
  readonly address: string | null
  readonly text: string
  readonly drill: boolean
  readonly withheld: string | null
  readonly state: NotificationState
  readonly tries: number
  readonly provider: string | null
  readonly providerId: string | null
  readonly problem: string | null
  readonly possibleDuplicate: boolean
  readonly late: boolean
  readonly sentAt: number | null
  readonly deliveredAt: number | null
  readonly failedAt: number | null
}

export interface Answer {
  readonly at: number
  readonly channel: string
  readonly address: string
  readonly text: string
  readonly person: string | null
  readonly alarm: string | null
  readonly outcome: string
}

/** All given must match; `from` (inclusive) and `to` (exclusive) bound `at`. */
export interface NoticeFilter {
  readonly state?: NotificationState | undefined
  readonly alarm?: string | undefined
  readonly person?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

const NOTICES_PER_ALARM = 500

export class Notices {
  readonly #reads: State

  constructor(reads: State) {
    this.#reads = reads
  }

  /** Newest first. A cursor from elsewhere is a problem. */
  async list({ state, alarm, person, from, to }: NoticeFilter, page: PageRequest, scope: Scope): Promise<Page<Notice> | Problem> {
    const after = parseCursor('notices', ['number'], page.cursor)
    if (isProblem(after)) return after
    const limit = pageLimit(page)
    let query = this.#reads.selectFrom('notifications').selectAll().orderBy('n', 'desc')
    if (scope !== null) query = query.where(inScope(scope))
    if (state !== undefined) query = query.where('state', '=', state)
    if (person !== undefined) query = query.where('person', '=', person)
    if (from !== undefined) query = query.where('at', '>=', from)
    if (to !== undefined) query = query.where('at', '<', to)
    if (alarm !== undefined)
      query = query.where('n', 'in', (eb) => eb.selectFrom('notification_alarms').select('n').where('alarm', '=', alarm))
    if (after !== null) query = query.where('n', '<', after[0] as number)
    const rows = await guarded(() => query.limit(limit + 1).execute())
    return pageOf(rows, limit, 'notices', ({ n }) => [n], noticeOf)
  }

  /** The newest notifications that tell of an alarm, in the order of their planning. */
  async ofAlarm(alarm: string, scope: Scope): Promise<Notice[]> {
    let query = this.#reads
      .selectFrom('notifications')
      .selectAll()
      .where('n', 'in', (eb) => eb.selectFrom('notification_alarms').select('n').where('alarm', '=', alarm))
      .orderBy('n', 'desc')
      .limit(NOTICES_PER_ALARM)
    if (scope !== null) query = query.where(inScope(scope))
    return (await guarded(() => query.execute())).map(noticeOf).reverse()
  }

  async one(id: string, scope: Scope): Promise<Notice | null> {
    let query = this.#reads.selectFrom('notifications').selectAll().where('id', '=', id)
    if (scope !== null) query = query.where(inScope(scope))
    const row = await guarded(() => query.executeTakeFirst())
    return row === undefined ? null : noticeOf(row)
  }

  /** What people sent back, newest first. */
  async answers(page: PageRequest, scope: Scope): Promise<Page<Answer> | Problem> {
    const after = parseCursor('answers', ['number'], page.cursor)
    if (isProblem(after)) return after
    const limit = pageLimit(page)
    let query = this.#reads.selectFrom('answers').selectAll().orderBy('n', 'desc')
    if (scope !== null) query = query.where(inScope(scope))
    if (after !== null) query = query.where('n', '<', after[0] as number)
    const rows = await guarded(() => query.limit(limit + 1).execute())
    return pageOf(rows, limit, 'answers', ({ n }) => [n], answerOf)
  }
}

function noticeOf(row: NotificationRow): Notice {
  const { n, id, at, reason, site, enterprise, ladder, rung, occurrence, person, address, text, withheld, tries, provider, problem } = row
  const { provider_id: providerId, sent_at: sentAt, delivered_at: deliveredAt, failed_at: failedAt } = row
  return {
    ...{ n, id, at, reason, alarms: JSON.parse(row.alarms) as string[], tier: tierOf(row), site, enterprise, ladder, rung, occurrence },
    ...{ person, address, text, withheld, tries, provider, providerId, problem, sentAt, deliveredAt, failedAt },
    channel: CHANNEL_KINDS.find((kind) => kind === row.channel) ?? 'sms',
    state: NOTIFICATION_STATES.find((state) => state === row.state) ?? 'failed',
    drill: row.drill === 1,
    possibleDuplicate: row.possible_duplicate === 1,
    late: row.late === 1
  }
}

function answerOf({ at, provider, address, text, person, alarm, outcome }: AnswerRow): Answer {
  return { at, channel: provider, address, text, person, alarm, outcome }
}

/** An address that somebody may recognise but not use: the last four of a number, the host of a mail address or URL. */
export function maskedAddress(channel: ChannelKind, address: string): string {
  if (channel === 'sms' || channel === 'voice') return `…${address.slice(-4)}`
  if (channel === 'email') return `…${address.slice(address.lastIndexOf('@'))}`
  return URL.canParse(address) ? `${new URL(address).origin}/…` : '…'
}
