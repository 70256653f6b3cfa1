// The words of handling alarms in the operator's language, and what may be known beforehand of what the service will accept.

import type { Alarm, Tier } from './api.ts'
import type { AlarmDetail } from './api-lifecycle.ts'
import { useOneOf } from './words.ts'
import { handling as en } from './words-handling-en.ts'
import { handling as zh } from './words-handling-zh.ts'

export type Handling = typeof zh

const BOTH = { zh, en }

export const useHandling = (): Handling => useOneOf(BOTH)

const HOUR_MS = 3_600_000
/** What a plant allows that says nothing else: the more severe, the shorter. */
const SHELVING_MS: Readonly<Record<Tier, number>> = { blue: 24 * HOUR_MS, yellow: 12 * HOUR_MS, orange: 4 * HOUR_MS, red: HOUR_MS }

/** The longest that this alarm may be shelved; the service has the last word. */
export const longestShelf = (alarm: Alarm, detail: AlarmDetail | null): number => detail?.demands?.longestShelfMs ?? SHELVING_MS[alarm.tier]

const PRESETS_MS = [0.25, 0.5, 1, 4, 12].map((hours) => hours * HOUR_MS)

/** Lengths to choose from with one press: those that are allowed, the longest of them at the end. */
export const shelfPresets = (longestMs: number): number[] => [...PRESETS_MS.filter((length) => length < longestMs), longestMs]

/** Red ones are for engineers. */
export const mayShelve = (role: string, alarm: Alarm): boolean => alarm.tier !== 'red' || role === 'engineer' || role === 'admin'

/** Engineers and administrators: what hides red alarms is theirs. */
export const isEngineer = (role: string): boolean => role === 'engineer' || role === 'admin'

/** The name of a suppressor in the plant's words; its own id where it is not known. */
export type NameSuppressor = (by: string) => string

/** Who did it: a user as written, the service by its name, a state or inhibition by its title. */
export function whoOf(by: string, nameOf: NameSuppressor, words: Handling): string {
  return by === 'fenghuo' ? words.service : by.startsWith('state:') || by.startsWith('inhibition:') ? nameOf(by) : by
}
