// What a rule as written would do: its problems, whom it would watch, what would turn at once, how it differs.

import type { TextProblem } from '../api.ts'
import type { RuleTrial } from '../api-rules.ts'
import { useRuleWords } from '../rule-words.ts'
import { Reason } from './reason.tsx'

export function Problems({ problems, onGo }: { problems: readonly TextProblem[]; onGo: (line: number) => void }) {
  const { editor } = useRuleWords()
  if (problems.length === 0) return null
  return (
    <div className="notice" role="alert">
      <strong>{editor.bad(problems.length)}</strong>
      <ul className="problems">
        {problems.map(({ line, place, problem }) => (
          <li key={`${line} ${place} ${problem}`}>
            {line === null ? (
              <span className="tag">{place}</span>
            ) : (
              <button type="button" className="button problem-line" onClick={() => onGo(line)}>
                {editor.line(line)}
              </button>
            )}{' '}
            <span lang="en">{problem}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

const NAMED = 20

export function Trial({ trial }: { trial: RuleTrial }) {
  const { editor, level } = useRuleWords()
  const { subjects, turns, warnings, change } = trial
  return (
    <div className="trial" role="status">
      <p>
        <strong>{editor.ok}</strong>
        {change === 'unchanged' && ` · ${editor.same}`}
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="notice" lang="en">
          {warning}
        </p>
      ))}
      {subjects !== null && (
        <>
          <p>{editor.subjects(subjects.before, subjects.after)}</p>
          <Names label={editor.added} ids={subjects.added} />
          <Names label={editor.removed} ids={subjects.removed} />
        </>
      )}
      {turns !== null && (
        <>
          <p>{editor.turns(turns.count)}</p>
          <ul className="turns">
            {turns.first.map((turn) => (
              <li key={turn.subject}>
                <strong>{turn.subject}</strong> {level[turn.from] ?? turn.from} → {level[turn.to] ?? turn.to} <Reason of={turn} />
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

function Names({ label, ids }: { label: string; ids: readonly string[] }) {
  if (ids.length === 0) return null
  return (
    <p>
      {label}: {ids.slice(0, NAMED).join(', ')}
      {ids.length > NAMED && ` … (${ids.length})`}
    </p>
  )
}

/** A unified diff; added and removed lines by sign and weight, since colours mean tiers. */
export function Diff({ text, open = false }: { text: string; open?: boolean }) {
  const { editor } = useRuleWords()
  return (
    <details className="diff" open={open}>
      <summary>{editor.diff}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>
        {text.split('\n').map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one diff never change their order
          <span key={index} data-sign={/^[+-](?![+-]{2})/.test(line) ? line[0] : ' '}>
            {line}
            {'\n'}
          </span>
        ))}
      </pre>
    </details>
  )
}
