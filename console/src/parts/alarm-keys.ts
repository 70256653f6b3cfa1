// Keyboard of the alarm list: arrows walk, a acknowledges the alarm under the focus, Enter opens its guidance.
// Invariant: only the focused alarm is ever acknowledged; when it leaves the list, no other takes its place by itself.

import { type RefObject, useEffect, useRef } from 'react'
import type { Alarm } from '../api.ts'
import { isWaiting } from '../withheld.ts'

interface Keys {
  readonly rows: RefObject<HTMLElement | null>
  readonly alarms: readonly Alarm[]
  /** The operator walks beyond the last row shown. */
  readonly onEnd: () => void
  readonly onToggle: (id: string) => void
  readonly onAcknowledge: ((id: string, note: string | null, byHand: boolean) => void) | null
}

const FIELDS = new Set(['INPUT', 'TEXTAREA', 'SELECT'])

export function useAlarmKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys
  const lastPlace = useRef(-1)
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || FIELDS.has(target.tagName)) return
      const { rows, alarms, onEnd, onToggle, onAcknowledge } = latest.current
      const row = target.closest<HTMLElement>('[data-alarm]')
      const id = row?.dataset.alarm
      const place = id === undefined ? -1 : alarms.findIndex((alarm) => alarm.id === id)
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault()
        const next = place >= 0 ? place + (event.key === 'ArrowDown' ? 1 : -1) : Math.max(0, lastPlace.current)
        if (next >= alarms.length) onEnd()
        const to = Math.min(Math.max(next, 0), alarms.length - 1)
        lastPlace.current = to
        focusRow(rows.current, to)
        return
      }
      if (id === undefined || event.repeat) return
      if (event.key === 'a' || event.key === 'A') {
        const alarm = alarms[place]
        if (alarm !== undefined && isWaiting(alarm)) onAcknowledge?.(id, null, false)
      } else if (event.key === 'Enter' && target === row) {
        onToggle(id)
      }
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

function focusRow(list: HTMLElement | null, place: number): void {
  const row = list?.children[place] as HTMLElement | undefined
  row?.focus()
  row?.scrollIntoView({ block: 'nearest' })
}
