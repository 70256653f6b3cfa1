// Who is told of an alarm, when and by what (duty.yaml), after parsing. Plain frozen data; part of the plant.

import type { ChannelKind } from './notification.ts'
import type { Language, Text } from './text.ts'
import type { Tier } from './tier.ts'

/** Minutes after local midnight; where `to` is not after `from`, it is of the next day. */
export interface Hours {
  readonly from: number
  readonly to: number
}

export interface Person {
  readonly id: string
  readonly name: Text
  readonly language: Language
  readonly zone: string
  /** Null: of no enterprise in particular. */
  readonly enterprise: string | null
  /** The sign-in name in the console, which is where pushed messages go; null: none. */
  readonly user: string | null
  /** By way: number, mail address, URL, … . A way that is missing cannot be used. */
  readonly addresses: Readonly<Partial<Record<ChannelKind, string>>>
  readonly quiet: Hours | null
}

export interface Team {
  readonly id: string
  readonly name: Text
  readonly people: readonly string[]
}

/** A person or a team. */
export interface Party {
  readonly kind: 'person' | 'team'
  readonly id: string
}

/** One shift: every day of `days` it begins at `hours.from`, and is taken by the members of `order` in turn. */
export interface Shift {
  readonly hours: Hours
  /** Weekdays on which it begins, 0 (Monday) to 6. */
  readonly days: readonly number[]
  readonly order: readonly Party[]
  /** The turn passes on after so many days. */
  readonly rotateDays: number
  /** Whose turn it is on the first day: a place in `order`. */
  readonly offset: number
}

/** Somebody takes over from `from` until before `to`: from everybody, or only where it would be `instead`'s turn. */
export interface Override {
  readonly from: number
  readonly to: number
  readonly who: Party
  readonly instead: Party | null
  readonly note: string | null
}

export interface Rota {
  readonly id: string
  readonly name: Text
  readonly zone: string
  /** The day from which turns are counted, in days since 1970-01-01; before it nobody is on duty. */
  readonly startDay: number
  readonly shifts: readonly Shift[]
  /** Epoch ms; a later one wins. A swap is two of them. */
  readonly overrides: readonly Override[]
}

export const RESPONSIBLE_ROLES = ['operation', 'technical', 'main'] as const
/** The three responsible people of a major hazard source (三级包保): 操作, 技术, 主要负责人. */
export type ResponsibleRole = (typeof RESPONSIBLE_ROLES)[number]

/** Of a hazard source, or of a whole site; exactly one of both is set. */
export interface Responsible {
  readonly hazardSource: string | null
  readonly site: string | null
  readonly roles: Readonly<Partial<Record<ResponsibleRole, string>>>
}

/** Whom a rung calls. */
export type Target =
  | { readonly kind: 'duty'; readonly rota: string }
  | { readonly kind: 'person'; readonly id: string }
  | { readonly kind: 'team'; readonly id: string }
  | { readonly kind: 'responsible'; readonly role: ResponsibleRole }

export interface Rung {
  /** After the alarm began, or rose. */
  readonly afterMs: number
  readonly tell: readonly Target[]
  /** Ways in order: the next is used where all of the one before have failed. Those of one entry are used together. */
  readonly by: readonly (readonly ChannelKind[])[]
  /** Null: called once. */
  readonly repeatMs: number | null
  /** Calls in all, the first included. */
  readonly times: number
}

/** All given must match; null is any. */
export interface LadderSelector {
  readonly tiers: readonly Tier[] | null
  readonly rules: readonly string[] | null
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

export interface Ladder {
  readonly id: string
  readonly appliesTo: LadderSelector
  readonly rungs: readonly Rung[]
  /** Without a receipt within this, the next way or person is called; null: only a failure moves on. */
  readonly receiptWithinMs: number | null
}

/** A drill that is held by itself, at a time of day on some weekdays. */
export interface DrillSchedule {
  readonly id: string
  readonly site: string
  readonly tier: Tier
  readonly zone: string
  /** Minutes after midnight. */
  readonly minute: number
  /** 0 (Monday) to 6. */
  readonly days: readonly number[]
  /** Only on the first (1) to fifth of these weekdays in a month; null: on each. */
  readonly week: number | null
  /** Every delay is divided by this; 1: as in an alarm. */
  readonly factor: number
}

export interface Duty {
  readonly people: readonly Person[]
  readonly teams: readonly Team[]
  readonly rotas: readonly Rota[]
  readonly responsible: readonly Responsible[]
  /** In the order of the file: the first that matches an alarm is its ladder. */
  readonly ladders: readonly Ladder[]
  /** After a message to a person about a site, further ones of this long go out as one; 0: none are held. Never red. */
  readonly groupWindowMs: number
  /** At most so many messages to one person by one way; null: no limit. Never red. */
  readonly throttle: { readonly max: number; readonly perMs: number } | null
  /** In a flood (ISA-18.2) an enterprise's people get one message per this long instead of one per alarm. Never red. */
  readonly floodDigestMs: number
  /** Drills that are held by themselves. Missing: none. */
  readonly drills?: readonly DrillSchedule[]
  /** Ways whose receipts come back; on all others the provider's acceptance is all one gets. */
  readonly receipts: readonly ChannelKind[]
}
