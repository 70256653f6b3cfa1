// A device's values with the time each was heard, kept fresh by the live link, and how far each may be trusted.
// Invariant: a value is never shown as good once it is older than its device's silentAfter or the link is lost.

import { useEffect, useState } from 'react'
import type { Device, DeviceState, DeviceValue, Quality } from './api.ts'
import { serverNow } from './clock.ts'
import { useConsole } from './console.tsx'
import type { DeviceChange, LiveReading } from './live.ts'

export interface HeldValue extends DeviceValue {
  /** When its device was heard with it, epoch ms by the service's clock. */
  readonly heardAt: number | null
}

export interface Held<D extends Device> {
  readonly device: D
  readonly state: DeviceState
  readonly heardAt: number | null
  readonly values: readonly HeldValue[]
}

/** Anything but these may not be taken for the present state: it is drawn hatched, with its word. */
export type Trust = Quality | 'stale' | 'offline' | 'never' | 'link'
const USABLE: ReadonlySet<Trust> = new Set<Trust>(['good', 'clockSkewed', 'late'])
export const isUsable = (trust: Trust): boolean => USABLE.has(trust)

/** Takes an answer of the service, just read. */
export function hold<D extends Device>(device: D): Held<D> {
  const now = serverNow()
  const heard = (ageMs: number | null): number | null => (ageMs === null ? null : now - ageMs)
  return {
    device,
    state: device.state,
    heardAt: heard(device.ageMs),
    values: device.values.map((value) => ({ ...value, heardAt: heard(value.ageMs) }))
  }
}

function withReading<D extends Device>(held: Held<D>, reading: LiveReading): Held<D> {
  const heardAt = Date.parse(reading.receivedAt)
  const usual = reading.values.filter((value) => value.quality !== 'late')
  const newest = Math.max(...usual.map(({ at }) => Date.parse(at)))
  const fresh = new Map(usual.map((value) => [value.metric, value]))
  const values = held.values.map((value) => {
    const said = fresh.get(value.metric)
    if (said === undefined) return value
    // The message holds the last value of every metric: one that was not reported this time is as old as its own time says.
    return { ...value, value: said.value, at: said.at, quality: said.quality, heardAt: heardAt - (newest - Date.parse(said.at)) }
  })
  return { ...held, state: 'online', heardAt: Math.max(heardAt, held.heardAt ?? 0), values }
}

function withChange<D extends Device>(held: Held<D>, change: DeviceChange): Held<D> {
  const heardAt = change.lastReceivedAt === null ? held.heardAt : Date.parse(change.lastReceivedAt)
  return { ...held, state: change.state, heardAt }
}

/** The state of a device now: silence is noticed by the clock, without waiting to be told. */
export function stateNow<D extends Device>(held: Held<D>, now: number): DeviceState {
  if (held.state !== 'online') return held.state
  if (held.heardAt === null) return 'never'
  return now - held.heardAt > held.device.silentAfterMs ? 'silent' : 'online'
}

/** How far a value may be trusted now. */
export function trustOf<D extends Device>(held: Held<D>, value: HeldValue, now: number, linkLost: boolean): Trust {
  if (value.quality === null || value.heardAt === null) return 'never'
  if (linkLost) return 'link'
  if (held.state === 'offline') return 'offline'
  if (now - value.heardAt > held.device.silentAfterMs) return 'stale'
  return value.quality
}

const TOGETHER_MS = 250

/** The given devices, kept fresh while mounted; what the link says is applied a few times a second, not per message. */
export function useHeld<D extends Device>(devices: readonly D[] | null): readonly Held<D>[] {
  const { link } = useConsole()
  const [held, setHeld] = useState<readonly Held<D>[]>([])
  useEffect(() => {
    setHeld((devices ?? []).map(hold))
    if (devices === null || devices.length === 0) return
    const wanted = new Set(devices.map(({ id }) => id))
    let waiting: ((held: Held<D>) => Held<D>)[] = []
    const steps = new Map<string, typeof waiting>()
    const apply = (): void => {
      if (steps.size === 0) return
      const taken = new Map(steps)
      steps.clear()
      setHeld((before) => before.map((one) => (taken.get(one.device.id) ?? []).reduce((next, step) => step(next), one)))
    }
    const add = (id: string, step: (held: Held<D>) => Held<D>): void => {
      if (!wanted.has(id)) return
      waiting = steps.get(id) ?? []
      waiting.push(step)
      steps.set(id, waiting)
    }
    const release = [
      link.watch([...wanted]),
      link.on('reading', (reading) => add(reading.device, (one) => withReading(one, reading))),
      link.on('device', (change) => add(change.device, (one) => withChange(one, change)))
    ]
    const timer = window.setInterval(apply, TOGETHER_MS)
    return () => {
      window.clearInterval(timer)
      for (const done of release) done()
    }
  }, [devices, link])
  return held
}
