// What is out of service, now or planned, and taking things out and returning them: engineers only, since it hides red alarms too.

import { useState } from 'react'
import { listWindows, returnToService, type ServiceWindow, type Target, takeOutOfService } from '../api-lifecycle.ts'
import { serverNow } from '../clock.ts'
import { type Resource, useConsole, useResource } from '../console.tsx'
import { isEngineer, useHandling } from '../handling.ts'
import { Instant } from './age.tsx'
import { Form, ReasonField } from './alarm-forms.tsx'
import { Refusal, useDoing } from './doing.tsx'

const REFRESH_MS = 10_000
const USUALLY_MS = 2 * 3_600_000

export function useWindows(): Resource<{ readonly items: readonly ServiceWindow[] }> {
  return useResource('windows', listWindows, REFRESH_MS)
}

export function targetOf({ device, area, site }: ServiceWindow): Target {
  if (device !== null) return { kind: 'device', id: device }
  return area !== null ? { kind: 'area', id: area } : { kind: 'site', id: site ?? '' }
}

export const isSame = (one: Target, other: Target): boolean => one.kind === other.kind && one.id === other.id

/** The windows with a way to end each. */
export function Windows({
  windows,
  nameOf,
  onDone
}: {
  windows: readonly ServiceWindow[]
  nameOf: (target: Target) => string
  onDone: () => void
}) {
  const handling = useHandling()
  const { person } = useConsole()
  const doing = useDoing()
  const { busy, run } = doing
  async function end(target: Target): Promise<void> {
    if (await run(() => returnToService(target, ''))) onDone()
  }
  return (
    <>
      <ul className="windows">
        {windows.map((window) => {
          const target = targetOf(window)
          return (
            <li key={`${target.kind} ${target.id} ${window.from}`} data-running={window.running}>
              <b>{window.running ? handling.states.running : handling.states.planned}</b>
              <span>
                {handling.states.kind[target.kind]} <strong>{nameOf(target)}</strong>
              </span>
              <span>
                <Instant at={Date.parse(window.from)} /> – <Instant at={Date.parse(window.until)} />
              </span>
              <span className="faint">
                {window.by}
                {window.note !== null && `：${window.note}`}
              </span>
              {isEngineer(person.role) && (
                <button type="button" className="button" disabled={busy} onClick={() => void end(target)}>
                  {window.running ? handling.states.returnNow : handling.states.drop}
                </button>
              )}
            </li>
          )
        })}
      </ul>
      <Refusal of={doing} />
    </>
  )
}

/** Takes one thing out of service, at once or later, until a time at which it returns by itself. */
export function TakeOutForm({ target, onDone }: { target: Target | null; onDone: () => void }) {
  const handling = useHandling()
  const doing = useDoing()
  const { busy, run } = doing
  const [from, setFrom] = useState('')
  const [until, setUntil] = useState(() => localTime(serverNow() + USUALLY_MS))
  const [note, setNote] = useState('')
  async function send(): Promise<void> {
    if (target === null) return
    const body = { ...(from === '' ? {} : { from: new Date(from).toISOString() }), until: new Date(until).toISOString(), note: note.trim() }
    if (await run(() => takeOutOfService(target, body))) onDone()
  }
  return (
    <>
      <Form send={handling.states.takeOutSend} busy={busy} wanting={target === null} onSubmit={() => void send()}>
        <label>
          {handling.states.from}
          <input type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
        </label>
        <label>
          {handling.states.until}
          <input type="datetime-local" required value={until} onChange={(event) => setUntil(event.target.value)} />
        </label>
        <ReasonField value={note} onChange={setNote} />
      </Form>
      <Refusal of={doing} />
    </>
  )
}

const two = (n: number): string => String(n).padStart(2, '0')

/** An instant as a field for local time has it. */
export function localTime(at: number): string {
  const then = new Date(at)
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}T${two(then.getHours())}:${two(then.getMinutes())}`
}
