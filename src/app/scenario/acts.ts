// What people do in a scenario: the words behind an action, and windows out of service.

import { dispositionNamed } from '../../alerts/actions.ts'
import { DISPOSITIONS, type OperatorActionKind } from '../../model/alarm.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { parseDuration } from '../../platform/duration.ts'
import type { Word } from './parse.ts'
import { parseInstant } from './times.ts'

export interface ScenarioAction {
  readonly at: number
  /** A whole alarm id, or rule/subject for the alarm that stands at that instant. */
  readonly alarm: Word
  readonly action: OperatorActionKind
  readonly note: string | null
  /** shelve */
  readonly forMs?: number
  readonly assignee?: string | null
  readonly disposition?: string
  readonly verifier?: string
}

/** `from` and `to` of `out-of-service`, ms since the beginning; null of `return-to-service`. */
export interface ScenarioWindow {
  readonly at: number
  /** A device, an area or a site. */
  readonly target: Word
  readonly from: number | null
  readonly to: number | null
  readonly note: string | null
}

/** `enter STATE TARGET for 1h`, or `leave STATE TARGET`: a person switches a state. */
export interface ScenarioSwitch {
  readonly at: number
  readonly state: Word
  readonly target: Word
  /** Null: it is left. */
  readonly forMs: number | null
  readonly note: string | null
}

/** `drill SITE tier red fast 60`, or of a device. */
export interface ScenarioDrill {
  readonly at: number
  readonly target: Word
  readonly tier: Tier
  readonly factor: number
  readonly note: string | null
}

/** Null where it is not written so. */
export function drillOf(words: readonly Word[], at: number): ScenarioDrill | null {
  const [, target, tier, name, ...rest] = words
  const known = TIERS.find((one) => one === name?.text)
  const [fast, times] = rest
  const factor = fast?.text === 'fast' ? Number(times?.text) : 1
  if (target === undefined || tier?.text !== 'tier' || known === undefined || !Number.isInteger(factor) || factor < 1) return null
  return { at, target, tier: known, factor, note: said(fast?.text === 'fast' ? rest.slice(2) : rest) }
}

/** Null where it is not written so. */
export function switchOf(words: readonly Word[], at: number): ScenarioSwitch | null {
  const [head, state, target, word, duration, ...note] = words
  if (state === undefined || target === undefined) return null
  if (head?.text === 'leave') return { at, state, target, forMs: null, note: said(words.slice(3)) }
  const forMs = word?.text === 'for' ? parseDuration(duration?.text ?? '') : null
  return forMs === null ? null : { at, state, target, forMs, note: said(note) }
}

/** What stands behind `ACTION ALARM`, or where it is wrong and how it is written. */
export type ActionDetails = Pick<ScenarioAction, 'note' | 'forMs' | 'assignee' | 'disposition' | 'verifier'>

export function actionDetails(action: OperatorActionKind, rest: readonly Word[]): ActionDetails | { word: Word | null; sentence: string } {
  const [first, second, ...others] = rest
  switch (action) {
    case 'shelve': {
      const forMs = first?.text === 'for' ? parseDuration(second?.text ?? '') : null
      if (forMs === null) return { word: first ?? null, sentence: 'say for how long: shelve tank-level/T-101 for 1h' }
      return { note: said(others) ?? `for ${second?.text}`, forMs }
    }
    case 'assign':
      if (first?.text !== 'to' || second === undefined) {
        return { word: first ?? null, sentence: 'say to whom: assign tank-level/T-101 to wang, or to nobody' }
      }
      return { note: said(others), assignee: second.text === 'nobody' ? null : second.text }
    case 'close': {
      const disposition = first?.text === 'as' ? dispositionNamed(second?.text) : null
      if (disposition === null) {
        return { word: first ?? null, sentence: `say as what: close tank-level/T-101 as real, with one of ${DISPOSITIONS.join(', ')}` }
      }
      const [verified, by, verifier, ...note] = others
      if (verified?.text !== 'verified' || by?.text !== 'by' || verifier === undefined) return { note: said(others), disposition }
      return { note: said(note), disposition, verifier: verifier.text }
    }
    default:
      return { note: said(rest) }
  }
}

/** `out-of-service TARGET from 1m to 3m NOTE`; null where it is not written so. */
export function windowOf(words: readonly Word[], at: number): ScenarioWindow | null {
  const [, target, from, begin, to, end, ...note] = words
  const [begins, ends] = [begin === undefined ? null : parseInstant(begin.text), end === undefined ? null : parseInstant(end.text)]
  if (target === undefined || from?.text !== 'from' || to?.text !== 'to' || begins === null || ends === null || ends <= begins) return null
  return { at, target, from: begins, to: ends, note: said(note) ?? 'maintenance' }
}

function said(words: readonly Word[]): string | null {
  return words.length === 0 ? null : words.map(({ text }) => text).join(' ')
}
