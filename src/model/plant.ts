// What people configure: the plant, its device profiles and its rules, after parsing. Plain frozen data.

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
  /** A literal, a PHC hash (`$argon2id$…`, `$scrypt$…`), or null where `env:NAME` named an unset variable. Never logged. */
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

export interface Rule {
  readonly id: string
  readonly title: Text
  readonly appliesTo: Selector
  readonly per: 'device' | 'area'
  readonly latched: boolean
  /** Judged on live data, told to nobody. Missing: told, as in plants kept by earlier versions. */
  readonly shadow?: true
  /** From the lowest tier to the highest. */
  readonly tiers: readonly RuleTier[]
  /** Cause, consequence, what to do, in how long. */
  readonly guidance: Text
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
}
