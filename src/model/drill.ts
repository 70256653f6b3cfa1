// A drill: a test alarm that climbs a real ladder to real people and is no alarm of the plant.

import type { Tier } from './tier.ts'

/** No rule can be called so: what begins with it is never an alarm of the plant. */
const MARK = '@drill/'

/** What is tried: the ladder of a site, of a device or of a rule on it, or the ways of one person. */
export interface DrillAsked {
  readonly site: string | null
  readonly device: string | null
  readonly rule: string | null
  readonly tier: Tier
  /** Only this person, by every way at once. */
  readonly person: string | null
  readonly note: string | null
  /** Every delay of the ladder is divided by this; 1: as in an alarm. */
  readonly factor: number
}

/** The body of an 'action' record that begins a drill. */
export interface DrillActionBody {
  /** By `drillId`. */
  readonly id: string
  readonly action: 'drill'
  readonly drill: DrillAsked
}

/** - acknowledged: by somebody. - unanswered: by nobody, after the last rung. - nobody: no ladder leads to anybody there. */
export const DRILL_OUTCOMES = ['acknowledged', 'unanswered', 'nobody', 'tooMany'] as const
export type DrillOutcome = (typeof DRILL_OUTCOMES)[number]

/** What became of drills, for the record of each. */
export type DrillTurn =
  | {
      readonly kind: 'begun'
      readonly at: number
      readonly id: string
      /** The user; `schedule:ID` where duty.yaml says so. */
      readonly by: string
      readonly asked: DrillAsked
      readonly site: string | null
      readonly enterprise: string | null
      /** Null: none. */
      readonly ladder: string | null
    }
  | {
      readonly kind: 'ended'
      readonly at: number
      readonly id: string
      readonly outcome: DrillOutcome
      /** Who acknowledged it, and how. */
      readonly by: string | null
      readonly note: string | null
    }

/** `@drill/SUBJECT#epoch-ms`: the site, else the device, else the person. */
export function drillId({ site, device, person }: Pick<DrillAsked, 'site' | 'device' | 'person'>, at: number): string {
  return `${MARK}${device ?? site ?? person ?? ''}#${at}`
}

/** Whether an id that looks like that of an alarm is one of a drill (or of a message of one). */
export function isDrillId(id: string): boolean {
  return id.startsWith(MARK)
}
