// The live alarm list: highest tier first, then newest. One alarm is acknowledged at a time, never all at once.

import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import type { Overview } from '../api.ts'
import { useAlarmList, useConsole } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { AlarmFilter, matches, readFilter } from '../parts/alarm-filter.tsx'
import { useAlarmKeys } from '../parts/alarm-keys.ts'
import { AlarmRow } from '../parts/alarm-row.tsx'
import type { Route } from '../route.ts'
import { useSay, useWords } from '../words.ts'

const STEP = 100
/** A row that has just come under the finger is not what the operator aimed at. */
const SETTLED_MS = 400

export function AlarmsPage({ route, overview }: { route: Route; overview: Overview | null }) {
  const words = useWords()
  const { alarms, loaded, problem, cut } = useAlarmList()
  const [most, setMost] = useState(STEP)
  const filter = readFilter(route.search)
  const text = useDeferredValue(filter.text)
  const matching = useMemo(() => {
    const wanted = { tier: filter.tier, site: filter.site, open: filter.open, text }
    return alarms.filter((alarm) => matches(alarm, wanted))
  }, [alarms, filter.tier, filter.site, filter.open, text])
  const shown = matching.slice(0, most)

  return (
    <div className="alarms">
      <div className="page-head">
        <h1>{words.alarms.title}</h1>
        {loaded && <span className="page-count">{words.alarms.shown(matching.length, alarms.length)}</span>}
        {cut && <span className="page-count">(+)</span>}
        <span className="page-keys">{words.alarms.keys}</span>
      </div>
      <AlarmFilter route={route} sites={overview?.sites ?? []} />
      {problem !== null && (
        <p className="notice" role="alert">
          {loaded ? words.alarms.failed : words.alarms.unknown} {sayProblem(problem, words)}
        </p>
      )}
      <Rows alarmsShown={shown} onMore={() => setMost(most + STEP)} />
      {matching.length > shown.length && (
        <button type="button" className="button more" onClick={() => setMost(most + STEP)}>
          {words.alarms.more(Math.min(STEP, matching.length - shown.length))}
        </button>
      )}
      {shown.length === 0 && <Nothing loaded={loaded} failed={problem !== null} filtered={alarms.length > 0} overview={overview} />}
    </div>
  )
}

function Nothing(props: { loaded: boolean; failed: boolean; filtered: boolean; overview: Overview | null }) {
  const { loaded, failed, filtered, overview } = props
  const words = useWords()
  if (!loaded) return failed ? null : <p className="nothing untrusted">{words.alarms.loading}</p>
  if (filtered) return <p className="nothing">{words.alarms.noMatch}</p>
  if (overview === null) return <p className="nothing untrusted">{words.health.overviewFailed}</p>
  const { online, silent, neverReported } = overview.devices
  return (
    <div className="nothing">
      <strong>{words.alarms.none}</strong>
      <span>{online > 0 ? words.alarms.noneSince(online) : words.alarms.noneBlind}</span>
      {online > 0 && silent + neverReported > 0 && <span>{words.alarms.blind(silent + neverReported)}</span>}
    </div>
  )
}

function Rows({ alarmsShown, onMore }: { alarmsShown: ReturnType<typeof useAlarmList>['alarms']; onMore: () => void }) {
  const words = useWords()
  const say = useSay()
  const { list, person } = useConsole()
  const { sending } = useAlarmList()
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [message, setMessage] = useState('')
  const rows = useRef<HTMLUListElement>(null)

  const acknowledge = useCallback(
    (id: string, note: string | null, byHand: boolean) => {
      const movedAt = list.state.movedAt.get(id)
      if (byHand && movedAt !== undefined && Date.now() - movedAt < SETTLED_MS) {
        setMessage(words.alarms.justMoved)
        return
      }
      setMessage('')
      list.acknowledge(id, note).catch((problem: unknown) => {
        const alarm = list.state.alarms.find((one) => one.id === id)
        const subject = say(alarm?.deviceName ?? alarm?.areaName, id)
        setMessage(words.alarms.acknowledgeFailed(subject, sayProblem(problem, words)))
      })
    },
    [list, words, say]
  )
  const toggle = useCallback((id: string) => {
    setOpen((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  }, [])

  const mayAct = person.role !== 'viewer'
  useAlarmKeys({ rows, alarms: alarmsShown, onEnd: onMore, onToggle: toggle, onAcknowledge: mayAct ? acknowledge : null })
  useEffect(() => {
    if (message === '') return
    const timer = window.setTimeout(() => setMessage(''), 10_000)
    return () => window.clearTimeout(timer)
  }, [message])

  return (
    <>
      <div className="message" role="alert">
        {message !== '' && <p>{message}</p>}
      </div>
      <ul className="alarm-rows" aria-label={words.alarms.list} ref={rows}>
        {alarmsShown.map((alarm) => (
          <AlarmRow
            key={alarm.id}
            alarm={alarm}
            open={open.has(alarm.id)}
            sending={sending.has(alarm.id)}
            mayAct={mayAct}
            onToggle={toggle}
            onAcknowledge={acknowledge}
          />
        ))}
      </ul>
    </>
  )
}
