// What health says of a clock that was set back.

import { expect, it } from 'vitest'
import { clockParts } from '../../src/app/clockHealth.ts'
import { faultWords } from '../../src/app/faultWords.ts'
import { SystemClock } from '../../src/platform/clock.ts'

it('says by how much we are ahead of a clock that was set back, since when, and for how long yet; then nothing any more', () => {
  const at = Date.UTC(2026, 0, 1, 8)
  let wall = at
  let monotonic = 0
  const clock = new SystemClock(
    () => wall,
    () => monotonic
  )
  const pass = (ms: number): void => {
    wall += ms
    monotonic += ms
    clock.now()
  }
  clock.now()
  expect(clockParts(clock)).toEqual([])
  wall -= 500
  expect([clock.ahead?.ms, clockParts(clock)]).toEqual([500, []])
  pass(1_000)
  expect(clock.ahead).toBeNull()
  wall -= 120_000
  const set = wall
  clock.now()
  pass(20_000)
  expect([clock.now(), clock.ahead]).toEqual([at + 500 + 10_000, { ms: 110_000, since: set }])
  const [part] = clockParts(clock)
  expect(part).toEqual({
    part: 'clock',
    state: 'degraded',
    problem:
      'The clock of this machine was set back: the service is 1m50s ahead of it (noticed at 2026-01-01T07:58:00Z by the new time) and counts at half speed until both agree, in about 3m40s. Until then whatever is due at a time comes late, steps of ladders too: call people yourself where it cannot wait. Check that NTP keeps the clock.'
  })
  expect(faultWords('clock', part?.problem ?? '', 'zh').name).toBe('系统时钟')
  pass(220_000)
  expect([clock.ahead, clockParts(clock)]).toEqual([null, []])
})
