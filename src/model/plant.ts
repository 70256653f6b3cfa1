// What people configure: the plant, its device profiles and its rules, after parsing. Plain frozen data.

import type { Duty } from './duty.ts'
import type { Text } from './text.ts'
import type { Tier } from './tier.ts'

export interface Enterprise {
  readonly id: string
  readonly name: Text
}

export interface Site {
  readonly id: string
  readonly enterprise: string
  readonly name: Text
  readonly lat: number | null
  readonly lon: number | null
}

export interface Area {
  readonly id: string
  readonly site: string
  readonly name: Text
}

export interface Gateway {
  readonly id: string
  readonly enterprise: string
  readonly name: Text
  /** A literal, a hash (`$argon2id$…`, `$scrypt$…`, Mosquitto's `$7$…`), or null where `env:NAME` named an unset variable. Never logged. */
  readonly secret: string | null
}

export interface Metric {
  readonly id: string
  readonly name: Text
  /** UCUM where it has one, "1" for none. */
  readonly unit: string
  readonly min: number
  readonly max: number
  /** Unchanged for this long, the sensor is taken for stuck; null: never. */
  readonly stuckAfterMs: number | null
  /** Further below zero than this for long, the zero of the sensor has drifted. Missing: not watched. */
  readonly zeroDrift?: number
}

export interface Profile {
  readonly id: string
  readonly name: Text
  readonly metrics: readonly Metric[]
  readonly limits: Readonly<Record<string, number>>
  /** A value is held this long, then it is unknown. */
  readonly silentAfterMs: number
  /** Where its limits come from, one sentence. */
  readonly source: string | null
}

export interface Device {
  readonly id: string
  readonly name: Text
  readonly profile: string
  readonly gateway: string | null
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
  readonly labels: Readonly<Record<string, string>>
  /** The profile's limits with the device's own laid over them. */
  readonly limits: Readonly<Record<string, number>>
}

/** All given must match. */
export interface Selector {
  readonly profile: string | null
  readonly devices: readonly string[] | null
  readonly labels: Readonly<Record<string, string>>
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

export interface RuleTier {
  readonly tier: Tier
  /** CEL over the device's metrics and `limits`. */
  readonly when: string
  /** Null: the opposite of `when`, moved by the deadband. */
  readonly clear: string | null
  readonly deadband: number | null
  readonly forMs: number
  readonly clearForMs: number
}

/**
 * What a vote of k becomes while u members are unknown (IEC 61511 speaks of 2oo3 degrading to 1oo2 or 2oo2):
 * - towardsTrip: max(1, k - u) of the known ones: rather an alarm too many.
 * - towardsRun: min(k, known) of the known ones: rather none that one sensor less would have raised.
 */
export type Degrade = 'towardsTrip' | 'towardsRun'

export interface Rule {
  readonly id: string
  readonly title: Text
  readonly appliesTo: Selector
  readonly per: 'device' | 'area'
  readonly latched: boolean
  /** Judged on live data, told to nobody. Missing: told, as in plants kept by earlier versions. */
  readonly shadow?: true
  /** How votes are counted while members are unknown, for entering a tier only. Missing: the vote is unknown. */
  readonly degrade?: Degrade
  /** Whoever acknowledges must say something. Missing: need not. */
  readonly acknowledgeNote?: 'required'
  /** On and unacknowledged, it is announced again each time this has passed. Missing: never. */
  readonly realarmMs?: number
  /** An acknowledgement holds for so long; then the alarm, if still on, is announced as new. Missing: for ever. */
  readonly realarmAcknowledgedMs?: number
  /** From the lowest tier to the highest. */
  readonly tiers: readonly RuleTier[]
  /** Cause, consequence, what to do, in how long. */
  readonly guidance: Text
  readonly source: string | null
}

/** Days off and make-up working days, as local dates `yyyy-mm-dd`, both ends included. */
export interface Calendar {
  /** IANA name; null: every schedule names its own. */
  readonly zone: string | null
  readonly holidays: readonly { readonly from: string; readonly to: string; readonly name: string | null }[]
  /** Weekend days on which people work, in China usually to make up for a longer holiday. */
  readonly workdays: readonly string[]
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

/**
 * From one time of day to another on some days, by the wall clock of a zone. `toMinute` at or before `fromMinute` lies on
 * the next day; the day is the one on which it begins.
 */
export interface Schedule {
  readonly zone: string
  /** `workdays`: Monday to Friday without holidays, and make-up days. `holidays`: all other days. */
  readonly days: 'every' | 'workdays' | 'holidays' | readonly Weekday[]
  /** Minutes since midnight, 0 to 1439. */
  readonly fromMinute: number
  /** Minutes since midnight, 1 to 1440. */
  readonly toMinute: number
}

/** Which alarms are held back, by rule and up to which tier; above it they are told. */
export interface Suppresses {
  /** Null: of every rule (of an inhibition: but its source). */
  readonly rules: readonly string[] | null
  readonly upTo: Tier
}

/** How far from the device (or area) that says so: the same device, or all of its gateway, area or site. */
export const WITHIN = ['device', 'gateway', 'area', 'site'] as const
export type Within = (typeof WITHIN)[number]

/** A state of the plant in which some alarms are expected. Exactly one of `while`, `schedule` and `longestMs` is set. */
export interface PlantState {
  readonly id: string
  readonly title: Text
  readonly appliesTo: Selector
  readonly within: Within
  /** CEL over the device's metrics and `limits`. Unknown neither begins nor keeps it. */
  readonly while: string | null
  readonly schedule: Schedule | null
  /** Switched on by a person, for at most so long. */
  readonly longestMs: number | null
  readonly forMs: number
  readonly clearForMs: number
  readonly suppresses: Suppresses
  readonly source: string | null
}

/** An alarm that explains others. */
export interface Inhibition {
  readonly id: string
  readonly title: Text
  /** The alarm of this rule, at this tier or above. */
  readonly rule: string
  readonly tier: Tier
  readonly within: Within
  /** It goes on for so long after the source alarm is gone. */
  readonly clearForMs: number
  readonly suppresses: Suppresses
  readonly source: string | null
}

/** A substance of a hazard source, named by its CAS number, its class of GB 18218-2018 (`W5.3`), or both. */
export interface HazardousSubstance {
  readonly cas: string | null
  readonly class: string | null
  readonly name: Text
  /** The most that is stored by design, in tonnes. */
  readonly amountT: number
  /** The device that measures its level; null: none. */
  readonly tank: string | null
}

/** A unit to be identified and graded after GB 18218-2018: a production unit, or what stands inside one bund. */
export interface HazardSource {
  readonly id: string
  readonly site: string
  readonly name: Text
  /** People exposed within 500 m of the plant's boundary. */
  readonly exposed: number
  readonly inventory: readonly HazardousSubstance[]
}

/** Everything rules are judged against. `hash` identifies it: equal hashes judge alike. */
export interface Plant {
  readonly hash: string
  readonly enterprises: readonly Enterprise[]
  readonly sites: readonly Site[]
  readonly areas: readonly Area[]
  readonly gateways: readonly Gateway[]
  readonly profiles: readonly Profile[]
  readonly devices: readonly Device[]
  readonly rules: readonly Rule[]
  /** Missing: none, as in plants kept by earlier versions. */
  readonly hazardSources?: readonly HazardSource[]
  /** How long an alarm of each tier may be shelved at most, ms. Missing: the defaults of the desk. */
  readonly shelving?: Readonly<Partial<Record<Tier, number>>>
  /** Who is told. Missing: nobody. */
  readonly duty?: Duty
  /** Likewise. */
  readonly states?: readonly PlantState[]
  readonly inhibitions?: readonly Inhibition[]
  readonly calendar?: Calendar
}
