// Who would be told of an alarm, when and by what, if nobody answered: the very ladder, played on an alarm that is made up.
// Nothing is sent. Grouping, throttles and floods do not show: they depend on what else goes on.

import { type Alarm, type Transition, UNTOUCHED } from '../model/alarm.ts'
import type { PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import type { Tier } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { DutyPlan } from './dutyLadders.ts'
import { CALM } from './floodWatch.ts'
import { Ladder } from './ladder.ts'

export interface PreviewSubject {
  readonly rule: string
  readonly tier: Tier
  readonly device: string | null
  readonly area: string | null
}

export interface Preview {
  /** Null: no ladder takes such an alarm, so nobody is told. */
  readonly ladder: string | null
  /** In the order of their instants; at most as many as are worth reading. */
  readonly told: readonly PlannedNotification[]
}

const HORIZON_MS = 7 * 86_400_000

/** Pure: the same plant, alarm and instant give the same answer. */
export function toldBy(plant: Plant, subject: PreviewSubject, at: number): Preview {
  const { rule, tier, device, area } = subject
  const plan = new DutyPlan(plant)
  const ladder = plan.ladderOf(rule, tier, plan.placeOf(subject))
  if (ladder === null) return { ladder: null, told: [] }
  const id = `${rule}/${device ?? area}#${at}`
  const conditions = plant.rules.find((one) => one.id === rule)?.tiers ?? []
  const limits = plant.devices.find((one) => one.id === device)?.limits ?? {}
  const when = conditions.find((one) => one.tier === tier)?.when ?? ''
  const because = when.replaceAll(/\blimits\.(\w+)/g, (whole, name: string) => `${limits[name] ?? whole}`)
  const alarm: Alarm = { ...UNTOUCHED, id, rule, device, area, tier, worstTier: tier, raisedAt: at, clearedAt: null, because }
  const event: Transition = { kind: 'transition', at, rule, device, area, from: 'clear', to: tier, id, because }
  // Whatever would hold back a second message within moments is left out: there is but one alarm.
  const quietPlant: Plant = plant.duty === undefined ? plant : { ...plant, duty: { ...plant.duty, groupWindowMs: 0, throttle: null } }
  const climbing = new Ladder(quietPlant, CALM)
  const told: PlannedNotification[] = []
  climbing.take([{ event, alarm, before: null, announced: true, withheld: null, cause: 'transition', clock: at }], told)
  while (climbing.nextDue <= at + HORIZON_MS && told.length < LIMITS.duty.previewed) {
    // A message that has left is taken for delivered: it is the person who does not answer.
    for (const one of told)
      if (one.withheld === null) climbing.report({ id: one.id, state: 'delivered', providerId: null, problem: null }, one.at, told)
    if (climbing.nextDue <= at + HORIZON_MS) climbing.advance(climbing.nextDue, told)
  }
  return { ladder: ladder.id, told: told.slice(0, LIMITS.duty.previewed) }
}
