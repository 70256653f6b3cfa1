// Live = replay = crash-and-recover, byte for byte, for 2,000 random worlds: plants with every kind of rule, lagging flushes,
// any tick rate, late and repeated data, wrong clocks, people who act, plants that change while alarms stand.
// More seeds, or one of them: node tests/simulation/run.ts --seeds 100000 | --seed N

import { describe, expect, it } from 'vitest'
import { disagreement, reportOf } from './agreement.ts'
import { straight } from './lives.ts'
import { worldOf } from './world.ts'

const SEEDS = 2000
const PART = 250

describe('live, replay and crash-and-recover', () => {
  it.each(Array.from({ length: SEEDS / PART }, (_, part) => part * PART + 1))('tell the same from seed %i on', (from) => {
    for (let seed = from; seed < from + PART; seed++) {
      const report = reportOf(seed)
      if (report !== null) expect.fail(report)
    }
  })

  it('would not if time passed beyond what is not flushed yet', () => {
    const seen = Array.from({ length: 100 }, (_, seed) => disagreement(worldOf(seed + 1), { fault: 'hasty' })).filter(
      (found) => found !== null
    )
    expect(seen.length).toBeGreaterThan(10)
  })

  it('would not if what was committed were told again', () => {
    const seen = Array.from({ length: 100 }, (_, seed) => disagreement(worldOf(seed + 1), { fault: 'forgetful' })).filter(
      (found) => found !== null
    )
    expect(seen.length).toBeGreaterThan(10)
  })

  it('have much to tell', () => {
    const counts = { raised: 0, cleared: 0, ofAreas: 0, actions: 0, late: 0, rejects: 0, plants: 0 }
    for (let seed = 1; seed <= 200; seed++) {
      const world = worldOf(seed)
      const { events = [], readings = [], rejects = [] } = straight(world).told
      for (const line of events) {
        const event = JSON.parse(line) as { from?: string; to?: string; area?: string; action?: string }
        if (event.action !== undefined) counts.actions++
        else if (event.from === 'clear') counts.raised++
        else if (event.to === 'clear') counts.cleared++
        if (event.area !== undefined) counts.ofAreas++
      }
      counts.late += readings.filter((row) => row.endsWith(' 0')).length
      counts.rejects += rejects.length
      counts.plants += world.plants.size
    }
    expect(counts.raised).toBeGreaterThan(800)
    expect(counts.cleared).toBeGreaterThan(200)
    expect(counts.ofAreas).toBeGreaterThan(150)
    expect(counts.actions).toBeGreaterThan(400)
    expect(counts.late).toBeGreaterThan(200)
    expect(counts.rejects).toBeGreaterThan(100)
    expect(counts.plants).toBeGreaterThan(300)
  })
})
