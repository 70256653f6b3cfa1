// The real service over a back end, with a plant of tanks, two gateways and a carrier for what it tells people.
// Everything here goes through its commands, its HTTP API and MQTT.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { Carrier, type LedgerEntry, type Treatment } from '../../simulators/carrier/carrier.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { type BackEnd, type BackEndName, backEndsUnderTest, openBackEnd, PLANT_SECRETS, type Server, serversOf } from './backEnds.ts'
import { Gateway, type GatewayOptions } from './gateway.ts'

/** Long before now: what is sent from here on is judged by its own time, and no delay of minutes runs out while a test waits. */
export const START = Date.parse('2026-01-01T00:00:00Z')
export const MINUTE = 60_000
export const WAIT = { timeout: 30_000, interval: 25 }

const DEVICES = 12

export interface YardOptions {
  /** `rules:` and what follows. */
  readonly rules: string
  /** duty.yaml; `CARRIER` stands for the address of the carrier's webhooks. */
  readonly duty?: string
  /** Servers that the tests are worth running on alone, beside what is embedded. */
  readonly alone?: readonly Server[]
  /** Servers on which the tests make no sense. */
  readonly without?: readonly Server[]
  /** The tests are about servers: there is nothing to see where all is embedded. */
  readonly needsServers?: boolean
}

export interface Line {
  readonly at: string
  readonly id: string
  readonly rule?: string
  readonly device?: string
  readonly area?: string
  readonly from?: string
  readonly to?: string
  readonly because?: string
  readonly action?: string
  readonly by?: string
  readonly note?: string | null
  readonly until?: string
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any
  readonly headers: Headers
}

export interface AskOptions {
  readonly body?: unknown
  /** A bearer token; '' for nobody. Default: the administrator's session. */
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

export class Yard {
  backEnd: BackEnd = null as never
  readonly folder: string
  readonly config: string
  readonly carrier: Carrier
  /** How the carrier treats what arrives. */
  treat: (message: Pick<LedgerEntry, 'way' | 'to' | 'text' | 'number'>) => Treatment = () => 'taken'
  service: LiveService = null as never

  private constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-behaviour-'))
    this.config = path.join(this.folder, 'plant', 'fenghuo.yaml')
    this.carrier = new Carrier({ clock: new SystemClock(), treat: (message) => this.treat(message) })
  }

  static async open(name: BackEndName, { rules, duty }: YardOptions): Promise<Yard> {
    const yard = new Yard()
    await yard.carrier.start()
    yard.#writePlant(rules)
    if (duty !== undefined) yard.write('duty.yaml', duty.replaceAll('CARRIER', yard.carrier.url))
    try {
      yard.backEnd = await openBackEnd(name, yard.config)
      yard.service = await yard.#start()
      await yard.#heard()
    } catch (cause) {
      await yard.close()
      throw cause
    }
    return yard
  }

  async close(): Promise<void> {
    await this.service?.kill()
    await this.backEnd?.close()
    await this.carrier.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Ends the service, by SIGTERM or by kill -9, and starts it again. */
  async restart(how: 'stop' | 'kill'): Promise<void> {
    const status = await this.service[how]()
    if (how === 'stop' && status !== 0) throw new Error(`the service ended with ${status}:\n${this.service.output}`)
    this.service = await this.#start()
  }

  /** What a broker takes before the service has first subscribed there, it passes on to nobody: gateways begin after that. */
  async #heard(): Promise<void> {
    if (this.backEnd.brokerUrl === null) return
    await vi.waitFor(async () => {
      const { parts } = (await (await fetch(`${this.service.httpAddress}/readyz`)).json()) as { parts: { part: string; state: string }[] }
      if (!parts.some(({ part, state }) => part === 'MQTT broker' && state === 'ok')) throw new Error(JSON.stringify(parts))
    }, WAIT)
  }

  get data(): string {
    return path.join(this.folder, 'data')
  }

  /** Environment of commands beside the service. */
  get env(): Record<string, string> {
    return { FENGHUO_DATA: this.data, ...this.backEnd.env, ...PLANT_SECRETS }
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, 'plant', name), text)
  }

  command(...args: string[]): ReturnType<typeof runFenghuo> {
    return runFenghuo(args, this.env)
  }

  connect(id: string, more: Partial<GatewayOptions> = {}): Promise<Gateway> {
    return Gateway.connect({ url: this.backEnd.brokerUrl ?? this.service.mqttAddress, id, secret: `secret-${id}`, ...more })
  }

  /** Telemetry by HTTP; its answer. */
  async post(gateway: string, body: unknown): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return answerOf(await this.service.telemetry(gateway, `secret-${gateway}`, text))
  }

  /** A request to the API below /api/v1. */
  async ask(method: string, address: string, { body, token, headers = {} }: AskOptions = {}): Promise<Answer> {
    const authorization =
      token === undefined ? { cookie: await this.service.cookie() } : token === '' ? {} : { authorization: `Bearer ${token}` }
    const content = body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/yaml' : 'application/json' }
    const init: RequestInit = { method, headers: { ...authorization, ...content, ...headers } as Record<string, string> }
    if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
    return answerOf(await fetch(`${this.service.httpAddress}/api/v1${address}`, init))
  }

  get(address: string, token?: string): Promise<Answer> {
    return this.ask('GET', address, token === undefined ? {} : { token })
  }

  act(alarm: string, action: string, body: object = {}, token?: string): Promise<Answer> {
    return this.ask('POST', `/alarms/${encodeURIComponent(alarm)}/${action}`, token === undefined ? { body } : { body, token })
  }

  /** The whole journal of alarms. */
  events(): Promise<Line[]> {
    return this.service.all<Line>('/api/v1/alarm-events')
  }

  /** Resolves with the alarm events once they satisfy; fails with what is wrong otherwise. */
  async eventsOnce(holds: (lines: Line[]) => void): Promise<Line[]> {
    return vi.waitFor(async () => {
      const lines = await this.events()
      holds(lines)
      return lines
    }, WAIT)
  }

  /** `at value quality` of every stored reading of a metric. */
  async readings(device: string, metric: string): Promise<string[]> {
    const query = `device=${device}&metric=${metric}&from=2025-01-01T00:00:00Z&to=2100-01-01T00:00:00Z`
    const items = await this.service.all<{ at: string; value: number | null; quality: string }>(`/api/v1/readings?${query}`)
    return items.map(({ at, value, quality }) => `${at} ${value} ${quality}`)
  }

  /** Makes a token by the administrator. */
  async token(role: string, more: object = {}): Promise<string> {
    const { status, body } = await this.ask('POST', '/tokens', { body: { name: `${role} of the tests`, role, ...more } })
    if (status !== 201) throw new Error(`no token: ${status} ${JSON.stringify(body)}`)
    return body.token
  }

  #start(): Promise<LiveService> {
    return LiveService.start({ config: this.config, data: this.data, env: { ...this.backEnd.env, ...PLANT_SECRETS } })
  }

  #writePlant(rules: string): void {
    for (const name of ['profiles', 'rules']) mkdirSync(path.join(this.folder, 'plant', name), { recursive: true })
    const place = (d: number): string => `gateway: gw-${d % 2}, area: bund-${d % 2}`
    const devices = Array.from({ length: DEVICES }, (_, d) => `  - { id: T-${d}, profile: tank, ${place(d)} }\n`).join('')
    this.write(
      'plant.yaml',
      `enterprises: [{ id: east }, { id: west }]
sites: [{ id: yard-0, enterprise: east, lat: 29.91, lon: 121.98 }, { id: yard-1, enterprise: west }]
areas: [{ id: bund-0, site: yard-0 }, { id: bund-1, site: yard-1 }]
gateways: [{ id: gw-0, enterprise: east, secret: secret-gw-0 }, { id: gw-1, enterprise: west, secret: secret-gw-1 }]
devices:
${devices}`
    )
    this.write('profiles/tank.yaml', PROFILE)
    this.write('rules/rules.yaml', rules)
    const hook = '  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }\n'
    const sms = `  - { id: sms, kind: sms, provider: smpp, host: 127.0.0.1, port: ${this.carrier.smppPort}, systemId: fenghuo, password: "env:CARRIER_PASSWORD", source: "10690000" }\n`
    this.write(
      'fenghuo.yaml',
      `logLevel: info\nnotifications: { publicUrl: "https://phone.test" }\noutgoing: { allowPrivate: [127.0.0.1] }\nchannels:\n${hook}${sms}`
    )
  }
}

const PROFILE = `id: tank
name: { zh: 储罐, en: Tank }
metrics:
  level_pct: { unit: "%", min: 0, max: 110 }
  temperature_c: { unit: Cel, min: -60, max: 250 }
  tripped: { unit: "1", min: 0, max: 1 }
limits: { high: 85, high_high: 92 }
silentAfter: 12h
`

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
}

/** The same tests on every back end under test, each with a yard of its own. */
export function onEachBackEnd(options: YardOptions, tests: (yard: () => Yard) => void): void {
  const { alone = [], without = [], needsServers = false } = options
  const names = backEndsUnderTest(alone).filter((name) => {
    const servers = serversOf(name)
    return !without.some((server) => servers.includes(server)) && !(needsServers && servers.length === 0)
  })
  for (const name of names) {
    describe(`on ${name}`, () => {
      let yard: Yard | undefined
      beforeAll(async () => {
        yard = await Yard.open(name, options)
      })
      afterAll(async () => {
        await yard?.close()
      })
      tests(() => yard as Yard)
    })
  }
}

/** ISO 8601 of START plus so many minutes. */
export function minute(n: number): string {
  return new Date(START + n * MINUTE).toISOString()
}
