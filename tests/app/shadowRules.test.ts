// Shadow rules judge live data and tell nobody; what they did is kept apart, exactly once, however often the service dies.

import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LoopYard } from './loopYard.ts'
import { LEVEL_RULES, type TankPlant, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const trial = (shadow: boolean): string => `${LEVEL_RULES}  - id: trial
    appliesTo: { profile: tank }
    shadow: ${shadow}
    tiers: { orange: { when: level_pct > 50, for: 1s } }
`

let files: TankPlant
const plants: Record<'without' | 'shadow' | 'real', Plant> = {} as never
let clock: ManualClock
let folders = 0

beforeAll(() => {
  files = tankPlant(LEVEL_RULES)
  plants.without = planted(LEVEL_RULES)
  plants.shadow = planted(trial(true))
  plants.real = planted(trial(false))
})
afterAll(() => files.remove())
beforeEach(() => {
  clock = new ManualClock(T0)
})

function planted(rules: string): Plant {
  files.write('rules/level.yaml', rules)
  const { plant, problems } = loadPlant(path.dirname(files.config), {})
  expect(problems).toEqual([])
  return plant!
}

function begin(plant: Plant, folder = path.join(files.folder, `data-${folders++}`)): Promise<LoopYard> {
  mkdirSync(folder, { recursive: true })
  return LoopYard.open({ folder, plant, clock })
}

const LEVELS: readonly [ms: number, level: number][] = [
  [0, 60],
  [500, 90],
  [1_500, 91],
  [2_500, 40],
  [3_000, 60],
  [3_500, 40],
  [4_000, 70],
  [6_000, 20]
]

/** Plays the levels of T-0; after each, `interrupt` may put another yard in the place of this one. */
async function play(plant: Plant, interrupt: (yard: LoopYard) => Promise<LoopYard> = async (yard) => yard): Promise<LoopYard> {
  let yard = await begin(plant)
  for (const [ms, level] of LEVELS) {
    clock.moveTo(T0 + ms)
    await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0 + ms, values: { level_pct: level } })
    await yard.settled()
    yard = await interrupt(yard)
  }
  clock.moveTo(T0 + 10_000)
  await yard.settled()
  return yard
}

/** `1000 trial/T-0 clear -> orange`, the oldest first. */
async function shadowLog(yard: LoopYard): Promise<string[]> {
  const page = await yard.book.shadowEvents('trial', { limit: 1000 }, null)
  if ('problem' in page) throw new Error(page.problem)
  return page.items.map(({ at, rule, device, from, to }) => `${at - T0} ${rule}/${device} ${from} -> ${to}`).reverse()
}

const TRIAL = [
  '1000 trial/T-0 clear -> orange',
  '2500 trial/T-0 orange -> clear',
  '5000 trial/T-0 clear -> orange',
  '6000 trial/T-0 orange -> clear'
]

describe('a shadow rule', () => {
  it('is judged like any other, and is in no list but its own', async () => {
    const without = await play(plants.without)
    const log = await without.log()
    expect(log.length).toBeGreaterThan(1)
    await without.stop()

    clock = new ManualClock(T0)
    const told: string[] = []
    const yard = await begin(plants.shadow)
    yard.loop.watch({
      events: (committed) => void told.push(...committed.map(({ rule }) => rule)),
      readings: () => {},
      rejects: () => {},
      presence: () => {}
    })
    for (const [ms, level] of LEVELS) {
      clock.moveTo(T0 + ms)
      await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0 + ms, values: { level_pct: level } })
      await yard.settled()
      if (ms !== 1_500) continue
      expect(yard.book.active({ state: 'active' }, null).map(({ rule }) => rule)).toEqual(['level'])
      expect([...yard.loop.pipeline.standing()].map(({ rule }) => rule)).toEqual(['level'])
      expect(yard.loop.pipeline.explain('trial', { device: 'T-0', area: null })?.level).toBe('orange')
    }
    clock.moveTo(T0 + 10_000)
    await yard.settled()
    expect(await shadowLog(yard)).toEqual(TRIAL)
    expect(await yard.log()).toEqual(log)
    expect(new Set(told)).toEqual(new Set(['level']))
    expect((await yard.book.list({ state: 'all' }, { limit: 10 }, null)) as object).toMatchObject({ items: [{ rule: 'level' }] })
    await yard.stop()
  })

  it('did what it did exactly once, when the service is stopped and killed after every input', async () => {
    let n = 0
    const yard = await play(plants.shadow, async (before) => {
      if (n++ % 2 === 0) {
        await before.stop()
        return begin(plants.shadow, before.folder)
      }
      await before.history.flush()
      const copy = path.join(files.folder, `data-${folders++}`)
      await before.crash(copy)
      return begin(plants.shadow, copy)
    })
    expect(await shadowLog(yard)).toEqual(TRIAL)
    await yard.stop()
  })

  it('did it exactly once where the journal is judged again from its beginning', async () => {
    const first = await play(plants.shadow)
    await first.history.flush()
    const copy = path.join(files.folder, `data-${folders++}`)
    await first.crash(copy)
    rmSync(path.join(copy, 'snapshots'), { recursive: true, force: true })
    const again = await begin(plants.shadow, copy)
    await again.settled()
    expect(await shadowLog(again)).toEqual(TRIAL)
    await again.stop()
  })

  it('becomes a real one: its shadow ends, and what holds is raised anew', async () => {
    const yard = await begin(plants.shadow)
    await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0, values: { level_pct: 60 } })
    await yard.settled()
    clock.moveTo(T0 + 3_000)
    await yard.settled()
    await yard.stop()

    const real = await begin(plants.real, yard.folder)
    clock.moveTo(T0 + 9_000)
    await real.settled()
    expect(await shadowLog(real)).toEqual(['1000 trial/T-0 clear -> orange', '3000 trial/T-0 orange -> clear'])
    expect(
      (await real.log()).map((line) => JSON.parse(line)).map(({ rule, from, to, at }) => [rule, from, to, Date.parse(at) - T0])
    ).toEqual([['trial', 'clear', 'orange', 4_000]])
    await real.stop()

    const shadow = await begin(plants.shadow, yard.folder)
    await shadow.settled()
    expect((await shadow.log()).map((line) => JSON.parse(line)).map(({ to, because }) => [to, because])).toEqual([
      ['orange', 'level_pct 60 > 50 for 1s'],
      ['clear', 'rule removed']
    ])
    await shadow.stop()
  })
})

describe('the plant', () => {
  it('keeps its hash where no rule is a shadow', () => {
    const { rules } = plants.real
    expect(rules.some((rule) => 'shadow' in rule)).toBe(false)
    expect(plants.shadow.rules.find(({ id }) => id === 'trial')?.shadow).toBe(true)
    expect(plants.shadow.hash).not.toBe(plants.real.hash)
    expect(planted(trial(false).replace('    shadow: false\n', '')).hash).toBe(plants.real.hash)
  })
})
