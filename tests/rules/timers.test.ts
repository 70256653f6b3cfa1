import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Timers } from '../../src/rules/timers.ts'

it('gives subjects back in the order of their earliest wish', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(19), fc.integer({ min: 0, max: 50 })), { maxLength: 200 }), (wishes) => {
      const timers = new Timers(20)
      const earliest = new Map<number, number>()
      for (const [subject, due] of wishes) {
        timers.wake(subject, due)
        earliest.set(subject, Math.min(due, earliest.get(subject) ?? Number.POSITIVE_INFINITY))
      }
      const taken: [number, number][] = []
      while (timers.first >= 0) taken.push([timers.firstKey, timers.take()])
      expect(timers.firstKey).toBe(Number.POSITIVE_INFINITY)
      expect(taken.map(([key]) => key)).toEqual([...earliest.values()].sort((a, b) => a - b))
      expect(new Map(taken.map(([key, subject]) => [subject, key]))).toEqual(earliest)
    })
  )
})

it('does not take in what is never due', () => {
  const timers = new Timers(2)
  timers.wake(1, Number.POSITIVE_INFINITY)
  expect(timers.first).toBe(-1)
})
