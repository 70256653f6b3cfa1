// Marks: what can be said of alarms only by looking at several of them, or at one for long (ISA-18.2). They change no alarm.

/**
 * - chattering: the rule came and went on its subject three times within a minute. - stale: the alarm has stood for 24 h.
 * - firstOut: the first announced alarm of its area since none was on there. - flood: more announced than a person can take in.
 */
export const MARK_KINDS = ['chattering', 'stale', 'firstOut', 'flood'] as const
export type MarkKind = (typeof MARK_KINDS)[number]
/** The marks that alarms carry as a fact of their own. */
export type AlarmMark = Exclude<MarkKind, 'flood'>

export const FLOOD_SCOPES = ['installation', 'enterprise', 'site'] as const
/** A flood is one of everything, of one enterprise, or of one site. */
export type FloodScope = (typeof FLOOD_SCOPES)[number]

/** A mark goes on or off. */
export interface MarkChange {
  readonly kind: MarkKind
  /** By our clock, epoch ms; never before that of the change in front of it. */
  readonly at: number
  readonly on: boolean
  /** Since when it was on, where it goes off; else null. */
  readonly since: number | null
  /** Of a flood, else null. */
  readonly scope: FloodScope | null
  /** What it is about; all null for a flood. Of the two subjects exactly one is set otherwise. */
  readonly rule: string | null
  readonly device: string | null
  readonly area: string | null
  /** Where the subject stands; of a flood as far as its scope says. */
  readonly inArea: string | null
  readonly site: string | null
  readonly enterprise: string | null
  /** The alarms that carry it from now on, or no longer. */
  readonly alarms: readonly string[]
  /** Of a flood: announced so far, those at its beginning included; else null. */
  readonly count: number | null
}

/** A flood that is on. */
export interface FloodNow {
  readonly scope: FloodScope
  readonly site: string | null
  readonly enterprise: string | null
  readonly since: number
  /** Announced so far, those at its beginning included. */
  readonly count: number
}
