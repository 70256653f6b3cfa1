// docker-compose.yml played without Docker: what each container would run, as the user and in the groups it would have, in the order in
// which compose starts them, on servers from Debian that take their passwords and configuration from the files that were made.
// Only the hosts' names and the folders are others. As somebody else than root, everything runs as that user.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { composeWith, startOrder } from '../deploy/composeFile.ts'
import { ADMIN_PASSWORD, LAUNCHER, LiveService, type Outcome } from '../liveService.ts'
import { freePort } from './freePort.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { openRedis, type RedisServer } from './redisServer.ts'

const WAIT = { timeout: 60_000, interval: 100 }
const IS_ROOT = process.getuid?.() === 0
const compose = composeWith()
const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-compose-'))
const inFolder = (name: string): string => path.join(folder, name)
/** Where the folders of the containers are here. */
const PLACES: Readonly<Record<string, string>> = {
  '/secrets': inFolder('secrets'),
  '/plant': path.join(import.meta.dirname, '..', '..', 'config'),
  '/broker': inFolder('broker'),
  '/app': path.join(import.meta.dirname, '..', '..'),
  '/mosquitto/config': inFolder('broker'),
  '/mosquitto/data': inFolder('mosquitto')
}
const ports: Record<string, number> = {}
const printed: string[] = []
let postgres: PostgresServer
let redis: RedisServer
let influx: InfluxForTests
let broker: MosquittoForTests
let service: LiveService
let connected: ChildProcess | null = null

/** A text of the compose file, with the places and addresses of this machine. */
function here(text: string): string {
  const moved = Object.entries(PLACES).find(([place]) => text === place || text.startsWith(`${place}/`))
  const placed = moved === undefined ? text : `${moved[1]}${text.slice(moved[0].length)}`
  const own = IS_ROOT ? placed : placed.replace(/^([a-z-]+):\d+$/, `$1:${process.getgid?.()}`)
  return own.replace(
    /(@|:\/\/)(postgres|redis|influxdb|mosquitto)(?::\d+)?(?=\/|$)/g,
    (_, before, host) => `${before}127.0.0.1:${ports[host]}`
  )
}

const environmentOf = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(compose.services[name]!.environment ?? {}).map(([key, value]) => [key, here(value)]))

/** What makes a program the user that the container has. */
function as(name: string): string[] {
  const { user = '', group_add = [] } = compose.services[name]!
  const [uid, gid] = user.split(':')
  const groups = group_add.length === 0 ? ['--clear-groups'] : ['--groups', group_add.join()]
  return IS_ROOT ? ['setpriv', '--reuid', uid!, '--regid', gid!, ...groups] : []
}

/** Runs what a container runs to its end. */
async function once(name: string, ...more: string[]): Promise<Outcome> {
  const [program = '', ...args] = [...as(name), process.execPath, LAUNCHER, ...compose.services[name]!.command!.map(here), ...more]
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...environmentOf(name) }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const outcome = await new Promise<Outcome>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })))
  printed.push(output)
  return outcome
}

const secret = (name: string): string => readFileSync(inFolder(`secrets/${name}`), 'utf8').trim()

/** A folder as the image has it, for the user of this container. */
function folderOf(name: string, owner: string): void {
  mkdirSync(inFolder(name))
  const [uid, gid] = compose.services[owner]!.user!.split(':').map(Number)
  if (IS_ROOT) chownSync(inFolder(name), uid!, gid!)
}

beforeAll(async () => {
  chmodSync(folder, 0o755)
  for (const [name, owner] of [
    ['secrets', 'prepare'],
    ['broker', 'broker-export'],
    ['mosquitto', 'mosquitto']
  ] as const)
    folderOf(name, owner)
  // One of the operator's own.
  writeFileSync(inFolder('secrets/admin-password'), `${ADMIN_PASSWORD}\n`)
  ports.postgres = await freePort()
  ports.mosquitto = await freePort()
  ;[redis, influx] = await Promise.all([openRedis(), openInflux()])
  ports.redis = Number(new URL(redis.url).port)
  ports.influxdb = Number(new URL(influx.url).port)
  const start: Readonly<Record<string, () => Promise<unknown>>> = {
    async postgres() {
      postgres = await openPostgres({ port: ports.postgres!, password: secret('postgres-password') })
      const { POSTGRES_USER, POSTGRES_DB } = compose.services.postgres!.environment!
      const where = `postgres://${POSTGRES_USER}:${secret('postgres-password')}@127.0.0.1:${ports.postgres}/postgres`
      await postgres.run(where, `create database ${POSTGRES_DB}`)
    },
    async mosquitto() {
      broker = await openMosquitto({
        configuration: { file: inFolder('broker/mosquitto.conf'), port: ports.mosquitto! },
        by: as('mosquitto')
      })
    },
    async fenghuo() {
      const env = { ...environmentOf('fenghuo'), FENGHUO_ADMIN_PASSWORD: '' }
      service = await LiveService.start({ config: path.join(PLACES['/plant']!, 'fenghuo.yaml'), data: inFolder('data'), env })
    },
    redis: async () => {},
    influxdb: async () => {}
  }
  for (const name of startOrder(compose)) {
    if (start[name] !== undefined) await start[name]()
    else expect([name, await once(name)]).toEqual([name, expect.objectContaining({ code: 0 })])
  }
})

afterAll(async () => {
  connected?.kill('SIGKILL')
  await service?.kill()
  await broker?.close()
  await Promise.all([postgres?.close(), redis?.close(), influx?.close()])
  rmSync(folder, { recursive: true, force: true })
})

const metric = async (name: string): Promise<number> => (await service.metrics()).get(name) ?? 0

function publish(gateway: string, password: string, samples: object): string {
  const who = ['-p', String(ports.mosquitto), '-u', gateway, '-P', password, '-q', '1']
  const { status, stderr } = spawnSync('mosquitto_pub', [...who, '-t', `fh/1/${gateway}/telemetry`, '-m', JSON.stringify(samples)])
  return status === 0 ? 'published' : String(stderr).trim()
}

it('starts everything in an order in which each finds what it needs', () => {
  const order = startOrder(compose)
  expect(order.filter((name) => compose.services[name]!.restart === 'no')).toEqual(['prepare', 'history-setup', 'broker-export'])
  // What is exported is read from the state, which the service makes, or brings up to date.
  expect(order.slice(-3)).toEqual(['fenghuo', 'broker-export', 'mosquitto'])
})

it.runIf(IS_ROOT)('lets each container read its own secrets only', () => {
  const files = readdirSync(inFolder('secrets')).sort()
  expect(files).toEqual(['admin-password', 'influx-password', 'influx-token', 'mqtt-password', 'postgres-password', 'postgres-url'])
  const readable = (name: string): string[] =>
    files.filter((file) => {
      const [program = '', ...args] = [...as(name), 'cat', inFolder(`secrets/${file}`)]
      return spawnSync(program, args).status === 0
    })
  chmodSync(inFolder('secrets/admin-password'), 0o400)
  chownSync(inFolder('secrets/admin-password'), 10_001, 10_001)
  expect(readable('postgres')).toEqual(['postgres-password'])
  expect(readable('influxdb')).toEqual(['influx-password', 'influx-token'])
  expect(readable('mosquitto')).toEqual([])
  expect(readable('fenghuo')).toEqual(files)
})

it('judges what a gateway of the sample plant publishes to Mosquitto, on PostgreSQL, Redis and InfluxDB', async () => {
  await vi.waitFor(async () => expect(await metric('fenghuo_mqtt_connections')).toBe(1), WAIT)
  const since = Date.now() - 60_000
  const samples = [96, 97, 98].map((level, i) => ({ device: 'T-101', ts: since + i * 5_000, values: { level_pct: level } }))
  expect(publish('gw-01', 'demo-gw-tank-farm', samples)).toBe('published')
  await vi.waitFor(async () => {
    const alarms = await service.all<{ rule: string; worstTier: string }>('/api/v1/alarms?device=T-101')
    expect(alarms.filter(({ rule }) => rule === 'tank-level').map(({ worstTier }) => worstTier)).toEqual(['red'])
  }, WAIT)
  const range = `from=${new Date(since - 1).toISOString()}&to=${new Date(since + 60_000).toISOString()}`
  await vi.waitFor(async () => {
    const readings = await service.all<{ value: number }>(`/api/v1/readings?device=T-101&metric=level_pct&${range}`)
    expect(readings.map(({ value }) => value)).toEqual([96, 97, 98])
  }, WAIT)
  // Where it lies.
  expect(readdirSync(inFolder('data'))).not.toContain('state.db')
  const rows = await postgres.run<{ n: string }>(secret('postgres-url'), `select count(*) as n from alarms where rule = 'tank-level'`)
  expect(rows.map(({ n }) => Number(n))).toEqual([1])
  const stored = await influx.client('fenghuo').command('SELECT count("level_pct") FROM /.*/ WHERE "device" = \'T-101\'')
  expect(JSON.stringify(stored)).toContain('3')
  expect(spawnSync('redis-cli', ['-p', String(ports.redis), 'keys', '*'], { encoding: 'utf8' }).stdout).toContain(':meta')
  const { parts } = await service.get<{ parts: { part: string; state: string; problem: string | null }[] }>('/healthz')
  expect(parts.filter(({ state }) => state !== 'ok')).toEqual([])
})

it('hears the simulators of the demo', async () => {
  expect(await once('simulators', '--for', '3s')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/([1-9]\d*) samples sent, \1 acknowledged/)
  })
})

it('lets in a gateway that was added through the API once it is exported again', async () => {
  const headers = { cookie: await service.cookie(), 'content-type': 'application/json' }
  const body = JSON.stringify({ id: 'gw-new', enterprise: 'daxie-chem', secret: 'given through the API' })
  expect((await fetch(`${service.httpAddress}/api/v1/gateways`, { method: 'POST', headers, body })).status).toBe(201)
  expect(publish('gw-new', 'given through the API', [])).toContain('not authorised')
  expect((await once('broker-export')).output).toContain('for 7 of 7 gateways')
  broker.hangUp()
  const before = await metric('fenghuo_messages_journaled_total')
  await vi.waitFor(() => expect(publish('gw-new', 'given through the API', [])).toBe('published'), WAIT)
  await vi.waitFor(async () => expect(await metric('fenghuo_messages_journaled_total')).toBe(before + 1), WAIT)
  expect(publish('gw-new', 'another', [])).toContain('not authorised')
})

it('takes a revoked gateway out of Mosquitto by exporting again, and lets nobody in by a wrong secret', async () => {
  expect(publish('gw-01', 'not-its-secret', [])).toContain('not authorised')
  expect(publish('nobody', 'demo-gw-tank-farm', [])).toContain('not authorised')
  const who = ['-p', String(ports.mosquitto), '-u', 'gw-02', '-P', 'demo-gw-gas-detection']
  connected = spawn('mosquitto_sub', [...who, '-t', 'fh/1/gw-02/#'])
  const gone = new Promise((resolve) => connected?.once('exit', resolve))
  let heard = ''
  for (const stream of [connected.stdout, connected.stderr]) stream?.on('data', (bytes) => (heard += bytes))
  await vi.waitFor(
    () => expect([publish('gw-02', 'demo-gw-gas-detection', []), heard]).toEqual(['published', expect.stringContaining('[]')]),
    WAIT
  )
  const url = `${service.httpAddress}/api/v1/gateways/gw-02`
  const cookie = await service.cookie()
  const etag = (await fetch(url, { headers: { cookie } })).headers.get('etag')!
  const body = JSON.stringify({ id: 'gw-02', enterprise: 'daxie-chem', secret: null })
  const headers = { cookie, 'content-type': 'application/json', 'if-match': etag }
  expect((await fetch(url, { method: 'PUT', headers, body })).status).toBe(200)
  expect((await once('broker-export')).output).toContain('it was revoked: gw-02.')
  broker.hangUp()
  await gone
  expect(heard).toContain('not authorised')
  expect(publish('gw-02', 'demo-gw-gas-detection', [])).toContain('not authorised')
  expect(publish('gw-01', 'demo-gw-tank-farm', [])).toBe('published')
})

it('keeps every secret at the next start, and prints none', async () => {
  const names = readdirSync(inFolder('secrets'))
  const before = names.map(secret)
  expect(await once('prepare')).toMatchObject({ code: 0 })
  expect(await once('history-setup')).toMatchObject({ code: 0 })
  expect(names.map(secret)).toEqual(before)
  const said = [...printed, service.output, broker.output()].join('\n')
  expect(names.filter((name) => said.includes(secret(name)))).toEqual([])
  for (const gateways of ['demo-gw-', 'given through the API']) expect(said).not.toContain(gateways)
})
