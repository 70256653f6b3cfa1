// An alarm is the fold of its events, and nothing else: fold them again and the same alarm stands there. (When it will be
// announced again, `realarmAt`, is the desk's to say: it depends on the rule and our clock.)

import {
  type Alarm,
  type AlarmEvent,
  type OperatorAction,
  type Transition,
  UNTOUCHED,
  type Withholding,
  withheldBy
} from '../model/alarm.ts'
import { type Level, levelRank, type Tier } from '../model/tier.ts'

/** What holds for a new alarm before anything is done to it: its device is out of service, its rule shelved there. */
export type Inherited = Partial<Pick<Alarm, 'shelved' | 'outOfService' | 'suppressedBy'>>

/**
 * The alarm after this event; null where there is none. Total: whatever the order of events, it answers something sensible.
 *
 * - Any rise in tier takes the acknowledgement back: nobody has seen the alarm as it is now (domain 4.1: C, re-alarm at a
 *   higher level -> B). Easing and clearing leave it.
 * - A cleared alarm keeps the tier it had last, and the reason of that tier.
 * - Clearing ends suppression by design. What nobody was told of, or was suppressed, is settled by clearing: there is nothing
 *   to acknowledge.
 * - Whatever comes back from being withheld is normal (settled) if it has cleared, else unacknowledged.
 * - An action on no alarm folds nothing; a transition of an alarm not seen before begins it.
 */
export function foldEvent(alarm: Alarm | null, event: AlarmEvent, inherited: Inherited = {}): Alarm | null {
  return event.kind === 'transition' ? foldTransition(alarm, event, inherited) : alarm === null ? null : foldAction(alarm, event)
}

function foldTransition(alarm: Alarm | null, event: Transition, inherited: Inherited): Alarm {
  const { rule, device, area, id, at, because } = event
  if (alarm === null) {
    const before = tierOf(event.from)
    const tier = tierOf(event.to) ?? before ?? 'blue'
    const worstTier = worse(tier, before ?? tier)
    const clearedAt = event.to === 'clear' ? at : null
    const begun = { ...UNTOUCHED, ...inherited, id, rule, device, area, tier, worstTier, raisedAt: raisedAtOf(event), clearedAt, because }
    return { ...begun, told: withheldBy(begun) === null }
  }
  if (event.to === 'clear') {
    const settled = alarm.settled || alarm.suppressedBy.length > 0 || (!alarm.told && withheldBy(alarm) !== null)
    return { ...alarm, clearedAt: at, suppressedBy: [], settled }
  }
  const rises = alarm.clearedAt !== null || levelRank(event.to) > levelRank(alarm.tier)
  return {
    ...alarm,
    tier: event.to,
    worstTier: worse(alarm.worstTier, event.to),
    clearedAt: null,
    acknowledged: rises ? null : alarm.acknowledged,
    settled: false,
    told: alarm.told || (rises && withheldBy(alarm) === null),
    because
  }
}

function foldAction(alarm: Alarm, action: OperatorAction): Alarm {
  const { by, at, note } = action
  switch (action.action) {
    case 'acknowledge':
      return alarm.acknowledged !== null ? alarm : { ...alarm, acknowledged: { by, at, note } }
    case 'shelve':
      return { ...alarm, shelved: withholding(action) }
    case 'unshelve':
      return returned({ ...alarm, shelved: null })
    case 'suppress':
      return alarm.suppressedBy.includes(by) ? alarm : { ...alarm, suppressedBy: [...alarm.suppressedBy, by] }
    case 'unsuppress': {
      const suppressedBy = alarm.suppressedBy.filter((known) => known !== by)
      return suppressedBy.length > 0 ? { ...alarm, suppressedBy } : returned({ ...alarm, suppressedBy })
    }
    case 'outOfService':
      return { ...alarm, outOfService: withholding(action) }
    case 'returnToService':
      return returned({ ...alarm, outOfService: null })
    case 'realarm':
      return { ...alarm, acknowledged: null, told: true }
    case 'assign':
      return { ...alarm, assignee: action.assignee ?? null }
    case 'close': {
      const { disposition = 'real', verifier = null } = action
      // Whoever says what it was has seen it.
      return { ...alarm, acknowledged: alarm.acknowledged ?? { by, at, note }, closed: { by, at, disposition, verifier, note } }
    }
    case 'reset':
    case 'comment':
      return alarm
  }
}

/** Normal if its condition is gone, else as new (domain 4.1: G, H, I). */
function returned(alarm: Alarm): Alarm {
  if (withheldBy(alarm) !== null) return alarm
  return alarm.clearedAt !== null ? { ...alarm, settled: true } : { ...alarm, acknowledged: null, told: true }
}

function withholding({ by, at, until, note }: OperatorAction): Withholding {
  return { by, at, until: until ?? at, note }
}

/** Whether it belongs on the active list: until it is cleared and acknowledged, or settled. */
export function isActive(alarm: Pick<Alarm, 'clearedAt' | 'acknowledged' | 'settled'>): boolean {
  return alarm.clearedAt === null || (alarm.acknowledged === null && !alarm.settled)
}

/** Whether something may still become of it by itself, or somebody may have to look at it: active, or withheld and not over. */
export function isStanding(alarm: Alarm): boolean {
  return isActive(alarm) || (withheldBy(alarm) !== null && !alarm.settled)
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
