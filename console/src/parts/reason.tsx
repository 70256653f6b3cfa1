// A reason of the judge in the operator's words; as it stands in the journal when pointed at.

import type { Text } from '../api.ts'
import { useSay } from '../words.ts'

export interface Reasoned {
  readonly because: string
  readonly becauseText: Text
}

export function Reason({ of: { because, becauseText }, faint = false }: { of: Reasoned; faint?: boolean }) {
  const say = useSay()
  return (
    <span className={faint ? 'faint' : undefined} title={because}>
      {say(becauseText, because)}
    </span>
  )
}
