// Where an alarm stands for the operator: waiting, taken note of, gone, or withheld from everybody for the time being.
// Invariant: what is withheld is counted apart and never blinks, but it is always one press away.

import type { Alarm, Tier } from './api.ts'

export const WITHHELD = ['shelved', 'suppressed', 'outOfService'] as const
export type Withheld = (typeof WITHHELD)[number]

/** Why nobody is told of the alarm; null: it is not withheld. Out of service outranks suppressed, that outranks shelved. */
export function withheldBy({ isaState }: Pick<Alarm, 'isaState'>): Withheld | null {
  return isaState === 'I' ? 'outOfService' : isaState === 'H' ? 'suppressed' : isaState === 'G' ? 'shelved' : null
}

/** Whether it belongs to the live list: it waits for somebody, is on, or is withheld. */
export const isStanding = ({ isaState }: Pick<Alarm, 'isaState'>): boolean => isaState !== 'A'

/** Latched, its cause gone: it stays until somebody resets it. */
export const isLatched = ({ isaState }: Pick<Alarm, 'isaState'>): boolean => isaState === 'E' || isaState === 'F'

/** Nobody has taken note of it, and somebody should. */
export const isWaiting = (alarm: Alarm): boolean => alarm.acknowledged === null && isStanding(alarm) && withheldBy(alarm) === null

export const TABS = ['active', ...WITHHELD, 'all'] as const
export type Tab = (typeof TABS)[number]

export const tabOf = (search: Readonly<Record<string, string>>): Tab => TABS.find((tab) => tab === search.tab) ?? 'active'

/** How many of the live list stand under each tab but `all`. */
export function countTabs(alarms: readonly Alarm[]): Record<Exclude<Tab, 'all'>, number> {
  const counts = { active: 0, shelved: 0, suppressed: 0, outOfService: 0 }
  for (const alarm of alarms) counts[withheldBy(alarm) ?? 'active'] += 1
  return counts
}

/** How many alarms of each tier are active, and how many of all wait to be acknowledged; what is withheld is counted apart. */
export function countAlarms(alarms: readonly Alarm[]): Record<Tier, number> & { unacknowledged: number } {
  const counts = { red: 0, orange: 0, yellow: 0, blue: 0, unacknowledged: 0 }
  for (const alarm of alarms) {
    if (withheldBy(alarm) !== null) continue
    counts[alarm.tier] += 1
    if (alarm.acknowledged === null) counts.unacknowledged += 1
  }
  return counts
}
