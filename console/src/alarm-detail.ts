// One alarm with its whole story, read again whenever the link says that something has become of it.

import { useEffect } from 'react'
import { type AlarmDetail, readAlarm } from './api-lifecycle.ts'
import { type Resource, useConsole, useResource } from './console.tsx'

const REFRESH_MS = 30_000

export function useAlarmDetail(id: string): Resource<AlarmDetail> {
  const { link } = useConsole()
  const read = useResource(`alarm ${id}`, (signal) => readAlarm(id, signal), REFRESH_MS)
  const { reload } = read
  useEffect(() => link.on('alarm-state', ({ alarm }) => alarm.id === id && reload()), [link, id, reload])
  return read
}
