// How InfluxDB is spoken to, seen from its side of the wire: paths, authorization, bodies, and what is made of its answers, for the
// versions that cannot be run here. The requests and answers are those of its documentation.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { InfluxServer } from '../../src/history/influx.ts'
import { fluxOf, fluxReadings } from '../../src/history/influxFlux.ts'
import { readingsIn } from '../../src/history/influxQuestions.ts'
import type { InfluxSettings } from '../../src/history/influxSettings.ts'
import { setUpInflux } from '../../src/history/influxSetup.ts'
import { NOON } from './someFleet.ts'

interface Seen {
  readonly line: string
  readonly authorization: string | undefined
  readonly body: string
}

let web: Server
let seen: Seen[]
let answer: (line: string, body: string) => { status?: number; type?: string; body?: string; version?: string }

beforeEach(async () => {
  seen = []
  answer = () => ({ status: 204 })
  web = createServer(async (request: IncomingMessage, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const raw = Buffer.concat(pieces)
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString()
    const line = `${request.method} ${decodeURIComponent((request.url ?? '').replaceAll('+', ' '))}`
    seen.push({ line, authorization: request.headers.authorization, body })
    const { status = 200, type = 'application/json', body: said = '', version = 'v2.7.10' } = answer(line, body)
    response.writeHead(status, { 'content-type': type, 'x-influxdb-version': version }).end(said)
  })
  await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve))
})

afterEach(() => new Promise((resolve) => web.close(resolve)))

function settings(given: Partial<InfluxSettings> = {}): InfluxSettings {
  const { port } = web.address() as { port: number }
  return { url: `http://127.0.0.1:${port}/base/`, database: 'my plant', token: 't0ken', api: 'v2', org: 'works', ...given }
}

test('v2 writes to its bucket with a token, large bodies packed; v1 to its database, with a password where there is one', async () => {
  const lines = Array.from({ length: 100 }, (_, n) => `tank,device=D-0 a=1 ${n}`).join('\n')
  for (const given of [{}, { api: 'v1' as const }, { api: 'v1' as const, token: 'user:pass' }]) {
    const server = new InfluxServer(settings(given))
    await server.write(lines)
    server.close()
  }
  expect(seen.map(({ line, authorization }) => [line, authorization])).toEqual([
    ['POST /base/api/v2/write?org=works&bucket=my plant&precision=ms', 'Token t0ken'],
    ['POST /base/write?db=my plant&precision=ms', 'Token t0ken'],
    ['POST /base/write?db=my plant&precision=ms', `Basic ${Buffer.from('user:pass').toString('base64')}`]
  ])
  expect(new Set(seen.map(({ body }) => body))).toEqual(new Set([lines]))
})

test('v2 asks Flux, bounded on both ends and in rows, and reads its annotated CSV', async () => {
  answer = () => ({
    type: 'text/csv',
    body: [
      '#datatype,string,long,dateTime:RFC3339,double,double,double',
      '#group,false,false,false,false,false,false',
      '#default,_result,,,,,',
      ',result,table,_time,level_pct,level_pct.quality,level_pct.unusable',
      `,,0,${new Date(NOON).toISOString()},71.5,0,`,
      `,,0,${new Date(NOON + 1).toISOString()},,3,900`,
      `,,0,${new Date(NOON + 2).toISOString()},,4,`,
      ''
    ].join('\r\n')
  })
  const server = new InfluxServer(settings())
  const question = { kind: 'readings', device: 'D-0', metric: 'level_pct', from: NOON, to: NOON + 10, limit: 50 } as const
  const query = fluxOf('my plant', question) as string
  const rows = await server.flux(query, 10_000)
  server.close()
  expect(readingsIn([fluxReadings(rows, 'level_pct')], 50)).toEqual([
    { at: NOON, value: 71.5, quality: 'good' },
    { at: NOON + 1, value: 900, quality: 'outOfRange' },
    { at: NOON + 2, value: null, quality: 'sensorFault' }
  ])
  expect(seen[0]!.line).toBe('POST /base/api/v2/query?org=works')
  expect((JSON.parse(seen[0]!.body) as { query: string }).query).toBe(
    'from(bucket: "my plant") |> range(start: 2026-06-15T12:00:00.000Z, stop: 2026-06-15T12:00:00.010Z) |> filter(fn: (r) => r.device == "D-0" and (r._field == "level_pct" or r._field == "level_pct.quality" or r._field == "level_pct.unusable")) |> group() |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> sort(columns: ["_time"]) |> limit(n: 50)'
  )
})

test('what a status means: who may try again, who must look', async () => {
  const server = new InfluxServer(settings({ api: 'v1' }))
  const troubles: string[] = []
  for (const [status, error] of [
    [400, 'unable to parse'],
    [422, 'points beyond retention policy'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'database not found'],
    [413, 'too large'],
    [429, 'slow down'],
    [500, 'engine: no space left on device'],
    [503, 'unavailable']
  ] as const) {
    answer = () => ({ status, body: JSON.stringify({ error }) })
    troubles.push(
      await server.write('x y=1').then(
        () => 'stored',
        (cause: { trouble: string }) => cause.trouble
      )
    )
  }
  answer = () => ({ body: JSON.stringify({ results: [{ error: 'database not found: x' }] }) })
  troubles.push(
    await server.query('SELECT 1').then(
      () => 'answered',
      (cause: { trouble: string }) => cause.trouble
    )
  )
  server.close()
  const expected = ['refused', 'refused', 'denied', 'denied', 'missing', 'large', 'passing', 'passing', 'passing', 'missing']
  expect(troubles).toEqual(expected)
})

test('setup of 2.x makes bucket, mapping and task; of 3 Core a database', async () => {
  answer = (line, body) => {
    if (line.includes('/orgs')) return { body: '{"orgs":[{"id":"o1"}]}' }
    if (line.startsWith('POST /base/api/v2/buckets'))
      return { body: JSON.stringify({ id: `b-${(JSON.parse(body) as { name: string }).name}` }) }
    if (line.includes('/buckets')) return { status: 404, body: '{"message":"bucket not found"}' }
    return { body: '{}' }
  }
  const said: string[] = []
  await setUpInflux(settings({ api: 'v1' }), { retentionDays: 30, hourly: true }, (sentence) => void said.push(sentence))
  expect(said.slice(1)).toEqual([
    'The bucket my plant was created and keeps readings for 30 days.',
    'The database name my plant was mapped to the bucket (DBRP): /write and /query work with it.',
    'The bucket my plant_hourly was created.',
    'The task fenghuo_hourly was created: mean, min, max and count of every metric per hour, in the bucket my plant_hourly.'
  ])
  const mapping = seen.find(({ line }) => line === 'POST /base/api/v2/dbrps')
  expect(JSON.parse(mapping!.body)).toEqual({
    bucketID: 'b-my plant',
    orgID: 'o1',
    database: 'my plant',
    retention_policy: 'autogen',
    default: true
  })
  answer = () => ({ body: '[]', version: '3.2.1' })
  said.length = 0
  await setUpInflux(settings({ api: 'v1' }), { retentionDays: 30, hourly: false }, (sentence) => void said.push(sentence))
  expect(said[1]).toBe('The database my plant was created and keeps readings for 30 days.')
  expect(JSON.parse(seen.at(-1)!.body)).toEqual({ db: 'my plant', retention_period: '30d' })
})
