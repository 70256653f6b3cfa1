// When the drills of duty.yaml begin. Pure: from the schedules and an instant.

import type { DrillSchedule } from '../model/duty.ts'
import { weekdayOf, Zone } from '../platform/zone.ts'

/** The drills that begin at one instant, in the order of the file. */
export interface ScheduledDrills {
  readonly at: number
  readonly schedules: readonly DrillSchedule[]
}

/** Every fifth weekday of a month comes round within this. */
const DAYS_AHEAD = 186

/** The first drills after `after`; null: there are none. */
export function nextDrills(schedules: readonly DrillSchedule[], after: number): ScheduledDrills | null {
  const starts = schedules.flatMap((schedule) => {
    const at = nextOf(schedule, after)
    return at === null ? [] : [{ at, schedule }]
  })
  if (starts.length === 0) return null
  const first = Math.min(...starts.map(({ at }) => at))
  return { at: first, schedules: starts.flatMap(({ at, schedule }) => (at === first ? [schedule] : [])) }
}

function nextOf({ zone: name, minute, days, week }: DrillSchedule, after: number): number | null {
  const zone = Zone.named(name) ?? (Zone.named('UTC') as Zone)
  const { day: today } = zone.wallClock(after)
  for (let day = today; day <= today + DAYS_AHEAD; day++) {
    if (!days.includes(weekdayOf(day)) || (week !== null && weekOf(day) !== week)) continue
    const at = zone.instantOf(day, minute)
    if (at > after) return at
  }
  return null
}

/** How many of its weekday the month has had with it. */
function weekOf(day: number): number {
  return Math.ceil(new Date(day * 86_400_000).getUTCDate() / 7)
}
