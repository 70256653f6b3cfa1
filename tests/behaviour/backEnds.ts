// What the service stands on in these tests: nothing but its data folder, or servers from Debian. A back end differs from another in
// the environment it gives the service and in where gateways connect, in nothing else. TEST_BACK_ENDS names those to run on.

import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { runFenghuo } from '../liveService.ts'
import { freePort } from '../services/freePort.ts'
import { type InfluxForTests, openInflux } from '../services/influxServer.ts'
import { type MosquittoForTests, openMosquitto } from '../services/mosquittoServer.ts'
import { openPostgres } from '../services/postgresServer.ts'
import { openRedis, type RedisServer } from '../services/redisServer.ts'

export const SERVERS = ['influx', 'redis', 'postgres', 'mosquitto'] as const
export type Server = (typeof SERVERS)[number]

/** `servers`: all of them at once. Named by one of them: that one alone, beside what is embedded. */
export const BACK_ENDS = ['embedded', 'servers', ...SERVERS] as const
export type BackEndName = (typeof BACK_ENDS)[number]

export function serversOf(name: BackEndName): readonly Server[] {
  return name === 'embedded' ? [] : name === 'servers' ? SERVERS : [name]
}

/** Of the plants of these tests. */
export const PLANT_SECRETS = {
  CARRIER_PASSWORD: 'secret',
  HOOK_SECRET: `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`
}

/** A server that can be killed, and started again with what was on its disk. */
export interface Killable {
  kill(): Promise<void>
  restart(): Promise<void>
}

export interface BackEnd {
  readonly name: BackEndName
  /** Of the service. */
  readonly env: Readonly<Record<string, string>>
  /** The servers behind it, by what they are. */
  readonly servers: ReadonlyMap<Server, Killable>
  /** Where gateways connect; null: to the service. */
  readonly brokerUrl: string | null
  close(): Promise<void>
}

/** Those named by TEST_BACK_ENDS, where `alone` stands for the servers given. */
export function backEndsUnderTest(alone: readonly Server[]): BackEndName[] {
  const names = (process.env.TEST_BACK_ENDS ?? 'embedded').split(',').filter((name) => name !== '')
  return names.flatMap((name): readonly BackEndName[] => {
    const known = BACK_ENDS.find((one) => one === name)
    if (name === 'alone') return alone
    if (known === undefined) throw new Error(`TEST_BACK_ENDS: there is no back end ${name}; there are ${BACK_ENDS.join(', ')}, alone.`)
    return [known]
  })
}

/** Starts the servers of a back end, each empty. A broker lets in the gateways of the plant folder that `config` is of. */
export async function openBackEnd(name: BackEndName, config: string): Promise<BackEnd> {
  const has = (server: Server): boolean => serversOf(name).includes(server)
  const influx = has('influx') ? await openInflux() : null
  const redis = has('redis') ? await openRedis() : null
  const postgres = has('postgres') ? await openPostgres() : null
  const broker = has('mosquitto') ? await brokerFor(config) : null
  const servers = new Map<Server, Killable>()
  if (influx !== null) servers.set('influx', influx)
  if (redis !== null) servers.set('redis', redis)
  if (postgres !== null) servers.set('postgres', { kill: () => postgres.stop('kill'), restart: () => postgres.start() })
  if (broker !== null) {
    const { mosquitto } = broker
    // What it has not saved is lost with it, our session included, and health says so for long: tests/services/upstream.test.ts.
    servers.set('mosquitto', { kill: () => mosquitto.save().then(() => mosquitto.kill()), restart: () => mosquitto.restart() })
  }
  return {
    name,
    env: {
      ...influxEnv(influx),
      ...redisEnv(redis),
      ...broker?.env,
      ...(postgres === null ? {} : { FENGHUO_POSTGRES_URL: await postgres.database() })
    },
    servers,
    brokerUrl: broker?.mosquitto.direct ?? null,
    async close() {
      await influx?.close()
      await redis?.close()
      await postgres?.close()
      await broker?.mosquitto.close()
    }
  }
}

function influxEnv(influx: InfluxForTests | null): Record<string, string> {
  return influx === null ? {} : { FENGHUO_INFLUX_URL: influx.url, FENGHUO_INFLUX_DATABASE: 'behaviour' }
}

function redisEnv(redis: RedisServer | null): Record<string, string> {
  return redis === null ? {} : { FENGHUO_REDIS_URL: redis.url }
}

/** A Mosquitto by the files that the product makes for it. */
export async function brokerFor(config: string): Promise<{ mosquitto: MosquittoForTests; env: Record<string, string> }> {
  const folder = path.join(path.dirname(config), '..', 'mosquitto')
  const port = await freePort()
  const options = ['--config', config, '--out', folder, '--persistence', path.join(folder, 'held'), '--bind', '127.0.0.1']
  const outcome = await runFenghuo(['broker', 'export', 'mosquitto', ...options], {
    FENGHUO_MQTT_URL: `mqtt://127.0.0.1:${port}`,
    ...PLANT_SECRETS
  })
  if (outcome.code !== 0) throw new Error(outcome.output)
  const file = path.join(folder, 'mosquitto.conf')
  // As root it would give up being root, and could not read what is for its owner only.
  if (process.getuid?.() === 0) appendFileSync(file, 'user root\n')
  const mosquitto = await openMosquitto({ configuration: { file, port } })
  const lines = readFileSync(path.join(folder, 'fenghuo.env'), 'utf8').trim().split('\n')
  const env = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  return { mosquitto, env: { ...env, FENGHUO_MQTT_URL: mosquitto.url } }
}
