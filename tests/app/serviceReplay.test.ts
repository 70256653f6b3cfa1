// Recorded fires and attacks replayed over MQTT into a running service: the alarms that are known of them, to the second,
// as the API tells them.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { LiveService, runFenghuo } from '../liveService.ts'

const REPLAY = path.join(import.meta.dirname, '../../config/replay')
let data: string
let service: LiveService

beforeAll(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'fenghuo-replay-'))
  service = await LiveService.start({ config: path.join(REPLAY, 'plant/fenghuo.yaml'), data })
})

afterAll(async () => {
  await service?.stop()
  rmSync(data, { recursive: true, force: true })
})

async function replay(map: string, file: string): Promise<{ sent: number; acknowledged: number }> {
  const url = service.mqttAddress.replace('mqtt://', 'mqtt://replay:demo-replay@')
  const outcome = await runFenghuo(['replay', path.join(REPLAY, 'data', file), '--map', path.join(REPLAY, map), '--url', url, '--json'])
  expect(outcome.code, outcome.output).toBe(0)
  return JSON.parse(outcome.output.slice(outcome.output.indexOf('{'), outcome.output.lastIndexOf('}') + 1))
}

interface Line {
  readonly at: string
  readonly rule: string
  readonly device: string
  readonly from: string
  readonly to: string
  readonly id: string
}

const sinceZero = (seconds: number): string => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString()
const epoch = (seconds: number): string => new Date(seconds * 1000).toISOString()

it('raises what is known of the NIST fire SDC02 and of the BATADAL attacks', async () => {
  await replay('nist-sdc02.map.yaml', 'nist/NIST_Smoke_Alarms_SDC02.excerpt.csv')
  await replay('batadal-test.map.yaml', 'batadal/BATADAL_test_dataset.excerpt.csv')
  const lines = await vi.waitFor(
    async () => {
      const found = await service.all<Line>('/api/v1/alarm-events')
      expect(found.length).toBeGreaterThanOrEqual(10)
      return found
    },
    { timeout: 10_000, interval: 50 }
  )
  expect(lines.map(({ at, rule, device, from, to }) => `${at} ${rule}/${device} ${from} -> ${to}`)).toEqual([
    `${sinceZero(112)} room-heat/sdc02-heat clear -> red`,
    `${sinceZero(144)} room-smoke/sdc02-smoke clear -> orange`,
    `${epoch(1485122400)} tank-emptying/ctown-t7 clear -> orange`,
    `${epoch(1485129600)} tank-emptying/ctown-t7 orange -> clear`,
    `${epoch(1486890000)} tank-overflow/ctown-t1 clear -> orange`,
    `${epoch(1486904400)} tank-overflow/ctown-t1 orange -> clear`,
    `${epoch(1488142800)} tank-emptying/ctown-t7 clear -> orange`,
    `${epoch(1488157200)} tank-emptying/ctown-t7 orange -> clear`,
    `${epoch(1490832000)} tank-emptying/ctown-t7 clear -> orange`,
    `${epoch(1490842800)} tank-emptying/ctown-t7 orange -> clear`
  ])
  const active = await service.all<{ id: string; tier: string; clearedAt: string | null }>('/api/v1/alarms?state=active')
  expect(active.filter(({ clearedAt }) => clearedAt === null).map(({ id, tier }) => `${tier} ${id}`)).toEqual([
    `red room-heat/sdc02-heat#${Date.parse(sinceZero(112))}`,
    `orange room-smoke/sdc02-smoke#${Date.parse(sinceZero(144))}`
  ])
})

it('holds every replayed reading in history', async () => {
  const rows = readFileSync(path.join(REPLAY, 'data/nist/NIST_Smoke_Alarms_SDC02.excerpt.csv'), 'utf8').trim().split('\n').length - 1
  const readings = await vi.waitFor(
    async () => {
      const query = 'device=sdc02-heat&metric=temperature_c&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'
      const found = await service.all<{ at: string }>(`/api/v1/readings?${query}`)
      expect(found.length).toBeGreaterThan(90)
      return found
    },
    { timeout: 10_000, interval: 50 }
  )
  expect(rows).toBe(readings.length)
})
