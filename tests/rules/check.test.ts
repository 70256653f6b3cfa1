import { describe, expect, it } from 'vitest'
import { numberFleet } from '../../src/model/fleet.ts'
import type { Metric } from '../../src/model/plant.ts'
import { compileRules } from '../../src/rules/compile.ts'
import { type DeviceText, PROFILE, plantOf, type RuleText, rule } from './world.ts'

function problems(text: RuleText, devices?: readonly DeviceText[], profiles = [PROFILE]): string[] {
  const { problems: found } = compileRules(numberFleet(plantOf([rule(text)], devices, profiles)))
  return found.map(({ tier, field, offset, problem }) => `${tier} ${field}:${offset}: ${problem}`)
}

const red = (when: string, extra: { clear?: string; deadband?: number } = {}): string[] => problems({ tiers: { red: { when, ...extra } } })

describe('what a rule cannot say', () => {
  const cases: [when: string, offset: number, sentence: RegExp][] = [
    ['level > 5', 0, /profile tank has no metric level: its metrics are a, b, level_pct/],
    ['a > 1 && high > 5', 9, /profile tank has no metric high: did you mean limits.high\?/],
    ['a > limits.hi', 4, /device D has no limit hi/],
    ['a + 1', 0, /a condition is needed here, but a \+ 1 is a number/],
    ['a', 0, /a condition is needed here/],
    ['a && b > 1', 0, /a condition is needed here, but a is a number/],
    ["a > 'x'", 4, /a number is needed here, not a text/],
    ['a == true', 5, /booleans are stored as 1 and 0, so write 1/],
    ['(a > 1) + 1 > 0', 1, /a number is needed here, but a > 1 is a condition/],
    ['a > ', 4, /ends too early/],
    ['', 0, /empty/],
    ['a = 1', 2, /write ==/],
    ['a > 1 & b > 1', 6, /write &&/],
    ['a.matches("x")', 0, /matches is refused/],
    ['matches(a, "x")', 0, /matches is refused/],
    ['a.startsWith("x")', 0, /no function .startsWith\(\)/],
    ['sum(a) > 1', 0, /no function sum\(\); a rule may call delta, rate/],
    ["delta(a, '10') > 1", 9, /'10' is no duration/],
    ['delta(a, 10) > 1', 9, /duration with its unit in quotes/],
    ["delta(a + 1, '10m') > 1", 6, /metric's name is needed/],
    ['delta(a) > 1', 0, /delta is written delta\(metric, '10m'\)/],
    ["delta(a, '90d') > 1", 9, /too long: at most 31d/],
    ["silent('90s') > 1", 0, /is a condition/],
    ["delta(a, '10m')", 0, /is a number: compare it/],
    ['stuck(a)', 0, /say how long: stuck\(a, '6h'\)/],
    ['voted(2, a > 1)', 0, /needs `per: area`/],
    ['limits > 1', 0, /name one of the limits/],
    ['a.b > 1', 0, /only limits have parts/],
    ['a in b', 5, /in needs a list of numbers/],
    ['a[0] > 1', 0, /not part of the rule language/],
    ['[1].exists(x, x > a)', 0, /no function .exists/],
    ['a > null', 4, /not null/],
    ['a > 80u', 4, /write it plainly, such as 80/],
    ["a > limits['hi']", 4, /device D has no limit hi/],
    ['1 < a < 3', 0, /a number is needed here, but 1 < a is a condition/],
    ['package > 1', 0, /reserved identifier/i],
    ['a > 1e400', 4, /invalid number/i]
  ]
  it.each(cases)('%s', (when, offset, sentence) => {
    const found = red(when)
    expect(found.length).toBe(1)
    expect(found[0]).toMatch(sentence)
    expect(found[0]).toContain(`red when:${offset}:`)
  })

  it('names every problem of an expression at once', () => {
    expect(red("x > 1 && delta(a, 5) > 1 && a.matches('y')").length).toBe(2)
    expect(red('x > 1 && limits.y > z').length).toBe(3)
  })

  it('limits the size of an expression', () => {
    expect(red(`a > 1${' || a > 1'.repeat(300)}`)[0]).toMatch(/longer than 2000 characters/)
    expect(red(`${'('.repeat(900)}a > 1${')'.repeat(900)}`)[0]).toMatch(/nested deeper than 24 levels/)
    expect(red(`a in [${Array(51).fill('1').join(', ')}]`)[0]).toMatch(/too many parts/)
  })

  it('names the exit by its own field', () => {
    expect(red('a > 1', { clear: 'x < 1' })).toEqual(['red clear:0: profile tank has no metric x: its metrics are a, b, level_pct'])
  })
})

describe('deadband', () => {
  it('needs one comparison', () => {
    expect(red('a > 1 && b > 1', { deadband: 1 })[0]).toMatch(/red deadband:null: a deadband needs `when` to be one comparison/)
    expect(red('a == 1', { deadband: 1 })[0]).toMatch(/deadband/)
    expect(red('a > 1', { deadband: 1, clear: 'a < 0' })[0]).toMatch(/either clear or deadband/)
    expect(red('a > 1', { deadband: -1 })[0]).toMatch(/number from 0/)
  })
})

describe('what can never be', () => {
  it('finds limits out of reach', () => {
    expect(red('level_pct > 110')).toEqual(['red when:0: this can never be true for D (level_pct is known from 0 to 110)'])
    expect(red('level_pct >= 110')).toEqual([])
    expect(red("delta(level_pct, '10m') > 111")[0]).toMatch(/never be true/)
    expect(red("rate(level_pct, '10m') > 11.5")[0]).toMatch(/never be true/)
    expect(red('level_pct > 5 && level_pct < -1')[0]).toMatch(/never be true/)
  })

  it('finds exits that can never be met', () => {
    expect(red('level_pct > 10', { deadband: 11 })[0]).toMatch(
      /red deadband:null: this exit can never be true for D .*the alarm would stand for ever/
    )
    expect(red('level_pct > 10', { clear: 'level_pct < 0' })[0]).toMatch(/red clear:0: this exit can never be true/)
    expect(red('level_pct >= 0')[0]).toMatch(/the opposite of this can never be true/)
    expect(red('true')[0]).toMatch(/the opposite of this/)
    expect(red('a > 80', { clear: 'a > 85 && a < 82' })[0]).toMatch(/red clear:0: this exit can never be true/)
    expect(red('a > 80', { clear: 'a >= 85 && b < 3 && a < 85' })[0]).toMatch(/this exit can never be true/)
    expect(red('a > 80', { clear: 'a >= 85 && a <= 85' })).toEqual([])
    expect(red('a > 5 || a < 10')[0]).toMatch(/the opposite of this can never be true/)
    expect(red('a > 10 || a < 5')).toEqual([])
    expect(red('level_pct > 10', { deadband: 10 })).toEqual([])
  })

  it('looks at the limits of each device, and names the first', () => {
    const devices = [{ id: 'A' }, { id: 'B', limits: { high: 120 } }, { id: 'C', limits: { high: 120 } }]
    const found = problems({ tiers: { red: { when: 'level_pct > limits.high' } } }, devices)
    expect(found).toEqual(['red when:0: this can never be true for B (level_pct is known from 0 to 110)'])
  })

  it('counts who can vote', () => {
    const devices = [
      { id: 'A', area: 'x' },
      { id: 'B', area: 'x' }
    ]
    const vote = (when: string): string[] => problems({ per: 'area', tiers: { red: { when } } }, devices)
    expect(vote('voted(3, a > 1)')[0]).toMatch(/can never be true for area x with its 2 devices/)
    expect(vote('voted(2, a > 1)')).toEqual([])
    expect(vote('a > 1')[0]).toMatch(/write voted\(1, …\) around it/)
    expect(vote('voted(1, voted(1, a > 1))')[0]).toMatch(/inside voted/)
    expect(vote('voted(0, a > 1)')[0]).toMatch(/whole number from 1/)
    expect(vote('voted(2, a > 1) && !voted(1, faulty(a))')).toEqual([])
  })
})

describe('what can be judged, but was hardly meant so', () => {
  const stops = (text: RuleText, devices?: readonly DeviceText[]) => {
    const { problems: found, rules } = compileRules(numberFleet(plantOf([rule(text)], devices)))
    return { found: found.map(({ tier, field, offset, problem, stops }) => `${stops} ${tier} ${field}:${offset}: ${problem}`), rules }
  }

  it('a vote that some areas have too few members for', () => {
    const devices = [
      { id: 'A', area: 'x' },
      { id: 'B', area: 'x' },
      { id: 'C', area: 'y' }
    ]
    const { found, rules } = stops({ per: 'area', tiers: { red: { when: 'voted(2, a > 1)' } } }, devices)
    expect(found).toEqual(['nothing red when:0: this can never be true for area y with its only device'])
    expect(rules[0]?.tiers.length).toBe(1)
  })

  it('a rule that applies to no device', () => {
    const tiers = { red: { when: 'a > 1' } }
    expect(stops({ appliesTo: { labels: { medium: 'beer' } }, tiers }).found).toEqual([
      'check null appliesTo:null: rule r applies to no device: all that is given here must match'
    ])
    expect(stops({ per: 'area', tiers: { red: { when: 'voted(1, a > 1)' } } }).found[0]).toMatch(
      /applies to no device that lies in an area/
    )
    // A plant without any device gets them while it runs.
    expect(stops({ tiers }, []).found).toEqual([])
  })

  it('a lower tier above a higher one', () => {
    const order = (yellow: string, red: string, redFor = '0s') =>
      stops({ tiers: { yellow: { when: yellow }, red: { when: red, for: redFor } } }).found
    expect(order('a > 90', 'a > 80')).toEqual([
      'check red when:0: red is entered before yellow for D: the lower tier never shows; exchange their limits'
    ])
    expect(order('a < 10', '20 >= a').length).toBe(1)
    expect(order('a > limits.high_high', 'a > limits.high').length).toBe(1)
    for (const [yellow, red] of [
      ['a > 80', 'a > 80'],
      ['a > 80', 'a > 90'],
      ['a < 10', 'a < 5'],
      ['a > 90', 'b > 80'],
      ['a > 90', 'a < 80']
    ] as const) {
      expect(order(yellow, red)).toEqual([])
    }
    // 80 for ten minutes may well be worse than 90 for a moment.
    expect(order('a > 90', 'a > 80', '10m')).toEqual([])
  })

  it('numbers of different units', () => {
    const [a, b, level] = PROFILE.metrics as [Metric, Metric, Metric]
    const profile = { ...PROFILE, metrics: [{ ...a, unit: '°C' }, { ...b, unit: 'kPa' }, level] }
    const units = (when: string): string[] => problems({ tiers: { red: { when } } }, undefined, [profile])
    const sentence = 'the units do not fit: °C on one side, kPa on the other, in profile tank'
    expect(units('a > b')).toEqual([`red when:4: ${sentence}`])
    expect(units('a > 5 && abs(a - b) > 3')).toEqual([`red when:17: ${sentence}`])
    expect(units("max(a, '5m') - min(b, '5m') > 3").length).toBe(1)
    expect(units("timeTo(a, b, '5m') < 3").length).toBe(1)
    for (const fine of ['a > limits.high', 'a * b > 3', "a - min(a, '5m') > 3", "rate(a, '5m') > b", 'a > 1 || b > 1']) {
      expect(units(fine)).toEqual([])
    }
  })

  it('an exit that is met on the way in', () => {
    const exit = (when: string, clear: string) => stops({ tiers: { red: { when, clear } } }).found
    expect(exit('a > 80', 'a < 85')).toEqual([
      'check red clear:0: this exit can be met while the tier is being entered: the alarm of D would come and go'
    ])
    expect(exit('a > 80', 'a > 85').length).toBe(1)
    expect(exit('a > 80', 'a <= 80')).toEqual([])
    expect(exit('a >= 80', 'a <= 80')).toEqual([])
    expect(exit('a > 80', 'b < 85')).toEqual([])
  })
})

describe('what a rule applies to', () => {
  const devices = [
    { id: 'A', area: 'x', labels: { medium: 'methanol' } },
    { id: 'B', area: 'y', labels: { medium: 'water' } },
    { id: 'C', labels: { medium: 'methanol' } }
  ]
  const selected = (appliesTo: RuleText['appliesTo'], per: 'device' | 'area' = 'device'): string[] => {
    const when = per === 'area' ? 'voted(1, a > 1)' : 'a > 1'
    const fleet = numberFleet(plantOf([rule({ appliesTo: appliesTo ?? {}, per, tiers: { red: { when } } })], devices))
    return [...(compileRules(fleet).rules[0]?.devices ?? [])].map((number) => fleet.devices[number]!.id)
  }

  it('is what matches all that is given', () => {
    expect(selected({})).toEqual(['A', 'B', 'C'])
    expect(selected({ labels: { medium: 'methanol' } })).toEqual(['A', 'C'])
    expect(selected({ labels: { medium: 'methanol' }, area: 'x' })).toEqual(['A'])
    expect(selected({ devices: ['C', 'A'] })).toEqual(['A', 'C'])
    expect(selected({ site: 's', enterprise: 'e', profile: 'tank' })).toEqual(['A', 'B', 'C'])
    expect(selected({ profile: 'other' })).toEqual([])
    expect(selected({}, 'area')).toEqual(['A', 'B'])
  })

  it('leaves out a tier with a problem and keeps the others', () => {
    const fleet = numberFleet(plantOf([rule({ tiers: { blue: { when: 'a > 1' }, red: { when: 'nonsense' } } })]))
    const { rules, problems: found } = compileRules(fleet)
    expect(rules[0]?.tiers.map(({ tier }) => tier)).toEqual(['blue'])
    expect(found.length).toBe(1)
  })

  it('checks a rule for a profile without devices', () => {
    const spare = { ...PROFILE, id: 'spare', metrics: PROFILE.metrics.slice(0, 1) }
    const found = problems({ appliesTo: { profile: 'spare' }, tiers: { red: { when: 'b > 1' } } }, devices, [PROFILE, spare])
    expect(found[0]).toMatch(/profile spare has no metric b/)
  })
})
