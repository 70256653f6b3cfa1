// Shelves and windows over the end of the process: stopped and killed anywhere, they end once, at their instant, and alarms
// that an earlier version has left in the book are taken over.

import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import type { PipelineSnapshot } from '../../src/app/pipeline.ts'
import { Snapshots } from '../../src/app/snapshots.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { LoopYard } from './loopYard.ts'
import { LEVEL_RULES, type TankPlant, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const ID = `level/T-0#${T0}`
const OUT = {
  id: null,
  action: 'outOfService',
  target: { device: 'T-1', area: null, site: null },
  from: T0 + 3000,
  until: T0 + 5000,
  note: 'calibration'
}

/** By ms from T0. */
const STEPS: readonly [number, ((yard: LoopYard) => Promise<unknown>) | null][] = [
  [0, (yard) => yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0, values: { level_pct: 90 } })],
  [100, (yard) => yard.put('telemetry', 'fh/1/gw-1/telemetry', { device: 'T-1', ts: T0 + 100, values: { level_pct: 90 } })],
  [1000, (yard) => yard.put('action', 'anna', { id: ID, action: 'shelve', note: 'lorry', until: T0 + 4000 })],
  [2000, (yard) => yard.put('action', 'anna', OUT)],
  [3500, null],
  // The shelf ends while nobody looks.
  [4500, null],
  [4600, (yard) => yard.put('action', 'anna', { id: ID, action: 'acknowledge', note: null })],
  [9000, null]
]

let files: TankPlant
let plant: Plant
let clock: ManualClock
let folders = 0

beforeAll(() => {
  files = tankPlant(LEVEL_RULES)
  const loaded = loadPlant(path.dirname(files.config), {})
  expect(loaded.problems).toEqual([])
  plant = loaded.plant!
})
afterAll(() => files.remove())
beforeEach(() => {
  clock = new ManualClock(T0)
})

async function begin(folder: string): Promise<LoopYard> {
  mkdirSync(folder, { recursive: true })
  return LoopYard.open({ folder, plant, clock })
}

const fresh = (): string => path.join(files.folder, `lifecycle-${folders++}`)

/** Plays the steps; before the clock moves to each, the process ends and begins again at the step's instant. */
async function played(end: ((yard: LoopYard) => Promise<string>) | null): Promise<{ log: string[]; active: unknown }> {
  let yard = await begin(fresh())
  for (const [ms, act] of STEPS) {
    await yard.settled()
    const folder = end === null ? null : await end(yard)
    clock.moveTo(T0 + ms)
    if (folder !== null) yard = await begin(folder)
    await act?.(yard)
    await yard.settled()
  }
  const told = { log: await yard.log(), active: yard.book.active({ state: 'active' }, null) }
  await yard.stop()
  return told
}

const STOPPED = async (yard: LoopYard): Promise<string> => {
  await yard.stop()
  return yard.folder
}
const KILLED = async (yard: LoopYard): Promise<string> => {
  await yard.history.flush()
  const copy = fresh()
  await yard.crash(copy)
  return copy
}

it('ends shelves and windows once, at their instants, wherever the process has died', async () => {
  const whole = await played(null)
  const short = whole.log.map((line) => {
    const { at, action, to, id } = JSON.parse(line) as Record<string, string>
    return `${Date.parse(at as string) - T0} ${id?.slice(0, id.indexOf('#'))} ${action ?? to}`
  })
  expect(short).toEqual([
    '0 level/T-0 yellow',
    '100 level/T-1 yellow',
    '1000 level/T-0 shelve',
    '3000 level/T-1 outOfService',
    '4000 level/T-0 unshelve',
    '4600 level/T-0 acknowledge',
    '5000 level/T-1 returnToService'
  ])
  for (const end of [STOPPED, KILLED]) {
    clock = new ManualClock(T0)
    expect(await played(end)).toEqual(whole)
  }
})

it('goes on from a snapshot of a version without a desk with what the book knows', async () => {
  const yard = await begin(fresh())
  await STEPS[0]![1]!(yard)
  clock.moveTo(T0 + 100)
  await STEPS[1]![1]!(yard)
  await yard.settled()
  clock.moveTo(T0 + 200)
  await yard.put('action', 'anna', { id: ID, action: 'acknowledge', note: 'seen' })
  await yard.settled()
  await yard.stop()
  const folder = path.join(yard.folder, 'snapshots')
  const snapshots = new Snapshots<PipelineSnapshot>(folder, silentLog)
  expect(readdirSync(folder)).not.toEqual([])
  for (const seq of await snapshots.seqs()) {
    const { desk: _desk, ...state } = (await snapshots.oldest(seq))!.state
    await snapshots.write(seq, state)
  }
  clock.moveTo(T0 + 1000)
  const later = await begin(yard.folder)
  await later.put('action', 'wang', { id: ID, action: 'acknowledge', note: 'too late' })
  await later.put('action', 'wang', { id: ID, action: 'comment', note: 'still here' })
  await later.settled()
  expect((await later.log()).slice(-2).map((line) => JSON.parse(line))).toMatchObject([
    { action: 'acknowledge', by: 'anna' },
    { action: 'comment', by: 'wang' }
  ])
  expect(await later.book.alarm(ID, null)).toMatchObject({ acknowledged: { by: 'anna', note: 'seen' } })
  await later.stop()
})
