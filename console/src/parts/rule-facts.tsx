// What is known of one rule: whom it watches, where it comes from, how it fires, and why it cannot be judged.

import { TIERS_DOWN } from '../api.ts'
import type { RuleDetail } from '../api-rules.ts'
import { type RuleWords, useRuleWords } from '../rule-words.ts'
import { useSay, useWords } from '../words.ts'
import { Ago } from './age.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

/** What runs without being written: asked for by its kind in the files. */
export const isBuiltIn = ({ file, version, written }: RuleDetail): boolean =>
  file === null && version === 0 && Object.keys(written).length === 0

export const percent = (share: number): string => `${Math.round(share * 100)} %`

export function RuleFacts({ rule }: { rule: RuleDetail }) {
  const words = useWords()
  const say = useSay()
  const rules = useRuleWords()
  const standing = TIERS_DOWN.filter((tier) => rule.standing[tier] > 0)
  return (
    <>
      <dl className="facts">
        <div>
          <dt>{rules.applies}</dt>
          <dd>{appliesText(rule, rules)}</dd>
        </div>
        <div>
          <dt>{rules.columns.watches}</dt>
          <dd className="outcome" data-odd={rule.subjects === 0}>
            {rules.watches[rule.per](rule.subjects)}
          </dd>
        </div>
        <div>
          <dt>{rules.columns.standing}</dt>
          <dd className="with-mark">
            {standing.length === 0
              ? rules.quiet
              : standing.map((tier) => (
                  <span key={tier} className="with-mark">
                    <TierMark tier={tier} label={words.tierName(words.tier[tier], ROMAN[tier])} />
                    <b>{rule.standing[tier]}</b>
                  </span>
                ))}
          </dd>
        </div>
        <div>
          <dt>{rules.columns.last}</dt>
          <dd>{rule.lastFiredAt === null ? rules.neverFired : <Ago at={Date.parse(rule.lastFiredAt)} />}</dd>
        </div>
        <div>
          <dt>{rules.origin}</dt>
          <dd>{originText(rule, rules)}</dd>
        </div>
        {rule.source !== null && (
          <div>
            <dt>{rules.source}</dt>
            <dd lang="en">{rule.source}</dd>
          </div>
        )}
      </dl>
      {rule.unknown !== null && rule.unknown.count > 0 && (
        <div className="notice">
          {rules.failing(percent(rule.unknown.share))} · {rules.reasons}
          <ul>
            {rule.unknown.reasons.map(({ reason, reasonText, count }) => (
              <li key={reason} title={reason}>
                {count} × {say(reasonText, reason)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {rule.firing === 'always' && <p className="notice">{rules.always}</p>}
    </>
  )
}

/** The conditions of a rule that has no text of its own. */
export function Conditions({ rule }: { rule: RuleDetail }) {
  const words = useWords()
  return (
    <ul className="panel turns">
      {rule.tiers.map(({ tier, when, for: patience }) => (
        <li key={tier} className="with-mark">
          <TierMark tier={tier} state="returned" label={words.tierName(words.tier[tier], ROMAN[tier])} />
          <code>{when}</code> {patience !== '0s' && patience}
        </li>
      ))}
    </ul>
  )
}

function appliesText({ appliesTo }: RuleDetail, rules: RuleWords): string {
  const { labels, ...rest } = appliesTo
  const said = [
    ...Object.entries(rest).flatMap(([key, value]) =>
      value === null ? [] : [`${rules.keys[key] ?? key} ${Array.isArray(value) ? value.join(', ') : String(value)}`]
    ),
    ...Object.entries(labels).map(([key, value]) => `${key}: ${value}`)
  ]
  return said.length === 0 ? rules.everything : said.join(' · ')
}

function originText(rule: RuleDetail, rules: RuleWords): string {
  const { amended, version } = rule
  const file = rule.file?.split('/').slice(-2).join('/') ?? null
  if (amended) return file === null ? rules.fromHere(version) : rules.overFile(file, version)
  if (isBuiltIn(rule)) return rules.fromBuiltIn
  return file === null ? rules.fromHere(version) : rules.fromFile(file)
}
