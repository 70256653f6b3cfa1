// Whom an alarm was told to, by what way, with what outcome, and whom not, and why. Addresses are never shown whole.

import type { Notification } from '../api-lifecycle.ts'
import { maskAddress } from '../format.ts'
import { useHandling } from '../handling.ts'
import { Instant } from './age.tsx'

export function Told({ notifications }: { notifications: readonly Notification[] }) {
  const handling = useHandling()
  const { told } = handling
  if (notifications.length === 0) return <p className="faint">{told.none}</p>
  return (
    <ul className="told">
      {notifications.map((one) => (
        <li key={one.id} data-state={one.state}>
          <Instant at={Date.parse(one.deliveredAt ?? one.failedAt ?? one.sentAt ?? one.at)} />
          <div>
            <strong>{one.person}</strong> {handling.channel[one.channel] ?? one.channel}{' '}
            {one.address !== null && <span className="tag">{maskAddress(one.address)}</span>}
            <span className="faint">{`${handling.reason[one.reason] ?? one.reason} · ${one.text}`}</span>
          </div>
          <Outcome one={one} />
        </li>
      ))}
    </ul>
  )
}

function Outcome({ one }: { one: Notification }) {
  const handling = useHandling()
  const doubts = [one.possibleDuplicate ? handling.told.possibleDuplicate : null, one.late ? handling.told.late : null, one.problem]
  const why = one.withheld === null ? '' : (handling.notSent[one.withheld] ?? one.withheld)
  return (
    <div>
      <b>{handling.sent[one.state] ?? one.state}</b>
      {why !== '' && `：${why}`}
      {doubts.some((doubt) => doubt !== null) && <span className="faint">{doubts.filter((doubt) => doubt !== null).join(' · ')}</span>}
    </div>
  )
}
