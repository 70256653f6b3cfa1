// The forms of handling an alarm. The first field has the focus; Enter sends; what is plainly impossible cannot be sent.

import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { type Alarm, type AlarmActionBody, DISPOSITIONS, type Disposition } from '../api.ts'
import type { AlarmDetail } from '../api-lifecycle.ts'
import { serverNow, useTimed } from '../clock.ts'
import { useConsole } from '../console.tsx'
import { formatAge, formatInstant } from '../format.ts'
import { longestShelf, shelfPresets, useHandling } from '../handling.ts'
import { useWords } from '../words.ts'
import { PersonChoice } from './person-choice.tsx'

const NOTE_LENGTH = 500
const MINUTE_MS = 60_000
/** The service's clock moves on while the request is on its way. */
const ROOM_MS = 2000
const focusOnOpening = (field: HTMLInputElement | null): void => field?.focus()

interface Sends {
  readonly busy: boolean
  readonly onSend: (body: AlarmActionBody) => void
}

interface FormProps {
  readonly send: string
  readonly busy: boolean
  /** Something is still missing. */
  readonly wanting?: boolean
  readonly onSubmit: () => void
  readonly children: ReactNode
}

export function Form({ send, busy, wanting = false, onSubmit, children }: FormProps) {
  const handling = useHandling()
  function submit(event: FormEvent): void {
    event.preventDefault()
    onSubmit()
  }
  return (
    <form className="handling-form" onSubmit={submit}>
      {children}
      <button type="submit" className="button button-strong" disabled={busy || wanting}>
        {busy ? handling.do.busy : send}
      </button>
    </form>
  )
}

export function NoteForm({ hint, send, busy, onSend }: Sends & { hint: string; send: string }) {
  const handling = useHandling()
  const [note, setNote] = useState('')
  return (
    <Form send={send} busy={busy} onSubmit={() => onSend({ note: note.trim() })}>
      {hint !== '' && <p>{hint}</p>}
      <label className="wide">
        {handling.do.note}
        <input
          ref={focusOnOpening}
          required
          pattern=".*\S.*"
          maxLength={NOTE_LENGTH}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
    </Form>
  )
}

/** A length from the presets or in minutes, and why. */
export function ShelveForm({ alarm, detail, busy, onSend }: Sends & { alarm: Alarm; detail: AlarmDetail | null }) {
  const words = useWords()
  const handling = useHandling()
  const longest = longestShelf(alarm, detail)
  const presets = shelfPresets(longest)
  const [length, setLength] = useState(presets[Math.min(1, presets.length - 1)] ?? longest)
  const [reason, setReason] = useState('')
  const most = Math.floor(longest / MINUTE_MS)
  const ends = useTimed((now) => formatInstant(now + length, now))

  function send(): void {
    const until = serverNow() + Math.min(length, longest) - (length >= longest ? ROOM_MS : 0)
    onSend({ until: new Date(until).toISOString(), note: reason.trim() })
  }
  return (
    <Form send={handling.do.shelveSend} busy={busy} onSubmit={send}>
      <fieldset>
        <legend>
          {handling.do.shelveFor} <span className="faint">{handling.do.shelveMost(formatAge(longest, words))}</span>
        </legend>
        {presets.map((preset) => (
          <button key={preset} type="button" className="button chip" aria-pressed={preset === length} onClick={() => setLength(preset)}>
            {formatAge(preset, words)}
          </button>
        ))}
        <label>
          {handling.do.minutes}
          <input
            type="number"
            className="minutes"
            min={1}
            max={most}
            step={1}
            required
            value={length === 0 ? '' : Math.round(length / MINUTE_MS)}
            onChange={(event) => setLength((Number.parseInt(event.target.value, 10) || 0) * MINUTE_MS)}
          />
        </label>
      </fieldset>
      <ReasonField value={reason} onChange={setReason} />
      <p className="faint wide">{handling.do.shelveUntil(ends)}</p>
    </Form>
  )
}

/** Why: in own words, or one of the usual reasons with one press. */
export function ReasonField({ value, onChange }: { value: string; onChange: (reason: string) => void }) {
  const handling = useHandling()
  const id = useId()
  return (
    <div className="wide reason">
      <label htmlFor={id}>{handling.do.reason}</label>
      <input
        id={id}
        ref={focusOnOpening}
        required
        pattern=".*\S.*"
        maxLength={NOTE_LENGTH}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <div className="chips">
        {handling.do.reasons.map((reason) => (
          <button key={reason} type="button" className="button chip" aria-pressed={reason === value} onClick={() => onChange(reason)}>
            {reason}
          </button>
        ))}
      </div>
    </div>
  )
}

export function AssignForm({ alarm, busy, onSend }: Sends & { alarm: Alarm }) {
  const { do: words } = useHandling()
  const { person } = useConsole()
  const [assignee, setAssignee] = useState(alarm.assignee ?? person.username)
  return (
    <Form send={words.assignSend} busy={busy} onSubmit={() => onSend({ assignee: assignee === '' ? null : assignee })}>
      <PersonChoice label={words.assignTo} alarm={alarm} nobody={words.assignNobody} value={assignee} onChange={setAssignee} />
    </Form>
  )
}

export function CloseForm({ alarm, busy, onSend }: Sends & { alarm: Alarm }) {
  const handling = useHandling()
  const [disposition, setDisposition] = useState<Disposition>('real')
  const [verifier, setVerifier] = useState('')
  const [note, setNote] = useState('')
  function send(): void {
    onSend({
      disposition,
      ...(verifier === '' ? {} : { verifier }),
      ...(note.trim() === '' ? {} : { note: note.trim() })
    })
  }
  return (
    <Form send={handling.do.closeSend} busy={busy} onSubmit={send}>
      <label>
        {handling.do.disposition}
        <select value={disposition} onChange={(event) => setDisposition(event.target.value as Disposition)}>
          {DISPOSITIONS.map((one) => (
            <option key={one} value={one}>
              {handling.disposition[one]}
            </option>
          ))}
        </select>
      </label>
      <PersonChoice
        label={handling.do.verifier}
        alarm={alarm}
        nobody={handling.do.verifierNobody}
        others
        value={verifier}
        onChange={setVerifier}
      />
      <label className="wide">
        {handling.do.noteOptional}
        <input maxLength={NOTE_LENGTH} value={note} onChange={(event) => setNote(event.target.value)} />
      </label>
    </Form>
  )
}
