// One alarm of the list: what, where, since when, why, and the one thing to do now; opened, everything that can be done.

import { type FormEvent, memo, useState } from 'react'
import { useAlarmDetail } from '../alarm-detail.ts'
import type { Alarm } from '../api.ts'
import { useTimed } from '../clock.ts'
import { formatAge, formatInstant } from '../format.ts'
import { type NameSuppressor, useHandling } from '../handling.ts'
import { addressOf } from '../route.ts'
import { isWaiting } from '../withheld.ts'
import { useSay, useWords } from '../words.ts'
import { Ago } from './age.tsx'
import { AlarmActions } from './alarm-actions.tsx'
import { Marks, markState, StateWord } from './alarm-word.tsx'
import { Guidance } from './guidance.tsx'
import { Reason } from './reason.tsx'
import { Tag } from './tag.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

export interface AlarmRowProps {
  readonly alarm: Alarm
  readonly open: boolean
  readonly sending: boolean
  readonly mayAct: boolean
  /** The service has said that this acknowledgement needs a note. */
  readonly needsNote: boolean
  readonly nameOf: NameSuppressor
  readonly onToggle: (id: string) => void
  /** `byHand`: pressed on the screen, where rows may move under the finger. */
  readonly onAcknowledge: (id: string, note: string | null, byHand: boolean) => void
}

export const AlarmRow = memo(function AlarmRow(props: AlarmRowProps) {
  const { alarm, open, sending, nameOf } = props
  const words = useWords()
  const say = useSay()
  const state = sending ? 'acknowledged' : markState(alarm)
  const subject = say(alarm.deviceName ?? alarm.areaName, alarm.device ?? alarm.area ?? '')
  const tierName = words.tierName(words.tier[alarm.tier], ROMAN[alarm.tier])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: rows are walked with the arrow keys, and acknowledged with a
    <li className="alarm" data-alarm={alarm.id} data-tier={alarm.tier} data-state={state} tabIndex={0}>
      <div className="alarm-mark">
        <TierMark tier={alarm.tier} state={state} label={tierName} />
      </div>
      <div className="alarm-state">
        <StateWord alarm={alarm} sending={sending} nameOf={nameOf} />
        <span className="alarm-since">
          <span className="unseen">{words.alarms.since} </span>
          <Ago at={Date.parse(alarm.raisedAt)} />
        </span>
      </div>
      <div className="alarm-subject">
        <strong>{subject}</strong>
        <Tag id={alarm.device ?? alarm.area ?? ''} name={subject} />
        <Marks alarm={alarm} />
      </div>
      <div className="alarm-because">
        <strong>{say(alarm.title, alarm.rule)}</strong>
        <Reason of={alarm} />
      </div>
      <div className="alarm-place">
        {say(alarm.siteName, alarm.site ?? '')}
        {alarm.device !== null && alarm.area !== null && <span>{say(alarm.areaName, alarm.area)}</span>}
      </div>
      <Quick {...props} subject={`${tierName} ${subject}`} />
      {open && <Details alarm={alarm} />}
    </li>
  )
})

const focusOnOpening = (field: HTMLInputElement | null): void => field?.focus()

/** What is done to the alarm without opening it. */
function Quick(props: AlarmRowProps & { subject: string }) {
  const { alarm, subject, open, sending, mayAct, needsNote, onToggle, onAcknowledge } = props
  const words = useWords()
  const handling = useHandling()
  const [noting, setNoting] = useState(false)
  const [note, setNote] = useState('')
  const canAcknowledge = mayAct && isWaiting(alarm) && !sending

  function send(event: FormEvent): void {
    event.preventDefault()
    setNoting(false)
    onAcknowledge(alarm.id, note.trim() === '' ? null : note.trim(), false)
  }

  if ((noting || needsNote) && canAcknowledge) {
    return (
      <form className="alarm-note" onSubmit={send}>
        {needsNote && <p role="alert">{handling.do.noteNeeded}</p>}
        <input
          ref={focusOnOpening}
          maxLength={500}
          required={needsNote}
          aria-label={needsNote ? handling.do.note : words.alarms.note}
          placeholder={needsNote ? handling.do.note : words.alarms.note}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
        <button type="submit" className="button button-strong">
          {words.alarms.noteSend}
        </button>
        {!needsNote && (
          <button type="button" className="button button-quiet" onClick={() => setNoting(false)}>
            {words.alarms.cancel}
          </button>
        )}
      </form>
    )
  }
  return (
    <div className="alarm-actions">
      {canAcknowledge && (
        <>
          <button
            type="button"
            className="button button-strong"
            aria-label={words.alarms.acknowledgeLabel(subject)}
            onClick={() => onAcknowledge(alarm.id, null, true)}
          >
            {words.alarms.acknowledge}
          </button>
          <button type="button" className="button button-quiet" onClick={() => setNoting(true)}>
            {words.alarms.withNote}
          </button>
        </>
      )}
      <button type="button" className="button button-quiet" aria-expanded={open} onClick={() => onToggle(alarm.id)}>
        {open ? words.alarms.hide : words.alarms.details}
      </button>
    </div>
  )
}

function Details({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const handling = useHandling()
  const detail = useAlarmDetail(alarm.id)
  const raisedAt = useTimed((now) => formatInstant(Date.parse(alarm.raisedAt), now))
  const acknowledgedAt = useTimed((now) => (alarm.acknowledged === null ? '' : formatInstant(Date.parse(alarm.acknowledged.at), now)))
  const clearedFor = useTimed((now) =>
    alarm.clearedAt === null ? '' : words.alarms.clearedFor(formatAge(now - Date.parse(alarm.clearedAt), words))
  )
  return (
    <div className="alarm-details">
      <AlarmActions alarm={alarm} detail={detail.value} acknowledgedElsewhere onDone={detail.reload} />
      <section>
        <h2>{words.alarms.details}</h2>
        <Guidance alarm={alarm} />
      </section>
      <section>
        <h2>{words.alarms.why}</h2>
        <p>
          <Reason of={alarm} />
        </p>
        <p>
          {words.alarms.since} {raisedAt}
          {clearedFor !== '' && ` · ${clearedFor}`}
          {alarm.worstTier !== alarm.tier &&
            ` · ${words.alarms.worst(words.tierName(words.tier[alarm.worstTier], ROMAN[alarm.worstTier]))}`}
        </p>
        {alarm.acknowledged !== null && (
          <p>
            {words.alarms.acknowledgedBy(alarm.acknowledged.by, acknowledgedAt)}
            {alarm.acknowledged.note !== null && `：${alarm.acknowledged.note}`}
          </p>
        )}
        <p className="faint">
          {words.alarms.rule} {alarm.rule} · {alarm.id}
        </p>
        <p className="alarm-links">
          <a className="button" href={addressOf('alarm', alarm.id)}>
            {handling.fullStory}
          </a>
          {alarm.device !== null && (
            <a className="button" href={addressOf('device', alarm.device)}>
              {words.alarms.openDevice}
            </a>
          )}
        </p>
      </section>
    </div>
  )
}
