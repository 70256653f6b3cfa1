// One alarm: what to do, everything that can be done to it, its whole story, whom it was told to, and why it is on.

import '../style/alarm.css'
import { type ReactNode, useState } from 'react'
import { useAlarmDetail } from '../alarm-detail.ts'
import { ApiProblem } from '../api.ts'
import type { AlarmDetail } from '../api-lifecycle.ts'
import { sayProblem } from '../format.ts'
import { type NameSuppressor, useHandling } from '../handling.ts'
import { Instant } from '../parts/age.tsx'
import { AlarmActions } from '../parts/alarm-actions.tsx'
import { Story } from '../parts/alarm-story.tsx'
import { Marks, markState, StateWord } from '../parts/alarm-word.tsx'
import { Guidance } from '../parts/guidance.tsx'
import { Reason } from '../parts/reason.tsx'
import { Explained } from '../parts/rule-why.tsx'
import { Tag } from '../parts/tag.tsx'
import { ROMAN, TierMark } from '../parts/tier-mark.tsx'
import { Told } from '../parts/told.tsx'
import { addressOf } from '../route.ts'
import { useSuppressors } from '../suppressors.ts'
import { useSay, useWords } from '../words.ts'

export function AlarmPage({ id }: { id: string }) {
  const words = useWords()
  const handling = useHandling()
  const { value: alarm, problem, reload } = useAlarmDetail(id)
  const nameOf = useSuppressors()
  return (
    <div className="alarm-page">
      <a className="back" href={addressOf('alarms')}>
        ← {handling.back}
      </a>
      {problem !== null && (
        <p className="notice" role="alert">
          {problem instanceof ApiProblem && problem.status === 404
            ? handling.missing(id)
            : `${handling.failed} ${sayProblem(problem, words)}`}
        </p>
      )}
      {alarm === null && problem === null && <p className="nothing untrusted">{handling.loading}</p>}
      {alarm !== null && (
        <>
          <Head alarm={alarm} nameOf={nameOf} />
          <AlarmActions alarm={alarm} detail={alarm} onDone={reload} />
          <div className="alarm-columns">
            <section>
              <h2>{words.alarms.details}</h2>
              <Guidance alarm={alarm} />
              <h2>{handling.story}</h2>
              <Story events={alarm.events} nameOf={nameOf} />
            </section>
            <section>
              <h2>{handling.told.title}</h2>
              <Told notifications={alarm.notifications} />
              <h2>{words.alarms.why}</h2>
              <Why alarm={alarm} />
            </section>
          </div>
        </>
      )}
    </div>
  )
}

function Head({ alarm, nameOf }: { alarm: AlarmDetail; nameOf: NameSuppressor }) {
  const words = useWords()
  const handling = useHandling()
  const say = useSay()
  const subject = say(alarm.deviceName ?? alarm.areaName, alarm.device ?? alarm.area ?? '')
  const tierName = words.tierName(words.tier[alarm.tier], ROMAN[alarm.tier])
  const place = [say(alarm.siteName, alarm.site ?? ''), say(alarm.areaName, alarm.area ?? '')].filter((name) => name !== '').join(' · ')
  return (
    <header className="alarm-head" data-tier={alarm.tier} data-state={markState(alarm)}>
      <h1>
        <TierMark tier={alarm.tier} state={markState(alarm)} label={tierName} />
        {say(alarm.title, alarm.rule)} · {subject} <Tag id={alarm.device ?? alarm.area ?? ''} name={subject} />
      </h1>
      <p>
        <StateWord alarm={alarm} sending={false} nameOf={nameOf} /> <Marks alarm={alarm} />
      </p>
      <p className="alarm-why">
        <Reason of={alarm} />
      </p>
      <dl className="facts">
        <Fact name={handling.raised}>
          <Instant at={Date.parse(alarm.raisedAt)} />
        </Fact>
        {alarm.clearedAt !== null && (
          <Fact name={handling.cleared}>
            <Instant at={Date.parse(alarm.clearedAt)} />
          </Fact>
        )}
        <Fact name={handling.worst}>{words.tierName(words.tier[alarm.worstTier], ROMAN[alarm.worstTier])}</Fact>
        {place !== '' && <Fact name={handling.place}>{place}</Fact>}
        {alarm.realarmAt !== null && (
          <Fact name={handling.realarm}>
            <Instant at={Date.parse(alarm.realarmAt)} />
          </Fact>
        )}
        <Fact name={handling.rule}>{alarm.rule}</Fact>
      </dl>
    </header>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** What the service's judge sees now; asked only while it is open. */
function Why({ alarm }: { alarm: AlarmDetail }) {
  const handling = useHandling()
  const words = useWords()
  const [open, setOpen] = useState(false)
  const subject = alarm.device === null ? { area: alarm.area } : { device: alarm.device }
  return (
    <>
      <details className="why" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {handling.whyNow} <span className="faint">{words.why.ask}</span>
        </summary>
        {open && <Explained rule={alarm.rule} subject={subject} />}
      </details>
      {alarm.device !== null && (
        <p>
          <a href={addressOf('device', alarm.device)}>{handling.onDevice}</a>
        </p>
      )}
    </>
  )
}
