// The real process stopped, killed and started again while delays, silences and held values run by the clock on the wall.
// What it tells is what its journal, judged once from beginning to end, comes to.

import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import { Effects } from '../../src/app/effects.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { alarmEventLine } from '../../src/model/alarm.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { connectMqtt } from '../../src/platform/mqtt.ts'
import { LiveService } from '../liveService.ts'
import { type TankPlant, TIMED_RULES, tankPlant } from './tankPlant.ts'

const clock = new SystemClock()
let plant: TankPlant
let data: string
let service: LiveService | null = null

beforeEach(() => {
  plant = tankPlant(TIMED_RULES)
  data = path.join(plant.folder, 'data')
})

afterEach(async () => {
  await service?.kill()
  plant.remove()
})

async function start(): Promise<LiveService> {
  service = await LiveService.start({ config: plant.config, data })
  return service
}

async function send(running: LiveService, gateway: 0 | 1, body: object): Promise<void> {
  expect((await running.telemetry(`gw-${gateway}`, `secret-${gateway}`, JSON.stringify(body))).status).toBe(202)
}

function eventsOf(running: LiveService): Promise<object[]> {
  return running.all<object>('/api/v1/alarm-events')
}

/** The first `count` events, once there are so many. */
async function told(running: LiveService, count: number): Promise<object[]> {
  return vi.waitFor(
    async () => {
      const events = await eventsOf(running)
      expect(events.length).toBeGreaterThanOrEqual(count)
      return events.slice(0, count)
    },
    { timeout: 10_000, interval: 20 }
  )
}

/** The journal of a service that is not running, judged in one go; silences and delays up to now. */
async function judgedAtOnce(): Promise<object[]> {
  const journal = new Journal({ folder: path.join(data, 'journal'), clock, log: silentLog })
  await journal.start()
  const records = await journal.read(0, 10_000, 100_000_000)
  const fleet = loadPlant(path.dirname(plant.config), {}).plant!
  const pipeline = Pipeline.begin(fleet, 1, records[0]!.receivedAt, { clockSkewMs: 300_000 })
  const effects = new Effects()
  pipeline.take(records.slice(1), effects)
  pipeline.advance(clock.now(), effects)
  await journal.stop()
  return effects.events.map((event) => JSON.parse(alarmEventLine(event)))
}

it('alarms, delays, silences and actions go on across SIGTERM and kill -9', async () => {
  let running = await start()
  await send(running, 0, { device: 'T-0', values: { level_pct: 90 } })
  const [raised] = (await told(running, 1)) as { id: string }[]
  const acknowledged = await running.act(raised!.id, 'acknowledge', { note: 'seen' })
  expect(acknowledged.status).toBe(200)
  // Red in a second, warm in one and a half, T-3 silent in two: with the service gone meanwhile.
  await send(running, 0, { device: 'T-0', values: { level_pct: 95 } })
  await send(running, 1, [
    { device: 'T-1', values: { temperature_c: 70 } },
    { device: 'T-3', values: { level_pct: 10 } }
  ])
  await running.kill()
  running = await start()
  await send(running, 0, { device: 'T-2', values: { temperature_c: null } })
  expect(await running.stop()).toBe(0)
  running = await start()
  await told(running, 6)
  await send(running, 1, { device: 'T-3', values: { level_pct: 11 } })
  const before = await told(running, 7)
  const active = await running.all<{ id: string }>('/api/v1/alarms?state=active')
  expect(await running.stop()).toBe(0)
  expect(before).toEqual((await judgedAtOnce()).slice(0, 7))

  running = await start()
  // T-3 may have fallen silent again.
  expect((await eventsOf(running)).slice(0, 7)).toEqual(before)
  const again = await running.all<{ id: string; rule: string }>('/api/v1/alarms?state=active')
  expect(again.filter(({ rule }) => rule !== 'lost')).toEqual(active.filter(({ id }) => !id.startsWith('lost')))
  expect(await running.stop()).toBe(0)
})

it('a state store locked by somebody else is waited for; one written by somebody else ends the process with a sentence', async () => {
  const running = await start()
  await send(running, 0, { device: 'T-0', values: { level_pct: 50 } })
  await running.cookie()
  const other = new DatabaseSync(path.join(data, 'state.db'))
  other.exec('begin immediate')
  await send(running, 0, { device: 'T-0', values: { level_pct: 90 } })
  await vi.waitFor(
    async () => {
      const response = await fetch(`${running.httpAddress}/readyz`)
      expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
        503,
        expect.stringMatching(/locked by another process/)
      ])
    },
    { timeout: 10_000, interval: 50 }
  )
  other.exec('rollback')
  await told(running, 1)
  expect((await fetch(`${running.httpAddress}/readyz`)).status).toBe(200)

  other.exec('update position set last_event = last_event + 1')
  other.close()
  await send(running, 0, { device: 'T-2', values: { level_pct: 90 } })
  expect(await running.ended()).toBe(1)
  expect(running.output).toMatch(/Another Fenghuo has written to this state store meanwhile: only one may run on a data folder/)
  expect(running.output).not.toMatch(/^\s+at .+:\d+/m)
})

it('SIGTERM under load ends with status 0, and everything acknowledged is in history', async () => {
  let running = await start()
  const publisher = await connectMqtt({ url: running.mqttAddress, clock, username: 'gw-0', password: 'secret-0', window: 50 })
  const at = Date.parse('2026-01-01T00:00:00Z')
  const acknowledged: number[] = []
  let sent = 0
  let stopping = false
  const sending = (async () => {
    const publishes: Promise<void>[] = []
    while (!stopping && (await publisher.room())) {
      const n = sent++
      const body = JSON.stringify({ device: 'T-0', ts: at + n * 1000, values: { level_pct: n % 80 } })
      publishes.push(publisher.publish('fh/1/gw-0/telemetry', body).then((is) => void (is && acknowledged.push(n))))
    }
    publisher.cut()
    void Promise.all(publishes)
  })()
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(500), { timeout: 10_000, interval: 5 })
  const status = await running.stop()
  stopping = true
  publisher.cut()
  await sending
  expect(status, running.output).toBe(0)
  running = await start()
  const query = 'device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z'
  const readings = await running.all<{ at: string; value: number }>(`/api/v1/readings?${query}`)
  const held = new Set(readings.map((reading) => (Date.parse(reading.at) - at) / 1000))
  expect(held.size).toBe(readings.length)
  expect(acknowledged.filter((n) => !held.has(n))).toEqual([])
  expect(await running.stop()).toBe(0)
})
