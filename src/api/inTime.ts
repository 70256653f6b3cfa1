// Waiting, but not for ever.

import type { Clock } from '../platform/clock.ts'

/** What the promise brings, or 'late' once `ms` have passed; the promise itself goes on. */
export async function inTime<Value>(promise: Promise<Value>, ms: number, clock: Clock): Promise<Value | 'late'> {
  let expire = (): void => {}
  const late = new Promise<'late'>((resolve) => {
    expire = () => resolve('late')
  })
  const timer = clock.after(ms, expire)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.cancel()
  }
}
