// Two real services on one PostgreSQL, gateways that send to whichever is active, and a ledger of what was acknowledged: at the
// end each reading is found, the alarm log is that of an undisturbed run, and nobody was told twice without being told so.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, vi } from 'vitest'
import { Carrier } from '../../simulators/carrier/carrier.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { ADMIN_PASSWORD } from '../liveService.ts'
import { PATIENT_LEVEL_RULE, TANK_PROFILE, type TankSample, TankWalk, undisturbedLog } from '../patientTanks.ts'
import { freePort } from './freePort.ts'
import { TcpProxy } from './tcpProxy.ts'

const LAUNCHER = path.join(import.meta.dirname, '..', '..', 'bin', 'fenghuo')
const GATEWAYS = 3
const DEVICES_PER_GATEWAY = 4
const SEED = 7
export const clock = new SystemClock()

/** One of the two: always on the same ports, with its own way to PostgreSQL. */
export class Instance {
  readonly name: string
  readonly data: string
  readonly http: string
  readonly mqtt: string
  readonly proxy: TcpProxy
  readonly config: string
  readonly env: Readonly<Record<string, string>>
  #child: ChildProcess | null = null
  #ended: Promise<number | null> = Promise.resolve(null)
  output = ''

  constructor(
    name: string,
    data: string,
    config: string,
    proxy: TcpProxy,
    ports: { http: number; mqtt: number },
    env: Record<string, string>
  ) {
    this.name = name
    this.data = data
    this.proxy = proxy
    this.http = `http://127.0.0.1:${ports.http}`
    this.mqtt = `mqtt://127.0.0.1:${ports.mqtt}`
    this.config = config
    this.env = { FENGHUO_DATA: data, FENGHUO_HTTP_PORT: String(ports.http), FENGHUO_MQTT_PORT: String(ports.mqtt), ...env }
  }

  /** Starts; resolves once it is active or stands by. */
  async start(): Promise<'active' | 'standby'> {
    const before = this.output.length
    const child = spawn(process.execPath, [LAUNCHER, 'serve', '--config', this.config], {
      env: { PATH: process.env.PATH, FENGHUO_ADMIN_PASSWORD: ADMIN_PASSWORD, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    return new Promise((resolve, reject) => {
      const heard = (chunk: Buffer): void => {
        this.output += chunk
        const said = this.output.slice(before)
        if (said.includes('Fenghuo stands by')) resolve('standby')
        else if (said.includes('Fenghuo is running')) resolve('active')
      }
      child.stdout?.on('data', heard)
      child.stderr?.on('data', heard)
      child.once('exit', (code, signal) => reject(new Error(`${this.name} ended (${code ?? signal}): ${this.output.slice(before)}`)))
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves with the exit status once the process is gone. */
  ended(): Promise<number | null> {
    return this.#ended
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#ended
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return this.#ended
  }

  async ready(): Promise<boolean> {
    const answer = await fetch(`${this.http}/readyz`, { signal: AbortSignal.timeout(500) }).catch(() => null)
    await answer?.arrayBuffer()
    return answer?.status === 200
  }

  /** Every item of a paged list, as the administrator. */
  async all<Item>(address: string): Promise<Item[]> {
    const session = await fetch(`${this.http}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD })
    })
    expect(session.status, this.output).toBe(200)
    const cookie = session.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ')
    const items: Item[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const more = `${address.includes('?') ? '&' : '?'}limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const answer = await fetch(`${this.http}${address}${more}`, { headers: { cookie } })
      expect(answer.status, `${address}: ${await answer.clone().text()}`).toBe(200)
      const page = (await answer.json()) as { items: Item[]; next: string | null }
      items.push(...page.items)
      cursor = page.next
    }
    return items
  }
}

/** Publishes rounds of samples of one gateway's devices; what it sent in the end is all acknowledged. */
class Gateway {
  readonly sent: TankSample[] = []
  readonly #n: number
  readonly #brokers: readonly string[]
  readonly #walks: readonly TankWalk[]
  #publisher: MqttPublisher | null = null
  #at = 0
  stopped = false
  givenUp = false
  acknowledged = 0

  constructor(n: number, brokers: readonly string[]) {
    this.#n = n
    this.#brokers = brokers
    this.#walks = Array.from({ length: DEVICES_PER_GATEWAY }, (_, i) => new TankWalk(`T-${n + i * GATEWAYS}`, SEED))
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      const batch = this.#walks.map((walk) => walk.next())
      this.sent.push(...batch)
      while (!(await this.#send(batch))) {
        if (this.givenUp) return this.#publisher?.cut()
        await pause(clock, 20)
      }
      this.acknowledged++
      await pause(clock, 5)
    }
    this.#publisher?.cut()
  }

  async #send(batch: readonly TankSample[]): Promise<boolean> {
    try {
      this.#publisher ??= await connectMqtt({
        url: this.#brokers[this.#at % this.#brokers.length] as string,
        clock,
        username: `gw-${this.#n}`,
        password: `secret-${this.#n}`,
        connectMs: 1_500
      })
      const published = this.#publisher.publish(`fh/1/gw-${this.#n}/telemetry`, JSON.stringify(batch))
      if (await Promise.race([published, pause(clock, 1_500).then(() => false)])) return true
    } catch {}
    // Where nobody answers, the other one is tried.
    this.#publisher?.cut()
    this.#publisher = null
    this.#at++
    return false
  }
}

export interface YardOptions {
  readonly postgres: string
  readonly influx: string | null
  /** Both have the same data folder, and the journal is not copied. */
  readonly shared?: boolean
  /** An external broker: for the services, and for gateways. */
  readonly broker?: { readonly url: string; readonly direct: string }
}

export class StandbyYard {
  readonly folder: string
  readonly carrier: Carrier
  readonly instances: readonly [Instance, Instance]
  readonly #gateways: readonly Gateway[]
  readonly #running: Promise<void>[] = []

  private constructor(folder: string, carrier: Carrier, instances: readonly [Instance, Instance], brokers: readonly string[]) {
    this.folder = folder
    this.carrier = carrier
    this.instances = instances
    this.#gateways = Array.from({ length: GATEWAYS }, (_, n) => new Gateway(n, brokers))
  }

  static async open({ postgres, influx, shared = false, broker }: YardOptions): Promise<StandbyYard> {
    const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-standby-'))
    const carrier = new Carrier({ clock })
    await carrier.start()
    writePlant(path.join(folder, 'plant'), `${carrier.url}/webhook`, shared)
    const { hostname, port } = new URL(postgres)
    const instance = async (name: string): Promise<Instance> => {
      const proxy = await TcpProxy.open(Number(port), hostname)
      const address = new URL(postgres)
      address.host = `127.0.0.1:${proxy.port}`
      const ports = { http: await freePort(), mqtt: await freePort() }
      const data = path.join(folder, shared ? 'data' : `data-${name}`)
      return new Instance(name, data, path.join(folder, 'plant', 'fenghuo.yaml'), proxy, ports, {
        FENGHUO_POSTGRES_URL: address.href,
        ...(broker !== undefined && { FENGHUO_MQTT_URL: broker.url }),
        HOOK_SECRET: `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`,
        ...(influx !== null && { FENGHUO_INFLUX_URL: influx, FENGHUO_INFLUX_DATABASE: path.basename(folder) })
      })
    }
    const both = [await instance('a'), await instance('b')] as const
    return new StandbyYard(folder, carrier, both, broker === undefined ? both.map(({ mqtt }) => mqtt) : [broker.direct])
  }

  load(): void {
    for (const gateway of this.#gateways) this.#running.push(gateway.run())
  }

  get acknowledged(): number {
    return this.#gateways.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  /** Resolves once `count` further rounds are acknowledged. */
  async more(count: number): Promise<void> {
    const from = this.acknowledged
    const said = (): string => this.instances.map(({ name, output }) => `${name}: ${output.slice(-2_000)}`).join('\n')
    await vi.waitFor(() => expect(this.acknowledged, said()).toBeGreaterThanOrEqual(from + count), { timeout: 30_000, interval: 20 })
  }

  /** Ms from now until the instance is ready, and until something is acknowledged again. */
  async takeOver(by: Instance): Promise<{ readonly readyMs: number; readonly servesMs: number }> {
    const from = clock.monotonic()
    await vi.waitFor(async () => expect(await by.ready(), by.output.slice(-3000)).toBe(true), { timeout: 30_000, interval: 25 })
    const readyMs = clock.monotonic() - from
    await this.more(1)
    return { readyMs: Math.round(readyMs), servesMs: Math.round(clock.monotonic() - from) }
  }

  async endLoad(): Promise<void> {
    for (const gateway of this.#gateways) gateway.stopped = true
    await Promise.all(this.#running)
  }

  /** Asks the active one for everything, and compares it with what was acknowledged. */
  async check(
    active: Instance
  ): Promise<{ readonly readings: number; readonly events: number; readonly told: number; readonly marked: number }> {
    const sent = this.#gateways.flatMap((gateway) => gateway.sent)
    const devices = [...new Set(sent.map(({ device }) => device))]
    await vi.waitFor(
      async () => {
        const text = await (await fetch(`${active.http}/metrics`)).text()
        expect(text).toMatch(/^fenghuo_readings_pending 0$/m)
        expect(text).toMatch(/^fenghuo_loop_lag_records 0$/m)
        expect(text).toMatch(/^fenghuo_history_lag_records 0$/m)
      },
      { timeout: 30_000, interval: 100 }
    )
    for (const device of devices) {
      const stretch = `device=${device}&metric=level_pct&from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z`
      const readings = await active.all<{ at: string; value: number }>(`/api/v1/readings?${stretch}`)
      expect(readings.map(({ at, value }) => [at, value])).toEqual(
        sent.filter((sample) => sample.device === device).map(({ ts, values }) => [new Date(ts).toISOString(), values.level_pct])
      )
    }
    const lines = await active.all<{ device: string }>('/api/v1/alarm-events')
    for (const device of devices) {
      const log = lines.filter((line) => line.device === device).map((line) => JSON.stringify(line))
      expect(log).toEqual(
        undisturbedLog(
          path.join(this.folder, 'plant'),
          GATEWAYS,
          sent.filter((sample) => sample.device === device)
        )
      )
    }
    const notices = await this.#told(active)
    const arrivals = Map.groupBy(this.carrier.ledger, ({ reference }) => reference)
    expect([...arrivals.keys()].toSorted()).toEqual(notices.map(({ id }) => id).toSorted())
    const marked = new Set(notices.filter(({ possibleDuplicate }) => possibleDuplicate).map(({ id }) => id))
    const twice = [...arrivals].filter(([, all]) => all.length > 1).map(([id]) => id)
    expect(twice.filter((id) => !marked.has(id))).toEqual([])
    return { readings: sent.length, events: lines.length, told: notices.length, marked: marked.size }
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways) gateway.stopped = gateway.givenUp = true
    for (const instance of this.instances) {
      instance.signal('SIGCONT')
      await instance.kill()
      await instance.proxy.close()
    }
    await Promise.all(this.#running)
    await this.carrier.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #told(active: Instance): Promise<{ id: string; possibleDuplicate: boolean }[]> {
    return vi.waitFor(
      async () => {
        const notices = await active.all<{ id: string; state: string; possibleDuplicate: boolean }>('/api/v1/notifications')
        const states = new Set(notices.map(({ state }) => state))
        expect([...states].filter((state) => state !== 'sent' && state !== 'withheld')).toEqual([])
        return notices.filter(({ state }) => state === 'sent')
      },
      { timeout: 60_000, interval: 200 }
    )
  }
}

function writePlant(folder: string, hook: string, shared: boolean): void {
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(folder, name), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text)
  const gateways = Array.from({ length: GATEWAYS }, (_, g) => `{ id: gw-${g}, enterprise: e, secret: secret-${g} }`)
  const devices = Array.from(
    { length: GATEWAYS * DEVICES_PER_GATEWAY },
    (_, d) => `{ id: T-${d}, profile: tank, gateway: gw-${d % GATEWAYS} }`
  )
  write(
    'fenghuo.yaml',
    `${shared ? 'journal: { copy: false }\n' : ''}outgoing: { allowPrivate: [127.0.0.1] }\nchannels:\n  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }\n`
  )
  write(
    'duty.yaml',
    `zone: Asia/Shanghai
people:
  - { id: li, name: { zh: 李, en: Li }, addresses: { webhook: "${hook}" } }
ladders:
  - { id: all, appliesTo: {}, steps: [{ after: 0s, tell: [person:li], by: [webhook] }] }
`
  )
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [${gateways.join(', ')}]\ndevices: [${devices.join(', ')}]\n`)
  write('profiles/tank.yaml', TANK_PROFILE)
  write('rules/level.yaml', PATIENT_LEVEL_RULE)
}
