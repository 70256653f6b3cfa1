// Something that a press sets off: busy while it runs, and the service's sentence where it was refused.

import { useCallback, useState } from 'react'
import { useConsole } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { useWords } from '../words.ts'

export interface Doing {
  readonly busy: boolean
  readonly problem: unknown
  /** Runs it; true once it has succeeded. A second press while it runs does nothing. */
  readonly run: (act: () => Promise<unknown>) => Promise<boolean>
  readonly forget: () => void
}

export function useDoing(): Doing {
  const { failed } = useConsole()
  const [state, setState] = useState<{ busy: boolean; problem: unknown }>({ busy: false, problem: null })
  const run = useCallback(
    async (act: () => Promise<unknown>): Promise<boolean> => {
      setState({ busy: true, problem: null })
      try {
        await act()
        setState({ busy: false, problem: null })
        return true
      } catch (problem) {
        failed(problem)
        setState({ busy: false, problem })
        return false
      }
    },
    [failed]
  )
  const forget = useCallback(() => setState({ busy: false, problem: null }), [])
  return { ...state, run, forget }
}

export function Refusal({ of: { problem } }: { of: Doing }) {
  const words = useWords()
  if (problem === null) return null
  return (
    <p className="notice" role="alert">
      {sayProblem(problem, words)}
    </p>
  )
}

/** A button whose deed asks once more before it is done. */
export function Confirmed(props: { label: string; question: string; confirm: string; busy: boolean; onConfirm: () => void }) {
  const words = useWords()
  const [asking, setAsking] = useState(false)
  if (!asking)
    return (
      <button type="button" className="button" disabled={props.busy} onClick={() => setAsking(true)}>
        {props.label}
      </button>
    )
  return (
    <fieldset className="confirm">
      <legend className="unseen">{props.label}</legend>
      <span>{props.question}</span>
      <button
        type="button"
        className="button button-strong"
        disabled={props.busy}
        onClick={() => {
          setAsking(false)
          props.onConfirm()
        }}
      >
        {props.confirm}
      </button>
      <button type="button" className="button button-quiet" onClick={() => setAsking(false)}>
        {words.alarms.cancel}
      </button>
    </fieldset>
  )
}
