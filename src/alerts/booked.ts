// The shapes the book hands out: alarms with where they stand, numbered events, pages.

import type { Alarm, AlarmEvent } from '../model/alarm.ts'
import type { Reject } from '../model/journal.ts'
import type { Tier } from '../model/tier.ts'

/** How far the journal's effects are in the book. */
export interface Position {
  readonly seq: number
  /** The instant of our clock that time has been advanced to, epoch ms. */
  readonly advancedTo: number
}

/** An alarm and where its subject stood when it was raised: kept even if the plant forgets the device later. */
export interface BookedAlarm extends Alarm {
  /** The area of the subject: of the device, or the area itself. */
  readonly inArea: string | null
  readonly site: string | null
  readonly enterprise: string | null
  /** The number of the last event folded in. */
  readonly lastEvent: number
}

/** An alarm event with its number: 1, 2, 3 … without gaps, in journal order. `alarmEventLine(event)` is its line. */
export interface CommittedEvent {
  readonly n: number
  readonly event: AlarmEvent
  readonly rule: string
  readonly device: string | null
  /** The subject of a `per: area` alarm. */
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

/** A reject in quarantine. */
export interface QuarantinedReject extends Reject {
  readonly id: number
  readonly site: string | null
  readonly enterprise: string | null
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Ask again with this cursor for what follows; null: there is no more. */
  readonly next: string | null
}

/** All given must match. `from` (inclusive) and `to` (exclusive) bound `raisedAt`, epoch ms. */
export interface AlarmFilter {
  /** active: not cleared or not acknowledged. */
  readonly state: 'active' | 'all'
  /** The present tier; of a cleared alarm the last one it had. */
  readonly tiers?: readonly Tier[] | undefined
  readonly site?: string | undefined
  readonly enterprise?: string | undefined
  readonly device?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Told to nobody for one of these reasons (or, false, not for this one). With one that is true, normal alarms count as well. */
  readonly shelved?: boolean | undefined
  readonly suppressed?: boolean | undefined
  readonly outOfService?: boolean | undefined
}

/** `from` (inclusive) and `to` (exclusive) bound the event's `at`, epoch ms. */
export interface EventFilter {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export interface PageRequest {
  /** At most LIMITS.api.itemsPerPage. */
  readonly limit: number
  readonly cursor?: string | null | undefined
}

/** Active alarms of one tier by ISA-18.2 state. */
export interface TierCounts {
  /** B: on, nobody has seen it. */
  readonly unacknowledged: number
  /** C: on, seen. */
  readonly acknowledged: number
  /** D: cleared, nobody has seen it. */
  readonly clearedUnacknowledged: number
}

export type AlarmCounts = Readonly<Record<Tier, TierCounts>>
