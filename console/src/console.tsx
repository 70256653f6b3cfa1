// What every page stands on: who is signed in, the live link and the alarm list, joined once and handed down.

import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { AlarmList, type AlarmListState } from './alarm-list.ts'
import { ApiProblem, type Person, whoAmI } from './api.ts'
import { type LinkState, LiveLink } from './live.ts'

export interface Console {
  readonly person: Person
  readonly link: LiveLink
  readonly list: AlarmList
  /** To be told of every failed call: a 401 leads to the sign-in page. */
  readonly failed: (problem: unknown) => void
}

export const ConsoleContext = createContext<Console | null>(null)

export function useConsole(): Console {
  const console = useContext(ConsoleContext)
  if (console === null) throw new Error('useConsole outside a ConsoleContext')
  return console
}

export function useLink(): LinkState {
  const { link } = useConsole()
  return useSyncExternalStore(link.follow, () => link.state)
}

export function useAlarmList(): AlarmListState {
  const { list } = useConsole()
  return useSyncExternalStore(list.follow, () => list.state)
}

/** Builds the link and the alarm list for a signed-in person and runs them while mounted. */
export function useRunning(person: Person, failed: (problem: unknown) => void): Console | null {
  const [running, setRunning] = useState<Console | null>(null)
  useEffect(() => {
    const link = new LiveLink(() => void whoAmI().catch(failed))
    const list = new AlarmList(link, failed)
    list.start()
    link.start()
    setRunning({ person, link, list, failed })
    return () => {
      list.stop()
      link.stop()
    }
  }, [person, failed])
  return running
}

export interface Resource<T> {
  readonly value: T | null
  readonly problem: unknown
  readonly loading: boolean
  readonly reload: () => void
}

/**
 * Reads something now, whenever `key` changes, whenever the link has come up again, and every `everyMs` while it is up.
 * The old value stays while the new one is read under the same key; a new key starts empty.
 */
export function useResource<T>(key: string, read: (signal: AbortSignal) => Promise<T>, everyMs: number | null = null): Resource<T> {
  const { failed } = useConsole()
  const { round, kind } = useLink()
  const [held, setHeld] = useState<{ key: string; value: T | null; problem: unknown; loading: boolean }>({
    key,
    value: null,
    problem: null,
    loading: true
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(read)
  latest.current = read

  // biome-ignore lint/correctness/useExhaustiveDependencies: round and turn are not read, they ask for another reading
  useEffect(() => {
    const reading = new AbortController()
    setHeld((before) => (before.key === key ? { ...before, loading: true } : { key, value: null, problem: null, loading: true }))
    latest.current(reading.signal).then(
      (value) => {
        if (!reading.signal.aborted) setHeld({ key, value, problem: null, loading: false })
      },
      (problem: unknown) => {
        if (reading.signal.aborted) return
        failed(problem)
        setHeld((before) => ({ key, value: before.key === key ? before.value : null, problem, loading: false }))
      }
    )
    return () => reading.abort()
  }, [key, round, turn, failed])

  const reload = useCallback(() => setTurn((before) => before + 1), [])
  useEffect(() => {
    if (everyMs === null || kind !== 'live') return
    const timer = window.setInterval(reload, everyMs)
    return () => window.clearInterval(timer)
  }, [everyMs, kind, reload])

  const value = held.key === key ? held.value : null
  return { value, problem: held.key === key ? held.problem : null, loading: held.key !== key || held.loading, reload }
}

/** True for a call refused because nobody is signed in any more. */
export const isSignedOut = (problem: unknown): boolean => problem instanceof ApiProblem && problem.status === 401
