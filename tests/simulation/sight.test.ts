// That the simulation would see a fault, and has much to look at.

import { describe, expect, it } from 'vitest'
import { disagreement } from './agreement.ts'
import { straight } from './lives.ts'
import { worldOf } from './world.ts'

describe('live, replay and crash-and-recover', () => {
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
    const counts = { raised: 0, cleared: 0, ofAreas: 0, actions: 0, late: 0, rejects: 0, plants: 0, told: 0, withheld: 0, suppressed: 0 }
    for (let seed = 1; seed <= 200; seed++) {
      const world = worldOf(seed)
      const { events = [], readings = [], rejects = [], notifications = [] } = straight(world).told
      for (const line of events) {
        const event = JSON.parse(line) as { from?: string; to?: string; area?: string; action?: string }
        if (event.action === 'suppress') counts.suppressed++
        if (event.action !== undefined) counts.actions++
        else if (event.from === 'clear') counts.raised++
        else if (event.to === 'clear') counts.cleared++
        if (event.area !== undefined) counts.ofAreas++
      }
      counts.late += readings.filter((row) => row.endsWith(' 0')).length
      counts.rejects += rejects.length
      for (const line of notifications) counts[(JSON.parse(line) as { withheld: string | null }).withheld === null ? 'told' : 'withheld']++
      counts.plants += world.plants.size
    }
    expect(counts.raised).toBeGreaterThan(400)
    expect(counts.cleared).toBeGreaterThan(100)
    expect(counts.ofAreas).toBeGreaterThan(75)
    expect(counts.actions).toBeGreaterThan(200)
    expect(counts.late).toBeGreaterThan(100)
    expect(counts.rejects).toBeGreaterThan(100)
    expect(counts.plants).toBeGreaterThan(250)
    expect(counts.told).toBeGreaterThan(250)
    expect(counts.withheld).toBeGreaterThan(250)
    expect(counts.suppressed).toBeGreaterThan(50)
  })
})
