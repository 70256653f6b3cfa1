// A rule as text: lines numbered, problems at their lines, what it would do before it is saved, and saved only over what was read.

import { type RefObject, useEffect, useRef, useState } from 'react'
import { ApiProblem, type TextProblem } from '../api.ts'
import { type Amended, checkRule, makeRule, type RuleText, type RuleTrial, saveRule } from '../api-rules.ts'
import { useRuleWords } from '../rule-words.ts'
import { Refusal, useDoing } from './doing.tsx'
import { Diff, Problems, Trial } from './rule-trial.tsx'

export interface EditorProps {
  /** Null: the rule is to be made. */
  readonly id: string | null
  readonly read: RuleText
  readonly mayEdit: boolean
  readonly onSaved: (done: Amended) => void
  /** Reads the newest again. */
  readonly onReload: () => void
}

export function RuleEditor({ id, read, mayEdit, onSaved, onReload }: EditorProps) {
  const { editor, readOnly } = useRuleWords()
  const [text, setText] = useState(read.text)
  const [note, setNote] = useState('')
  const [trial, setTrial] = useState<RuleTrial | null>(null)
  const checking = useDoing()
  const saving = useDoing()
  const area = useRef<HTMLTextAreaElement>(null)
  const dirty = text !== read.text
  useUnsaved(dirty)
  const refused = saving.problem instanceof ApiProblem ? saving.problem : null
  const conflict = refused !== null && (refused.status === 412 || refused.status === 409) && id !== null
  const problems = refused !== null && refused.problems.length > 0 ? refused.problems : (trial?.problems ?? [])
  const busy = checking.busy || saving.busy

  const edit = (next: string): void => {
    setText(next)
    setTrial(null)
    saving.forget()
  }
  const check = (): void => {
    saving.forget()
    void checking.run(async () => setTrial(await checkRule(text)))
  }
  const save = async (): Promise<void> => {
    let done: Amended | null = null
    const ok = await saving.run(async () => {
      done = id === null ? await makeRule(text, note.trim()) : await saveRule(id, text, read.etag, note.trim())
    })
    if (!ok || done === null) return
    setNote('')
    setTrial(null)
    onSaved(done)
  }

  return (
    <section className="panel" aria-label={editor.title}>
      <h2>
        {editor.title} {dirty && <em className="flag">{editor.unsaved}</em>}
      </h2>
      <Numbered area={area} text={text} readOnly={!mayEdit} problems={problems} onEdit={edit} />
      {!mayEdit && <p className="faint">{readOnly}</p>}
      {mayEdit && (
        <div className="form editor-acts">
          <button type="button" className="button" disabled={busy} onClick={check}>
            {checking.busy ? editor.checking : editor.check}
          </button>
          <label className="editor-note">
            <span className="unseen">{editor.note}</span>
            <input value={note} maxLength={500} placeholder={editor.notePlaceholder} onChange={(event) => setNote(event.target.value)} />
          </label>
          <button type="button" className="button button-strong" disabled={busy || (!dirty && id !== null)} onClick={() => void save()}>
            {editor.save}
          </button>
          {dirty && (
            <button type="button" className="button button-quiet" disabled={busy} onClick={() => edit(read.text)}>
              {editor.discard}
            </button>
          )}
        </div>
      )}
      <Refusal of={checking} />
      {conflict ? (
        <div className="notice" role="alert">
          {editor.conflict}{' '}
          <button type="button" className="button" onClick={onReload}>
            {editor.reload}
          </button>
        </div>
      ) : (
        <Refusal of={saving} />
      )}
      <Problems problems={problems} onGo={(line) => goTo(area, line)} />
      {trial?.ok === true && <Trial trial={trial} />}
      {trial !== null && trial.diff !== '' && <Diff text={trial.diff} open />}
    </section>
  )
}

/** A textarea beside its line numbers; lines with a problem are marked. */
function Numbered(props: {
  area: RefObject<HTMLTextAreaElement | null>
  text: string
  readOnly: boolean
  problems: readonly TextProblem[]
  onEdit: (text: string) => void
}) {
  const { area, text, readOnly, problems, onEdit } = props
  const { editor } = useRuleWords()
  const bad = new Set(problems.flatMap(({ line }) => line ?? []))
  const lines = text.split('\n')
  return (
    <div className="numbered">
      <ol aria-hidden="true">
        {lines.map((_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line number is its place
          <li key={index} data-bad={bad.has(index + 1)}>
            {index + 1}
          </li>
        ))}
      </ol>
      <textarea
        ref={area}
        aria-label={editor.label}
        aria-invalid={bad.size > 0}
        value={text}
        rows={Math.max(8, lines.length)}
        readOnly={readOnly}
        spellCheck={false}
        autoCapitalize="none"
        wrap="off"
        onChange={(event) => onEdit(event.target.value)}
      />
    </div>
  )
}

function goTo(area: RefObject<HTMLTextAreaElement | null>, line: number): void {
  const field = area.current
  if (field === null) return
  const lines = field.value.split('\n')
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  field.focus()
  field.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0))
}

/** The browser asks before a page with unsaved text is closed. */
function useUnsaved(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [dirty])
}
