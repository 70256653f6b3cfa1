// Where an alarm stands, in words: its state with the countdown that belongs to it, and what has been noticed about it.

import type { Alarm } from '../api.ts'
import { serverNow, useTimed } from '../clock.ts'
import { formatAge, formatInstant } from '../format.ts'
import { type NameSuppressor, useHandling } from '../handling.ts'
import { isLatched, withheldBy } from '../withheld.ts'
import { useWords } from '../words.ts'
import type { MarkState } from './tier-mark.tsx'

/** The faces of an alarm: waiting for somebody, taken note of, gone but never taken note of, withheld, over. */
export function markState(alarm: Alarm): Exclude<MarkState, 'plain'> {
  if (withheldBy(alarm) !== null) return 'withheld'
  if (alarm.acknowledged !== null || alarm.isaState === 'A') return 'acknowledged'
  return alarm.clearedAt === null ? 'unacknowledged' : 'returned'
}

export function StateWord({ alarm, sending, nameOf }: { alarm: Alarm; sending: boolean; nameOf: NameSuppressor }) {
  const words = useWords()
  const handling = useHandling()
  const withheld = useTimed((now) => sayWithheld(alarm, now))
  if (sending) return <span className="word">{words.state.sending}</span>
  if (withheld !== null) {
    return (
      <span className="word">
        {withheld}
        {alarm.clearedAt !== null && ` · ${handling.normalNow}`}
      </span>
    )
  }
  const state = markState(alarm)
  const word = isLatched(alarm) ? handling.latched : state === 'withheld' ? '' : words.state[state]
  return <span className="word">{alarm.acknowledged === null ? word : `${word} · ${alarm.acknowledged.by}`}</span>

  function sayWithheld({ shelved, suppressedBy, outOfService }: Alarm, now: number): string | null {
    const by = withheldBy(alarm)
    if (by === 'shelved') return handling.withheldState.shelved(formatAge(Date.parse(shelved?.until ?? '') - now, words))
    if (by === 'suppressed') return handling.withheldState.suppressed(suppressedBy.map(nameOf).join(', '))
    return by === null ? null : handling.withheldState.outOfService(formatInstant(Date.parse(outOfService?.until ?? ''), serverNow()))
  }
}

const MARKS = ['firstOut', 'chattering', 'stale'] as const

/** What has been noticed about the alarm, and who has it. */
export function Marks({ alarm }: { alarm: Alarm }) {
  const handling = useHandling()
  const marks = MARKS.filter((mark) => alarm[mark])
  if (marks.length === 0 && alarm.assignee === null && alarm.closed === null) return null
  return (
    <span className="marks">
      {marks.map((mark) => (
        <span key={mark} className="noted" data-mark={mark} title={handling.markLong[mark]}>
          {handling.mark[mark]}
        </span>
      ))}
      {alarm.closed !== null && (
        <span className="noted">{`${handling.mark.closed} · ${handling.disposition[alarm.closed.disposition]}`}</span>
      )}
      {alarm.assignee !== null && <span className="noted">{handling.assignedTo(alarm.assignee)}</span>}
    </span>
  )
}
