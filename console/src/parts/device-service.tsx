// Of one device: whether it, its area or its site is out of service, and taking it out or returning it.

import { useState } from 'react'
import type { DeviceDetail } from '../api.ts'
import type { Target } from '../api-lifecycle.ts'
import { useConsole } from '../console.tsx'
import { isEngineer, useHandling } from '../handling.ts'
import { useSay } from '../words.ts'
import { isSame, TakeOutForm, targetOf, useWindows, Windows } from './service-windows.tsx'

export function DeviceService({ device }: { device: DeviceDetail }) {
  const handling = useHandling()
  const say = useSay()
  const { person } = useConsole()
  const { value, reload } = useWindows()
  const [open, setOpen] = useState(false)
  const own: Target = { kind: 'device', id: device.id }
  const around: Target[] = [own]
  if (device.area !== null) around.push({ kind: 'area', id: device.area })
  if (device.site !== null) around.push({ kind: 'site', id: device.site })
  const windows = (value?.items ?? []).filter((window) => around.some((target) => isSame(target, targetOf(window))))
  const names = {
    device: say(device.name, device.id),
    area: say(device.areaName, device.area ?? ''),
    site: say(device.siteName, device.site ?? '')
  }
  return (
    <section className="device-service" aria-label={handling.states.windows}>
      {windows.length > 0 && <Windows windows={windows} nameOf={({ kind }) => names[kind]} onDone={reload} />}
      {isEngineer(person.role) && (
        <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {handling.states.takeOut}
        </button>
      )}
      {open && (
        <TakeOutForm
          target={own}
          onDone={() => {
            setOpen(false)
            reload()
          }}
        />
      )}
    </section>
  )
}
