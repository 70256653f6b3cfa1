// The alarm list: highest tier first, then newest. One alarm is acknowledged at a time, never all at once. What is withheld
// and what is on record stand under tabs of their own.

import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { type Alarm, ApiProblem, listAlarms, type Overview } from '../api.ts'
import { useAlarmList, useConsole, useResource } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { useHandling } from '../handling.ts'
import { AlarmFilter, matches, readFilter } from '../parts/alarm-filter.tsx'
import { useAlarmKeys } from '../parts/alarm-keys.ts'
import { AlarmRow } from '../parts/alarm-row.tsx'
import { AlarmTabs } from '../parts/alarm-tabs.tsx'
import { addressOf, type Route } from '../route.ts'
import { useSuppressors } from '../suppressors.ts'
import { type Tab, tabOf, withheldBy } from '../withheld.ts'
import { useSay, useWords } from '../words.ts'

const STEP = 100
/** As many as the service answers at once. */
const RECORD_MOST = 1000
const RECORD_EVERY_MS = 15_000
/** A row that has just come under the finger is not what the operator aimed at. */
const SETTLED_MS = 400
/** The service refuses to take an acknowledgement without a note. */
const NEEDS_NOTE = 422

export function AlarmsPage({ route, overview }: { route: Route; overview: Overview | null }) {
  const words = useWords()
  const tab = tabOf(route.search)
  return (
    <div className="alarms">
      <div className="page-head">
        <h1>{words.alarms.title}</h1>
        <span className="page-keys">{words.alarms.keys}</span>
      </div>
      <AlarmTabs route={route} />
      <AlarmFilter route={route} sites={overview?.sites ?? []} />
      {tab === 'all' ? <Record route={route} /> : <Standing route={route} tab={tab} overview={overview} />}
    </div>
  )
}

/** The filter of the address on these alarms. */
function useMatching(route: Route, alarms: readonly Alarm[]): readonly Alarm[] {
  const filter = readFilter(route.search)
  const text = useDeferredValue(filter.text)
  return useMemo(() => {
    const wanted = { tier: filter.tier, site: filter.site, open: filter.open, text }
    return alarms.filter((alarm) => matches(alarm, wanted))
  }, [alarms, filter.tier, filter.site, filter.open, text])
}

function Standing({ route, tab, overview }: { route: Route; tab: Exclude<Tab, 'all'>; overview: Overview | null }) {
  const words = useWords()
  const { alarms, loaded, problem, cut } = useAlarmList()
  const [most, setMost] = useState(STEP)
  const ofTab = useMemo(() => alarms.filter((alarm) => (withheldBy(alarm) ?? 'active') === tab), [alarms, tab])
  const matching = useMatching(route, ofTab)
  const shown = matching.slice(0, most)
  return (
    <>
      {problem !== null && (
        <p className="notice" role="alert">
          {loaded ? words.alarms.failed : words.alarms.unknown} {sayProblem(problem, words)}
        </p>
      )}
      {loaded && ofTab.length > 0 && (
        <p className="page-count">
          {words.alarms.shown(matching.length, ofTab.length)}
          {cut && ' (+)'}
        </p>
      )}
      <Rows alarmsShown={shown} onMore={() => setMost(most + STEP)} />
      {matching.length > shown.length && (
        <button type="button" className="button more" onClick={() => setMost(most + STEP)}>
          {words.alarms.more(Math.min(STEP, matching.length - shown.length))}
        </button>
      )}
      {shown.length === 0 && (
        <Nothing tab={tab} loaded={loaded} failed={problem !== null} filtered={ofTab.length > 0} overview={overview} />
      )}
    </>
  )
}

/** Every alarm on record, newest first, as the service pages them; filtered by tier and site there, by text here. */
function Record({ route }: { route: Route }) {
  const words = useWords()
  const handling = useHandling()
  const { tier, site } = readFilter(route.search)
  const [most, setMost] = useState(STEP)
  const { value, problem } = useResource(
    `record ${tier} ${site} ${most}`,
    (signal) => listAlarms({ state: 'all', tier, site, limit: most }, signal),
    RECORD_EVERY_MS
  )
  const kept = useRef<readonly Alarm[]>([])
  if (value !== null) kept.current = value.items
  const matching = useMatching(route, kept.current)
  return (
    <>
      {problem !== null && <p className="notice" role="alert">{`${handling.historyFailed} ${sayProblem(problem, words)}`}</p>}
      <Rows alarmsShown={matching} onMore={() => undefined} />
      {value?.next && most < RECORD_MOST && (
        <button type="button" className="button more" onClick={() => setMost(most + STEP)}>
          {words.alarms.more(STEP)}
        </button>
      )}
      {value !== null && matching.length === 0 && (
        <p className="nothing">{value.items.length > 0 ? words.alarms.noMatch : handling.none.all}</p>
      )}
      {value === null && problem === null && matching.length === 0 && <p className="nothing untrusted">{words.alarms.loading}</p>}
    </>
  )
}

interface NothingProps {
  readonly tab: Exclude<Tab, 'all'>
  readonly loaded: boolean
  readonly failed: boolean
  readonly filtered: boolean
  readonly overview: Overview | null
}

function Nothing({ tab, loaded, failed, filtered, overview }: NothingProps) {
  const words = useWords()
  const handling = useHandling()
  if (!loaded) return failed ? null : <p className="nothing untrusted">{words.alarms.loading}</p>
  if (filtered) return <p className="nothing">{words.alarms.noMatch}</p>
  if (tab !== 'active') {
    return (
      <div className="nothing">
        <p>{handling.none[tab]}</p>
        <p>
          <a href={addressOf('states')}>{handling.states.title}</a>
        </p>
      </div>
    )
  }
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

function Rows({ alarmsShown, onMore }: { alarmsShown: readonly Alarm[]; onMore: () => void }) {
  const words = useWords()
  const { person } = useConsole()
  const { sending } = useAlarmList()
  const nameOf = useSuppressors()
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const rows = useRef<HTMLUListElement>(null)
  const { acknowledge, message, needNote } = useAcknowledging()
  const toggle = useCallback((id: string) => {
    setOpen((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  }, [])

  const mayAct = person.role !== 'viewer'
  useAlarmKeys({ rows, alarms: alarmsShown, onEnd: onMore, onToggle: toggle, onAcknowledge: mayAct ? acknowledge : null })
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
            needsNote={needNote.has(alarm.id)}
            nameOf={nameOf}
            onToggle={toggle}
            onAcknowledge={acknowledge}
          />
        ))}
      </ul>
    </>
  )
}

const MESSAGE_MS = 10_000

/** Acknowledging one alarm of the list; what the service says against it is told for a while, a note it asks for is asked for. */
function useAcknowledging() {
  const words = useWords()
  const say = useSay()
  const { list } = useConsole()
  const [message, setMessage] = useState('')
  const [needNote, setNeedNote] = useState<ReadonlySet<string>>(new Set())
  const acknowledge = useCallback(
    (id: string, note: string | null, byHand: boolean) => {
      const movedAt = list.state.movedAt.get(id)
      if (byHand && movedAt !== undefined && Date.now() - movedAt < SETTLED_MS) {
        setMessage(words.alarms.justMoved)
        return
      }
      setMessage('')
      setNeedNote((before) => new Set([...before].filter((other) => other !== id)))
      list.acknowledge(id, note).catch((problem: unknown) => {
        if (note === null && problem instanceof ApiProblem && problem.status === NEEDS_NOTE) {
          setNeedNote((before) => new Set([...before, id]))
          return
        }
        const alarm = list.state.alarms.find((one) => one.id === id)
        const subject = say(alarm?.deviceName ?? alarm?.areaName, id)
        setMessage(words.alarms.acknowledgeFailed(subject, sayProblem(problem, words)))
      })
    },
    [list, words, say]
  )
  useEffect(() => {
    if (message === '') return
    const timer = window.setTimeout(() => setMessage(''), MESSAGE_MS)
    return () => window.clearTimeout(timer)
  }, [message])
  return { acknowledge, message, needNote }
}
