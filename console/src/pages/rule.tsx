// One rule: what is known of it, its text, its versions; changed by engineers, read by all. `~new` is one to be made.

import '../style/rules.css'
import { useState } from 'react'
import { ApiProblem } from '../api.ts'
import { type Amended, getRule, getRuleText, type RuleDetail, type RuleText, saveWritten, takeRule } from '../api-rules.ts'
import { useConsole, useResource } from '../console.tsx'
import { isEngineer } from '../handling.ts'
import { Confirmed, Refusal, useDoing } from '../parts/doing.tsx'
import { Reading } from '../parts/page-frame.tsx'
import { RuleEditor } from '../parts/rule-editor.tsx'
import { Conditions, isBuiltIn, RuleFacts } from '../parts/rule-facts.tsx'
import { RuleVersions } from '../parts/rule-versions.tsx'
import { addressOf } from '../route.ts'
import { useRuleWords } from '../rule-words.ts'
import { useSay } from '../words.ts'
import { NEW_RULE } from './rules.tsx'

const REFRESH_MS = 15_000

export function RulePage({ id }: { id: string }) {
  const rules = useRuleWords()
  return (
    <div className="paper">
      <a className="back" href={addressOf('rules')}>
        ← {rules.back}
      </a>
      {id === NEW_RULE ? <NewRule /> : <KnownRule id={id} />}
    </div>
  )
}

function NewRule() {
  const rules = useRuleWords()
  const { person } = useConsole()
  const [read] = useState<RuleText>({ text: rules.editor.template, etag: null })
  return (
    <>
      <h1>{rules.make}</h1>
      <RuleEditor
        id={null}
        read={read}
        mayEdit={isEngineer(person.role)}
        onSaved={({ id }) => {
          window.location.hash = addressOf('rule', id)
        }}
        onReload={() => undefined}
      />
    </>
  )
}

function KnownRule({ id }: { id: string }) {
  const rules = useRuleWords()
  const say = useSay()
  const { person } = useConsole()
  const mayEdit = isEngineer(person.role)
  const [round, setRound] = useState(0)
  const rule = useResource(`rule ${id} ${round}`, (signal) => getRule(id, signal), REFRESH_MS)
  const text = useRuleText(id, round)
  const [said, setSaid] = useState('')
  const changed = (done: Amended | null = null): void => {
    setSaid(done === null ? '' : done.change === 'unchanged' ? rules.editor.unchanged : rules.editor.saved(done.version))
    setRound((before) => before + 1)
  }
  const gone = rule.problem instanceof ApiProblem && rule.problem.status === 404
  const version = rule.value?.version ?? 0
  return (
    <>
      <div className="device-head">
        <h1>
          {say(rule.value?.title, id)} <span className="tag">{id}</span>
          {rule.value?.shadow === true && <em className="flag">{rules.shadow}</em>}
        </h1>
      </div>
      {gone ? <GoneRule id={id} mayEdit={mayEdit} onChanged={() => changed()} /> : <Reading of={rule} what={rules.one} />}
      {rule.value !== null && (
        <>
          {rule.value.shadow && <p className="notice">{rules.shadowLong}</p>}
          <RuleFacts rule={rule.value} />
          {mayEdit && !isBuiltIn(rule.value) && <RuleActs rule={rule.value} etag={text?.etag ?? null} onChanged={() => changed()} />}
        </>
      )}
      {said !== '' && (
        <p className="page-count" role="status">
          {said}
        </p>
      )}
      {rule.value !== null && isBuiltIn(rule.value) && <Conditions rule={rule.value} />}
      {text !== null && !gone && rule.value !== null && !isBuiltIn(rule.value) && (
        <RuleEditor key={round} id={id} read={text} mayEdit={mayEdit} onSaved={changed} onReload={() => changed()} />
      )}
      {(rule.value !== null || gone) && (
        <RuleVersions
          key={`${round} ${version}`}
          id={id}
          version={gone ? -1 : version}
          etag={gone ? null : (text?.etag ?? null)}
          mayEdit={mayEdit && !gone}
          onChanged={() => changed()}
        />
      )}
    </>
  )
}

/** Read once per round: what one edits must not change under one's hands. */
function useRuleText(id: string, round: number): RuleText | null {
  const [kept, setKept] = useState<{ key: string; text: RuleText } | null>(null)
  const key = `${id} ${round}`
  const read = useResource(`text ${key}`, (signal) => getRuleText(id, signal))
  if (read.value !== null && kept?.key !== key) setKept({ key, text: read.value })
  return kept?.key === key ? kept.text : null
}

function RuleActs({ rule, etag, onChanged }: { rule: RuleDetail; etag: string | null; onChanged: () => void }) {
  const rules = useRuleWords()
  const doing = useDoing()
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    if (await doing.run(deed)) onChanged()
  }
  const { id, shadow, written } = rule
  const shadowed = (): Promise<unknown> => {
    const { shadow: _before, ...rest } = written
    return saveWritten(id, shadow ? rest : { ...rest, shadow: true }, etag, shadow ? rules.shadowOffNote : rules.shadowOnNote)
  }
  return (
    <div className="form rule-acts">
      <Confirmed
        label={shadow ? rules.shadowOff : rules.shadowOn}
        question={shadow ? rules.shadowOffAsk : rules.shadowOnAsk}
        confirm={rules.yes}
        busy={doing.busy}
        onConfirm={() => void act(shadowed)}
      />
      {rule.amended && rule.file !== null && (
        <Confirmed
          label={rules.toFile}
          question={rules.toFileAsk}
          confirm={rules.yes}
          busy={doing.busy}
          onConfirm={() => void act(() => takeRule(id, 'file', etag, rules.toFile))}
        />
      )}
      <Confirmed
        label={rules.remove}
        question={rules.removeAsk}
        confirm={rules.yes}
        busy={doing.busy}
        onConfirm={() => void act(() => takeRule(id, 'gone', etag, rules.remove))}
      />
      <Refusal of={doing} />
    </div>
  )
}

/** Out of force, or never there: a file that has it can have its say again. */
function GoneRule({ id, mayEdit, onChanged }: { id: string; mayEdit: boolean; onChanged: () => void }) {
  const rules = useRuleWords()
  const doing = useDoing()
  const back = async (): Promise<void> => {
    if (await doing.run(() => takeRule(id, 'file', null, rules.toFile))) onChanged()
  }
  return (
    <>
      <p className="notice">{rules.missing(id)}</p>
      {mayEdit && (
        <div className="form rule-acts">
          <Confirmed label={rules.toFile} question={rules.toFileAsk} confirm={rules.yes} busy={doing.busy} onConfirm={() => void back()} />
          <Refusal of={doing} />
        </div>
      )}
    </>
  )
}
