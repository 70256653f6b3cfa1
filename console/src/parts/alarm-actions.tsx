// Everything a person may do to one alarm, one form at a time. What the service refuses stays on the screen with its reason.

import { useState } from 'react'
import type { Alarm, AlarmAction, AlarmActionBody } from '../api.ts'
import type { AlarmDetail } from '../api-lifecycle.ts'
import { useConsole } from '../console.tsx'
import { mayShelve, useHandling } from '../handling.ts'
import { isLatched, isWaiting } from '../withheld.ts'
import { AssignForm, CloseForm, NoteForm, ShelveForm } from './alarm-forms.tsx'
import { Refusal, useDoing } from './doing.tsx'

type FormName = 'acknowledge' | 'shelve' | 'assign' | 'comment' | 'close'

interface AlarmActionsProps {
  readonly alarm: Alarm
  /** Null: not read yet. */
  readonly detail: AlarmDetail | null
  /** Acknowledging is offered elsewhere already. */
  readonly acknowledgedElsewhere?: boolean
  readonly onDone: () => void
}

export function AlarmActions({ alarm, detail, acknowledgedElsewhere = false, onDone }: AlarmActionsProps) {
  const handling = useHandling()
  const { person, list } = useConsole()
  const [form, setForm] = useState<FormName | null>(null)
  const doing = useDoing()
  const { busy, run } = doing

  if (person.role === 'viewer') return <p className="faint handling">{handling.do.viewer}</p>

  async function act(action: AlarmAction, body: AlarmActionBody): Promise<void> {
    if (!(await run(() => list.act(alarm.id, action, body)))) return
    setForm(null)
    onDone()
  }
  const asks = (name: FormName, word: string) => (
    <button
      type="button"
      className="button"
      aria-expanded={form === name}
      onClick={() => {
        doing.forget()
        setForm(form === name ? null : name)
      }}
    >
      {word}
    </button>
  )
  const does = (action: AlarmAction, word: string) => (
    <button
      type="button"
      className={action === 'acknowledge' ? 'button button-strong' : 'button'}
      disabled={busy}
      onClick={() => void act(action, {})}
    >
      {word}
    </button>
  )
  const over = alarm.isaState === 'A'
  const demands = detail?.demands
  const latched = isLatched(alarm) || (demands?.latched === true && alarm.clearedAt === null)
  const acknowledgeWord = handling.do.acknowledge
  return (
    <section className="handling" aria-label={handling.do.label}>
      <div className="handling-bar">
        {!acknowledgedElsewhere &&
          isWaiting(alarm) &&
          (demands?.noteRequired === true ? asks('acknowledge', acknowledgeWord) : does('acknowledge', acknowledgeWord))}
        {!over && (alarm.shelved === null ? asks('shelve', handling.do.shelve) : does('unshelve', handling.do.unshelve))}
        {latched && does('reset', handling.do.reset)}
        {asks('assign', handling.do.assign)}
        {asks('comment', handling.do.comment)}
        {alarm.closed === null && alarm.clearedAt !== null && asks('close', handling.do.close)}
      </div>
      {latched && !isLatched(alarm) && <p className="faint">{handling.do.resetHow}</p>}
      {alarm.closed === null && alarm.clearedAt === null && <p className="faint">{handling.do.closeFirst}</p>}
      {form !== null && <OpenForm form={form} alarm={alarm} detail={detail} busy={busy} onSend={(body) => void act(form, body)} />}
      <Refusal of={doing} />
    </section>
  )
}

interface OpenFormProps {
  readonly form: FormName
  readonly alarm: Alarm
  readonly detail: AlarmDetail | null
  readonly busy: boolean
  readonly onSend: (body: AlarmActionBody) => void
}

function OpenForm({ form, alarm, detail, busy, onSend }: OpenFormProps) {
  const { do: words } = useHandling()
  const { person } = useConsole()
  switch (form) {
    case 'acknowledge':
      return <NoteForm hint={words.noteNeeded} send={words.acknowledge} busy={busy} onSend={onSend} />
    case 'comment':
      return <NoteForm hint="" send={words.commentSend} busy={busy} onSend={onSend} />
    case 'shelve':
      if (!mayShelve(person.role, alarm)) return <p role="alert">{words.redByEngineer}</p>
      return <ShelveForm alarm={alarm} detail={detail} busy={busy} onSend={onSend} />
    case 'assign':
      return <AssignForm alarm={alarm} busy={busy} onSend={onSend} />
    case 'close':
      return <CloseForm alarm={alarm} busy={busy} onSend={onSend} />
  }
}
