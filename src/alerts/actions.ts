// Which operator actions are acceptable. Pure: asked before an action is journaled, and again, with authority, when its
// record is folded into the book; both times by this function.

import { type Alarm, OPERATOR_ACTIONS } from '../model/alarm.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import { LIMITS } from '../platform/limits.ts'
import { plainText } from '../store/text.ts'

/**
 * - accepted: it changes the alarm or its story.
 * - unchanged: what it asks for holds already; it is not an event, and not an error.
 * - refused: `unknownAlarm` (404), `conflict` with the alarm's state (409), `invalid` (422), or `unsupported` as yet (501).
 */
export type ActionOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'unchanged'; readonly sentence: string }
  | { readonly kind: 'refused'; readonly reason: 'unknownAlarm' | 'conflict' | 'invalid' | 'unsupported'; readonly sentence: string }

/** What becomes of this action by `by` on the alarm as it stands (null: there is no such alarm). */
export function actionOutcome(alarm: Alarm | null, action: OperatorActionBody, by: string): ActionOutcome {
  const kind = OPERATOR_ACTIONS.find((known) => known === action.action)
  if (kind === undefined) return refused('invalid', `There is no action ${action.action}; the actions are ${OPERATOR_ACTIONS.join(', ')}.`)
  if ((action.note?.length ?? 0) > LIMITS.book.noteLength) {
    return refused('invalid', `The note is ${action.note?.length} characters long; at most ${LIMITS.book.noteLength} are kept. Shorten it.`)
  }
  if (alarm === null) return refused('unknownAlarm', `There is no alarm ${action.id}; it may be mistyped.`)
  switch (kind) {
    case 'acknowledge':
      return acknowledge(alarm, action.note, by)
    case 'comment':
      return (action.note ?? '').trim() === ''
        ? refused('invalid', 'A comment needs a note: say what there is to say.')
        : { kind: 'accepted' }
    case 'reset':
      if (alarm.clearedAt === null) return { kind: 'accepted' }
      return { kind: 'unchanged', sentence: `Alarm ${alarm.id} cleared at ${instant(alarm.clearedAt)}; there is nothing to reset.` }
    case 'shelve':
    case 'unshelve':
    case 'assign':
    case 'close':
      return refused('unsupported', `This version of Fenghuo cannot ${kind} an alarm yet; it can acknowledge, comment and reset.`)
  }
}

/** The same acknowledgement again is a request that was repeated; another one would lose its note. */
function acknowledge(alarm: Alarm, note: string | null, by: string): ActionOutcome {
  const before = alarm.acknowledged
  if (before === null) return { kind: 'accepted' }
  const sentence = `Alarm ${alarm.id} was acknowledged by ${before.by} at ${instant(before.at)}; nothing was changed.`
  if (before.by === by && before.note === (note === null ? null : plainText(note))) return { kind: 'unchanged', sentence }
  return refused('conflict', `${sentence} Add a comment to say more.`)
}

function refused(reason: 'unknownAlarm' | 'conflict' | 'invalid' | 'unsupported', sentence: string): ActionOutcome {
  return { kind: 'refused', reason, sentence }
}

function instant(at: number): string {
  return new Date(at).toISOString()
}
