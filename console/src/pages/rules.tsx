// The rules in force: what each watches, what of it stands, which never fire, always do, or cannot be judged.

import '../style/rules.css'
import { TIERS_DOWN } from '../api.ts'
import { listOverlay, listRules, type OverlayEntry, type Rule } from '../api-rules.ts'
import { useConsole, useResource } from '../console.tsx'
import { isEngineer } from '../handling.ts'
import { Ago } from '../parts/age.tsx'
import { Cell, Columns, PageHead, Reading } from '../parts/page-frame.tsx'
import { percent } from '../parts/rule-facts.tsx'
import { ROMAN, TierMark } from '../parts/tier-mark.tsx'
import { addressOf, type Route, replaceSearch } from '../route.ts'
import { type RuleWords, useRuleWords } from '../rule-words.ts'
import { useSay, useWords } from '../words.ts'

/** The id under which a rule that there is not yet is written. */
export const NEW_RULE = '~new'
const PAGE = 1000
const REFRESH_MS = 30_000
const FAILING_SHARE = 0.1

async function allRules(firing: string, signal: AbortSignal): Promise<readonly Rule[]> {
  const rules: Rule[] = []
  let cursor: string | null = null
  do {
    const page = await listRules({ firing, limit: PAGE, cursor }, signal)
    rules.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return rules
}

export function RulesPage({ route }: { route: Route }) {
  const rules = useRuleWords()
  const { person } = useConsole()
  const engineer = isEngineer(person.role)
  const { firing = '', q = '' } = route.search
  const all = useResource(`rules ${firing}`, (signal) => allRules(firing, signal), REFRESH_MS)
  const overlay = useResource('overlay', async (signal) => (engineer ? (await listOverlay(signal)).items : []), REFRESH_MS)
  const entries = (overlay.value ?? []).filter(({ kind }) => kind === 'rule')
  const changed = new Map(entries.map((entry) => [entry.id, entry]))
  const shown = (all.value ?? []).filter((rule) => matches(rule, q))
  const removed = entries.filter(({ op, leftOut }) => op === 'remove' && leftOut === null).map(({ id }) => id)
  return (
    <div className="paper">
      <PageHead title={rules.title} count={all.value === null ? undefined : rules.shown(shown.length, all.value.length)}>
        {engineer && (
          <a className="button head-act" href={addressOf('rule', NEW_RULE)}>
            {rules.make}
          </a>
        )}
      </PageHead>
      <RuleFilter route={route} rules={rules} />
      {removed.length > 0 && <RemovedRules ids={removed} />}
      <Reading of={all} what={rules.what} />
      {all.value !== null && shown.length === 0 && <p className="nothing">{firing === '' && q === '' ? rules.none : rules.noMatch}</p>}
      {shown.length > 0 && <RuleTable shown={shown} changed={changed} />}
    </div>
  )
}

function matches(rule: Rule, text: string): boolean {
  const all = [rule.id, rule.title.zh, rule.title.en, ...rule.tiers.map(({ when }) => when)].join('\n').toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

function RemovedRules({ ids }: { ids: readonly string[] }) {
  const [before = '', after = ''] = useRuleWords().removedHere('\n').split('\n')
  return (
    <p className="notice">
      {before}
      {ids.map((id, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <a href={addressOf('rule', id)}>{id}</a>
        </span>
      ))}
      {after}
    </p>
  )
}

function RuleFilter({ route, rules }: { route: Route; rules: RuleWords }) {
  const { firing = '', q = '' } = route.search
  return (
    <search className="filter">
      <fieldset className="chips" aria-label={rules.firing}>
        {['', 'never', 'always', 'failing'].map((one) => (
          <button
            key={one}
            type="button"
            className="button chip"
            aria-pressed={firing === one}
            onClick={() => replaceSearch(route, { firing: one })}
          >
            {rules.firings[one]}
          </button>
        ))}
      </fieldset>
      <input
        type="search"
        aria-label={rules.search}
        placeholder={rules.search}
        value={q}
        onChange={(event) => replaceSearch(route, { q: event.target.value })}
      />
    </search>
  )
}

function RuleTable({ shown, changed }: { shown: readonly Rule[]; changed: ReadonlyMap<string, OverlayEntry> }) {
  const { columns } = useRuleWords()
  return (
    <table className="paper-table rule-table">
      <Columns names={[columns.rule, columns.tiers, columns.watches, columns.standing, columns.last, columns.state]} />
      <tbody>
        {shown.map((rule) => (
          <RuleRow key={rule.id} rule={rule} entry={changed.get(rule.id) ?? null} />
        ))}
      </tbody>
    </table>
  )
}

function RuleRow({ rule, entry }: { rule: Rule; entry: OverlayEntry | null }) {
  const words = useWords()
  const say = useSay()
  const rules = useRuleWords()
  const { columns } = rules
  const standing = TIERS_DOWN.filter((tier) => rule.standing[tier] > 0)
  return (
    <tr data-rule={rule.id}>
      <Cell of={columns.rule}>
        <a href={addressOf('rule', rule.id)}>
          <strong>{say(rule.title, rule.id)}</strong>
        </a>
        <span className="tag">{rule.id}</span>
      </Cell>
      <Cell of={columns.tiers}>
        <span className="with-mark">
          {TIERS_DOWN.filter((tier) => rule.tiers.some((one) => one.tier === tier)).map((tier) => (
            <TierMark key={tier} tier={tier} state="returned" label={words.tierName(words.tier[tier], ROMAN[tier])} />
          ))}
        </span>
      </Cell>
      <Cell of={columns.watches}>
        <span className="outcome" data-odd={rule.subjects === 0}>
          {rules.watches[rule.per](rule.subjects)}
        </span>
      </Cell>
      <Cell of={columns.standing}>
        {standing.length === 0 ? (
          <span className="faint">{rules.quiet}</span>
        ) : (
          <span className="with-mark">
            {standing.map((tier) => (
              <span key={tier} className="with-mark">
                <TierMark tier={tier} label={words.tierName(words.tier[tier], ROMAN[tier])} />
                <b>{rule.standing[tier]}</b>
              </span>
            ))}
          </span>
        )}
      </Cell>
      <Cell of={columns.last}>
        {rule.lastFiredAt === null ? <span className="faint">{rules.neverFired}</span> : <Ago at={Date.parse(rule.lastFiredAt)} />}
      </Cell>
      <Cell of={columns.state}>
        <Remarks rule={rule} entry={entry} />
      </Cell>
    </tr>
  )
}

function Remarks({ rule, entry }: { rule: Rule; entry: OverlayEntry | null }) {
  const rules = useRuleWords()
  const share = rule.unknown?.share ?? 0
  return (
    <>
      {rule.shadow && <em className="flag">{rules.shadow}</em>}
      {entry !== null && entry.leftOut === null && <em className="flag">{rules.changed}</em>}
      {entry !== null && entry.leftOut !== null && (
        <span className="outcome" data-odd="true">
          {rules.leftOut(entry.leftOut)}
        </span>
      )}
      {rule.origin === 'builtIn' && <em className="flag quiet-flag">{rules.builtIn}</em>}
      {rule.firing === 'always' && (
        <span className="outcome" data-odd="true">
          {rules.always}
        </span>
      )}
      {share >= FAILING_SHARE && (
        <span className="outcome" data-odd="true">
          {rules.failing(percent(share))}
        </span>
      )}
    </>
  )
}
