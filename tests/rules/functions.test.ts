import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/rules/engine.ts'
import { average, extreme, minutesTo, Ring } from '../../src/rules/windows.ts'
import { PROFILE, rule, World } from './world.ts'

const on = (when: string, extra: { for?: string; clear?: string } = {}): World => new World([rule({ tiers: { red: { when, ...extra } } })])

describe('delta and rate', () => {
  it('compares with the value held at the beginning of the window', () => {
    const world = on("delta(a, '30s') >= 10")
    world.say(0, { a: 1 }).say(20, { a: 11 })
    expect(world.turns).toEqual([])
    // At 0:30 the window begins with the 1 of 0:00; at 0:50 with the 11 of 0:20.
    expect(world.pass(200).log).toEqual(['30 r/D clear -> red: delta(a, 30s) 10 >= 10', '50 r/D red -> clear: delta(a, 30s) 0 < 10'])
  })

  it('is unknown where the value then, or now, is', () => {
    const world = on("delta(a, '30s') >= 0").say(0, { a: null }).say(10, { a: 1 }).pass(35)
    expect(world.turns).toEqual([])
    expect(world.say(39, { a: null }).pass(41).turns).toEqual([])
    expect(world.say(42, { a: 2 }).turns).toEqual(['42 r/D clear -> red'])
  })

  it('forgets a value after silentAfter also when looking back', () => {
    // Silence from 0:00 to 2:00: what was held at 1:30 is unknown (silentAfter is 60 s).
    expect(on("delta(a, '30s') > 0").say(0, { a: 1 }).say(120, { a: 5 }).pass(300).turns).toEqual([])
    expect(on("delta(a, '30s') > 0").say(0, { a: 1 }).say(90, { a: 5 }).turns).toEqual(['90 r/D clear -> red'])
  })

  it('gives the change per minute', () => {
    expect(on("rate(a, '30s') > 3").say(0, { a: 1 }).say(30, { a: 3 }).log).toEqual(['30 r/D clear -> red: rate(a, 30s) 4 > 3'])
  })
})

describe('avg, min, max', () => {
  it('are over the good samples of the window, the one at its beginning no longer', () => {
    const world = on("avg(a, '30s') > 5").say(0, { a: 9 }).say(10, { a: 3 }).say(20, { a: 3 })
    expect(world.log).toEqual(['0 r/D clear -> red: avg(a, 30s) 9 > 5', '20 r/D red -> clear: avg(a, 30s) 5 <= 5'])
    world.say(30, { a: 9.6 })
    expect(world.log[2]).toBe('30 r/D clear -> red: avg(a, 30s) 5.2 > 5')
  })

  it('are judged when the device reports', () => {
    const world = on("max(a, '10s') > 5").say(0, { a: 9 }).pass(55)
    expect(world.turns).toEqual(['0 r/D clear -> red'])
    expect(world.say(56, { a: 1 }).log[1]).toBe('56 r/D red -> clear: max(a, 10s) 1 <= 5')
  })

  it('are unknown without a sample in the window, and while the metric is', () => {
    expect(on("min(a, '10s') < 5").say(0, { a: 9 }).say(20, { b: 1 }).turns).toEqual([])
    const faulty = on("min(a, '30s') < 5").say(0, { a: 9 }).say(10, { a: 2 })
    expect(faulty.say(20, { a: null }).say(45, { a: null }).turns).toEqual(['10 r/D clear -> red'])
    expect(faulty.say(46, { a: 7 }).turns).toEqual(['10 r/D clear -> red', '46 r/D red -> clear'])
  })
})

describe('timeTo', () => {
  it('is the minutes until the fitted line reaches the limit', () => {
    const world = on("timeTo(a, 100, '10m') <= 2")
    for (const at of [0, 30, 60, 90]) world.say(at, { a: at })
    // One per second: from 90 it takes 10 s.
    expect(world.log).toEqual(['30 r/D clear -> red: timeTo(a, 100, 10m) 1.16666666667 <= 2'])
  })

  it('is infinite where the line leads away, and unknown with one sample', () => {
    expect(on("timeTo(a, 100, '10m') > 1000000").say(0, { a: 5 }).turns).toEqual([])
    expect(on("timeTo(a, 100, '10m') > 1000000").say(0, { a: 5 }).say(10, { a: 4 }).log).toEqual([
      '10 r/D clear -> red: timeTo(a, 100, 10m) Infinity > 1000000'
    ])
    expect(on("timeTo(a, limits.high, '10m') < 60").say(0, { a: 5 }).say(10, { a: 5 }).turns).toEqual([])
  })
})

describe('stuck', () => {
  it('turns at the instant at which the value has not changed for the window', () => {
    const world = on("stuck(a, '30s')").say(0, { a: 1 }).say(7, { a: 2 }).say(20, { a: 2 })
    expect(world.pass(36).turns).toEqual([])
    expect(world.pass(60).log).toEqual(['37 r/D clear -> red: a 2 unchanged for 30s'])
    expect(world.say(61, { a: 2.5 }).log[1]).toBe('61 r/D red -> clear: a 2.5 has changed')
  })

  it('takes the stuckAfter of the metric', () => {
    expect(on('stuck(b)').say(0, { b: 1 }).pass(60).log).toEqual(['30 r/D clear -> red: b 1 is stuck'])
  })

  it('is unknown while the value is', () => {
    expect(on("stuck(a, '70s')").say(0, { a: 1 }).pass(300).turns).toEqual([])
    expect(on("stuck(a, '70s')").say(0, { a: 1 }).say(65, { a: null }).pass(100).say(101, { a: 1 }).turns).toEqual(['101 r/D clear -> red'])
  })
})

describe('silent, faulty, out of range, clock wrong', () => {
  it('is silent by our clock, at an instant of the device line', () => {
    const world = on("silent('90s')").say(0, { a: 1 }, 'D', { received: 7 }).pass(96)
    expect(world.turns).toEqual([])
    expect(world.pass(97).log).toEqual(['90 r/D clear -> red: nothing received for 1m30s'])
    expect(world.say(100, {}, 'D', { received: 107 }).log[1]).toBe('100 r/D red -> clear: received within 1m30s')
  })

  it('acts before time at one instant', () => {
    expect(on("silent('90s')").say(0, { a: 1 }).say(90, { a: 1 }).pass(179).turns).toEqual([])
  })

  it('knows several silences of one device', () => {
    const world = new World([rule({ tiers: { yellow: { when: "silent('20s')" }, red: { when: "silent('60s')" } } })])
    expect(world.say(0, {}).pass(100).turns).toEqual(['20 r/D clear -> yellow', '60 r/D yellow -> red'])
  })

  it('is faulty while the held value is bad or out of range', () => {
    const world = on('faulty(a)').say(0, { a: 1 }).say(1, { a: null }).say(2, { a: 1 }).say(3, { a: 9999 }).say(4, { b: 1 })
    expect(world.log).toEqual(['1 r/D clear -> red: a is faulty', '2 r/D red -> clear: a is not faulty', '3 r/D clear -> red: a is faulty'])
    expect(world.pass(500).turns.length).toBe(3)
  })

  it('tells a value out of range from one that the device calls bad', () => {
    const world = on('outOfRange(a)').say(0, { a: 1001 }).say(1, { a: null }).say(2, { a: -1001 }).say(3, { a: -1000 })
    expect(world.log).toEqual([
      '0 r/D clear -> red: a is out of range',
      '1 r/D red -> clear: a is not out of range',
      '2 r/D clear -> red: a is out of range',
      '3 r/D red -> clear: a is not out of range'
    ])
    // Once nothing is held, nothing is known.
    expect(on('outOfRange(a)').say(0, { a: 1001 }).pass(61).say(70, { b: 1 }).turns.length).toBe(1)
    expect(on('!outOfRange(a)').say(0, { b: 1 }).say(1, { b: 2 }).turns).toEqual([])
  })

  it('believes a clock until a time stamp cannot be believed, and again with the next that can', () => {
    const wrong = { clockWrong: true }
    const world = on('clockWrong()', { for: '20s' }).say(0, {}).say(10, { a: 1 }, 'D', wrong).say(20, { a: 1 }, 'D', wrong)
    expect(world.pass(29).turns).toEqual([])
    expect(world.pass(30).log).toEqual(['30 r/D clear -> red: its clock is wrong for 20s'])
    expect(world.say(35, { b: 1 }).log[1]).toBe('35 r/D red -> clear: its clock is right, or it has none')
  })

  it('knows nothing of the clock of a device that is silent, gone with its gateway, or has never reported', () => {
    const wrong = { clockWrong: true }
    expect(on('clockWrong()', { for: '70s' }).say(0, {}, 'D', wrong).pass(500).turns).toEqual([])
    expect(on('clockWrong()', { for: '10s' }).say(0, {}, 'D', wrong).offline(5).pass(500).turns).toEqual([])
    const right = on('!clockWrong()').pass(100)
    expect(right.turns).toEqual([])
    expect(right.say(101, {}).turns).toEqual(['101 r/D clear -> red'])
  })

  it('keeps what it knows of clocks over a restart', () => {
    const world = on('clockWrong()', { for: '20s' }).say(0, {}, 'D', { clockWrong: true })
    world.engine = Engine.restore(world.fleet, structuredClone(world.engine.snapshot()))
    expect(world.pass(20).turns).toEqual(['20 r/D clear -> red'])
    expect('clock' in on('a > 1').engine.snapshot().arrays).toBe(false)
  })
})

describe('expressions', () => {
  const cases: [when: string, values: Record<string, number | null>, reason: string | null][] = [
    ['a > 1 && b > 1', { a: 2, b: 3 }, 'a 2 > 1 and b 3 > 1'],
    ['a > 1 || b > 1', { a: 2, b: 0 }, 'a 2 > 1'],
    ['!(a > 1)', { a: 1 }, 'a 1 <= 1'],
    ['a > b + 1', { a: 5, b: 3 }, 'a 5 > (b + 1) 4'],
    ['a - b > limits.high - 80', { a: 9, b: 1 }, '(a - b) 8 > 5'],
    ['5 < a', { a: 6 }, '5 < a 6'],
    ['a in [1, 2, 3]', { a: 2 }, 'a 2 in [1, 2, 3]'],
    ['!(a in [1, 2, 3])', { a: 4 }, 'a 4 not in [1, 2, 3]'],
    ['a in [1, b]', { a: 1 }, 'a 1 in [1, b unknown]'],
    ['a in [1, b]', { a: 2 }, null],
    ['a > 0 ? b > 5 : b > 50', { a: 1, b: 6 }, 'a 1 > 0 and b 6 > 5'],
    ['a > 0 ? b > 5 : b > 50', { a: -1, b: 6 }, null],
    ['a > 0 ? b > 5 : b > 4', { b: 6 }, 'b 6 > 5'],
    ['(a > 0 ? 1 : 2) == 2', { a: -1 }, '(1 or 2) 2 == 2'],
    ['abs(a) >= 3', { a: -3 }, 'abs(a) 3 >= 3'],
    ['-a > 3', { a: -4 }, '-a 4 > 3'],
    ['a * 2 / 4 + 1 >= 3', { a: 4 }, '(((a * 2) / 4) + 1) 3 >= 3'],
    ['a % 2 == 1', { a: 3 }, '(a % 2) 1 == 1'],
    ['a == 0.1 + 0.2', { a: 0.3 }, null],
    ['a != 1', { a: 2 }, 'a 2 != 1'],
    ['(a > 1) == (b > 1)', { a: 0, b: 0 }, 'a 0 <= 1 and b 0 <= 1'],
    ['(a > 1) != (b > 1)', { a: 2, b: 0 }, 'a 2 > 1 and b 0 <= 1'],
    ['(a > 1) != (b > 1)', { a: 2 }, null],
    ['faulty(a) == true', { a: null }, 'a is faulty and true'],
    ['a / b > 1', { a: 1, b: 0 }, '(a / b) Infinity > 1'],
    ['a / b > 1', { a: 0, b: 0 }, null],
    ['a > 1 && (b > 1 && level_pct > 1)', { a: 2, b: 2, level_pct: 2 }, 'a 2 > 1 and b 2 > 1 and level_pct 2 > 1'],
    ['level_pct >= limits.high', { level_pct: 85 }, 'level_pct 85 >= 85'],
    ['level_pct < limits.high', { level_pct: 84.99 }, 'level_pct 84.99 < 85'],
    ['level_pct <= limits.high', { level_pct: 85 }, 'level_pct 85 <= 85'],
    ['a >= 1', { a: 1 }, 'a 1 >= 1'],
    ['a < 1', { a: 0.9999999 }, 'a 0.9999999 < 1'],
    ['a <= 1', { a: 1 }, 'a 1 <= 1']
  ]
  it.each(cases)('%s with %o', (when, values, reason) => {
    // Each without its exit: some of these conditions have none.
    const world = on(when, { clear: 'level_pct > 109' }).say(0, values)
    expect(world.log).toEqual(reason === null ? [] : [`0 r/D clear -> red: ${reason}`])
  })
})

describe('the ring', () => {
  it('keeps the window and the sample before it', () => {
    const ring = new Ring(10)
    for (let at = 0; at <= 100; at++) ring.push(at, at)
    expect([ring.count, ring.at(0), ring.at(ring.count - 1)]).toEqual([11, 90, 100])
    expect([ring.heldAt(90, 5), ring.heldAt(89, 5), ring.heldAt(95.5, 5), ring.heldAt(106, 5)]).toEqual([90, Number.NaN, 95, Number.NaN])
    expect([average(ring, 90, 100), extreme(ring, 90, 100, 1), extreme(ring, 90, 100, -1)]).toEqual([95.5, 91, 100])
    expect(minutesTo(ring, 90, 100, 160)).toBeCloseTo(60 / 60_000, 12)
  })

  it('is bounded: denser samples are thinned evenly, the newest stay', () => {
    const ring = new Ring(100_000, 64)
    for (let at = 0; at <= 100_000; at++) ring.push(at, at)
    expect(ring.count).toBeLessThanOrEqual(64)
    expect(ring.at(ring.count - 1)).toBe(100_000)
    let widest = 0
    for (let i = 1; i < ring.count; i++) widest = Math.max(widest, ring.at(i) - ring.at(i - 1))
    expect(widest).toBeLessThan(10_000)
  })

  it('is not kept for what no rule looks back on', () => {
    const world = new World([rule({ tiers: { red: { when: "delta(a, '30s') > 1" } } })])
    expect(world.engine.snapshot().rings.counts.length).toBe(1)
    expect(PROFILE.metrics.length).toBe(3)
  })
})
