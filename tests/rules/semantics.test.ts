// Alarm behaviour on which other alarm systems agree, in their own examples: pending and off-delays as Prometheus and
// VictoriaMetrics have them, hysteresis and tiers as Kapacitor, exclusive limits as OPC UA servers.

import { expect, it } from 'vitest'
import { type RuleText, rule, World } from './world.ts'

/** `values` one every `step` seconds from 0; the turns as `at level`. */
function turns(tiers: RuleText['tiers'], step: number, values: readonly number[], until?: number): string {
  const world = new World([rule({ tiers })])
  for (const [i, a] of values.entries()) world.say(i * step, { a })
  world.pass(until ?? (values.length - 1) * step)
  return world.turns.map((turn) => turn.replace(/ r\/D .* -> /, ' ')).join(', ')
}

it('holds for five minutes, then is active, once', () => {
  expect(turns({ red: { when: 'a == 0', for: '5m' } }, 60, Array(11).fill(0))).toBe('300 red')
})

it('keeps standing for a minute after the condition has gone', () => {
  expect(turns({ red: { when: 'a > 50', for: '60s', clearFor: '60s' } }, 60, [75, 85, 70, 70, 10, 10, 10, 10, 10])).toBe(
    '60 red, 300 clear'
  )
})

it('begins a new hold after it cleared', () => {
  expect(turns({ red: { when: 'a >= 1', for: '10s' } }, 10, [1, 1, 0, 1, 1])).toBe('10 red, 20 clear, 40 red')
})

it('runs out its off-delay, then holds anew', () => {
  expect(turns({ red: { when: 'a >= 1', for: '10s', clearFor: '20s' } }, 10, [1, 1, 0, 0, 0, 1, 1])).toBe('10 red, 40 clear, 60 red')
})

it('forgets a hold that was broken', () => {
  expect(turns({ red: { when: 'a >= 1', for: '100s' } }, 5, [1, 1, 0], 300)).toBe('')
})

it('chatters without a dead band: one transition per crossing', () => {
  const values = [97.1, 92.6, 95.6, 93.1, 92.6, 95.8, 92.7, 96, 93.4, 95.3, 92.4, 95.1]
  expect(turns({ red: { when: 'a < 93' } }, 1, values)).toBe('1 red, 2 clear, 4 red, 5 clear, 6 red, 7 clear, 10 red, 11 clear')
})

it('goes to the highest tier at once, and says nothing while the tier stays', () => {
  const tiers = { blue: { when: 'a >= 6' }, yellow: { when: 'a >= 7' }, red: { when: 'a >= 8' } }
  expect(turns(tiers, 1, [7, 2, 6, 7, 7, 8, 2, 6, 3, 5, 4, 5])).toBe('0 yellow, 1 clear, 2 blue, 3 yellow, 5 red, 6 clear, 7 blue, 8 clear')
})

it('watches both sides of a range', () => {
  const tiers = { yellow: { when: 'a < 1 || a > 10' }, red: { when: 'a < -10 || a > 100' } }
  expect(turns(tiers, 10, [-100, -9, 4, 11, 200, 11, 4, 0])).toBe(
    '0 red, 10 yellow, 20 clear, 30 yellow, 40 red, 50 yellow, 60 clear, 70 yellow'
  )
})

it('raises nothing twice', () => {
  expect(turns({ yellow: { when: 'a < -1' }, red: { when: 'a < -10' } }, 10, [0, 1, 0, -110, -120])).toBe('30 red')
})
