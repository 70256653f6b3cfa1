// The guidance of an alarm's rule: what to do and in how long first.

import type { Alarm } from '../api.ts'
import { guidanceParts } from '../guidance.ts'
import { useSay, useWords } from '../words.ts'

export function Guidance({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const say = useSay()
  const parts = guidanceParts(say(alarm.guidance))
  if (parts.length === 0) return <p className="guidance">{words.alarms.noGuidance}</p>
  return (
    <dl className="guidance">
      {parts.map(({ label, text, urgent }) => (
        <div key={label} data-urgent={urgent}>
          <dt>{label}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  )
}
