// Whether our time is the wall clock's. Where that was set back, ours goes on at half speed until the other has caught up.

import type { PartHealth } from '../api/parts.ts'
import type { Clock } from '../platform/clock.ts'
import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'

/** Nothing where the two agree, or nearly: clocks are slewed by milliseconds all the time. */
export function clockParts({ ahead }: Pick<Clock, 'ahead'>): PartHealth[] {
  if (ahead == null || ahead.ms < LIMITS.clock.aheadMs) return []
  const seconds = (ms: number): string => formatDuration(Math.round(ms / 1000) * 1000)
  const since = new Date(ahead.since).toISOString().replace(/\.\d+Z$/, 'Z')
  const problem = `The clock of this machine was set back: the service is ${seconds(ahead.ms)} ahead of it (noticed at ${since} by the new time) and counts at half speed until both agree, in about ${seconds(2 * ahead.ms)}. Until then whatever is due at a time comes late, steps of ladders too: call people yourself where it cannot wait. Check that NTP keeps the clock.`
  return [{ part: 'clock', state: 'degraded', problem }]
}
