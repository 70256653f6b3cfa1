// Telling people in a scenario: a carrier that answers after a second, unless it is down or silent, and the lines of the log.

import type { DrillTurn } from '../../model/drill.ts'
import { CHANNEL_KINDS, type ChannelKind, type DeliveryReport, type PlannedNotification } from '../../model/notification.ts'
import type { Word } from './parse.ts'
import { formatTime, parseInstant, SCENARIO_EPOCH } from './times.ts'

/** Between `from` and `to` (ms since the beginning) a way refuses messages, or takes them and never says what became of them. */
export interface ChannelFault {
  readonly channel: ChannelKind
  readonly fault: 'down' | 'silent'
  readonly from: number
  readonly to: number
}

const ANSWER_MS = 1_000

/** `sms down from 1m to 5m`; a sentence where it is not written like that. */
export function channelFault([channel, fault, from, start, to, end, more]: readonly Word[]): ChannelFault | string {
  const kind = CHANNEL_KINDS.find((known) => known === channel?.text)
  const [begins, ends] = [parseInstant(start?.text ?? ''), parseInstant(end?.text ?? '')]
  const written = fault?.text === 'down' || fault?.text === 'silent'
  if (
    kind === undefined ||
    !written ||
    from?.text !== 'from' ||
    to?.text !== 'to' ||
    begins === null ||
    ends === null ||
    more !== undefined
  )
    return 'a way that fails is written: sms down from 1m to 5m, or sms silent from 1m to 5m'
  return { channel: kind, fault: fault.text as 'down' | 'silent', from: begins, to: ends }
}

export function isChannel(text: string): text is ChannelKind {
  return (CHANNEL_KINDS as readonly string[]).includes(text)
}

/** Takes what is to be sent, and answers when its time has come. */
export class Carrier {
  readonly #faults: readonly ChannelFault[]
  readonly #answers: { readonly at: number; readonly report: DeliveryReport }[] = []

  constructor(faults: readonly ChannelFault[]) {
    this.#faults = faults
  }

  /** The first answer that is still to come. */
  get next(): { readonly at: number; readonly report: DeliveryReport } | undefined {
    return this.#answers[0]
  }

  /** Hears of planned messages, in the order of their instants. */
  send(planned: readonly PlannedNotification[]): void {
    for (const { id, at, channel, withheld } of planned) {
      if (withheld !== null) continue
      const since = at - SCENARIO_EPOCH
      const fault = this.#faults.find((one) => one.channel === channel && since >= one.from && since < one.to)?.fault
      const state = fault === 'down' ? 'failed' : fault === 'silent' ? 'sent' : 'delivered'
      const problem = fault === 'down' ? `${channel} is down` : null
      this.#answers.push({ at: at + ANSWER_MS, report: { id, state, providerId: null, problem } })
    }
  }

  answered(): void {
    this.#answers.shift()
  }
}

/**
 * `0:30  tank-level/T-101  tell zhang by sms (raised, rung 1)`; `withhold … (flood, rung 1)` where it was held back. A message
 * for several alarms stands under the most severe of them.
 */
export function tellingLine({ at, alarms, person, channel, reason, rung, withheld }: PlannedNotification): { at: number; text: string } {
  const since = at - SCENARIO_EPOCH
  const id = alarms[0] ?? ''
  const why = withheld ?? (reason === 'digest' ? `digest of ${alarms.length}` : reason)
  const behind = rung === 0 ? `(${why})` : `(${why}, rung ${rung})`
  const text = `${withheld === null ? 'tell' : 'withhold'} ${person} by ${channel} ${behind}`
  return { at: since, text: `${formatTime(since)}  ${id.slice(0, id.lastIndexOf('#'))}  ${text}` }
}

/** `0:10  @drill/yard  drill begun`, and its end: `drill acknowledged`, `drill unanswered`. */
export function drillLine(turn: DrillTurn): { at: number; text: string } {
  const since = turn.at - SCENARIO_EPOCH
  const what = turn.kind === 'begun' ? 'begun' : turn.outcome
  return { at: since, text: `${formatTime(since)}  ${turn.id.slice(0, turn.id.lastIndexOf('#'))}  drill ${what}` }
}
