// The loop while the disk takes nothing: what falls due waits for the record before it, and nobody turns in circles meanwhile.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LoopYard } from './loopYard.ts'
import { TIMED_RULES, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')

/** Counts how often somebody asks what time it is. */
class AskedClock extends ManualClock {
  asked = 0

  override now(): number {
    this.asked++
    return super.now()
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

it('sleeps until the record is on disk that what is due must wait for', async () => {
  const files = tankPlant(TIMED_RULES)
  const { plant } = loadPlant(path.dirname(files.config), {})
  const clock = new AskedClock(T0)
  let held: Promise<void> = Promise.resolve()
  const folder = path.join(files.folder, 'data')
  mkdirSync(folder)
  const yard = await LoopYard.open({ folder, plant: plant!, clock, mirror: { keep: () => held } })
  const values = { level_pct: 50, temperature_c: 70 }
  await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0, values })
  await yard.settled()
  let release = (): void => {}
  held = new Promise((resolve) => {
    release = resolve
  })
  const flushed = yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0, values })
  clock.moveTo(T0 + 10_000)
  await turns(50)
  const before = clock.asked
  await turns(200)
  const asked = clock.asked - before
  expect(await yard.log()).toEqual([])
  release()
  await flushed
  await yard.settled()
  expect((await yard.log()).map((line) => JSON.parse(line))).toMatchObject([
    { at: '2026-01-01T00:00:01.500Z', rule: 'warm', device: 'T-0', to: 'orange' }
  ])
  expect(asked).toBe(0)
  await yard.stop()
  files.remove()
})
