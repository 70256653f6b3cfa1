// Who was told what, by what way, with what success; what people answered; drills. Sent is not told: only a receipt is.

import { useState } from 'react'
import { listAnswers, listNotices, NOTICE_STATES, type Notice, retryNotice } from '../api-operations.ts'
import { serverNow } from '../clock.ts'
import { useConsole } from '../console.tsx'
import { useHandling } from '../handling.ts'
import { useOperations } from '../operations.ts'
import { Instant } from '../parts/age.tsx'
import { Refusal, useDoing } from '../parts/doing.tsx'
import { Drills } from '../parts/drills.tsx'
import { Cell, Columns, PageHead, Reading, Tabs, tabOf } from '../parts/page-frame.tsx'
import { Pager, usePaged } from '../parts/paged.tsx'
import { ROMAN, TierMark } from '../parts/tier-mark.tsx'
import { addressOf, type Route, replaceSearch } from '../route.ts'
import { useWords } from '../words.ts'

const PAGE = 50
const REFRESH_MS = 10_000

export function NotificationsPage({ route }: { route: Route }) {
  const { notices } = useOperations()
  const tabs = (['sent', 'answers', 'drills'] as const).map((name) => ({ name, label: notices.tabs[name] }))
  const tab = tabOf(route, tabs)
  return (
    <div className="paper">
      <PageHead title={notices.title}>
        <Tabs route={route} page="notifications" tabs={tabs} />
      </PageHead>
      {tab === 'sent' && <Sent route={route} />}
      {tab === 'answers' && <Answers />}
      {tab === 'drills' && <Drills />}
    </div>
  )
}

function Sent({ route }: { route: Route }) {
  const { notices } = useOperations()
  const { person } = useConsole()
  const { state = '', who = '', alarm = '', since = '' } = route.search
  const question = JSON.stringify([state, who, alarm, since])
  const from = (): string | null => (since === '' ? null : new Date(serverNow() - Number(since) * 3_600_000).toISOString())
  const page = usePaged(
    `notices ${question}`,
    (cursor, signal) => listNotices({ state, person: who, alarm, from: from(), limit: PAGE, cursor }, signal),
    REFRESH_MS
  )
  const doing = useDoing()
  const retry = async (id: string): Promise<void> => {
    await doing.run(() => retryNotice(id))
    page.reload()
  }
  const mayAct = person.role !== 'viewer'
  return (
    <>
      <NoticeFilter route={route} />
      <Refusal of={doing} />
      <Reading of={page} what={notices.what} />
      {page.value !== null && page.items.length === 0 && (
        <p className="nothing">{question === '["","","",""]' ? notices.none : notices.noMatch}</p>
      )}
      {page.items.length > 0 && (
        <table className="paper-table notice-table">
          <Columns
            names={[
              ...[notices.columns.at, notices.columns.person, notices.columns.way, notices.columns.why],
              ...[notices.columns.text, notices.columns.state, notices.columns.act]
            ]}
          />
          <tbody>
            {page.items.map((one) => (
              <NoticeRow key={one.id} one={one} busy={doing.busy} onRetry={mayAct ? retry : null} />
            ))}
          </tbody>
        </table>
      )}
      <Pager back={page.back} forth={page.forth} />
    </>
  )
}

function NoticeFilter({ route }: { route: Route }) {
  const words = useWords()
  const { notices } = useOperations()
  const { sent } = useHandling()
  const { state = '', who = '', alarm = '', since = '' } = route.search
  const [typed, setTyped] = useState(who)
  return (
    <search className="filter">
      <button
        type="button"
        className="button chip"
        aria-pressed={state === 'failed'}
        onClick={() => replaceSearch(route, { state: state === 'failed' ? '' : 'failed' })}
      >
        {notices.dead}
      </button>
      <select aria-label={notices.state} value={state} onChange={(event) => replaceSearch(route, { state: event.target.value })}>
        <option value="">{notices.allStates}</option>
        {NOTICE_STATES.map((one) => (
          <option key={one} value={one}>
            {sent[one]}
          </option>
        ))}
      </select>
      <select aria-label={notices.since} value={since} onChange={(event) => replaceSearch(route, { since: event.target.value })}>
        {['', '1', '24', '168'].map((hours) => (
          <option key={hours} value={hours}>
            {notices.sinces[hours]}
          </option>
        ))}
      </select>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          replaceSearch(route, { who: typed.trim() })
        }}
      >
        <input
          type="search"
          aria-label={notices.person}
          placeholder={notices.person}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={() => replaceSearch(route, { who: typed.trim() })}
        />
      </form>
      {alarm !== '' && (
        <button type="button" className="button chip" aria-pressed onClick={() => replaceSearch(route, { alarm: '' })}>
          {notices.alarm(alarm)} ×
        </button>
      )}
      {(state !== '' || who !== '' || alarm !== '' || since !== '') && (
        <a className="button button-quiet" href={addressOf('notifications')} onClick={() => setTyped('')}>
          {words.alarms.clearFilters}
        </a>
      )}
    </search>
  )
}

function NoticeRow({ one, busy, onRetry }: { one: Notice; busy: boolean; onRetry: ((id: string) => void) | null }) {
  const words = useWords()
  const { notices } = useOperations()
  const { channel, reason } = useHandling()
  const { columns } = notices
  const nobody = one.person.includes(':')
  return (
    <tr data-state={one.state} data-drill={one.drill}>
      <Cell of={columns.at}>
        <Instant at={Date.parse(one.at)} />
      </Cell>
      <Cell of={columns.person}>
        <strong>{nobody ? notices.nobody(one.person) : one.person}</strong>
        {one.address !== null && <span className="faint">{one.address}</span>}
      </Cell>
      <Cell of={columns.way}>{channel[one.channel] ?? one.channel}</Cell>
      <Cell of={columns.why}>
        <span className="with-mark">
          <TierMark tier={one.tier} label={words.tierName(words.tier[one.tier], ROMAN[one.tier])} />
          {one.drill ? <em className="flag">{notices.drill}</em> : (reason[one.reason] ?? one.reason)}
        </span>
        {one.rung > 0 && <span className="faint">{notices.rung(one.ladder, one.rung, one.occurrence)}</span>}
      </Cell>
      <Cell of={columns.text} className="wide">
        <details className="long">
          <summary>{one.text}</summary>
          {one.alarms.map((alarm) => (
            <a key={alarm} className="tag" href={addressOf('alarm', alarm)}>
              {alarm}
            </a>
          ))}
        </details>
      </Cell>
      <Cell of={columns.state}>
        <NoticeOutcome one={one} />
      </Cell>
      <Cell of={columns.act} className="act">
        {onRetry !== null && one.state === 'failed' && (
          <button
            type="button"
            className="button"
            disabled={busy}
            aria-label={notices.retryLabel(one.person, channel[one.channel] ?? one.channel)}
            onClick={() => onRetry(one.id)}
          >
            {notices.retry}
          </button>
        )}
      </Cell>
    </tr>
  )
}

function NoticeOutcome({ one }: { one: Notice }) {
  const { notices } = useOperations()
  const { sent, notSent } = useHandling()
  const times = [
    [notices.sentAt, one.sentAt],
    [notices.deliveredAt, one.deliveredAt],
    [notices.failedAt, one.state === 'failed' ? one.failedAt : null]
  ] as const
  return (
    <>
      <span className="outcome" data-odd={one.state === 'failed' || one.withheld === 'nobodyOnDuty'}>
        {one.withheld === null ? sent[one.state] : `${sent.withheld}：${notSent[one.withheld] ?? one.withheld}`}
      </span>
      {one.possibleDuplicate && <em className="flag">{notices.possibleDuplicate}</em>}
      {one.late && <em className="flag">{notices.late}</em>}
      {times.map(
        ([name, at]) =>
          at !== null && (
            <span key={name} className="faint">
              {name} <Instant at={Date.parse(at)} />
            </span>
          )
      )}
      {one.tries > 1 && <span className="faint">{notices.tries(one.tries)}</span>}
      {one.problem !== null && (
        <span className="faint" lang="en">
          {one.problem}
        </span>
      )}
    </>
  )
}

const ODD = ['unknownText', 'unknownSender']

function Answers() {
  const { answers } = useOperations()
  const { channel } = useHandling()
  const [onlyOdd, setOnlyOdd] = useState(false)
  const page = usePaged('answers', (cursor, signal) => listAnswers({ limit: PAGE, cursor }, signal), REFRESH_MS)
  const shown = page.items.filter(({ outcome }) => !onlyOdd || ODD.includes(outcome))
  const { columns } = answers
  return (
    <>
      <div className="filter">
        <button type="button" className="button chip" aria-pressed={onlyOdd} onClick={() => setOnlyOdd(!onlyOdd)}>
          {answers.onlyOdd}
        </button>
      </div>
      <Reading of={page} what={answers.what} />
      {page.value !== null && shown.length === 0 && <p className="nothing">{answers.none}</p>}
      {shown.length > 0 && (
        <table className="paper-table">
          <Columns names={[columns.at, columns.from, columns.text, columns.outcome]} />
          <tbody>
            {shown.map((one) => (
              <tr key={`${one.at} ${one.address} ${one.text}`}>
                <Cell of={columns.at}>
                  <Instant at={Date.parse(one.at)} />
                </Cell>
                <Cell of={columns.from}>
                  <strong>{one.person ?? one.address}</strong>
                  <span className="faint">
                    {channel[one.channel] ?? one.channel} {one.person !== null && one.address}
                  </span>
                </Cell>
                <Cell of={columns.text} className="wide">
                  {one.text}
                </Cell>
                <Cell of={columns.outcome}>
                  <span className="outcome" data-odd={ODD.includes(one.outcome)}>
                    {answers.outcomes[one.outcome] ?? one.outcome}
                  </span>
                  {one.alarm !== null && (
                    <a className="tag" href={addressOf('alarm', one.alarm)}>
                      {one.alarm}
                    </a>
                  )}
                </Cell>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager back={page.back} forth={page.forth} />
    </>
  )
}
