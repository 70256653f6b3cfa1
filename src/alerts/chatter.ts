// When an alarm chatters (ISA-18.2): it has come and gone three times within a minute, and goes on to do so until it has not
// come for a while. The one arithmetic of it: live marks and figures of a log use these very lines.

import { LIMITS } from '../platform/limits.ts'

/** A chattering alarm comes and goes at least this often … */
export const CHATTER_CYCLES = 3
/** … within this long, from the first raise to the last clear. */
export const CHATTER_MS = 60_000

/** Raises of the latest full cycles, the oldest first, after one more; instants on the subject's time line. */
export function withCycle(raises: readonly number[], raisedAt: number): number[] {
  return [...raises, raisedAt].slice(-CHATTER_CYCLES)
}

/** Whether these cycles, the last of which has just ended, make it chatter. */
export function chatters(raises: readonly number[], clearedAt: number): boolean {
  return raises.length === CHATTER_CYCLES && clearedAt - (raises[0] as number) <= CHATTER_MS
}

/** When it is over, if the alarm does not come again after the raise at `raisedAt`; a raise at that very instant still counts. */
export function quietAt(raisedAt: number): number {
  return raisedAt + LIMITS.marks.chatterQuietMs
}
