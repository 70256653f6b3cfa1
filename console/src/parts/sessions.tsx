// Sessions that have not ended: whose, since when, from where; each can be ended at once.

import { endSession, listSessions } from '../api-people.ts'
import { useResource } from '../console.tsx'
import { usePeopleWords } from '../people.ts'
import { Ago, Instant } from './age.tsx'
import { Confirmed, Refusal, useDoing } from './doing.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'

/** Of one user; null: all that may be seen. */
export function Sessions({ of: user }: { of: string | null }) {
  const { sessions } = usePeopleWords()
  const { columns } = sessions
  const all = useResource('sessions', listSessions)
  const doing = useDoing()
  const end = async (id: string): Promise<void> => {
    if (await doing.run(() => endSession(id))) all.reload()
  }
  const shown = (all.value?.items ?? []).filter((one) => user === null || one.user === user)
  return (
    <>
      <Refusal of={doing} />
      <Reading of={all} what={sessions.what} />
      {all.value !== null && (
        <table className="paper-table">
          <Columns names={[columns.user, columns.since, columns.seen, columns.from, columns.act]} />
          <tbody>
            {shown.map((one) => (
              <tr key={one.id}>
                <Cell of={columns.user}>
                  <strong>{one.user}</strong> {one.current && <em className="flag">{sessions.current}</em>}
                </Cell>
                <Cell of={columns.since}>
                  <Instant at={Date.parse(one.startedAt)} />
                </Cell>
                <Cell of={columns.seen}>
                  <Ago at={Date.parse(one.lastSeenAt)} />
                </Cell>
                <Cell of={columns.from}>{one.from}</Cell>
                <Cell of={columns.act} className="act">
                  <Confirmed
                    label={sessions.end}
                    question={sessions.endAsk}
                    confirm={sessions.end}
                    busy={doing.busy}
                    onConfirm={() => void end(one.id)}
                  />
                </Cell>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
