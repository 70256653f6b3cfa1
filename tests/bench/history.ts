// npm run bench -- history: readings durably stored per second, in one run: the embedded store, InfluxDB, and the floor under the
// latter: the very same lines sent by a bare HTTP client. Rounds take turns, so that other work on the machine hits all alike.

import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { History } from '../../src/history/history.ts'
import { linesOf, pointsOf } from '../../src/history/influxPoints.ts'
import type { InfluxSettings } from '../../src/history/influxSettings.ts'
import type { FleetNames, SharedBatch } from '../../src/history/messages.ts'
import { Outbox, sharedBatch } from '../../src/history/outbox.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { someFleet } from '../history/someFleet.ts'
import { type InfluxForTests, openInflux } from '../services/influxServer.ts'

const METRICS = ['level_pct', 'pressure_kpa', 'temperature_c', 'flow_m3h']
const DEVICES = 2_000
const OFFERS = 100
const ROWS_PER_OFFER = DEVICES * METRICS.length
const ROUNDS = 3

/** All devices once per offer, a second apart; values as sensors give them: two decimals, slowly moving. */
function offers(began: number): ReadingColumns[] {
  return Array.from({ length: OFFERS }, (_, n) => {
    const columns = new ReadingColumns(ROWS_PER_OFFER)
    for (let series = 0; series < ROWS_PER_OFFER; series++) {
      columns.push(0, series, began + n * 1000, Math.round(5000 + 3000 * Math.sin(series + n / 50)) / 100, 0, 1, 1)
    }
    return columns
  })
}

async function through(folder: string, influx: InfluxSettings | null, all: readonly ReadingColumns[]): Promise<number> {
  const history = new History({ folder, clock: new SystemClock(), log: silentLog, memoryMb: 256, threads: 1, retentionDays: null, influx })
  await history.start()
  history.setFleet(someFleet(DEVICES, METRICS))
  const began = performance.now()
  for (const [n, columns] of all.entries()) {
    while (!history.offer(columns, n + 1)) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await history.flush()
  const seconds = (performance.now() - began) / 1000
  if (history.storedRows !== OFFERS * ROWS_PER_OFFER) throw new Error(`${history.storedRows} rows were stored`)
  await history.stop()
  return (OFFERS * ROWS_PER_OFFER) / seconds
}

/** The lines that InfluxDB is sent, made beforehand, in the same sizes. */
function bodies(all: readonly ReadingColumns[]): Buffer[] {
  const outbox = new Outbox(LIMITS.history.rowsPerCommit)
  for (const [n, columns] of all.entries()) outbox.add(columns, ROWS_PER_OFFER, n + 1)
  outbox.seal()
  const fleet = someFleet(DEVICES, METRICS)
  const places = fleet.devices.map(({ profile, area, site, enterprise }) => ({ profile, area, site, enterprise }))
  const names: FleetNames = { devices: fleet.devices.map(({ id }) => id), metrics: fleet.devices.map(() => METRICS), places }
  const made: Buffer[] = []
  for (let parcel = outbox.peek(); parcel?.kind === 'batch'; parcel = outbox.peek()) {
    const batch: SharedBatch = sharedBatch(parcel.batch)
    const { points } = pointsOf(batch, names)
    const size = LIMITS.history.influx.pointsPerWrite
    for (let from = 0; from < points.length; from += size) made.push(gzipSync(linesOf(points.slice(from, from + size), names)))
    outbox.done()
  }
  return made
}

async function bare(url: string, database: string, made: readonly Buffer[]): Promise<number> {
  const agent = new http.Agent({ keepAlive: true })
  const waiting = [...made]
  const send = (body: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-encoding': 'gzip', 'content-length': body.length }
      const request = http.request(`${url}/write?db=${database}&precision=ms`, { method: 'POST', agent, headers }, (response) => {
        response.resume()
        response.once('end', () => (response.statusCode === 204 ? resolve() : reject(new Error(`status ${response.statusCode}`))))
      })
      request.once('error', reject)
      request.end(body)
    })
  const began = performance.now()
  const worker = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) await send(body)
  }
  await Promise.all(Array.from({ length: LIMITS.history.influx.writesAtOnce }, worker))
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  return (OFFERS * ROWS_PER_OFFER) / seconds
}

/** Readings a second that InfluxDB takes of a writer which does nothing else. */
export async function floor(server: InfluxForTests): Promise<number> {
  const client = server.client('floor')
  await client.command('CREATE DATABASE floor')
  const made = bodies(offers(Date.now() - 3_600_000))
  const rate = await bare(client.settings.url, 'floor', made)
  client.close()
  return rate
}

/** Prints the medians and their ratios. */
export async function history(say: (what: string, figures: string) => void): Promise<void> {
  const server = await openInflux()
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-history-'))
  const rates: Record<'embedded' | 'influx' | 'floor', number[]> = { embedded: [], influx: [], floor: [] }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const all = offers(Date.now() - 3_600_000)
      const made = bodies(all)
      const straight = server.client(`bench_${round}`)
      await straight.command(`CREATE DATABASE floor_${round}`)
      rates.floor.push(await bare(straight.settings.url, `floor_${round}`, made))
      rates.influx.push(await through(path.join(folder, `influx-${round}`), straight.settings, all))
      rates.embedded.push(await through(path.join(folder, `embedded-${round}`), null, all))
      straight.close()
    }
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] as number
  const [embedded, influx, floor] = [median(rates.embedded), median(rates.influx), median(rates.floor)]
  const rate = (value: number): string => `${Math.round(value).toLocaleString('en')} readings/s durable`
  say(`history: embedded store, ${OFFERS} offers of ${ROWS_PER_OFFER} readings`, rate(embedded))
  say(
    'history: InfluxDB',
    `${rate(influx)}, ${(influx / embedded).toFixed(2)} of the embedded store, ${(influx / floor).toFixed(2)} of the floor`
  )
  say('history: the same lines by bare HTTP (floor)', rate(floor))
}
