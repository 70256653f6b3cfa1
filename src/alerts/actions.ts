// Which operator actions are acceptable. Pure: asked by the desk, with authority, when an action's record is folded, and
// beforehand by the API for its answer; both times by this function.

import { type Alarm, DISPOSITIONS, type Disposition, OPERATOR_ACTIONS } from '../model/alarm.ts'
import { type Identities, identitiesOf } from '../model/identity.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { Tier } from '../model/tier.ts'
import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import { plainText } from '../store/text.ts'

export type RefusalReason = 'unknownAlarm' | 'conflict' | 'invalid' | 'forbidden'

/**
 * - accepted: it changes the alarm or its story.
 * - unchanged: what it asks for holds already; it is not an event, and not an error.
 * - refused: `unknownAlarm` (404), `conflict` with the alarm's state (409), `invalid` (422), `forbidden` to this role (403).
 */
export type ActionOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'unchanged'; readonly sentence: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly sentence: string }

/** What the plant demands of actions on one alarm. */
export interface ActionRules {
  readonly noteRequired: boolean
  readonly shelvingMs: Readonly<Record<Tier, number>>
  /** Who is the same as whom. */
  readonly identities: Identities
}

const HOUR = 3_600_000
/** The more severe, the shorter. A plant may say otherwise (`shelving:` in plant.yaml). */
export const SHELVING_MS: Readonly<Record<Tier, number>> = { blue: 24 * HOUR, yellow: 12 * HOUR, orange: 4 * HOUR, red: 1 * HOUR }

/** What this plant demands of actions on alarms of this rule. */
export function actionRules(plant: Plant, rule: string): ActionRules {
  const noteRequired = plant.rules.find(({ id }) => id === rule)?.acknowledgeNote === 'required'
  return { noteRequired, shelvingMs: { ...SHELVING_MS, ...plant.shelving }, identities: identitiesOf(plant.duty) }
}

const ACCEPTED: ActionOutcome = { kind: 'accepted' }

/** What becomes of this action by `by` at `at` (our clock) on the alarm as it stands (null: there is no such alarm). */
export function actionOutcome(alarm: Alarm | null, action: OperatorActionBody, by: string, at: number, rules: ActionRules): ActionOutcome {
  const kind = OPERATOR_ACTIONS.find((known) => known === action.action)
  if (kind === undefined) return refused('invalid', `There is no action ${action.action}; the actions are ${OPERATOR_ACTIONS.join(', ')}.`)
  if ((action.note?.length ?? 0) > LIMITS.book.noteLength) {
    return refused('invalid', `The note is ${action.note?.length} characters long; at most ${LIMITS.book.noteLength} are kept. Shorten it.`)
  }
  if (alarm === null) return refused('unknownAlarm', `There is no alarm ${action.id}; it may be mistyped.`)
  switch (kind) {
    case 'acknowledge':
      return acknowledge(alarm, action.note, by, rules)
    case 'comment':
      return blank(action.note) ? refused('invalid', 'A comment needs a note: say what there is to say.') : ACCEPTED
    case 'reset':
      if (alarm.clearedAt === null) return ACCEPTED
      return { kind: 'unchanged', sentence: `Alarm ${alarm.id} cleared at ${instant(alarm.clearedAt)}; there is nothing to reset.` }
    case 'shelve':
      return shelve(alarm, action, at, rules)
    case 'unshelve':
      return alarm.shelved === null ? { kind: 'unchanged', sentence: `Alarm ${alarm.id} is not shelved.` } : ACCEPTED
    case 'assign':
      return assign(alarm, action)
    case 'close':
      return close(alarm, action, by, rules)
  }
}

/** The disposition of this name, however it is cased or hyphenated; null where there is none. */
export function dispositionNamed(name: string | null | undefined): Disposition | null {
  const bare = (name ?? '').replace(/[^A-Za-z]/g, '').toLowerCase()
  return DISPOSITIONS.find((known) => known.toLowerCase() === bare) ?? null
}

/** The same acknowledgement again is a request that was repeated; another one would lose its note. */
function acknowledge(alarm: Alarm, note: string | null, by: string, { noteRequired }: ActionRules): ActionOutcome {
  const before = alarm.acknowledged
  if (before === null) {
    if (!noteRequired || !blank(note)) return ACCEPTED
    return refused('invalid', `Rule ${alarm.rule} asks for a note with each acknowledgement: say what you have seen or will do.`)
  }
  const sentence = `Alarm ${alarm.id} was acknowledged by ${before.by} at ${instant(before.at)}; nothing was changed.`
  if (before.by === by && before.note === (note === null ? null : plainText(note))) return { kind: 'unchanged', sentence }
  return refused('conflict', `${sentence} Add a comment to say more.`)
}

function shelve(alarm: Alarm, { note, until, role }: OperatorActionBody, at: number, { shelvingMs }: ActionRules): ActionOutcome {
  if (until === undefined || until === null) return refused('invalid', 'Shelving needs an end: say until when it may stay silent.')
  if (blank(note)) return refused('invalid', 'Shelving needs a note: say why nobody need be told of this alarm for a while.')
  if (until <= at) return refused('invalid', `The shelf would end at ${instant(until)}, which has passed; give a later time.`)
  const longest = shelvingMs[alarm.tier]
  if (until - at > longest) {
    const most = `${alarm.tier === 'orange' ? 'an' : 'a'} ${alarm.tier} alarm may be shelved for ${formatDuration(longest)} at most, so now until ${instant(at + longest)}`
    return refused('invalid', `The shelf would last too long: ${most}.`)
  }
  if (alarm.tier === 'red' && role === 'operator') {
    return refused('forbidden', 'A red alarm is shelved by an engineer or an administrator; ask one of them.')
  }
  if (alarm.shelved === null) return ACCEPTED
  const { by, until: end } = alarm.shelved
  return refused('conflict', `Alarm ${alarm.id} was shelved by ${by} until ${instant(end)}; unshelve it first to choose another end.`)
}

function assign(alarm: Alarm, { assignee }: OperatorActionBody): ActionOutcome {
  if (assignee === undefined || assignee?.trim() === '')
    return refused('invalid', 'Assigning needs an assignee: name one, or null for nobody.')
  if ((assignee?.length ?? 0) > LIMITS.desk.nameLength) {
    return refused('invalid', `The assignee's name is longer than ${LIMITS.desk.nameLength} characters; shorten it.`)
  }
  if (alarm.assignee !== (assignee === null ? null : plainText(assignee))) return ACCEPTED
  return { kind: 'unchanged', sentence: `Alarm ${alarm.id} is assigned to ${assignee ?? 'nobody'} already.` }
}

function close(alarm: Alarm, action: OperatorActionBody, by: string, { identities, noteRequired }: ActionRules): ActionOutcome {
  const { note, disposition, verifier = null } = action
  const kind = dispositionNamed(disposition)
  if (kind === null) return refused('invalid', `Closing needs a disposition: one of ${DISPOSITIONS.join(', ')}.`)
  if ((verifier?.length ?? 0) > LIMITS.desk.nameLength) {
    return refused('invalid', `The verifier's name is longer than ${LIMITS.desk.nameLength} characters; shorten it.`)
  }
  const named = verifier?.trim() ?? ''
  if (named === by || (action.identities === true && named !== '' && identities.same(named, by))) {
    const also = named === by ? '' : ` (${named} is the same person)`
    return refused('invalid', `The verifier must be somebody else than ${by}, who closes the alarm${also}.`)
  }
  const { closed } = alarm
  if (closed !== null) {
    const sentence = `Alarm ${alarm.id} was closed by ${closed.by} at ${instant(closed.at)} as ${closed.disposition}.`
    const same = closed.by === by && closed.disposition === kind && closed.note === (note === null ? null : plainText(note))
    return same ? { kind: 'unchanged', sentence } : refused('conflict', `${sentence} Add a comment to say more.`)
  }
  if (alarm.clearedAt === null) {
    const when = 'it can be closed once it has cleared (a latched one by its reset)'
    return refused('conflict', `Alarm ${alarm.id} is still on (${alarm.because}); ${when}.`)
  }
  if (!noteRequired || alarm.acknowledged !== null || !blank(note)) return ACCEPTED
  const also = 'asks for a note with each acknowledgement, and closing this alarm acknowledges it'
  return refused('invalid', `Rule ${alarm.rule} ${also}: say what you have seen or done.`)
}

function blank(note: string | null | undefined): boolean {
  return (note ?? '').trim() === ''
}

function refused(reason: RefusalReason, sentence: string): ActionOutcome {
  return { kind: 'refused', reason, sentence }
}

function instant(at: number): string {
  return new Date(at).toISOString()
}
