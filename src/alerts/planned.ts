// The outbox as the book writes it: planned notifications become rows in the transaction of the events they tell of.
// Invariant: a notification's id is in it at most once, so planning twice changes nothing.

import type { ChannelKind, NotificationState, PlannedNotification } from '../model/notification.ts'
import { levelRank } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { BulkWrite } from '../store/bulk.ts'
import type { NotificationAlarmRow, NotificationRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import { hostOf } from './hosts.ts'

const COLUMNS = [
  'n',
  'id',
  'at',
  'reason',
  'alarms',
  'tier',
  'site',
  'enterprise',
  'ladder',
  'rung',
  'occurrence',
  'person',
  'channel',
  'address',
  'address_key',
  'host',
  'language',
  'words',
  'text',
  'drill',
  'withheld',
  'state',
  'tries',
  'next_at',
  'possible_duplicate',
  'late',
  'unreported'
] as const satisfies readonly (keyof NotificationRow)[]
type NewRow = Pick<NotificationRow, (typeof COLUMNS)[number]>

const IDS_PER_QUERY = 500

/** Appends planned notifications. Call `write` inside the transaction, `written` once that is through. */
export class PlannedBook {
  readonly #rows = new BulkWrite<NewRow>(COLUMNS, (state, rows) => state.insertInto('notifications').values(rows).compile())
  readonly #links = new BulkWrite<NotificationAlarmRow>(['alarm', 'n'], (state, rows) =>
    state.insertInto('notification_alarms').values(rows).compile()
  )

  /** Answers how many of them were new. */
  async write(state: State, planned: readonly PlannedNotification[]): Promise<number> {
    const fresh = await unknownOf(state, planned)
    if (fresh.length === 0) return 0
    const last = await state
      .selectFrom('notifications')
      .select(({ fn }) => fn.max('n').as('n'))
      .executeTakeFirst()
    const first = (last?.n ?? 0) + 1
    await this.#rows.write(
      state,
      fresh.map((one, place) => rowOf(first + place, one))
    )
    await this.#links.write(
      state,
      fresh.flatMap(({ alarms }, place) =>
        [...new Set(alarms)].slice(0, LIMITS.courier.alarmsPerNotification).map((alarm) => ({ alarm, n: first + place }))
      )
    )
    return fresh.length
  }
}

async function unknownOf(state: State, planned: readonly PlannedNotification[]): Promise<PlannedNotification[]> {
  const fresh = new Map(planned.map((one) => [one.id, one]))
  const ids = [...fresh.keys()]
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const some = ids.slice(from, from + IDS_PER_QUERY)
    const rows = await state.selectFrom('notifications').select('id').where('id', 'in', some).execute()
    for (const { id } of rows) fresh.delete(id)
  }
  return [...fresh.values()]
}

function rowOf(n: number, planned: PlannedNotification): NewRow {
  const { id, at, reason, tier, site, enterprise, ladder, rung, occurrence, person, channel, address, language, withheld } = planned
  const state: NotificationState = withheld === null ? 'queued' : 'withheld'
  return {
    n,
    id,
    at,
    reason,
    alarms: JSON.stringify(planned.alarms.slice(0, LIMITS.courier.alarmsPerNotification)),
    tier: levelRank(tier),
    site,
    enterprise,
    ladder,
    rung,
    occurrence,
    person: plainText(person),
    channel,
    address,
    address_key: address === null ? null : addressKey(channel, address),
    host: hostOf(channel, address),
    language,
    words: JSON.stringify(planned.words),
    text: plainText(planned.text),
    drill: planned.drill ? 1 : 0,
    withheld,
    state,
    tries: 0,
    next_at: at,
    possible_duplicate: 0,
    late: 0,
    unreported: 0
  }
}

/** China's numbers are written with and without their country code; answers must find their person either way. */
const CHINESE_MOBILE = /^(?:0{0,2}86)?(1[3-9]\d{9})$/

/** What a number is recognised by when somebody answers from it; null for ways that nobody answers by. */
export function addressKey(channel: ChannelKind, address: string): string | null {
  if (channel !== 'sms' && channel !== 'voice') return null
  const digits = address.normalize('NFKC').replaceAll(/\D/g, '')
  if (digits === '') return null
  return CHINESE_MOBILE.exec(digits)?.[1] ?? digits.replace(/^00/, '')
}
