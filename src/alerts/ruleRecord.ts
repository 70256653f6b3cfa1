// What the book knows of a rule: when it last raised an alarm, and what it did to one subject. Each answer is read from an
// index, so it stays cheap after years of alarms.

import type { Transition } from '../model/alarm.ts'
import type { Scope } from '../model/scope.ts'
import { guarded } from '../store/failure.ts'
import type { State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import { eventOfRow } from './rows.ts'

/** The last raise of each of these rules inside the scope, epoch ms; rules that never raised an alarm are left out. */
export async function lastRaised(state: State, rules: readonly string[], scope: Scope): Promise<Map<string, number>> {
  const last = new Map<string, number>()
  for (const rule of rules) {
    let query = state.selectFrom('alarms').select('raised_at').where('rule', '=', rule).orderBy('raised_at', 'desc').limit(1)
    if (scope !== null) query = query.where(inScope(scope))
    const row = await guarded(() => query.executeTakeFirst())
    if (row !== undefined) last.set(rule, row.raised_at)
  }
  return last
}

/** The newest transitions of a rule on a subject, at most `limit`, in their order. */
export async function transitionsOf(state: State, rule: string, subject: string, limit: number, scope: Scope): Promise<Transition[]> {
  // Alarm ids are rule/subject#epoch-ms: those of one subject stand side by side in the index, and '$' follows '#'.
  let query = state
    .selectFrom('alarm_events')
    .selectAll()
    .where('alarm', '>', `${rule}/${subject}#`)
    .where('alarm', '<', `${rule}/${subject}$`)
    .where('to_level', 'is not', null)
    .orderBy('alarm', 'desc')
    .orderBy('n', 'desc')
    .limit(limit)
  if (scope !== null) query = query.where(inScope(scope))
  const rows = await guarded(() => query.execute())
  return rows
    .map(eventOfRow)
    .sort((one, other) => one.n - other.n)
    .flatMap(({ event }) => (event.kind === 'transition' ? [event] : []))
}
