// A full disk: nothing is acknowledged that is not on disk, it is said in sentences wherever people look, nothing that was
// acknowledged is lost, and once there is room everything goes on by itself. On a small tmpfs: mounting one needs root.

import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { LiveService, refusedStart } from '../liveService.ts'
import { SmallDisk } from './smallDisk.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const MIB = 1024 * 1024
const clock = new SystemClock()
let plant: TankPlant
let disk: string
let mounted: SmallDisk | null = null
let service: LiveService | null = null
let publisher: MqttPublisher | null = null

beforeEach(() => {
  plant = tankPlant()
  disk = path.join(plant.folder, 'disk')
  mkdirSync(disk)
})

afterEach(async () => {
  publisher?.cut()
  await service?.kill()
  mounted?.unmount()
  mounted = null
  plant.remove()
})

function mount(mib: number): string {
  mounted = new SmallDisk(disk, mib)
  return path.join(disk, 'data')
}

const fill = (): void => mounted?.fill()
const makeRoom = (): void => mounted?.makeRoom()

/** The nth message: fifty samples, so that a few of them outgrow a page; every tenth message raises or clears an alarm. */
function message(n: number): string {
  const level = Math.floor(n / 10) % 2 === 0 ? 50 : 90
  return JSON.stringify(
    Array.from({ length: 50 }, (_, i) => ({ device: 'T-0', ts: START + (n * 50 + i) * 1000, values: { level_pct: level } }))
  )
}

interface Part {
  readonly part: string
  readonly state: string
  readonly problem: string | null
}

/** What /readyz, /healthz and the overview say of a part, once they all say that it is full or failing. */
async function told(running: LiveService, part: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const ready = await fetch(`${running.httpAddress}/readyz`)
      expect(ready.status).toBe(503)
      const { detail } = (await ready.json()) as { detail: string }
      const health = await fetch(`${running.httpAddress}/healthz`)
      expect(health.status).toBe(200)
      const { parts } = (await health.json()) as { parts: Part[] }
      const problem = parts.find((one) => one.part === part)?.problem ?? ''
      expect(problem).toMatch(/\w.*\.$/)
      expect(detail).toContain(problem)
      const overview = await running.get<{ health: Part[]; problems: string[] }>('/api/v1/overview')
      expect(overview.problems).toContain(problem)
      return problem
    },
    { timeout: 15_000, interval: 50 }
  )
}

async function readyAgain(running: LiveService): Promise<void> {
  await vi.waitFor(async () => expect((await fetch(`${running.httpAddress}/readyz`)).status).toBe(200), { timeout: 15_000, interval: 50 })
}

/** History and alarm log hold what the messages [0, count) come to, once. */
async function holdsAll(running: LiveService, count: number): Promise<void> {
  const query = 'device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z'
  await vi.waitFor(
    async () => {
      const last = await running.get<{ items: unknown[] }>(
        `/api/v1/readings?${query.replace(/from=[^&]*/, `from=${new Date(START + (count * 50 - 1) * 1000).toISOString()}`)}`
      )
      expect(last.items).toHaveLength(1)
    },
    { timeout: 15_000, interval: 50 }
  )
  const readings = await running.all<{ at: string }>(`/api/v1/readings?${query}`)
  expect(readings.map(({ at }) => (Date.parse(at) - START) / 1000)).toEqual(Array.from({ length: count * 50 }, (_, n) => n))
  const events = await running.all<{ at: string; from: string; to: string }>('/api/v1/alarm-events')
  const turns = Array.from({ length: Math.floor((count - 1) / 10) }, (_, n) => ({
    at: new Date(START + (n + 1) * 500_000).toISOString(),
    turn: n % 2 === 0 ? 'clear -> yellow' : 'yellow -> clear'
  }))
  expect(events.map(({ at, from, to }) => ({ at, turn: `${from} -> ${to}` }))).toEqual(turns)
}

async function begin(data: string): Promise<[LiveService, MqttPublisher]> {
  service = await LiveService.start({ config: plant.config, data })
  // Who is signed in can see what is wrong; a full disk lets nobody new in.
  await service.cookie()
  publisher = await connectMqtt({ url: service.mqttAddress, clock, username: 'gw-0', password: 'secret-0', window: 10_000 })
  return [service, publisher]
}

it('without room for the journal nothing is acknowledged until there is some', async () => {
  const [running, gateway] = await begin(mount(40))
  const send = (n: number): Promise<boolean> => gateway.publish('fh/1/gw-0/telemetry', message(n))
  for (let n = 0; n < 25; n++) expect(await send(n)).toBe(true)
  fill()
  let acknowledged = 25
  const waiting: Promise<unknown>[] = []
  let sent = 25
  const sending = clock.every(5, () => {
    if (sent < 100) waiting.push(send(sent++).then((is) => (acknowledged += is ? 1 : 0)))
  })
  const sentence = await told(running, 'journal')
  expect(sentence).toMatch(/^The disk of the journal folder .* is full: nothing is acknowledged until there is room\. Free some space/)
  await vi.waitFor(() => expect(sent).toBe(100), { timeout: 10_000, interval: 10 })
  sending.cancel()
  const before = acknowledged
  expect(before).toBeLessThan(100)

  const byHttp = await running.telemetry('gw-0', 'secret-0', message(0))
  expect([byHttp.status, byHttp.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await byHttp.json()).toMatchObject({ detail: sentence })
  expect((await running.metrics()).get('fenghuo_messages_journaled_total')).toBe(acknowledged)
  expect(acknowledged).toBe(before)

  makeRoom()
  await Promise.all(waiting)
  expect(acknowledged).toBe(100)
  await readyAgain(running)
  await holdsAll(running, 100)
  expect(running.output).not.toMatch(/^\s+at .+:\d+/m)
  expect(await running.stop()).toBe(0)
})

it('with room put by for the journal, acknowledging goes on while alarms and history wait for theirs', async () => {
  const [running, gateway] = await begin(mount(200))
  const send = (n: number): Promise<boolean> => gateway.publish('fh/1/gw-0/telemetry', message(n))
  for (let n = 0; n < 5; n++) expect(await send(n)).toBe(true)
  // The journal's next segment lies ready.
  const spare = path.join(disk, 'data/journal/spare.tmp')
  await vi.waitFor(() => expect(statSync(spare).size).toBe(64 * MIB), { timeout: 20_000, interval: 50 })
  fill()
  for (let n = 5; n < 60; n++) expect(await send(n)).toBe(true)
  expect(await told(running, 'state store')).toMatch(/^No space is left for the state store: free some on the disk of the data folder\./)
  expect(await told(running, 'history')).toMatch(/No space left|no space|disk/i)
  for (let n = 60; n < 65; n++) expect(await send(n)).toBe(true)
  makeRoom()
  await readyAgain(running)
  for (let n = 65; n < 70; n++) expect(await send(n)).toBe(true)
  await holdsAll(running, 70)
  expect(running.output).not.toMatch(/^\s+at .+:\d+/m)
  expect(await running.stop()).toBe(0)
})

it('killed on a full disk it starts again or says what is missing, and has lost nothing', async () => {
  const data = mount(40)
  const [running, gateway] = await begin(data)
  for (let n = 0; n < 12; n++) expect(await gateway.publish('fh/1/gw-0/telemetry', message(n))).toBe(true)
  fill()
  await running.kill()
  gateway.cut()
  fill()
  const onFull = await refusedStart({ config: plant.config, data })
  expect(onFull.output).not.toMatch(/^\s+at .+:\d+/m)
  // Whether it can start depends on what was still to be committed when it was killed.
  if (onFull.code === null) expect(onFull.output).toMatch(/Fenghuo is running/)
  else {
    expect(onFull.code).toBe(1)
    expect(onFull.output).toMatch(/No space is left for the state store|is full/)
  }
  makeRoom()
  service = await LiveService.start({ config: plant.config, data })
  await holdsAll(service, 12)
  expect(await service.stop()).toBe(0)
})

describe('a read-only disk', () => {
  const remount = (mode: 'ro' | 'rw'): void => void execFileSync('mount', ['-o', `remount,${mode}`, disk], { stdio: 'pipe' })

  it('refuses the start with a sentence, with an empty data folder as with one in use before', async () => {
    const data = mount(40)
    const [running, gateway] = await begin(data)
    expect(await gateway.publish('fh/1/gw-0/telemetry', message(0))).toBe(true)
    expect(await running.stop()).toBe(0)
    gateway.cut()
    remount('ro')
    for (const folder of [data, path.join(disk, 'other')]) {
      const refused = await refusedStart({ config: plant.config, data: folder })
      expect(refused.output).toContain(folder)
      expect(refused.output).toMatch(/read-only/)
      expect(refused.output).not.toMatch(/^\s+at .+:\d+/m)
      expect(refused.code, refused.output).toBe(1)
    }
    remount('rw')
    service = await LiveService.start({ config: plant.config, data })
    await holdsAll(service, 1)
    expect(await service.stop()).toBe(0)
  })
})

it('told to end on a full disk, it ends in time, says what is left to do, and the next start does it', async () => {
  const data = mount(40)
  const [running, gateway] = await begin(data)
  for (let n = 0; n < 5; n++) expect(await gateway.publish('fh/1/gw-0/telemetry', message(n))).toBe(true)
  fill()
  let acknowledged = 5
  for (let n = 5; n < 100; n++) void gateway.publish('fh/1/gw-0/telemetry', message(n)).then((is) => (acknowledged += is ? 1 : 0))
  await told(running, 'journal')
  const status = await running.stop()
  gateway.cut()
  expect([0, 1]).toContain(status)
  if (status === 1) expect(running.output).toMatch(/Not everything ended as it should; the journal holds what was acknowledged\./)
  expect(running.output).not.toMatch(/^\s+at .+:\d+/m)
  makeRoom()
  service = await LiveService.start({ config: plant.config, data })
  const query = 'device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z'
  const started = service
  // What history had not stored it reads again from the journal.
  await vi.waitFor(
    async () => expect((await started.all<unknown>(`/api/v1/readings?${query}`)).length).toBeGreaterThanOrEqual(acknowledged * 50),
    { timeout: 10_000, interval: 50 }
  )
  expect(await service.stop()).toBe(0)
})
