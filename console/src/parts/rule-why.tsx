// Why a rule fired or did not on a device: what the service's judge sees at this moment. Read only while it is open.

import '../style/rule-why.css'
import { useState } from 'react'
import { type DeviceDetail, type DeviceRule, type ExplainedPart, type ExplainedTier, explainRule, type Verdict } from '../api.ts'
import { useResource } from '../console.tsx'
import { formatAge, sayProblem } from '../format.ts'
import { useSay, useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Reason } from './reason.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

const REFRESH_MS = 5_000

/** Every rule that watches the device, each to be opened. */
export function RuleWhys({ device }: { device: DeviceDetail }) {
  const words = useWords()
  const rules = device.rules.filter(({ per }) => per === 'device' || device.area !== null)
  if (rules.length === 0) return <p className="nothing">{words.why.none}</p>
  return (
    <div className="whys">
      {rules.map((rule) => (
        <RuleWhy key={rule.id} rule={rule} device={device} />
      ))}
    </div>
  )
}

function RuleWhy({ rule, device }: { rule: DeviceRule; device: DeviceDetail }) {
  const words = useWords()
  const say = useSay()
  const [open, setOpen] = useState(false)
  return (
    <details className="why" data-rule={rule.id} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {say(rule.title, rule.id)} <span className="tag">{rule.id}</span>
        <span className="faint">{words.why.ask}</span>
      </summary>
      {open && <Explained rule={rule.id} subject={rule.per === 'device' ? { device: device.id } : { area: device.area }} />}
    </details>
  )
}

/** Where the rule stands now on a device or area, with every part of its conditions. */
export function Explained({ rule, subject }: { rule: string; subject: { device?: string; area?: string | null } }) {
  const words = useWords()
  const say = useSay()
  const key = `why ${rule} ${subject.device ?? subject.area}`
  const { value, problem } = useResource(key, (signal) => explainRule(rule, subject, signal), REFRESH_MS)
  return (
    <div className="why-told">
      {problem !== null && <p className="notice">{`${words.why.failed} ${sayProblem(problem, words)}`}</p>}
      {value === null && problem === null && <p className="faint">{words.why.loading}</p>}
      {value !== null && (
        <>
          <p className="why-sentence">
            <strong>{value.level === 'clear' ? words.why.clear : words.why.stands(words.tier[value.level])}</strong>{' '}
            <span title={value.sentence}>{say(value.sentenceText, value.sentence)}</span>
          </p>
          {value.suppressedBy.map((held) => (
            <p key={held.by} className="why-held">
              <strong>{held.by}</strong> <Reason of={held} />
            </p>
          ))}
          {value.tiers.toReversed().map((tier) => (
            <TierWhy key={tier.tier} tier={tier} />
          ))}
          <p className="faint">
            {words.why.asOf} <Instant at={Date.parse(value.at)} />
          </p>
        </>
      )}
    </div>
  )
}

function TierWhy({ tier }: { tier: ExplainedTier }) {
  const words = useWords()
  const { clock } = tier
  const condition = tier.on ? tier.clear : tier.when
  const name = tier.on ? words.why.leaves : words.why.enters
  return (
    <section className="why-tier">
      <h3>
        <TierMark tier={tier.tier} state={tier.on ? 'plain' : 'returned'} label={words.tierName(words.tier[tier.tier], ROMAN[tier.tier])} />{' '}
        {tier.on ? words.why.on : words.why.off}
        {clock !== null && clock.patienceMs > 0 && (
          <span className="why-clock">{words.why.lasting(formatAge(clock.elapsedMs, words), formatAge(clock.patienceMs, words))}</span>
        )}
      </h3>
      <table>
        <caption>{name}</caption>
        <tbody>
          {condition.parts.map((part, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one condition never change their order
            <PartRow key={index} part={part} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

const SIGNS: Readonly<Record<Verdict, string>> = { yes: '✓', no: '✗', unknown: '?' }

function PartRow({ part }: { part: ExplainedPart }) {
  const words = useWords()
  const say = useSay()
  const doubtful = part.quality !== null && part.quality !== 'good' ? words.quality[part.quality] : null
  return (
    <tr data-verdict={part.verdict}>
      <th scope="row" style={{ paddingInlineStart: `${part.depth * 1.2}em` }}>
        <code>{part.text}</code>
      </th>
      <td>
        {part.verdict === null
          ? part.value === null && part.unknown.length > 0
            ? words.why.verdict.unknown
            : part.shown
          : `${SIGNS[part.verdict]} ${words.why.verdict[part.verdict]}`}
      </td>
      <td className="faint">
        {[part.ageMs === null ? null : words.time.ago(formatAge(part.ageMs, words)), doubtful].filter((text) => text !== null).join(' · ')}
        {part.verdict === null && part.unknown.length > 0 && (
          <span title={part.unknown.join('; ')}> {part.unknownText.map((why) => say(why)).join('; ')}</span>
        )}
      </td>
    </tr>
  )
}
