// Alarms and the events they are the fold of (contract 5).

import type { Level, Tier } from './tier.ts'

export const OPERATOR_ACTIONS = ['acknowledge', 'shelve', 'unshelve', 'reset', 'comment', 'assign', 'close'] as const
export type OperatorActionKind = (typeof OPERATOR_ACTIONS)[number]

/** A change of level. `at` is on the subject's time line, epoch ms. Exactly one of `device` and `area` is set. */
export interface Transition {
  readonly kind: 'transition'
  readonly at: number
  readonly rule: string
  readonly device: string | null
  readonly area: string | null
  readonly from: Level
  readonly to: Level
  /** rule/subject#epoch-ms of the raise from clear. */
  readonly id: string
  readonly because: string
  /** Of a shadow rule: it is nobody's alarm and is told to nobody. */
  readonly shadow?: true
}

/** What a person did to an alarm. */
export interface OperatorAction {
  readonly kind: 'action'
  readonly at: number
  readonly id: string
  readonly action: OperatorActionKind
  readonly by: string
  readonly note: string | null
}

export type AlarmEvent = Transition | OperatorAction

/** One alarm: the fold of its events. Separate facts; the ISA-18.2 state letter is derived (`isaState`). */
export interface Alarm {
  readonly id: string
  readonly rule: string
  readonly device: string | null
  readonly area: string | null
  /** The present tier; once cleared, the last one it had. */
  readonly tier: Tier
  readonly worstTier: Tier
  readonly raisedAt: number
  readonly clearedAt: number | null
  readonly acknowledged: { readonly by: string; readonly at: number; readonly note: string | null } | null
  readonly because: string
}

/**
 * The line of the alarm journal, byte for byte the same in `backtest --out`, the API and SSE (contract 5).
 * Keys in this order; `device` or `area`, whichever the subject is.
 */
export function alarmEventLine(event: AlarmEvent): string {
  const at = new Date(event.at).toISOString()
  if (event.kind === 'action') {
    return JSON.stringify({ at, id: event.id, action: event.action, by: event.by, note: event.note })
  }
  const subject = event.device === null ? { area: event.area } : { device: event.device }
  return JSON.stringify({ at, rule: event.rule, ...subject, from: event.from, to: event.to, id: event.id, because: event.because })
}

/** ISA-18.2 state letter of an alarm that is neither shelved, suppressed nor out of service (domain table 4.1). */
export function isaState(alarm: Pick<Alarm, 'clearedAt' | 'acknowledged'>): 'A' | 'B' | 'C' | 'D' {
  if (alarm.clearedAt === null) return alarm.acknowledged === null ? 'B' : 'C'
  return alarm.acknowledged === null ? 'D' : 'A'
}
