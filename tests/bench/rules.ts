// How fast and how small the engine is: 480,000 devices, two metrics, two rules of two tiers, one core.
// Run: node --expose-gc tests/bench/rules.ts [devices]

import type { Transition } from '../../src/model/alarm.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { Random } from '../../src/platform/random.ts'
import { Engine } from '../../src/rules/engine.ts'
import { EPOCH, plantOf, rule } from '../rules/world.ts'

const DEVICES = Number(process.argv[2] ?? 480_000)
const BATCH = 500

const plain = [
  rule({
    id: 'level',
    tiers: { yellow: { when: 'level_pct > limits.high', deadband: 2, for: '5s' }, red: { when: 'level_pct > limits.high_high', for: '2s' } }
  }),
  rule({ id: 'a', tiers: { yellow: { when: 'a > 500', for: '10s', clearFor: '10s' }, red: { when: 'a > 900 && level_pct > 10' } } })
]
const watchful = [...plain, rule({ id: 'lost', tiers: { blue: { when: "silent('90s')" } } })]

function heap(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Feeds whole rounds of all devices, one sample of two values each, in records of 500 samples; `upset`: share of values that alarm. */
function measure(name: string, rules: ReturnType<typeof rule>[], upset: number): void {
  const fleet = numberFleet(
    plantOf(
      rules,
      Array.from({ length: DEVICES }, (_, i) => ({ id: `D-${i}` }))
    )
  )
  const before = heap()
  const engine = new Engine(fleet, EPOCH)
  const bytes = (heap() - before) / DEVICES
  const random = new Random(7)
  const columns = new ReadingColumns(BATCH * 2)
  const out: Transition[] = []
  let [readings, events, ms] = [0, 0, 0]
  for (let round = 0; round < 6; round++) {
    for (let first = 0; first < DEVICES; first += BATCH) {
      const received = EPOCH + round * 10_000 + Math.floor((first / DEVICES) * 10_000)
      columns.clear()
      for (let device = first; device < Math.min(first + BATCH, DEVICES); device++) {
        const series = fleet.firstSeries[device] as number
        const high = random.next() < upset
        columns.push(device, series, received - 40, high ? 950 : random.next() * 400, 0, 1, 1)
        columns.push(device, series + 2, received - 40, high ? 99 : random.next() * 80, 0, 0, 1)
      }
      const start = performance.now()
      engine.judge(columns, 0, columns.length, received, out)
      engine.advance(received, out)
      ms += performance.now() - start
      readings += columns.length
      events += out.length
      out.length = 0
    }
  }
  const rate = Math.round(readings / ms)
  console.log(`${name}: ${rate} thousand readings/s, ${events} transitions, ${Math.round(bytes)} bytes per device`)
  const start = performance.now()
  const snapshot = engine.snapshot()
  const taken = performance.now()
  Engine.restore(fleet, snapshot)
  console.log(`  snapshot ${Math.round(taken - start)} ms, restore ${Math.round(performance.now() - taken)} ms`)
}

measure('quiet', plain, 0)
measure('one in a thousand alarms', plain, 0.001)
measure('one in ten alarms', plain, 0.1)
measure('with silent()', watchful, 0.001)
