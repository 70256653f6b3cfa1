// The figures of a stretch of time from the book's events, alarms that stood already when it began included. The events are
// read in pages and only counted, so neither memory nor any single moment of the process grows with the stretch.

import type { Scope } from '../model/scope.ts'
import { LEVELS, type Level } from '../model/tier.ts'
import { guarded } from '../store/failure.ts'
import type { AlarmRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import { eventOfRow } from './rows.ts'
import { type AlarmStatistics, AlarmTally } from './statistics.ts'

const PAGE = 1_000
const IDS_PER_QUERY = 500

/** Epoch ms; `to` is not part of it. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

/**
 * The figures inside the scope, their days named by `dayOf`; null where more than `most` events, or alarms standing at the
 * beginning, would have to be read.
 */
export async function statisticsOver(
  state: State,
  { from, to }: Stretch,
  scope: Scope,
  most: number,
  dayOf?: (at: number) => string
): Promise<AlarmStatistics | null> {
  const span = await guarded(() =>
    state
      .selectFrom('alarm_events')
      .select(({ fn }) => [fn.min('n').as('first'), fn.max('n').as('last'), fn.countAll<number>().as('count')])
      .where('at', '>=', from)
      .where('at', '<', to)
      .executeTakeFirstOrThrow()
  )
  const standing = await standingAt(state, from, scope, most)
  if (span.count > most || standing === null) return null
  const tally = new AlarmTally(from, dayOf)
  for (const alarm of standing) tally.stands(alarm)
  for (let after = (span.first ?? 1) - 1, last = span.last ?? 0; after < last; ) {
    let query = state.selectFrom('alarm_events').selectAll().where('n', '>', after).where('n', '<=', last).orderBy('n').limit(PAGE)
    query = query
      .where('at', '>=', from)
      .where('at', '<', to)
      .where((of) => of.or([of('to_level', 'is not', null), of('announced_at', 'is not', null)]))
    if (scope !== null) query = query.where(inScope(scope))
    const rows = await guarded(() => query.execute())
    for (const row of rows) {
      const { event } = eventOfRow(row)
      if (event.kind === 'transition') tally.take(event, row.announced_at)
      else if (row.announced_at !== null) tally.announcedAt(row.announced_at)
    }
    after = rows.length < PAGE ? last : (rows.at(-1)?.n ?? last)
    // The store answers without pausing: between pages the rest of the service gets its turn.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return tally.result(to)
}

type StandingAlarm = Parameters<AlarmTally['stands']>[0]

/** The alarms that were on at the beginning, with the level that they had then; null: more than `most`. */
async function standingAt(state: State, from: number, scope: Scope, most: number): Promise<StandingAlarm[] | null> {
  const stood = async (since: 'still' | 'cleared later'): Promise<AlarmRow[]> => {
    let query = state
      .selectFrom('alarms')
      .selectAll()
      .where('raised_at', '<', from)
      .limit(most + 1)
    query = since === 'still' ? query.where('cleared_at', 'is', null) : query.where('cleared_at', '>=', from)
    if (scope !== null) query = query.where(inScope(scope))
    return guarded(() => query.execute())
  }
  const alarms = [...(await stood('still')), ...(await stood('cleared later'))]
  if (alarms.length > most) return null
  const levels = new Map<string, Level>()
  for (let start = 0; start < alarms.length; start += IDS_PER_QUERY) {
    const ids = alarms.slice(start, start + IDS_PER_QUERY).map(({ id }) => id)
    const query = state
      .selectFrom('alarm_events')
      .select(['alarm', 'to_level'])
      .where('alarm', 'in', ids)
      .where('at', '<', from)
      .orderBy('n')
    for (const { alarm, to_level: level } of await guarded(() => query.execute())) {
      if (level !== null) levels.set(alarm, LEVELS[level] ?? 'clear')
    }
  }
  return alarms.map(({ id, rule, device, area }) => ({ id, rule, device, area, level: levels.get(id) ?? 'clear' }))
}
