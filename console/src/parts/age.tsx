// Ages that keep counting by themselves; only the text that changes is drawn again.

import { useTimed } from '../clock.ts'
import { useLink } from '../console.tsx'
import { formatAgo, formatInstant } from '../format.ts'
import { useWords } from '../words.ts'

/** Further back, a date says more than a number of days. */
const MONTH_MS = 30 * 86_400_000

/** How long ago an instant of the service's clock was, with the instant itself as its title. */
export function Ago({ at }: { at: number }) {
  const words = useWords()
  const text = useTimed((now) => (now - at > MONTH_MS ? formatInstant(at, now) : formatAgo(now - at, words)))
  const full = useTimed((now) => formatInstant(at, now))
  return (
    <time dateTime={new Date(at).toISOString()} title={full}>
      {text}
    </time>
  )
}

export function Instant({ at }: { at: number }) {
  const text = useTimed((now) => formatInstant(at, now))
  return <time dateTime={new Date(at).toISOString()}>{text}</time>
}

/** True while what is shown may not be the present state, because nothing is heard from the service. */
export function useLinkLost(): boolean {
  return useLink().kind === 'lost'
}
