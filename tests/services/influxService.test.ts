// The service as an operator runs it, on InfluxDB: both are killed under load, the loss identity holds at every scrape, and the
// API answers what was sent.

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { LiveService } from '../liveService.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'

const START = Math.floor((Date.now() - 86_400_000) / 3_600_000) * 3_600_000
let server: InfluxForTests
let plant: TankPlant
let service: LiveService
let sent = 0

beforeAll(async () => {
  server = await openInflux()
  plant = tankPlant()
  service = await start()
})

afterAll(async () => {
  await service?.kill()
  await server?.close()
  plant?.remove()
})

function start(): Promise<LiveService> {
  const env = { FENGHUO_INFLUX_URL: server.url, FENGHUO_INFLUX_DATABASE: 'live' }
  return LiveService.start({ config: plant.config, data: `${plant.folder}/data`, env })
}

/** Messages of ten new readings each; resolves once all are acknowledged. */
async function load(messages: number): Promise<void> {
  for (let n = 0; n < messages; n++) {
    const samples = Array.from({ length: 10 }, () => ({ device: 'T-0', ts: START + sent * 1000, values: { level_pct: sent++ % 80 } }))
    const response = await service.telemetry('gw-0', 'secret-0', JSON.stringify(samples))
    expect(response.status).toBe(202)
  }
}

async function identity(): Promise<Map<string, number>> {
  const metrics = await service.metrics()
  const dropped = ['duplicate', 'retention', 'refused'].map(
    (reason) => metrics.get(`fenghuo_readings_dropped_total{reason="${reason}"}`) ?? NaN
  )
  const sum = dropped.reduce(
    (total, one) => total + one,
    (metrics.get('fenghuo_readings_stored_total') ?? NaN) + (metrics.get('fenghuo_readings_pending') ?? NaN)
  )
  expect(sum).toBe(metrics.get('fenghuo_readings_total'))
  expect(metrics.get('fenghuo_readings_pending')).toBeGreaterThanOrEqual(0)
  return metrics
}

it('loses nothing, whoever dies', async () => {
  for (let round = 0; round < 3; round++) {
    await load(30)
    await identity()
    await server.kill()
    await load(30)
    await identity()
    if (round === 1) {
      await service.kill()
      service = await start()
      await load(5)
    }
    await server.restart()
    await load(30)
    await identity()
    if (round === 2) {
      await service.kill()
      service = await start()
    }
  }
  await vi.waitFor(
    async () => {
      const metrics = await identity()
      expect([metrics.get('fenghuo_readings_pending'), metrics.get('fenghuo_history_lag_records')]).toEqual([0, 0])
    },
    { timeout: 60_000, interval: 200 }
  )
  const from = new Date(START).toISOString()
  const items = await service.all<{ at: string; value: number; quality: string }>(
    `/api/v1/readings?device=T-0&metric=level_pct&from=${from}`
  )
  expect(items).toEqual(
    Array.from({ length: sent }, (_, n) => ({ at: new Date(START + n * 1000).toISOString(), value: n % 80, quality: 'good' }))
  )
  const minutes = await service.get<{ items: { count: number }[] }>(`/api/v1/readings?device=T-0&metric=level_pct&from=${from}&every=1m`)
  expect(minutes.items.reduce((total, { count }) => total + count, 0)).toBe(sent)
})

it('raises alarms and says what is the matter while InfluxDB is away', async () => {
  await server.kill()
  const response = await service.telemetry('gw-1', 'secret-1', JSON.stringify({ device: 'T-1', ts: Date.now(), values: { level_pct: 90 } }))
  expect(response.status).toBe(202)
  await vi.waitFor(
    async () => {
      const { items } = await service.get<{ items: { device: string }[] }>('/api/v1/alarms')
      expect(items.map(({ device }) => device)).toEqual(['T-1'])
      const ready = await fetch(`${service.httpAddress}/readyz`)
      const { parts } = (await ready.json()) as { parts: { part: string; state: string; problem: string }[] }
      expect([ready.status, parts.find(({ part }) => part === 'history')]).toEqual([
        200,
        {
          part: 'history',
          state: 'degraded',
          problem: expect.stringMatching(/^Readings cannot be stored in InfluxDB at .*not affected\.$/)
        }
      ])
    },
    { timeout: 20_000, interval: 100 }
  )
  const from = new Date(START).toISOString()
  await expect(service.get(`/api/v1/readings?device=T-0&metric=level_pct&from=${from}`)).rejects.toThrow(/503.*does not answer this/s)
  await expect(
    service.get(`/api/v1/readings?device=T-0&metric=level_pct&from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z&every=1ms`)
  ).rejects.toThrow(/: 422 .*intervals; at most/)
  expect(await service.stop()).toBe(0)
})
