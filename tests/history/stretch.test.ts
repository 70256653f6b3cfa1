import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundStretch, bucketCount, checkBuckets, LAST_INSTANT, smallestEvery } from '../../src/history/stretch.ts'

const instant = fc.integer({ min: 0, max: LAST_INSTANT })

test('the intervals that touch a stretch are counted, aligned to the epoch', () => {
  expect(bucketCount(0, 10_000, 1000)).toBe(10)
  expect(bucketCount(999, 1001, 1000)).toBe(2)
  expect(bucketCount(1000, 2000, 1000)).toBe(1)
  expect(bucketCount(5, 5, 1000)).toBe(0)
})

test('the shortest every fits, and one unit less does not', () => {
  fc.assert(
    fc.property(instant, fc.integer({ min: 1, max: 3e12 }), fc.integer({ min: 1, max: 10_000 }), (from, length, most) => {
      const every = smallestEvery(from, from + length, most)
      const unit = every > 1000 ? 1000 : 1
      expect(bucketCount(from, from + length, every)).toBeLessThanOrEqual(most)
      if (every > unit) expect(bucketCount(from, from + length, every - unit)).toBeGreaterThan(most)
    })
  )
})

test('what the refusal names is accepted', () => {
  expect(() => checkBuckets(0, 86_400_000, 1, 10_000)).toThrow('ask for every=9s or longer')
  expect(() => checkBuckets(0, 86_400_000, 9000, 10_000)).not.toThrow()
  expect(() => checkBuckets(0, 86_400_000, 8000, 10_000)).toThrow('10800 intervals')
  expect(() => checkBuckets(5, 5, 1, 0)).not.toThrow()
})

test('stretches are held within what can be stored, in whole milliseconds', () => {
  expect(boundStretch(-5, 1.5)).toEqual({ from: 0, to: 2 })
  expect(boundStretch(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toEqual({ from: 0, to: LAST_INSTANT + 1 })
  expect(boundStretch(Number.NaN, Number.NaN)).toEqual({ from: 0, to: 0 })
})
