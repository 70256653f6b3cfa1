// An alarm is the fold of its events, and nothing else: fold them again and the same alarm stands there.

import { type Alarm, type AlarmEvent, type OperatorAction, type Transition, UNTOUCHED } from '../model/alarm.ts'
import { type Level, levelRank, type Tier } from '../model/tier.ts'

/**
 * The alarm after this event; null where there is none. Total: whatever the order of events, it answers something sensible.
 *
 * - Any rise in tier takes the acknowledgement back: nobody has seen the alarm as it is now (domain 4.1: C, re-alarm at a
 *   higher level -> B). Easing and clearing leave it.
 * - A cleared alarm keeps the tier it had last, and the reason of that tier.
 * - An action on no alarm folds nothing; a transition of an alarm not seen before begins it.
 */
export function foldEvent(alarm: Alarm | null, event: AlarmEvent): Alarm | null {
  return event.kind === 'transition' ? foldTransition(alarm, event) : alarm === null ? null : foldAction(alarm, event)
}

function foldTransition(alarm: Alarm | null, event: Transition): Alarm {
  const { rule, device, area, id, at, because } = event
  if (alarm === null) {
    const before = tierOf(event.from)
    const tier = tierOf(event.to) ?? before ?? 'blue'
    const worstTier = worse(tier, before ?? tier)
    const clearedAt = event.to === 'clear' ? at : null
    return { ...UNTOUCHED, id, rule, device, area, tier, worstTier, raisedAt: raisedAtOf(event), clearedAt, because }
  }
  if (event.to === 'clear') return { ...alarm, clearedAt: at }
  const rises = alarm.clearedAt !== null || levelRank(event.to) > levelRank(alarm.tier)
  return {
    ...alarm,
    tier: event.to,
    worstTier: worse(alarm.worstTier, event.to),
    clearedAt: null,
    acknowledged: rises ? null : alarm.acknowledged,
    because
  }
}

function foldAction(alarm: Alarm, { action, by, at, note }: OperatorAction): Alarm {
  if (action !== 'acknowledge' || alarm.acknowledged !== null) return alarm
  return { ...alarm, acknowledged: { by, at, note } }
}

/** Whether it belongs on the active list: until it is cleared and acknowledged. */
export function isActive(alarm: Pick<Alarm, 'clearedAt' | 'acknowledged'>): boolean {
  return alarm.clearedAt === null || alarm.acknowledged === null
}

function tierOf(level: Level): Tier | null {
  return level === 'clear' ? null : level
}

function worse(one: Tier, other: Tier): Tier {
  return levelRank(one) >= levelRank(other) ? one : other
}

/** The instant in the id (rule/subject#epoch-ms); the event's own where the id has none. */
function raisedAtOf(event: Transition): number {
  if (event.from === 'clear') return event.at
  const text = event.id.slice(event.id.lastIndexOf('#') + 1)
  return /^\d{1,15}$/.test(text) ? Number(text) : event.at
}
