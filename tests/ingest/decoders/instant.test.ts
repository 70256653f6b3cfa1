import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lacksOffset, parseInstant } from '../../../src/ingest/decoders/instant.ts'

describe('an instant', () => {
  it.each([
    ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
    ['2026-01-01T00:00Z', Date.UTC(2026, 0, 1)],
    ['2026-01-01T08:00:00+08:00', Date.UTC(2026, 0, 1)],
    ['2026-01-01T08:00:00+0800', Date.UTC(2026, 0, 1)],
    ['2025-12-31T19:30:00.5-04:30', Date.UTC(2026, 0, 1, 0, 0, 0, 500)],
    ['2026-01-01t00:00:00,123456789z', Date.UTC(2026, 0, 1, 0, 0, 0, 123)],
    ['2026-01-01T00:00:00.999999Z', Date.UTC(2026, 0, 1, 0, 0, 0, 999)],
    ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['1970-01-01T00:00:00Z', 0],
    ['2262-04-11T23:47:16Z', Date.UTC(2262, 3, 11, 23, 47, 16)]
  ])('%s is %d', (text, at) => expect(parseInstant(text)).toBe(at))

  it.each([
    '',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-1-1T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '0050-01-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01 00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z ',
    '+002026-01-01T00:00:00Z',
    '1767225600000',
    'Thu, 01 Jan 2026 00:00:00 GMT'
  ])('%j is none', (text) => expect(parseInstant(text)).toBeNull())

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          expect(parseInstant(date.toISOString())).toBe(date.getTime())
        }
      )
    )
  })

  it('is known by its shape where only the offset is missing', () => {
    for (const text of ['2026-01-01', '2026-01-01 08:00', '2026-01-01T08:00:00.5']) expect(lacksOffset(text)).toBe(true)
    for (const text of ['now', '2026-01-01T08:00:00Z', '01.01.2026']) expect(lacksOffset(text)).toBe(false)
  })
})
