// A service that is stopped or killed again and again tells the same story as one that never was: the same alarm log to the
// byte, the same active alarms, last values and history, with delays, held values and silences running across the restarts.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LoopYard, type YardOptions } from './loopYard.ts'
import { type TankPlant, TIMED_RULES, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const RULES = `${TIMED_RULES}  - id: slow
    appliesTo: { devices: [T-1] }
    tiers: { yellow: { when: level_pct < 20, for: 8s } }
  - id: shut
    appliesTo: { devices: [T-2] }
    latched: true
    tiers: { orange: { when: level_pct > 99 } }
`

let files: TankPlant
let plant: Plant

beforeAll(() => {
  files = tankPlant(RULES, { silentAfter: '5s' })
  plant = planted()
})

afterAll(() => files.remove())

function planted(): Plant {
  const loaded = loadPlant(path.dirname(files.config), {})
  expect(loaded.problems).toEqual([])
  return loaded.plant!
}

interface Step {
  /** Milliseconds from T0, by our clock. */
  readonly ms: number
  act?(yard: LoopYard): Promise<unknown>
}

const gatewayOf = (device: string): string => `gw-${Number(device.slice(2)) % 2}`

/** A sample; its device time is `ts` ms from T0, by default that of our clock. */
function sample(ms: number, device: string, values: Record<string, number | null>, ts = ms): Step {
  return { ms, act: (yard) => yard.put('telemetry', `fh/1/${gatewayOf(device)}/telemetry`, { device, ts: T0 + ts, values }) }
}

function presence(ms: number, gateway: string, online: boolean): Step {
  return { ms, act: (yard) => yard.put('presence', gateway, { online, why: 'status' }) }
}

function action(ms: number, id: string, what: string): Step {
  return { ms, act: (yard) => yard.put('action', 'anna', { id, action: what, note: null }) }
}

const STEPS: readonly Step[] = [
  sample(0, 'T-0', { level_pct: 90 }),
  sample(400, 'T-1', { level_pct: 10, temperature_c: 70 }),
  sample(600, 'T-0', { level_pct: 95 }),
  sample(700, 'T-3', { level_pct: 10 }),
  action(1000, `level/T-0#${T0}`, 'acknowledge'),
  sample(1200, 'T-2', { temperature_c: null, level_pct: 100 }),
  // Red of T-0 fell due at 1600, the warmth of T-1 at 1900, the silence of T-3 at 2700.
  { ms: 1599 },
  { ms: 1650 },
  sample(2500, 'T-0', { level_pct: 96 }, 1000),
  presence(2600, 'gw-0', false),
  { ms: 3000 },
  sample(3100, 'T-0', { level_pct: 20 }, 100),
  presence(3200, 'gw-0', true),
  sample(3300, 'T-0', { level_pct: 80 }, 3000),
  sample(3300, 'T-0', { level_pct: 80 }, 3000),
  action(3500, `shut/T-2#${T0 + 1200}`, 'reset'),
  sample(3600, 'T-2', { level_pct: 50, temperature_c: 20 }),
  action(3700, `shut/T-2#${T0 + 1200}`, 'reset'),
  sample(4000, 'T-1', { temperature_c: 20 }),
  // What T-1 said of its level at 400 is held until 5400: its delay of 8 s does not run out on a value that nobody holds.
  { ms: 5500 },
  { ms: 8900 },
  sample(9000, 'T-1', { level_pct: 11 }),
  sample(9100, 'T-3', { level_pct: 12 }),
  { ms: 12_000 }
]

let folders = 0
let clock: ManualClock

beforeEach(() => {
  clock = new ManualClock(T0)
})

function fresh(): string {
  return path.join(files.folder, `data-${folders++}`)
}

async function begin(folder: string): Promise<LoopYard> {
  return LoopYard.open(options(folder))
}

function options(folder: string): YardOptions {
  mkdirSync(folder, { recursive: true })
  return { folder, plant, clock }
}

/** The story as told in the end. */
async function story(yard: LoopYard): Promise<object> {
  await yard.history.flush()
  const series = ['T-0', 'T-1', 'T-2', 'T-3'].flatMap((device) => ['level_pct', 'temperature_c'].map((metric) => [device, metric] as const))
  const readings: Record<string, unknown> = {}
  for (const [device, metric] of series) readings[`${device} ${metric}`] = await yard.readings(device, metric)
  const { fleet, latest, presence } = yard.loop.pipeline
  return {
    log: await yard.log(),
    active: yard.book.active({ state: 'active' }, null),
    latest: fleet.devices.map((_, number) => latest.of(number)),
    presence: [...presence],
    readings
  }
}

/** Plays the steps; after each, `interrupt` may put another yard in the place of this one. */
async function play(interrupt: (yard: LoopYard, step: number) => Promise<LoopYard>): Promise<object> {
  let yard = await begin(fresh())
  for (const [n, step] of STEPS.entries()) {
    await yard.settled()
    clock.moveTo(T0 + step.ms)
    await step.act?.(yard)
    await yard.settled()
    yard = await interrupt(yard, n)
  }
  const told = await story(yard)
  await yard.stop()
  return told
}

/** ` 1900 warm/T-1 clear -> orange`: milliseconds from T0. */
function shortened(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const { at, rule, device, from, to, action, id } = JSON.parse(line)
    return `${Date.parse(at) - T0} ${action === undefined ? `${rule}/${device} ${from} -> ${to}` : `${action} ${id}`}`
  })
}

describe('the same story', () => {
  let uninterrupted: { log: string[] }
  /** What a kill after the last step of an uninterrupted run leaves. */
  let left: string

  beforeAll(async () => {
    clock = new ManualClock(T0)
    left = fresh()
    uninterrupted = (await play(async (yard, n) => {
      if (n < STEPS.length - 1) return yard
      await yard.history.flush()
      await yard.crash(left)
      return begin(yard.folder)
    })) as { log: string[] }
  })

  it('is this one', () => {
    expect(shortened(uninterrupted.log)).toEqual([
      '0 level/T-0 clear -> yellow',
      `1000 acknowledge level/T-0#${T0}`,
      '1200 level/T-2 clear -> yellow',
      '1200 sensor/T-2 clear -> blue',
      '1200 shut/T-2 clear -> orange',
      '1600 level/T-0 yellow -> red',
      '1900 warm/T-1 clear -> orange',
      '2200 level/T-2 yellow -> red',
      '2700 lost/T-3 clear -> blue',
      '3000 level/T-0 red -> clear',
      '3600 level/T-2 red -> clear',
      '3600 sensor/T-2 blue -> clear',
      `3700 reset shut/T-2#${T0 + 1200}`,
      '3700 shut/T-2 orange -> clear',
      '4500 warm/T-1 orange -> clear',
      '9000 slow/T-1 clear -> yellow',
      '9100 lost/T-3 blue -> clear',
      '11100 lost/T-3 clear -> blue'
    ])
  })

  it('when it is stopped and killed in turn, after every step', async () => {
    const told = await play(async (yard, n) => {
      if (n % 2 === 0) {
        await yard.stop()
        return begin(yard.folder)
      }
      // A folder can only be copied whole while nobody writes to it.
      await yard.history.flush()
      const copy = fresh()
      await yard.crash(copy)
      return begin(copy)
    })
    expect(told).toEqual(uninterrupted)
  })

  /** Opens a copy of what the kill left, changed by `change`, at the very end of the story. */
  async function reopened(change: (folder: string) => void): Promise<{ told: object; sentences: readonly string[] }> {
    clock = new ManualClock(T0 + 12_000)
    const copy = fresh()
    cpSync(left, copy, { recursive: true })
    change(copy)
    const yard = await begin(copy)
    await yard.settled()
    const told = await story(yard)
    await yard.stop()
    return { told, sentences: yard.sentences }
  }

  const snapshotsIn = (folder: string): string[] =>
    readdirSync(path.join(folder, 'snapshots')).map((name) => path.join(folder, 'snapshots', name))

  it('when its snapshots are deleted: from the beginning of the journal', async () => {
    const { told } = await reopened((folder) => rmSync(path.join(folder, 'snapshots'), { recursive: true, force: true }))
    expect(told).toEqual(uninterrupted)
  })

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 100)],
    ['emptied', () => Buffer.alloc(0)],
    ['damaged by one bit', (bytes: Buffer) => Buffer.from(bytes.with(bytes.length - 7, bytes.at(-7)! ^ 1))]
  ])('when its snapshots are %s: that is said, and the journal takes their place', async (_what, damage) => {
    clock = new ManualClock(T0 + 12_000)
    const copy = fresh()
    cpSync(left, copy, { recursive: true })
    await (await begin(copy)).stop()
    expect(snapshotsIn(copy)).toHaveLength(1)
    for (const file of snapshotsIn(copy)) writeFileSync(file, damage(readFileSync(file)))
    const yard = await begin(copy)
    await yard.settled()
    expect(await story(yard)).toEqual(uninterrupted)
    expect(yard.sentences).toContainEqual(expect.stringMatching(/^snapshot .* cannot be used \(.*\)/))
    await yard.stop()
  })

  it('when its history is deleted: it is written anew from the journal', async () => {
    const { told } = await reopened((folder) => rmSync(path.join(folder, 'history'), { recursive: true }))
    expect(told).toEqual(uninterrupted)
  })

  it('when history and snapshots are deleted', async () => {
    const { told } = await reopened((folder) => {
      for (const part of ['history', 'snapshots']) rmSync(path.join(folder, part), { recursive: true, force: true })
    })
    expect(told).toEqual(uninterrupted)
  })
})

describe('another plant at the next start', () => {
  it('is journaled, judges what follows, and leaves what came before as it was', async () => {
    const folder = fresh()
    let yard = await begin(folder)
    const before: Step[] = [
      sample(0, 'T-0', { level_pct: 90 }),
      sample(0, 'T-1', { level_pct: 95 }),
      sample(0, 'T-2', { temperature_c: null }),
      { ms: 900 }
    ]
    for (const step of before) {
      clock.moveTo(T0 + step.ms)
      await step.act?.(yard)
      await yard.settled()
    }
    await yard.stop()

    // The limit is higher, and nobody wants to hear of broken sensors any more.
    const stricter = tankPlant(RULES.replace(/ {2}- id: sensor[\s\S]*?(?= {2}- id: warm)/, ''), { silentAfter: '5s' })
    stricter.write(
      'profiles/tank.yaml',
      readFileSync(path.join(path.dirname(stricter.config), 'profiles/tank.yaml'), 'utf8').replace('high: 85', 'high: 91')
    )
    const changed = loadPlant(path.dirname(stricter.config), {}).plant!
    stricter.remove()
    clock.moveTo(T0 + 5000)
    const under = (at: string): Promise<LoopYard> => LoopYard.open({ folder: at, plant: changed, clock })
    yard = await under(folder)
    await yard.settled()
    const plantRecords = (await yard.journal.read(0, 100, 1_000_000)).filter(({ kind }) => kind === 'plant').map(({ source }) => source)
    expect(plantRecords).toEqual([plant.hash, changed.hash])
    for (const step of [sample(5100, 'T-3', { level_pct: 90 }), sample(5200, 'T-3', { level_pct: 91.5 }), { ms: 5300 } as Step]) {
      clock.moveTo(T0 + step.ms)
      await step.act?.(yard)
      await yard.settled()
    }
    const log = shortened(await yard.log())
    expect(log.slice(0, 4)).toEqual([
      '0 level/T-0 clear -> yellow',
      '0 level/T-1 clear -> yellow',
      '0 sensor/T-2 clear -> blue',
      '1000 level/T-1 yellow -> red'
    ])
    expect(log).toContain('5000 sensor/T-2 blue -> clear')
    expect(log.filter((line) => line.includes('T-3'))).toEqual(['5200 level/T-3 clear -> yellow'])
    const told = await story(yard)
    const copy = fresh()
    await yard.crash(copy)

    // From the beginning of the journal, each record under the plant that was in force.
    for (const part of ['snapshots', 'history']) rmSync(path.join(copy, part), { recursive: true, force: true })
    yard = await under(copy)
    await yard.settled()
    expect(await story(yard)).toEqual(told)
    await yard.stop()
  })
})

it('a machine whose clock was set back while it was down: what had come to pass stays, and is not judged twice over', async () => {
  const folder = fresh()
  let yard = await begin(folder)
  const at = async (ms: number, level: number): Promise<void> => {
    clock.moveTo(T0 + ms)
    await yard.put('telemetry', 'fh/1/gw-1/telemetry', { device: 'T-3', values: { level_pct: level } })
    await yard.settled()
  }
  await at(700, 10)
  clock.moveTo(T0 + 4000)
  await yard.settled()
  // Its silence has been told: after the next start, nothing may be received before that.
  expect(shortened(await yard.log())).toEqual(['2700 lost/T-3 clear -> blue'])
  const copy = fresh()
  await yard.crash(copy)

  clock = new ManualClock(T0 + 1000)
  yard = await begin(copy)
  await at(1000, 20)
  clock.moveTo(T0 + 20_000)
  await yard.settled()
  const told = await yard.log()
  expect((await yard.journal.read(2, 1, 1000))[0]!.receivedAt).toBeGreaterThan(T0 + 2700)
  const again = fresh()
  await yard.crash(again)
  for (const part of ['snapshots', 'history', 'state.db', 'state.db-wal', 'state.db-shm'])
    rmSync(path.join(again, part), { recursive: true, force: true })
  yard = await begin(again)
  clock.moveTo(T0 + 20_001)
  await yard.settled()
  expect(await yard.log()).toEqual(told)
  await yard.stop()
})
