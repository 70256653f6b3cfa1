// What the service stands on in these tests: nothing but its data folder, or servers from Debian. A back end differs from another in
// the environment it gives the service and in where gateways connect, in nothing else. TEST_BACK_ENDS names those to run on.

import { type InfluxForTests, openInflux } from '../services/influxServer.ts'
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
  /** A broker of its own learns the gateways of this plant. */
  learn(config: string): Promise<void>
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

/** Starts the servers of a back end, each empty. */
export async function openBackEnd(name: BackEndName): Promise<BackEnd> {
  const has = (server: Server): boolean => serversOf(name).includes(server)
  const influx = has('influx') ? await openInflux() : null
  const redis = has('redis') ? await openRedis() : null
  const postgres = has('postgres') ? await openPostgres() : null
  const servers = new Map<Server, Killable>()
  if (influx !== null) servers.set('influx', influx)
  if (redis !== null) servers.set('redis', redis)
  if (postgres !== null) servers.set('postgres', { kill: () => postgres.stop('kill'), restart: () => postgres.start() })
  return {
    name,
    env: {
      ...influxEnv(influx),
      ...redisEnv(redis),
      ...(postgres === null ? {} : { FENGHUO_POSTGRES_URL: await postgres.database() })
    },
    servers,
    brokerUrl: null,
    learn: async () => {},
    async close() {
      await influx?.close()
      await redis?.close()
      await postgres?.close()
    }
  }
}

function influxEnv(influx: InfluxForTests | null): Record<string, string> {
  return influx === null ? {} : { FENGHUO_INFLUX_URL: influx.url, FENGHUO_INFLUX_DATABASE: 'behaviour' }
}

function redisEnv(redis: RedisServer | null): Record<string, string> {
  return redis === null ? {} : { FENGHUO_REDIS_URL: redis.url }
}
