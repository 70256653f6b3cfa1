// Everything the run needs, started once: the four servers, each behind a proxy where it can be cut, the carrier, the plant, and the
// service with, where the product has it, a second one standing by.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Carrier, type LedgerEntry, type Treatment } from '../../simulators/carrier/carrier.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { brokerFor, PLANT_SECRETS } from '../behaviour/backEnds.ts'
import { LiveService } from '../liveService.ts'
import { freePort } from '../services/freePort.ts'
import { type InfluxForTests, openInflux } from '../services/influxServer.ts'
import type { MosquittoForTests } from '../services/mosquittoServer.ts'
import { openPostgres, type PostgresServer } from '../services/postgresServer.ts'
import { openRedis, type RedisServer } from '../services/redisServer.ts'
import { TcpProxy } from '../services/tcpProxy.ts'

export const GATEWAYS = 6
export const DEVICES_PER_GATEWAY = 4
const MIB = 1024 * 1024

/** A small disk that can be filled; null where none can be mounted. */
export interface SmallDisk {
  readonly folder: string
}

export class Town {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-chaos-'))
  readonly config = path.join(this.folder, 'plant', 'fenghuo.yaml')
  readonly carrier: Carrier
  treat: (message: Pick<LedgerEntry, 'way' | 'number'>) => Treatment = () => 'taken'
  influx: InfluxForTests = null as never
  redis: RedisServer = null as never
  postgres: PostgresServer = null as never
  mosquitto: MosquittoForTests = null as never
  postgresProxy: TcpProxy = null as never
  redisProxy: TcpProxy = null as never
  /** By what lies there. */
  readonly disks = new Map<'service' | 'influx', SmallDisk>()
  /** Services by their name, while they run. */
  readonly services = new Map<string, LiveService>()
  #env: Record<string, string> = {}
  readonly #ports = new Map<string, string>()
  #postgresPid = 0

  constructor() {
    this.carrier = new Carrier({ clock: new SystemClock(), treat: (message) => this.treat(message) })
  }

  async open(): Promise<void> {
    await this.carrier.start()
    this.#mount('service')
    this.#mount('influx')
    writePlant(this.folder, this.carrier.url)
    const influxDisk = this.disks.get('influx')
    if (influxDisk !== undefined) mkdirSync(path.join(influxDisk.folder, 'influx'))
    this.influx = await openInflux(influxDisk === undefined ? {} : { folder: path.join(influxDisk.folder, 'influx') })
    this.redis = await openRedis()
    this.postgres = await openPostgres()
    const database = new URL(await this.postgres.database())
    const [row] = await this.postgres.run<{ data_directory: string }>(database.href, 'show data_directory')
    this.#postgresPid = Number(readFileSync(path.join(row?.data_directory ?? '', 'postmaster.pid'), 'utf8').split('\n')[0])
    this.postgresProxy = await TcpProxy.open(Number(database.port), database.hostname)
    database.port = String(this.postgresProxy.port)
    const redisUrl = new URL(this.redis.url)
    this.redisProxy = await TcpProxy.open(Number(redisUrl.port), redisUrl.hostname)
    redisUrl.port = String(this.redisProxy.port)
    const broker = await brokerFor(this.config)
    this.mosquitto = broker.mosquitto
    this.#env = {
      ...broker.env,
      ...PLANT_SECRETS,
      FENGHUO_INFLUX_URL: this.influx.url,
      FENGHUO_INFLUX_DATABASE: 'chaos',
      FENGHUO_REDIS_URL: redisUrl.href,
      FENGHUO_POSTGRES_URL: database.href
    }
  }

  async close(): Promise<void> {
    for (const service of this.services.values()) await service.kill()
    for (const closing of [this.influx, this.redis, this.postgres, this.mosquitto, this.postgresProxy, this.redisProxy])
      await closing?.close()
    await this.carrier.stop()
    for (const { folder } of this.disks.values()) spawnSync('umount', ['-l', folder])
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Starts a service; it keeps its port over restarts. One that stands by says so too. */
  async startService(name: string): Promise<LiveService> {
    const port = this.#ports.get(name) ?? String(await freePort())
    this.#ports.set(name, port)
    const disk = this.disks.get('service')
    const data = path.join(disk !== undefined && name === 'one' ? disk.folder : this.folder, `data-${name}`)
    const service = await LiveService.start({ config: this.config, data, env: { ...this.#env, FENGHUO_HTTP_PORT: port } })
    this.services.set(name, service)
    return service
  }

  /** Where the services are, also while they are down. */
  addresses(): string[] {
    return [...this.#ports.values()].map((port) => `http://127.0.0.1:${port}`)
  }

  /** The name of the service that serves. One that has ended by itself, its lease lost, is started again first, as a supervisor does. */
  async serving(): Promise<string> {
    let found: string | null = null
    for (const [name, { httpAddress, output }] of [...this.services]) {
      const answer = await fetch(`${httpAddress}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
      if (answer === null) {
        console.log(`service ${name} had ended by itself and is started again; it said: ${output.trim().split('\n').at(-1)}`)
        await this.startService(name)
      }
      if (answer?.status === 200) found = name
    }
    return found ?? this.serving()
  }

  /** The main process of a server and its children, stopped or going on. */
  stall(server: 'postgres' | 'influx' | 'mosquitto', still: boolean): void {
    const found =
      server === 'postgres'
        ? [this.#postgresPid]
        : pidsOf(server === 'influx' ? 'influxdb.conf' : 'mosquitto.conf', this.folder, this.disks)
    for (const pid of found) {
      for (const one of [pid, ...childrenOf(pid)]) {
        try {
          process.kill(one, still ? 'SIGSTOP' : 'SIGCONT')
        } catch {
          // It has ended meanwhile.
        }
      }
    }
  }

  /** The database server was started anew. */
  async postgresStarted(): Promise<void> {
    const url = new URL(this.#env.FENGHUO_POSTGRES_URL ?? '')
    const [row] = await this.postgres.run<{ data_directory: string }>(url.href, 'show data_directory')
    this.#postgresPid = Number(readFileSync(path.join(row?.data_directory ?? '', 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  #mount(what: 'service' | 'influx'): void {
    const folder = path.join(this.folder, `disk-${what}`)
    mkdirSync(folder)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${256 * MIB}`, 'tmpfs', folder]).status === 0) this.disks.set(what, { folder })
  }
}

/** Processes that were started with a file of this name, below one of the folders of this run. */
function pidsOf(file: string, folder: string, disks: ReadonlyMap<string, SmallDisk>): number[] {
  const below = [folder, ...[...disks.values()].map((disk) => disk.folder)]
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(file) && below.some((one) => line.includes(one))
      } catch {
        return false
      }
    })
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Red at once above a limit, told to one person by webhook. */
function writePlant(folder: string, carrierUrl: string): void {
  const plant = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plant, name), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(plant, name), text)
  const gateways = Array.from({ length: GATEWAYS }, (_, g) => `{ id: gw-${g}, enterprise: e, secret: secret-gw-${g} }`)
  const devices = Array.from(
    { length: GATEWAYS * DEVICES_PER_GATEWAY },
    (_, d) => `  - { id: T-${d}, profile: tank, gateway: gw-${d % GATEWAYS} }\n`
  )
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [${gateways.join(', ')}]\ndevices:\n${devices.join('')}`)
  write('profiles/tank.yaml', 'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nsilentAfter: 12h\n')
  write('rules/level.yaml', 'rules:\n  - { id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > 90 } } }\n')
  write(
    'fenghuo.yaml',
    'logLevel: warn\noutgoing: { allowPrivate: [127.0.0.1] }\nchannels:\n  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }\n'
  )
  write(
    'duty.yaml',
    `people: [{ id: li, addresses: { webhook: "${carrierUrl}/li" } }]
ladders: [{ id: all, appliesTo: {}, steps: [{ tell: [person:li], by: [webhook] }] }]
`
  )
}
