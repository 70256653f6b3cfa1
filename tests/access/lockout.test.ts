import { describe, expect, it } from 'vitest'
import { Lockout, network } from '../../src/access/lockout.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'

const MINUTE = 60_000

function failing(lockout: Lockout, times: number, user = 'li', address = '10.0.0.1'): boolean[] {
  return Array.from({ length: times }, () => lockout.attempt(user, address))
}

describe('lock-out', () => {
  it('begins with the fifth failure, doubles with each further one, and ends at a quarter of an hour', () => {
    const clock = new ManualClock(1_000_000)
    const lockout = new Lockout(clock)
    expect(failing(lockout, 5)).toEqual([false, false, false, false, true])
    const waits: number[] = []
    for (let more = 0; more < 6; more++) {
      waits.push(lockout.waitMs('li', '10.0.0.1') / MINUTE)
      clock.moveTo(clock.now() + lockout.waitMs('li', '10.0.0.1'))
      expect(lockout.waitMs('li', '10.0.0.1')).toBe(0)
      lockout.attempt('li', '10.0.0.1')
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15])
  })

  it('is about one user at one address', () => {
    const lockout = new Lockout(new ManualClock(0))
    failing(lockout, 5)
    expect(lockout.waitMs('li', '10.0.0.1')).toBe(MINUTE)
    expect(lockout.waitMs('wang', '10.0.0.1')).toBe(0)
    expect(lockout.waitMs('li', '10.0.0.2')).toBe(0)
  })

  it('is about a whole address after fifty failures with any names', () => {
    const lockout = new Lockout(new ManualClock(0))
    for (let user = 0; user < 49; user++) lockout.attempt(`user${user}`, '10.0.0.1')
    expect(lockout.waitMs('wang', '10.0.0.1')).toBe(0)
    lockout.attempt('user49', '10.0.0.1')
    expect(lockout.waitMs('wang', '10.0.0.1')).toBe(MINUTE)
    expect(lockout.waitMs('wang', '10.0.0.2')).toBe(0)
  })

  it('forgets', () => {
    const clock = new ManualClock(0)
    const lockout = new Lockout(clock)
    failing(lockout, 4)
    clock.moveTo(LIMITS.access.failureMemoryMs + LIMITS.access.longestLockMs + 1)
    expect(failing(lockout, 4)).toEqual([false, false, false, false])
  })

  it('starts anew after a success, but the address keeps what it failed with others', () => {
    const lockout = new Lockout(new ManualClock(0))
    for (let user = 0; user < 49; user++) lockout.attempt(`user${user}`, '10.0.0.1')
    lockout.attempt('li', '10.0.0.1')
    lockout.succeeded('li', '10.0.0.1')
    expect(lockout.waitMs('li', '10.0.0.1')).toBe(0)
    lockout.attempt('user1', '10.0.0.1')
    expect(lockout.waitMs('li', '10.0.0.1')).toBe(MINUTE)
  })

  it('counts what was not tried as nothing', () => {
    const lockout = new Lockout(new ManualClock(0))
    failing(lockout, 5)
    lockout.takeBack('li', '10.0.0.1')
    expect(lockout.waitMs('li', '10.0.0.1')).toBe(0)
    expect(lockout.attempt('li', '10.0.0.1')).toBe(true)
  })

  it('remembers a bounded number of pairs, the ones used last', () => {
    const lockout = new Lockout(new ManualClock(0))
    failing(lockout, 5, 'early', '10.0.0.1')
    for (let place = 0; place < LIMITS.access.failureEntries / 2 - 1; place++) lockout.attempt('li', `10.${place >> 8}.${place & 255}.9`)
    expect(lockout.waitMs('early', '10.0.0.1')).toBe(MINUTE)
    lockout.attempt('li', '11.0.0.1')
    expect(lockout.waitMs('early', '10.0.0.1')).toBe(0)
  })

  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002:ffff::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', '']
  ])('takes %s for %s', (address, expected) => {
    expect(network(address)).toBe(expected)
  })
})
