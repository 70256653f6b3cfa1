// Who would be told of an alarm, when and by what: asked of the ladder itself, for a present alarm or for a rule and a device.

import { type FormEvent, useState } from 'react'
import { type DutyPreview as Preview, previewDuty } from '../api-operations.ts'
import { useAlarmList, useResource } from '../console.tsx'
import { useHandling } from '../handling.ts'
import { useOperations } from '../operations.ts'
import { addressOf, type Route } from '../route.ts'
import { useSay, useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'
import { ROMAN, TierOptions } from './tier-mark.tsx'

const CHOICES = 200

/** What is asked stands in the address: `#/duty?tab=preview&rule=…&device=…&tier=…`. */
export function DutyPreview({ route }: { route: Route }) {
  const { preview } = useOperations()
  const { rule = '', device = '', area = '', tier = '', at = '' } = route.search
  const asked = rule !== '' && (device !== '' || area !== '')
  return (
    <>
      <PreviewForm key={JSON.stringify(route.search)} route={route} />
      {asked && <Told question={{ rule, device, area, tier, at: at === '' ? '' : new Date(at).toISOString() }} />}
      {!asked && <p className="nothing">{preview.lead}</p>}
    </>
  )
}

function ask(search: Readonly<Record<string, string>>): void {
  window.location.hash = addressOf('duty', '', { tab: 'preview', ...search })
}

function PreviewForm({ route }: { route: Route }) {
  const words = useWords()
  const say = useSay()
  const { preview } = useOperations()
  const { alarms } = useAlarmList()
  const { search } = route
  const [rule, setRule] = useState(search.rule ?? '')
  const [device, setDevice] = useState(search.device ?? '')
  const [tier, setTier] = useState(search.tier ?? '')
  const [at, setAt] = useState(search.at ?? '')
  const choose = (id: string): void => {
    const alarm = alarms.find((one) => one.id === id)
    if (alarm !== undefined)
      ask({ rule: alarm.rule, device: alarm.device ?? '', area: alarm.device === null ? (alarm.area ?? '') : '', tier: alarm.tier })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    ask({ rule: rule.trim(), device: device.trim(), tier, at })
  }
  return (
    <form className="panel form" onSubmit={submit}>
      {alarms.length > 0 && (
        <label>
          {preview.alarm}
          <select value="" onChange={(event) => choose(event.target.value)}>
            <option value="">{preview.choose}</option>
            {alarms.slice(0, CHOICES).map((alarm) => (
              <option key={alarm.id} value={alarm.id}>
                {words.tier[alarm.tier]} · {say(alarm.deviceName ?? alarm.areaName, alarm.device ?? alarm.area ?? '')} ·{' '}
                {say(alarm.title, alarm.rule)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        {preview.rule}
        <input required value={rule} onChange={(event) => setRule(event.target.value)} />
      </label>
      <label>
        {preview.device}
        <input required value={device} onChange={(event) => setDevice(event.target.value)} />
      </label>
      <label>
        {preview.tier}
        <select value={tier} onChange={(event) => setTier(event.target.value)}>
          <option value="">{preview.highest}</option>
          <TierOptions />
        </select>
      </label>
      <label>
        {preview.at}
        <input type="datetime-local" value={at} onChange={(event) => setAt(event.target.value)} />
      </label>
      <button type="submit" className="button button-strong">
        {preview.ask}
      </button>
    </form>
  )
}

function Told({ question }: { question: Readonly<Record<string, string>> }) {
  const words = useWords()
  const { preview } = useOperations()
  const told = useResource(`preview ${JSON.stringify(question)}`, (signal) => previewDuty(question, signal))
  const { columns } = preview
  return (
    <>
      <Reading of={told} what={preview.what} />
      {told.value !== null && (
        <p className="page-count">
          {question.rule} · {question.device !== '' ? question.device : question.area} ·{' '}
          {words.tierName(words.tier[told.value.tier], ROMAN[told.value.tier])}
          {told.value.ladder !== null && ` · ${preview.ladder(told.value.ladder)}`}
        </p>
      )}
      {told.value?.ladder === null && (
        <p className="notice" role="alert">
          {preview.nobody}
        </p>
      )}
      {told.value !== null && told.value.items.length > 0 && (
        <table className="paper-table">
          <Columns names={[columns.at, columns.rung, columns.person, columns.way, columns.result, columns.text]} />
          <tbody>
            {told.value.items.map((item, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the items of one answer never change their order
              <ToldRow key={index} item={item} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function ToldRow({ item }: { item: Preview['items'][number] }) {
  const say = useSay()
  const { preview, duty, notices } = useOperations()
  const { channel, notSent } = useHandling()
  const { columns } = preview
  return (
    <tr data-person={item.person}>
      <Cell of={columns.at}>
        <Instant at={Date.parse(item.at)} />
      </Cell>
      <Cell of={columns.rung}>{duty.rung(item.rung)}</Cell>
      <Cell of={columns.person}>
        <strong>{item.personName === null ? notices.nobody(item.person) : say(item.personName, item.person)}</strong>
      </Cell>
      <Cell of={columns.way}>{channel[item.channel] ?? item.channel}</Cell>
      <Cell of={columns.result}>
        <span className="outcome" data-odd={item.withheld !== null}>
          {item.withheld === null ? preview.goes : (notSent[item.withheld] ?? item.withheld)}
        </span>
      </Cell>
      <Cell of={columns.text} className="wide">
        {item.text}
      </Cell>
    </tr>
  )
}
