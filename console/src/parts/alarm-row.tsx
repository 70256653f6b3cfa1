// One alarm of the list: what, where, since when, why, and the one thing to do now.

import { type FormEvent, memo, useState } from 'react'
import type { Alarm } from '../api.ts'
import { useTimed } from '../clock.ts'
import { formatAge, formatInstant } from '../format.ts'
import { guidanceParts } from '../guidance.ts'
import { addressOf } from '../route.ts'
import { useSay, useWords } from '../words.ts'
import { Ago } from './age.tsx'
import { Tag } from './tag.tsx'
import { type MarkState, ROMAN, TierMark } from './tier-mark.tsx'

export interface AlarmRowProps {
  readonly alarm: Alarm
  readonly open: boolean
  readonly sending: boolean
  readonly mayAct: boolean
  readonly onToggle: (id: string) => void
  /** `byHand`: pressed on the screen, where rows may move under the finger. */
  readonly onAcknowledge: (id: string, note: string | null, byHand: boolean) => void
}

/** The three faces of an alarm: waiting for somebody, taken note of, gone but never taken note of. */
export function markState(alarm: Alarm): Exclude<MarkState, 'plain'> {
  if (alarm.acknowledged !== null) return 'acknowledged'
  return alarm.clearedAt === null ? 'unacknowledged' : 'returned'
}

export const AlarmRow = memo(function AlarmRow(props: AlarmRowProps) {
  const { alarm, open, sending, mayAct, onToggle, onAcknowledge } = props
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
        <StateWord alarm={alarm} sending={sending} />
        <span className="alarm-since">
          <span className="unseen">{words.alarms.since} </span>
          <Ago at={Date.parse(alarm.raisedAt)} />
        </span>
      </div>
      <div className="alarm-subject">
        <strong>{subject}</strong>
        <Tag id={alarm.device ?? alarm.area ?? ''} name={subject} />
      </div>
      <div className="alarm-because">
        <strong>{say(alarm.title, alarm.rule)}</strong>
        <span>{alarm.because}</span>
      </div>
      <div className="alarm-place">
        {say(alarm.siteName, alarm.site ?? '')}
        {alarm.device !== null && alarm.area !== null && <span>{say(alarm.areaName, alarm.area)}</span>}
      </div>
      <Actions
        alarm={alarm}
        subject={`${tierName} ${subject}`}
        open={open}
        sending={sending}
        mayAct={mayAct}
        onToggle={onToggle}
        onAcknowledge={onAcknowledge}
      />
      {open && <Details alarm={alarm} />}
    </li>
  )
})

function StateWord({ alarm, sending }: { alarm: Alarm; sending: boolean }) {
  const words = useWords()
  const shelvedUntil = useTimed((now) => (alarm.shelvedUntil === null ? null : formatInstant(Date.parse(alarm.shelvedUntil), now)))
  if (sending) return <span className="word">{words.state.sending}</span>
  if (shelvedUntil !== null) return <span className="word">{words.state.shelved(shelvedUntil)}</span>
  const word = words.state[markState(alarm)]
  return <span className="word">{alarm.acknowledged === null ? word : `${word} · ${alarm.acknowledged.by}`}</span>
}

const focusOnOpening = (field: HTMLInputElement | null): void => field?.focus()

function Actions(props: AlarmRowProps & { subject: string }) {
  const { alarm, subject, open, sending, mayAct, onToggle, onAcknowledge } = props
  const words = useWords()
  const [noting, setNoting] = useState(false)
  const [note, setNote] = useState('')
  const canAcknowledge = mayAct && alarm.acknowledged === null && !sending

  function send(event: FormEvent): void {
    event.preventDefault()
    setNoting(false)
    onAcknowledge(alarm.id, note.trim() === '' ? null : note.trim(), false)
  }

  if (noting && canAcknowledge) {
    return (
      <form className="alarm-note" onSubmit={send}>
        <input
          ref={focusOnOpening}
          maxLength={500}
          aria-label={words.alarms.note}
          placeholder={words.alarms.note}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
        <button type="submit" className="button button-strong">
          {words.alarms.noteSend}
        </button>
        <button type="button" className="button button-quiet" onClick={() => setNoting(false)}>
          {words.alarms.cancel}
        </button>
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
  const say = useSay()
  const parts = guidanceParts(say(alarm.guidance))
  const raisedAt = useTimed((now) => formatInstant(Date.parse(alarm.raisedAt), now))
  const acknowledgedAt = useTimed((now) => (alarm.acknowledged === null ? '' : formatInstant(Date.parse(alarm.acknowledged.at), now)))
  const clearedFor = useTimed((now) =>
    alarm.clearedAt === null ? '' : words.alarms.clearedFor(formatAge(now - Date.parse(alarm.clearedAt), words))
  )
  return (
    <div className="alarm-details">
      <section>
        <h2>{words.alarms.details}</h2>
        {parts.length === 0 && <p className="guidance">{words.alarms.noGuidance}</p>}
        <dl className="guidance">
          {parts.map(({ label, text, urgent }) => (
            <div key={label} data-urgent={urgent}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h2>{words.alarms.why}</h2>
        <p>{alarm.because}</p>
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
        {alarm.device !== null && (
          <a className="button" href={addressOf('device', alarm.device)}>
            {words.alarms.openDevice}
          </a>
        )}
      </section>
    </div>
  )
}
