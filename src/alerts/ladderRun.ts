// What the ladder remembers of one alarm that people are being told of. Plain data: it goes into snapshots as it is.

import type { Alarm } from '../model/alarm.ts'
import type { Person } from '../model/duty.ts'
import type { ChannelKind, NotificationReason } from '../model/notification.ts'
import { type Level, levelRank, type Tier } from '../model/tier.ts'
import type { AlarmPlace } from './dutyLadders.ts'
import { whyNotCall } from './withhold.ts'

/** The latest call of one person for one alarm. */
export interface Call {
  readonly rung: number
  readonly occurrence: number
  /** Which of the rung's ways it is at, counted from 0. */
  readonly group: number
  /** Ids of the messages that may still arrive. */
  readonly pending: Set<string>
  reached: boolean
  /** Every way has failed. */
  lost: boolean
}

export interface Run {
  /** As of the last event. */
  alarm: Alarm
  /** The level before the last turn. */
  from: Level | null
  readonly place: AlarmPlace
  /** A new one begins where `climbsOn` is not so; what was planned for an older one is passed over. */
  readonly generation: number
  readonly reason: 'raised' | 'escalated' | 'reminder'
  /** Null: no ladder takes the alarm as it is now. */
  readonly ladder: string | null
  readonly startedAt: number
  /** The tier of the alarm when it began; missing: written by an older version. */
  readonly climbedFor?: Tier
  /** The rung to be called next, counted from 1. */
  nextRung: number
  /** Nobody is called any more: somebody answered, or it is over. */
  stopped: boolean
  /** Steps on the agenda. */
  waiting: number
  /** Messages besides the calls so far, for their ids. */
  notices: number
  /** Who knows, and the way that reached them last. */
  readonly told: Map<string, ChannelKind>
  readonly calls: Map<string, Call>
}

/** What those who know are told of besides the calls. */
export type Turn = 'escalated' | 'reminder' | 'eased' | 'cleared'

/**
 * Whether this run goes on where the alarm is announced again at `tier`: somebody is still to be called, for no less than this,
 * and nobody has answered. Begun anew each time, it would never reach its last rungs.
 */
export function climbsOn(run: Run, rungs: number, tier: Tier): boolean {
  if (run.stopped || run.nextRung > rungs) return false
  return whyNotCall(run.alarm) === null && levelRank(tier) <= levelRank(run.climbedFor ?? run.alarm.worstTier)
}

/** Whether every rung has been called and none of it can arrive any more, though somebody must be told. */
export function isUnreached(run: Run, rungs: number): boolean {
  if (run.stopped || run.nextRung <= rungs || run.told.size > 0 || whyNotCall(run.alarm) !== null) return false
  return [...run.calls.values()].every(({ lost }) => lost)
}

/** A call on its way to one person. */
export interface Calling {
  readonly run: Run
  readonly person: Person
  readonly rung: number
  readonly occurrence: number
  readonly reason: NotificationReason
  readonly call: Call | null
}

/** One alarm's share in a message on its way. */
export interface Leg {
  readonly alarm: string
  readonly generation: number
  readonly rung: number
  readonly occurrence: number
  readonly group: number
}

/** A message that has been planned and of which no end is known. */
export interface Attempt {
  readonly person: string
  readonly channel: ChannelKind
  readonly legs: readonly Leg[]
}

/** A copy that does not change any more; alarms and places are never changed in place. */
export function copyOf(run: Run): Run {
  return {
    ...run,
    told: new Map(run.told),
    calls: new Map([...run.calls].map(([person, call]) => [person, { ...call, pending: new Set(call.pending) }]))
  }
}
