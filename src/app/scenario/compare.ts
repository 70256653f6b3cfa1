// The log that was expected against the log that came. Lines of one instant may stand in any order.

import type { ActionKind, AlarmEvent } from '../../model/alarm.ts'
import type { DrillTurn } from '../../model/drill.ts'
import type { MarkChange } from '../../model/mark.ts'
import type { PlannedNotification } from '../../model/notification.ts'
import { markLine, markText } from './marking.ts'
import type { ExpectedLine } from './parse.ts'
import { drillLine, tellingLine } from './telling.ts'
import { formatTime, SCENARIO_EPOCH } from './times.ts'

/** `-` was expected and did not happen, `+` happened and was not expected. `at` in ms since the beginning. */
export interface Difference {
  readonly sign: '-' | '+'
  readonly at: number
  readonly text: string
}

interface LogLine {
  readonly at: number
  /** The line without its reason. */
  readonly text: string
  readonly because: string | null
}

/**
 * Both ways: a line too many fails like a line missing. Operator actions are compared where the expected log names any; so are
 * messages to people, and those that were withheld, marks of each kind, and drills.
 */
export function differencesOf(
  expected: readonly ExpectedLine[],
  events: readonly AlarmEvent[],
  notifications: readonly PlannedNotification[] = [],
  marks: readonly MarkChange[] = [],
  drills: readonly DrillTurn[] = []
): Difference[] {
  const withActions = expected.some(({ turn }) => 'action' in turn)
  const came = events.filter(({ kind }) => withActions || kind === 'transition').map(lineOf)
  const names = (word: string): boolean => expected.some(({ turn }) => 'told' in turn && turn.told.startsWith(word))
  const [told, withheld] = [names('tell '), names('withhold ')]
  for (const one of notifications) {
    if (one.withheld === null ? told : withheld) came.push({ ...tellingLine(one), because: null })
  }
  if (names('drill ')) for (const turn of drills) came.push({ ...drillLine(turn), because: null })
  for (const mark of marks) {
    if (expected.some(({ turn }) => 'mark' in turn && turn.mark === mark.kind)) came.push({ ...markLine(mark), because: null })
  }
  const differences: Difference[] = []
  for (const line of expected) {
    const text = textOf(line.at, line.alarm, turnText(line.turn))
    const match = came.findIndex((other) => other.text === text && (line.because === null || other.because === line.because))
    if (match >= 0) came.splice(match, 1)
    else differences.push({ sign: '-', at: line.at, text: withReason(text, line.because) })
  }
  for (const { at, text, because } of came) differences.push({ sign: '+', at, text: withReason(text, because) })
  return differences.sort((a, b) => a.at - b.at || (a.sign === b.sign ? 0 : a.sign === '-' ? -1 : 1))
}

/** One event as a line of the log. */
export function logLine(event: AlarmEvent): string {
  const { text, because } = lineOf(event)
  return withReason(text, because)
}

function lineOf(event: AlarmEvent): LogLine {
  const at = event.at - SCENARIO_EPOCH
  const alarm = event.id.slice(0, event.id.lastIndexOf('#'))
  if (event.kind === 'action') return { at, text: textOf(at, alarm, event.action), because: null }
  return { at, text: textOf(at, alarm, `${event.from} -> ${event.to}`), because: event.because }
}

function turnText(turn: ExpectedLine['turn']): string {
  if ('told' in turn) return turn.told
  if ('mark' in turn) return markText(turn)
  return 'action' in turn ? turn.action : `${turn.from} -> ${turn.to}`
}

function textOf(at: number, alarm: string, turn: ActionKind | string): string {
  return `${formatTime(at)}  ${alarm}  ${turn}`
}

function withReason(text: string, because: string | null): string {
  return because === null ? text : `${text}  ${because}`
}
