// `fenghuo history setup` on a real InfluxDB 1.x: what it creates, that it says so, and that a second time changes nothing.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { setUpHistory } from '../../src/app/commands/history.ts'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'

const VARIABLES: Record<string, string> = { profile: 'tank', device: 'T-0', metric: 'level_pct', timeFilter: 'TIME', __interval: '1m' }

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly query: string }[] }[]
  readonly templating: { readonly list: readonly { readonly type: string; readonly query: string }[] }
}

/** A whole hour that is over: the tests below ask for what the one before wrote in it. */
const HOUR = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000
let server: InfluxForTests
let files: TankPlant

beforeAll(async () => {
  server = await openInflux()
  files = tankPlant()
})

afterAll(async () => {
  await server.close()
  files.remove()
})

async function setUp(env: Record<string, string>): Promise<string[]> {
  const said: string[] = []
  const out = { log: (line: string) => void said.push(line), error: (line: string) => void said.push(line) }
  await setUpHistory({ config: path.resolve(files.config), hourly: true }, env, out)
  return said
}

it('creates database, retention and hourly figures, and leaves them alone the second time', async () => {
  const env = { FENGHUO_INFLUX_URL: server.url, FENGHUO_INFLUX_DATABASE: 'plant' }
  expect(await setUp(env)).toEqual([
    expect.stringMatching(/^InfluxDB at http:\/\/127\.0\.0\.1:\d+ is version 1\./),
    'The database plant was created.',
    'Readings are kept for 1095 days now (policy autogen, before: without end).',
    'The policy fenghuo_hourly was created: it keeps hourly figures without end.',
    'The continuous query fenghuo_hourly was created: mean, min, max and count of every metric per hour; late readings of the last day included.'
  ])
  const again = await setUp(env)
  expect(again.slice(1)).toEqual([
    'The database plant exists.',
    'Readings are kept for 1095 days (policy autogen).',
    'The policy fenghuo_hourly exists.',
    'The continuous query fenghuo_hourly exists.'
  ])
})

it('whose hourly figures are of values alone, by device', async () => {
  const client = server.client('plant')
  await client.write(`tank,device=T-0,site=s level_pct=10,level_pct.quality=0 ${HOUR}
tank,device=T-0,site=s level_pct=30,level_pct.quality=1 ${HOUR + 1000}
tank,device=T-0,site=s level_pct.unusable=900,level_pct.quality=3 ${HOUR + 2000}
fenghuo_position,installation=x seq=5 ${HOUR}`)
  const [queries] = await client.command('SHOW CONTINUOUS QUERIES')
  const text = String(queries?.find(({ name }) => name === 'plant')?.values[0]?.[1])
  const select = /BEGIN (.*) END/.exec(text)?.[1]?.replace(' GROUP BY', ` AND time >= ${HOUR}ms AND time < ${HOUR + 3_600_000}ms GROUP BY`)
  await client.command(select as string)
  const [hourly] = await client.query(
    'SELECT mean_level_pct, min_level_pct, max_level_pct, count_level_pct FROM "fenghuo_hourly"./.*/ GROUP BY device'
  )
  expect(hourly).toMatchObject([
    {
      name: 'tank',
      columns: ['time', 'mean_level_pct', 'min_level_pct', 'max_level_pct', 'count_level_pct'],
      values: [[HOUR, 20, 10, 30, 2]]
    }
  ])
  client.close()
})

it('and its dashboard for Grafana asks questions that have answers', async () => {
  const client = server.client('plant')
  const dashboard = readFileSync(path.join(import.meta.dirname, '../../docs/grafana/fenghuo-influx.json'), 'utf8')
  const filled = (text: string): string =>
    text
      .replaceAll(/\$\{?(profile|device|metric|timeFilter|__interval)\}?/g, (_, name: string) => VARIABLES[name] as string)
      .replaceAll('TIME', `time >= ${HOUR}ms AND time < ${HOUR + 3_600_000}ms`)
  const { panels, templating } = JSON.parse(dashboard) as Dashboard
  const queries = panels.flatMap(({ targets }) => targets.map(({ query }) => query))
  const answers = await Promise.all(queries.map(async (query) => [query, (await client.query(filled(query)))[0]?.length]))
  expect(queries).toHaveLength(6)
  expect(answers).toEqual(queries.map((query) => [query, 1]))
  const [profiles, devices, metrics] = await Promise.all(
    templating.list.filter(({ type }) => type === 'query').map(async ({ query }) => (await client.query(filled(query)))[0]?.[0]?.values)
  )
  const fields = ['level_pct', 'level_pct.quality', 'level_pct.unusable'].map((field) => [field, 'float'])
  expect([profiles, devices, metrics]).toEqual([[['tank']], [['device', 'T-0']], fields])
  client.close()
})

it('says what to do where there is no InfluxDB, and where none is configured', async () => {
  await expect(setUp({ FENGHUO_INFLUX_URL: 'http://127.0.0.1:9' })).rejects.toThrow(
    /^InfluxDB at http:\/\/127\.0\.0\.1:9 cannot be reached \(.+\): see that it runs/
  )
  expect(await setUp({})).toEqual([expect.stringMatching(/^History is kept in the embedded store/)])
})
