// Alarms and the events they are the fold of (contract 5).

import type { Level, Tier } from './tier.ts'

export const OPERATOR_ACTIONS = ['acknowledge', 'shelve', 'unshelve', 'reset', 'comment', 'assign', 'close'] as const
/** What a person does to one alarm. */
export type OperatorActionKind = (typeof OPERATOR_ACTIONS)[number]

/** What the service does to an alarm by itself or for the alarm's device, area or site; `unshelve`, at the end of a shelf, too. */
export const SERVICE_ACTIONS = ['suppress', 'unsuppress', 'outOfService', 'returnToService', 'realarm'] as const
export type ServiceActionKind = (typeof SERVICE_ACTIONS)[number]
export type ActionKind = OperatorActionKind | ServiceActionKind

/** Who acts where the service acts by itself. */
export const SERVICE = 'fenghuo'

/** What an alarm turned out to have been. */
export const DISPOSITIONS = ['real', 'instrumentFault', 'maintenance', 'test', 'communication'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

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

/** What was done to an alarm. `at` is on our clock, epoch ms. The extras are there only where the action has them. */
export interface OperatorAction {
  readonly kind: 'action'
  readonly at: number
  readonly id: string
  readonly action: ActionKind
  /** The user; `fenghuo` where the service acts by itself; `state:…` or `inhibition:…` for suppression by design. */
  readonly by: string
  readonly note: string | null
  /** shelve, outOfService: when it ends by itself, epoch ms. */
  readonly until?: number
  /** assign: to whom; null: to nobody any more. */
  readonly assignee?: string | null
  /** close */
  readonly disposition?: Disposition
  /** close: who has verified it, where that was said. */
  readonly verifier?: string
}

export type AlarmEvent = Transition | OperatorAction

/** Told to nobody for the time being: by whom, since when, until when, why. */
export interface Withholding {
  readonly by: string
  readonly at: number
  readonly until: number
  readonly note: string | null
}

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
  readonly shelved: Withholding | null
  /** The states and inhibitions that suppress it by design, in the order in which they began; empty: none. */
  readonly suppressedBy: readonly string[]
  /** The window in which its device, area or site is out of service. */
  readonly outOfService: Withholding | null
  readonly assignee: string | null
  readonly closed: Closing | null
  /** When it will be announced again by itself (our clock), null: never. */
  readonly realarmAt: number | null
  /** An operator has been told of it: it was announced at least once. */
  readonly told: boolean
  /** It cleared while it was withheld, or came back from there clear: there is nothing to acknowledge any more. */
  readonly settled: boolean
  /** The first of a flood or a group: the likely cause. */
  readonly firstOut: boolean
  readonly chattering: boolean
  /** On for so long that it says nothing any more. */
  readonly stale: boolean
}

export interface Closing {
  readonly by: string
  readonly at: number
  readonly disposition: Disposition
  readonly verifier: string | null
  readonly note: string | null
}

/** The facts of an alarm to which nothing has been done. */
export const UNTOUCHED = {
  acknowledged: null,
  shelved: null,
  suppressedBy: [],
  outOfService: null,
  assignee: null,
  closed: null,
  realarmAt: null,
  told: false,
  settled: false,
  firstOut: false,
  chattering: false,
  stale: false
} as const satisfies Partial<Alarm>

export type WithheldBy = 'outOfService' | 'suppressed' | 'shelved'

/** Why nobody is told of the alarm for the time being; null: it is not withheld. */
export function withheldBy(alarm: Pick<Alarm, 'shelved' | 'suppressedBy' | 'outOfService'>): WithheldBy | null {
  if (alarm.outOfService !== null) return 'outOfService'
  if (alarm.suppressedBy.length > 0) return 'suppressed'
  return alarm.shelved === null ? null : 'shelved'
}

/** One event as the desk let it through, in the order of the journal: what the stages behind the desk build on. */
export interface DeskEvent {
  readonly event: AlarmEvent
  /** The alarm after the event. */
  readonly alarm: Alarm
  /** The alarm before it; null: the event raised it. */
  readonly before: Alarm | null
  /** An operator must be told now: a raise, a rise, a re-alarm, or the return of an alarm that is still true. */
  readonly announced: boolean
  /** It would be announced, were the alarm not withheld for this reason; null where `announced`, and where there is nothing to tell. */
  readonly withheld: WithheldBy | null
  readonly cause: 'transition' | 'action' | 'time'
  /** The instant of our clock at which it happened, epoch ms; never before that of the event in front of it. */
  readonly clock: number
}

/**
 * The line of the alarm journal, byte for byte the same in `backtest --out`, the API and SSE (contract 5).
 * Keys in this order; `device` or `area`, whichever the subject is. What an action has besides stands behind its note.
 */
export function alarmEventLine(event: AlarmEvent): string {
  const at = new Date(event.at).toISOString()
  if (event.kind === 'action') {
    const { id, action, by, note, until, assignee, disposition, verifier } = event
    const extras = { until: until === undefined ? undefined : new Date(until).toISOString(), assignee, disposition, verifier }
    return JSON.stringify({ at, id, action, by, note, ...extras })
  }
  const subject = event.device === null ? { area: event.area } : { device: event.device }
  return JSON.stringify({ at, rule: event.rule, ...subject, from: event.from, to: event.to, id: event.id, because: event.because })
}

/** What the state letter is made of. */
export type IsaFacts = Pick<Alarm, 'clearedAt' | 'acknowledged'> &
  Partial<Pick<Alarm, 'shelved' | 'suppressedBy' | 'outOfService' | 'settled'>>
export type IsaState = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I'

/**
 * ISA-18.2 state letter (domain table 4.1): A normal, B unacknowledged, C acknowledged, D returned to normal unacknowledged,
 * E and F latched with the cause gone (`causeGone`) unacknowledged and acknowledged, G shelved, H suppressed, I out of service.
 */
export function isaState(alarm: IsaFacts, causeGone = false): IsaState {
  if (alarm.settled === true) return 'A'
  if ((alarm.outOfService ?? null) !== null) return 'I'
  if ((alarm.suppressedBy ?? []).length > 0) return 'H'
  if ((alarm.shelved ?? null) !== null) return 'G'
  if (alarm.clearedAt !== null) return alarm.acknowledged === null ? 'D' : 'A'
  if (causeGone) return alarm.acknowledged === null ? 'E' : 'F'
  return alarm.acknowledged === null ? 'B' : 'C'
}
