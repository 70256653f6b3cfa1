// What has become of an alarm, in order: every change of level and everything anybody did to it, in the operator's words.

import type { Deed, Tier, ToldChange } from '../api.ts'
import { useTimed } from '../clock.ts'
import { formatInstant } from '../format.ts'
import { type Handling, type NameSuppressor, useHandling, whoOf } from '../handling.ts'
import { useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Reason } from './reason.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

const RANK: Readonly<Record<Tier | 'clear', number>> = { clear: 0, blue: 1, yellow: 2, orange: 3, red: 4 }

export function Story({ events, nameOf }: { events: readonly (ToldChange | Deed)[]; nameOf: NameSuppressor }) {
  return (
    <ol className="story">
      {events.map((event, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the journal only grows at its end
        <li key={index} data-event={'from' in event ? 'change' : event.action}>
          <Instant at={Date.parse(event.at)} />
          {'from' in event ? <Changed event={event} /> : <Done event={event} nameOf={nameOf} />}
        </li>
      ))}
    </ol>
  )
}

function Changed({ event }: { event: ToldChange }) {
  const words = useWords()
  const { change } = useHandling()
  const name = (level: Tier | 'clear'): string => (level === 'clear' ? '' : words.tierName(words.tier[level], ROMAN[level]))
  const { from, to } = event
  const said =
    to === 'clear'
      ? change.clear(name(from))
      : from === 'clear'
        ? change.raise(name(to))
        : RANK[to] > RANK[from]
          ? change.rise(name(from), name(to))
          : change.ease(name(from), name(to))
  return (
    <div>
      <strong>
        {to !== 'clear' && <TierMark tier={to} />} {said}
      </strong>
      <Reason of={event} faint />
    </div>
  )
}

function Done({ event, nameOf }: { event: Deed; nameOf: NameSuppressor }) {
  const handling = useHandling()
  const details = useTimed((now) => sayDetails(event, handling, now))
  const byItself = event.action === 'unshelve' && event.by === 'fenghuo'
  const said = byItself ? handling.expired : (handling.action[event.action] ?? event.action)
  return (
    <div>
      <strong>{said}</strong> {details} <span className="who">{whoOf(event.by, nameOf, handling)}</span>
      {event.note !== null && <q>{event.note}</q>}
    </div>
  )
}

function sayDetails({ until, assignee, disposition, verifier }: Deed, handling: Handling, now: number): string {
  const said = [
    until === undefined ? null : handling.until(formatInstant(Date.parse(until), now)),
    assignee === undefined ? null : handling.to(assignee ?? handling.nobody),
    disposition === undefined ? null : handling.disposition[disposition],
    verifier === undefined || verifier === null ? null : handling.verifiedBy(verifier)
  ]
  return said.filter((one) => one !== null).join(' · ')
}
