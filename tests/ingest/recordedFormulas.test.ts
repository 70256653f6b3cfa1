import { describe, expect, it } from 'vitest'
import { bindFormula } from '../../src/ingest/recorded/formula.ts'
import { countReader, isoReader, patternReader, type TimeReader, zoneReader } from '../../src/ingest/recorded/times.ts'

const names = ['LEVEL', 'T1', 'Cable 1', 'a-b', 'P_2.x', '液位']
const columns = new Map(names.map((name, i) => [name, i]))
const row = Float64Array.of(4, 21.5, 100, 7, 0.5, Number.NaN)

function compute(text: string): number | string {
  const bound = bindFormula(text, columns)
  return 'problem' in bound ? `${bound.offset}: ${bound.problem}` : bound.compute(row)
}

describe('a formula', () => {
  it.each([
    ['LEVEL', 4],
    [' LEVEL ', 4],
    ['Cable 1', 100],
    ['a-b', 7],
    ['LEVEL * 20', 80],
    ['LEVEL*20+T1', 101.5],
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['10 - 4 - 3', 3],
    ['100 / 10 / 2', 5],
    ['-LEVEL + 1', -3],
    ['2 * -T1', -43],
    ['- (1 - 2)', 1],
    ['"Cable 1" + 273.15', 373.15],
    ['"a-b" * 1e3', 7000],
    ['P_2.x / .5', 1],
    ['1.5e-3', 0.0015],
    ['液位 + 1', Number.NaN],
    ['LEVEL / 0', Number.POSITIVE_INFINITY]
  ])('%s is %d', (text, value) => expect(compute(text)).toBe(value))

  it.each([
    ['LEVELL * 2', '0: there is no column LEVELL; did you mean LEVEL?'],
    ['2 * level', '4: there is no column level; did you mean LEVEL?'],
    ['Cable 1 * 2', '0: there is no column Cable'],
    ['LEVEL +', '7: the expression ends where a column or a number is expected'],
    ['(LEVEL', '0: a parenthesis is not closed'],
    ['LEVEL)', '5: ")" is not expected here'],
    ['LEVEL 3', '6: "3" is not expected here'],
    ['LEVEL % 2', '6: "%" cannot stand in an expression'],
    ['* 2', '0: "*" stands where a column or a number is expected'],
    ['', '0: the expression ends where a column or a number is expected'],
    ['process.exit(1)', '0: there is no column process.exit'],
    [`${'('.repeat(100)}1${')'.repeat(100)}`, '50: the expression is nested too deeply']
  ])('%s is refused with a place', (text, problem) => expect(compute(text)).toBe(problem))
})

describe('a time', () => {
  const shanghai = zoneReader('Asia/Shanghai')!
  const berlin = zoneReader('Europe/Berlin')!
  const utc = zoneReader('UTC')!
  const at = (text: string): number => Date.parse(text)

  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00.123Z'],
    ['2026-01-01 08:00:00+08:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T08:00+08', '2026-01-01T00:00:00Z'],
    ['2025-12-31T19:00:00-0500', '2026-01-01T00:00:00Z'],
    ['2026-01-01 08:00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01', '2025-12-31T16:00:00Z']
  ])('iso %s in Asia/Shanghai', (text, instant) => expect(isoReader(shanghai)(text)).toBe(at(instant)))

  it.each(['2026-02-30', '2026-01-01T24:00', '2026-01-01T00:60', '20260101', 'yesterday', '', '2026-1-1'])('iso %s is none', (text) =>
    expect(isoReader(utc)(text)).toBe(null)
  )

  it('of summer and winter, repeated and skipped', () => {
    const read = isoReader(berlin)
    expect(read('2026-07-01 12:00')).toBe(at('2026-07-01T10:00Z'))
    expect(read('2026-12-01 12:00')).toBe(at('2026-12-01T11:00Z'))
    expect(read('2026-10-25 02:30')).toBe(at('2026-10-25T00:30Z'))
    expect(read('2026-10-25 03:30')).toBe(at('2026-10-25T02:30Z'))
    expect(read('2026-03-29 02:30')).toBe(at('2026-03-29T01:30Z'))
    expect(read('2026-03-29 03:30')).toBe(at('2026-03-29T01:30Z'))
    expect(isoReader(zoneReader('Asia/Kathmandu')!)('2026-01-01 05:45')).toBe(at('2026-01-01T00:00Z'))
    expect(zoneReader('Mars/Olympus')).toBe(null)
  })

  it('counted from an origin', () => {
    expect(countReader(1000, 0)('1767225600.25')).toBe(1767225600250)
    expect(countReader(1, 0)('1767225600000')).toBe(1767225600000)
    expect(countReader(1000, at('2026-01-01T00:00Z'))('-147')).toBe(at('2026-01-01T00:00Z') - 147_000)
    expect(countReader(1000, 0)('1.12E+02')).toBe(112_000)
    for (const text of ['', 'abc', '1e400', '0x10', '1,5', '9e300']) expect(countReader(1000, 0)(text)).toBe(null)
  })

  it.each([
    ['yyyy-MM-dd HH:mm:ss', '2013-12-16 15:40:00', '2013-12-16T15:40:00Z'],
    ['dd/MM/yy HH', '04/01/17 00', '2017-01-04T00:00:00Z'],
    ['d.M.yyyy H:mm', '4.1.2017 9:05', '2017-01-04T09:05:00Z'],
    ["yyyyMMdd'T'HHmmss.SSS", '20170104T090503.250', '2017-01-04T09:05:03.250Z'],
    ['MM/dd/yy', '01/04/99', '1999-01-04T00:00:00Z']
  ])('of the pattern %s: %s', (pattern, text, instant) => {
    const read = patternReader(pattern, utc) as TimeReader
    expect(read(text)).toBe(at(instant))
    expect(read(`${text} `)).toBe(null)
    expect(read('')).toBe(null)
  })

  it('of a pattern that is none', () => {
    expect(patternReader('yyyy-MM-DD', utc)).toBe('"DD" is no part of a time pattern; use yyyy, yy, MM, M, dd, d, HH, H, mm, m, ss, s, SSS')
    expect(patternReader('HH:mm', utc)).toBe('the time pattern has no year, no month, no day')
    expect((patternReader('dd/MM/yy', utc) as TimeReader)('31/02/26')).toBe(null)
  })
})
