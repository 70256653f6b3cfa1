// One of the people whom the service would accept for an alarm; where there are very many, a part of the name narrows them.

import { useState } from 'react'
import type { Alarm } from '../api.ts'
import { type Choice, listChoices } from '../api-lifecycle.ts'
import { useResource } from '../console.tsx'
import { useHandling } from '../handling.ts'
import { useSay } from '../words.ts'
import { Reading } from './page-frame.tsx'

interface PersonChoiceProps {
  readonly label: string
  readonly alarm: Alarm
  /** What no choice means. */
  readonly nobody: string
  /** Not oneself. */
  readonly others?: boolean
  /** Empty: nobody. */
  readonly value: string
  readonly onChange: (id: string) => void
}

export function PersonChoice({ label, alarm, nobody, others = false, value, onChange }: PersonChoiceProps) {
  const { do: words } = useHandling()
  const say = useSay()
  const [part, setPart] = useState('')
  const found = useResource(`choices ${alarm.id} ${part}`, (signal) => listChoices(alarm.id, part, signal))
  const items = (found.value?.items ?? []).filter(({ me }) => !others || !me)
  const named = ({ id, name }: Choice): string => (name === null ? id : `${say(name, id)} (${id})`)
  return (
    <>
      {(part !== '' || found.value?.more === true) && (
        <label>
          {words.personPart}
          <input type="search" maxLength={64} value={part} onChange={(event) => setPart(event.target.value)} />
        </label>
      )}
      <label>
        {label}
        <select value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{nobody}</option>
          {value !== '' && !items.some(({ id }) => id === value) && <option value={value}>{value}</option>}
          {items.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {named(choice)}
            </option>
          ))}
        </select>
      </label>
      {found.problem !== null && <Reading of={found} what={words.people} />}
    </>
  )
}
