// A list that the service pages: the page shown, and the way to those before and behind it.

import { useState } from 'react'
import type { Page } from '../api.ts'
import { type Resource, useResource } from '../console.tsx'
import { useWords } from '../words.ts'

export interface Paged<T> extends Resource<Page<T>> {
  readonly items: readonly T[]
  readonly back: (() => void) | null
  readonly forth: (() => void) | null
}

/** Reads the page of `question`; another question begins at its first page. */
export function usePaged<T>(
  question: string,
  read: (cursor: string | null, signal: AbortSignal) => Promise<Page<T>>,
  everyMs: number | null = null
): Paged<T> {
  const [trail, setTrail] = useState<{ question: string; cursors: readonly string[] }>({ question, cursors: [] })
  const cursors = trail.question === question ? trail.cursors : []
  const cursor = cursors.at(-1) ?? null
  const page = useResource(`${question} ${cursor}`, (signal) => read(cursor, signal), everyMs)
  const next = page.value?.next ?? null
  return {
    ...page,
    items: page.value?.items ?? [],
    back: cursors.length === 0 ? null : () => setTrail({ question, cursors: cursors.slice(0, -1) }),
    forth: next === null ? null : () => setTrail({ question, cursors: [...cursors, next] })
  }
}

export function Pager({ back, forth }: Pick<Paged<unknown>, 'back' | 'forth'>) {
  const words = useWords()
  if (back === null && forth === null) return null
  return (
    <div className="pager">
      <button type="button" className="button" disabled={back === null} onClick={() => back?.()}>
        {words.devices.previous}
      </button>
      <button type="button" className="button" disabled={forth === null} onClick={() => forth?.()}>
        {words.devices.next}
      </button>
    </div>
  )
}
