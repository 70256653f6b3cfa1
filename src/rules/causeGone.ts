// Whether the cause of a latched alarm is gone: what tells E and F from B and C (ISA-18.2). Looks, and changes nothing.

import type { Lines } from './lines.ts'
import { type Memory, placeOfAlarm } from './memory.ts'
import { YES } from './truth.ts'

/** True where the alarm is latched, on, and every tier that is on has had its exit met for its `clearFor` at `clock`. */
export function causeGone(memory: Memory, lines: Lines, id: string, clock: number): boolean {
  const place = placeOfAlarm(memory, id)
  if (place === null || !place.plan.latched) return false
  const { firstLatch, plan, subject, named } = place
  const { latches } = memory.watches
  const offset = lines.offsetOf(subject, named)
  const at = clock - offset
  memory.areaLeaves.lead = offset
  return plan.tiers.every((tier, place) => {
    const latch = firstLatch + place
    if (!latches.isOn(latch)) return true
    if (!latches.isPulled(latch) || at - (latches.pulledSince[latch] as number) < tier.clearForMs) return false
    return tier.clear(subject, at, clock) === YES
  })
}
