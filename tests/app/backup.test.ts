// Backup and restore of the real service: under load and stopped, and what a damaged backup or a wrong folder is answered.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backup } from '../../src/app/backup/backup.ts'
import type { Manifest } from '../../src/app/backup/manifest.ts'
import { restore } from '../../src/app/backup/restore.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt } from '../../src/platform/mqtt.ts'
import { LiveService, refusedStart, runFenghuo } from '../liveService.ts'
import { inFile, itInFile, stateEnv } from '../store/stateYard.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const clock = new SystemClock()
const START = Date.parse('2026-01-01T00:00:00Z')
/** Without delays: what is told depends on the readings alone, not on when a service is stopped. */
const RULES = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.high, deadband: 3 }
      red: { when: level_pct > limits.high_high, clear: level_pct < 88 }
`
const READINGS = '/api/v1/readings?device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z'

let plant: TankPlant
let data: string
let target: string
let service: LiveService | null = null

beforeEach(() => {
  plant = tankPlant(RULES)
  data = path.join(plant.folder, 'data')
  target = path.join(plant.folder, 'backup')
})

afterEach(async () => {
  await service?.kill()
  plant.remove()
})

async function start(folder = data): Promise<LiveService> {
  service = await LiveService.start({ config: plant.config, data: folder, env: await stateEnv(folder) })
  return service
}

async function command(name: 'backup' | 'restore', folder: string, dataFolder = data): ReturnType<typeof runFenghuo> {
  return runFenghuo([name, folder, '--config', plant.config, '--json'], { FENGHUO_DATA: dataFolder, ...(await stateEnv(dataFolder)) })
}

/** The nth sample of T-0: up and down through every tier, no two alike. */
function sample(n: number): string {
  const level = [50, 87, 95, 90, 80, 60][n % 6]!
  return JSON.stringify({ device: 'T-0', ts: START + n * 1000, values: { level_pct: level } })
}

/** Samples as fast as they are acknowledged, from `from` on until told to stop; answers how many there were in all. */
async function send(running: LiveService, from: number, isOver: () => boolean, count: (n: number) => void = () => {}): Promise<number> {
  const publisher = await connectMqtt({ url: running.mqttAddress, clock, username: 'gw-0', password: 'secret-0', window: 50 })
  let n = from
  const publishes: Promise<void>[] = []
  for (; !isOver() && (await publisher.room()); n++) {
    const which = n
    publishes.push(publisher.publish('fh/1/gw-0/telemetry', sample(n)).then((is) => void (is && count(which + 1))))
  }
  await Promise.all(publishes)
  await publisher.end()
  return n
}

async function eventsOf(running: LiveService, atLeast: number): Promise<object[]> {
  return vi.waitFor(
    async () => {
      const events = await running.all<object>('/api/v1/alarm-events')
      expect(events.length).toBeGreaterThanOrEqual(atLeast)
      return events
    },
    { timeout: 15_000, interval: 50 }
  )
}

/** Of the readings of T-0 the numbers of their samples, once there are `atLeast`. */
async function storedIn(running: LiveService, atLeast: number): Promise<number[]> {
  return vi.waitFor(
    async () => {
      const readings = await running.all<{ at: string }>(READINGS)
      expect(readings.length).toBeGreaterThanOrEqual(atLeast)
      return readings.map(({ at }) => (Date.parse(at) - START) / 1000)
    },
    { timeout: 15_000, interval: 100 }
  )
}

it('a backup under load, restored elsewhere, goes on exactly where it was taken', async () => {
  let running = await start()
  let over = false
  let acknowledged = 0
  const sending = send(
    running,
    0,
    () => over,
    (n) => void (acknowledged = Math.max(acknowledged, n))
  )
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(1000), { timeout: 15_000, interval: 5 })
  await running.cookie()
  const before = acknowledged
  const outcome = await command('backup', target)
  expect(outcome.code, outcome.output).toBe(0)
  const manifest = JSON.parse(outcome.output) as Manifest
  const during = acknowledged
  over = true
  const sent = await sending
  expect(sent).toBeGreaterThan(during - 1)
  expect(during).toBeGreaterThan(before)
  expect(manifest.running).toBe(true)
  expect(manifest.journal.to).toBeGreaterThanOrEqual(Math.max(manifest.state.seq, manifest.history!.seq!, before))

  const told = await eventsOf(running, Math.floor(sent / 6) * 3)
  // What the backup held is let go: the next one is made as well, and no copy lies about.
  expect((await command('backup', `${target}-2`)).code).toBe(0)
  await vi.waitFor(() => expect(readdirSync(path.join(data, 'history')).filter((name) => name.startsWith('backup'))).toEqual([]))
  await running.kill()

  const elsewhere = path.join(plant.folder, 'elsewhere')
  const restored = await command('restore', target, elsewhere)
  expect(restored.code, restored.output).toBe(0)
  running = await start(elsewhere)
  const held = await storedIn(running, before)
  expect(held).toEqual(held.map((_, n) => n))
  const events = await eventsOf(running, 1)
  expect(events).toEqual(told.slice(0, events.length))
  expect(events.length).toBeGreaterThan(before / 2)

  // Sent the rest, it tells what the first one told, to the byte.
  let next = held.length
  await send(running, next, () => next++ >= sent)
  expect(JSON.stringify(await eventsOf(running, told.length))).toBe(JSON.stringify(told))
  expect(await storedIn(running, sent)).toEqual(Array.from({ length: sent }, (_, n) => n))
  const audit = await runFenghuo(['audit', 'verify', '--config', plant.config, '--json'], {
    FENGHUO_DATA: elsewhere,
    ...(await stateEnv(elsewhere))
  })
  expect([audit.code, JSON.parse(audit.output)]).toEqual([0, expect.objectContaining({ kind: 'whole' })])
  expect(await running.stop()).toBe(0)
})

it('a backup of a stopped or killed service holds everything, for its owner only', async () => {
  let running = await start()
  let sentSoFar = 0
  const sent = await send(running, 0, () => sentSoFar++ >= 300)
  const told = await eventsOf(running, Math.floor(sent / 6) * 3)
  await running.kill()
  const outcome = await command('backup', target)
  expect(outcome.code, outcome.output).toBe(0)
  expect((JSON.parse(outcome.output) as Manifest).running).toBe(false)
  const modes = readdirSync(target, { recursive: true, encoding: 'utf8' }).map((name) => statSync(path.join(target, name)))
  expect(modes.filter((entry) => (entry.mode & 0o077) !== 0)).toEqual([])
  expect(statSync(target).mode & 0o077).toBe(0)

  rmSync(data, { recursive: true })
  const elsewhere = path.join(plant.folder, 'elsewhere')
  const restored = await command('restore', target, elsewhere)
  expect(restored.code, restored.output).toBe(0)
  expect(existsSync(path.join(elsewhere, 'state.db'))).toBe(inFile())
  running = await start(elsewhere)
  expect(await eventsOf(running, told.length)).toEqual(told)
  expect(await storedIn(running, sent)).toEqual(Array.from({ length: sent }, (_, n) => n))
  expect(await running.stop()).toBe(0)
})

itInFile('names what stands in the way of a backup or a restore, and changes nothing then', async () => {
  expect((await command('backup', target)).output).toMatch(/There is nothing to back up/)
  const running = await start()
  expect(await running.stop()).toBe(0)
  await expect(backup(data, path.join(data, 'inside'), clock)).rejects.toThrow(/does not belong into the data folder/)
  await backup(data, target, clock)
  await expect(backup(data, target, clock)).rejects.toThrow(/is not empty \(it has history\)/)
  await expect(restore(target, data)).rejects.toThrow(/is not empty \(it has .*nothing is restored over other data/)

  const spoilt = path.join(plant.folder, 'spoilt')
  const empty = path.join(plant.folder, 'empty')
  const refusal = async (spoil: () => void): Promise<string> => {
    rmSync(spoilt, { recursive: true, force: true })
    cpSync(target, spoilt, { recursive: true })
    spoil()
    const outcome = await restore(spoilt, empty).catch((cause: Error) => cause.message)
    expect(existsSync(empty) ? readdirSync(empty) : []).toEqual([])
    return String(outcome)
  }
  const manifest = JSON.parse(readFileSync(path.join(target, 'manifest.json'), 'utf8')) as Manifest
  const rewrite = (change: object): void => writeFileSync(path.join(spoilt, 'manifest.json'), JSON.stringify({ ...manifest, ...change }))
  const [journal] = readdirSync(path.join(target, 'journal')) as [string]
  expect(await refusal(() => rmSync(path.join(spoilt, 'manifest.json')))).toMatch(/it is no backup, or one that was not finished/)
  expect(await refusal(() => writeFileSync(path.join(spoilt, 'manifest.json'), '{"product"'))).toMatch(/the backup is damaged/)
  expect(await refusal(() => rewrite({ format: 2 }))).toMatch(/made by a newer Fenghuo \(format 2/)
  expect(await refusal(() => rewrite({ layout: 99 }))).toMatch(/made by a newer Fenghuo .*layout 99/)
  expect(await refusal(() => rewrite({ files: [{ ...manifest.files[0], path: '../evil' }] }))).toMatch(
    /manifest.json is damaged \(files\.0\.path/
  )
  expect(await refusal(() => rewrite({ files: [] }))).toMatch(/is incomplete/)
  expect(await refusal(() => rmSync(path.join(spoilt, 'state.db')))).toMatch(/state\.db: it is missing/)
  expect(
    await refusal(() => {
      const file = path.join(spoilt, 'journal', journal)
      const bytes = readFileSync(file)
      bytes[bytes.length - 1]! ^= 1
      writeFileSync(file, bytes)
    })
  ).toMatch(/journal.*: its checksum does not match\. Nothing was restored/)
  expect(await refusal(() => writeFileSync(path.join(spoilt, 'state.db'), 'short'))).toMatch(/it has 5 bytes, not \d+/)
  // What had been copied before the server was asked is gone again, and the next attempt is not in its own way.
  await expect(restore(target, empty, 'postgres://nobody@127.0.0.1:1/none')).rejects.toThrow(/PostgreSQL cannot be reached/)
  expect(readdirSync(empty)).toEqual([])
  await restore(target, empty)
})

it('a service does not start on an unfinished restore, nor on a folder of a newer version', async () => {
  mkdirSync(data)
  writeFileSync(path.join(data, 'restoring'), '')
  const unfinished = await refusedStart({ config: plant.config, data })
  expect([unfinished.code, unfinished.output]).toEqual([1, expect.stringMatching(/holds a restore that was not finished/)])
  rmSync(path.join(data, 'restoring'))
  writeFileSync(path.join(data, 'layout.json'), '{"layout":99,"version":"9.0.0"}')
  const newer = await refusedStart({ config: plant.config, data })
  expect([newer.code, newer.output]).toEqual([1, expect.stringMatching(/was written by a newer Fenghuo \(layout 99/)])
  expect(readdirSync(data)).toEqual(['layout.json'])
})
