// fenghuo doctor: what it finds on a sound machine, and what it says of each thing that is not.

import { chmodSync, mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { examine } from '../../src/app/doctor/doctor.ts'
import type { Finding } from '../../src/app/doctor/finding.ts'
import { checkPostgres } from '../../src/app/doctor/postgres.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

let plant: TankPlant
let data: string
const servers: Server[] = []

beforeEach(() => {
  plant = tankPlant()
  data = path.join(plant.folder, 'data')
})

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  plant.remove()
})

function look(env: Record<string, string> = {}): Promise<Finding[]> {
  const all = { FENGHUO_DATA: data, FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0', ...env }
  return examine(plant.config, all, plant.folder, new SystemClock())
}

function of(findings: readonly Finding[], check: string): string[] {
  return findings.filter((finding) => finding.check === check).map(({ state, found, todo }) => `${state}: ${found} ${todo ?? ''}`.trim())
}

/** A server that answers by `reply` whatever it is sent. */
async function listening(reply: (asked: string) => string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => socket.write(reply(chunk.toString())))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`

it('fails nothing on a sound machine, and knows the service that runs there by its ports', async () => {
  const service = await LiveService.start({ config: plant.config, data })
  try {
    const ports = { FENGHUO_HTTP_PORT: new URL(service.httpAddress).port, FENGHUO_MQTT_PORT: new URL(service.mqttAddress).port }
    const env = { FENGHUO_DATA: data, ...ports }
    const outcome = await runFenghuo(['doctor', '--config', plant.config, '--json'], env)
    expect(outcome.code, outcome.output).toBe(0)
    const { ok, findings } = JSON.parse(outcome.output) as { ok: boolean; findings: Finding[] }
    expect([ok, findings.filter(({ state }) => state === 'fail')]).toEqual([true, []])
    expect(of(findings, 'service')).toEqual([`ok: Fenghuo 0.1.0 runs on this data folder (pid ${service.pid}).`])
    expect(of(findings, 'HTTP port')).toEqual([`ok: Port ${ports.FENGHUO_HTTP_PORT} of 127.0.0.1 is served by this service.`])
    expect(of(findings, 'MQTT port')).toEqual([`ok: Port ${ports.FENGHUO_MQTT_PORT} of 127.0.0.1 is served by this service.`])
    expect(of(findings, 'DuckDB')).toEqual([expect.stringMatching(/^ok: DuckDB v[\d.]+ works\.$/)])
  } finally {
    await service.kill()
  }
})

it('names a port in use, a folder that is open to all, a console that is not built, a mistake in the plant', async () => {
  const port = await listening(() => '')
  mkdirSync(data)
  chmodSync(data, 0o755)
  plant.write('rules/level.yaml', 'rules: [{ id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pt > 3 } } }]')
  const outcome = await runFenghuo(['doctor', '--config', plant.config], { FENGHUO_DATA: data, FENGHUO_HTTP_PORT: String(port) })
  expect(outcome.code).toBe(1)
  expect(outcome.output).toMatch(new RegExp(`fail {2}HTTP port: Port ${port} of 127.0.0.1 is used by another program\\.`))
  expect(outcome.output).toMatch(/-> Stop what uses it, or choose another by FENGHUO_HTTP_PORT/)
  expect(outcome.output).toMatch(/warn {2}data folder: Everybody on this machine may enter/)
  expect(outcome.output).toMatch(/fail {2}configuration: .*level_pt/)
  expect(of(await look(), 'console')).toEqual([expect.stringMatching(/^warn: The console is not built.*npm run build/)])
})

it('asks Redis and InfluxDB who they are, and never says a password', async () => {
  let policy = 'allkeys-lru'
  const redis = await listening((asked) => {
    if (/AUTH/.test(asked)) return /right/.test(asked) ? '+OK\r\n' : '-WRONGPASS invalid\r\n'
    return bulk(/memory/.test(asked) ? `maxmemory_policy:${policy}\r\n` : 'redis_version:7.0.15\r\n')
  })
  const influx = await listening(() => 'HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 1.6.7\r\n\r\n')
  const env = { FENGHUO_REDIS_URL: `redis://:right@127.0.0.1:${redis}`, FENGHUO_INFLUX_URL: `http://127.0.0.1:${influx}` }
  const first = await look(env)
  expect(of(first, 'Redis')).toEqual([expect.stringMatching(/^warn: Redis 7\.0\.15 evicts .*allkeys-lru.*Set maxmemory-policy noeviction/)])
  expect(of(first, 'InfluxDB')).toEqual(['ok: InfluxDB 1.6.7 can be reached.'])
  policy = 'noeviction'
  expect(of(await look(env), 'Redis')).toEqual(['ok: Redis 7.0.15 can be reached; nothing in it is evicted.'])
  const wrong = await look({ FENGHUO_REDIS_URL: `redis://:wrong@127.0.0.1:${redis}` })
  expect(of(wrong, 'Redis')).toEqual([expect.stringMatching(/^fail: It refuses the password/)])
  const closed = await listening(() => '')
  servers.at(-1)!.close()
  const away = await look({ FENGHUO_REDIS_URL: `redis://:hush@127.0.0.1:${closed}` })
  expect(of(away, 'Redis')).toEqual([expect.stringMatching(/^fail: 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED.* Start it/)])
  expect(JSON.stringify([first, wrong, away])).not.toMatch(/right|hush/)
})

it('says that InfluxDB refuses the credentials, or has no such database', async () => {
  let answer: readonly [string, string] = ['401 Unauthorized', 'authorization failed']
  const influx = await listening((asked) => {
    if (asked.startsWith('GET /ping')) return 'HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 1.6.7\r\n\r\n'
    const body = JSON.stringify({ error: answer[1] })
    return `HTTP/1.1 ${answer[0]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  })
  const env = { FENGHUO_INFLUX_URL: `http://127.0.0.1:${influx}`, FENGHUO_INFLUX_TOKEN: 'me:hush' }
  expect(of(await look(env), 'InfluxDB')).toEqual([
    'ok: InfluxDB 1.6.7 can be reached.',
    'fail: It does not let us in: authorization failed. Correct FENGHUO_INFLUX_TOKEN (history.influx.token): a token, or user:password, that may read and write "fenghuo".'
  ])
  answer = ['404 Not Found', 'database not found: "fenghuo"']
  expect(of(await look(env), 'InfluxDB')).toEqual([
    'ok: InfluxDB 1.6.7 can be reached.',
    'warn: It has no "fenghuo" yet. Run fenghuo history setup.'
  ])
})

it('says where PostgreSQL cannot be reached, and that its address is to be looked at', async () => {
  const closed = await listening(() => '')
  servers.at(-1)!.close()
  const [away] = await checkPostgres(`postgres://fenghuo:hush@127.0.0.1:${closed}/fenghuo`)
  expect(away).toEqual({
    check: 'PostgreSQL',
    state: 'fail',
    found: `127.0.0.1:${closed}/fenghuo cannot be reached: connect ECONNREFUSED 127.0.0.1:${closed}.`,
    todo: 'See that the server runs, and that FENGHUO_POSTGRES_URL is its address.'
  })
})
