// The service's clock as far as this browser knows it: an operator's own clock may be wrong, ages must not be.

import { useSyncExternalStore } from 'react'

let aheadMs = 0
const watchers = new Set<() => void>()
let ticking: number | undefined

/** Takes over the service's time from a beat. */
export function setServerTime(at: number): void {
  aheadMs = at - Date.now()
}

/** The service's time now, epoch ms. */
export const serverNow = (): number => Date.now() + aheadMs

function follow(changed: () => void): () => void {
  watchers.add(changed)
  ticking ??= window.setInterval(() => {
    for (const watcher of watchers) watcher()
  }, 1000)
  return () => {
    watchers.delete(changed)
    if (watchers.size > 0) return
    window.clearInterval(ticking)
    ticking = undefined
  }
}

/** A text or verdict that depends on the time; looked at every second, drawn again only when it has changed. */
export function useTimed<T extends string | number | boolean | null>(look: (now: number) => T): T {
  return useSyncExternalStore(follow, () => look(serverNow()))
}
