// On how many of its subjects a rule cannot be judged at this moment, and why: a rule that is unknown everywhere guards nothing.
// Looks only. Rules with very many subjects are looked at evenly, one in so many.

import { LIMITS } from '../platform/limits.ts'
import type { Lines } from './lines.ts'
import { type Memory, type Place, places } from './memory.ts'
import { UNKNOWN } from './truth.ts'
import { unknownsIn } from './unknowns.ts'
import type { Named } from './watch.ts'

export interface Doubt {
  /** Subjects that were looked at. */
  looked: number
  /** Those of them on which a condition that decides is unknown. */
  unknown: number
  /** Why, without names and times, with how many subjects have it; the most frequent first. */
  readonly reasons: Map<string, number>
}

/** By rule id, over the subjects that `seen` lets pass. */
export function doubts(memory: Memory, lines: Lines, advancedTo: number, seen: (subject: Named) => boolean): Map<string, Doubt> {
  const counts = new Map<string, number>()
  for (const { plan, named } of places(memory)) if (seen(named)) counts.set(plan.rule.id, (counts.get(plan.rule.id) ?? 0) + 1)
  const met = new Map<string, number>()
  const found = new Map<string, Doubt>()
  for (const place of places(memory)) {
    const { id } = place.plan.rule
    if (!seen(place.named)) continue
    const number = met.get(id) ?? 0
    met.set(id, number + 1)
    const step = Math.ceil((counts.get(id) as number) / LIMITS.rules.subjectsDoubted)
    if (number % step !== 0) continue
    let doubt = found.get(id)
    if (doubt === undefined) found.set(id, (doubt = { looked: 0, unknown: 0, reasons: new Map() }))
    look(memory, lines, place, advancedTo, doubt)
  }
  return found
}

function look(memory: Memory, lines: Lines, { plan, subject, named, firstLatch }: Place, advancedTo: number, doubt: Doubt): void {
  const { areaLeaves, held, fleet, watches } = memory
  let clock = advancedTo
  for (const device of named.device === null ? areaLeaves.membersOf(subject) : [subject]) {
    clock = Math.max(clock, held.lastReceipt[device] || clock)
  }
  const offset = lines.offsetOf(subject, named)
  const lead = areaLeaves.lead
  areaLeaves.lead = offset
  const scene = { binder: plan.binder, subject, at: clock - offset, clock }
  const reasons = new Set<string>()
  for (const [index, { compiled }] of plan.tiers.entries()) {
    const condition = watches.latches.isOn(firstLatch + index) ? compiled.clear : compiled.when
    if (plan.binder.truth(condition)(subject, scene.at, clock) !== UNKNOWN) continue
    for (const reason of unknownsIn(memory, condition, scene)) reasons.add(plainly(reason, fleet.devices[subject]?.id ?? ''))
  }
  areaLeaves.lead = lead
  doubt.looked++
  if (reasons.size === 0) return
  doubt.unknown++
  for (const reason of reasons) doubt.reasons.set(reason, (doubt.reasons.get(reason) ?? 0) + 1)
}

/** Without the device's name and without times: what many have in common. */
function plainly(reason: string, id: string): string {
  return reason
    .replace(`${id} `, 'the device ')
    .replace(/was last reported .* ago and counts for .*$/, 'was last reported too long ago')
    .replace(/^and \d+ more$/, 'and more')
}
