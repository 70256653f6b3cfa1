// The whole service in this process over a plant folder, with people of every role: for tests of what is changed while it runs.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { assemble, type House } from '../../src/app/assemble.ts'
import { configured } from '../../src/app/configured.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import { ADMIN_PASSWORD } from '../liveService.ts'
import { stateEnv } from '../store/stateYard.ts'
import type { TankPlant } from './tankPlant.ts'

export interface Answer {
  readonly status: number
  readonly etag: string | null
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by paths
  readonly body: any
}

export class AmendYard {
  readonly sentences: string[]
  readonly #house: House
  readonly #tokens = new Map<string, string>()
  #cookie = ''

  private constructor(house: House, sentences: string[]) {
    this.#house = house
    this.sentences = sentences
  }

  static async open(files: TankPlant, data = path.join(files.folder, 'data')): Promise<AmendYard> {
    mkdirSync(data, { recursive: true })
    const sentences: string[] = []
    const say = (sentence: string): void => void sentences.push(sentence)
    const log: Log = { debug: say, info: say, warn: say, error: say }
    const ports = { FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0' }
    const env = { FENGHUO_DATA: data, FENGHUO_ADMIN_PASSWORD: ADMIN_PASSWORD, ...ports, ...(await stateEnv(data)) }
    const yard = new AmendYard(await assemble(configured(files.config, env), new SystemClock(), log), sentences)
    await yard.#signIn()
    return yard
  }

  get address(): string {
    return this.#house.httpAddress
  }

  get mqttAddress(): string {
    return this.#house.mqttAddress ?? ''
  }

  async stop(): Promise<void> {
    await this.#house.stop(10_000)
  }

  /** A bearer token of this role, limited to these enterprises. */
  async token(role: string, enterprises: readonly string[] | null = null): Promise<string> {
    const name = `${role} ${enterprises}`
    const known = this.#tokens.get(name)
    if (known !== undefined) return known
    const made = await this.ask('POST', '/tokens', { name, role, enterprises })
    if (made.status !== 201) throw new Error(JSON.stringify(made.body))
    this.#tokens.set(name, made.body.token)
    return made.body.token
  }

  /** Asks the API, as the administrator or by a token. Text is sent as YAML, anything else as JSON. */
  async ask(method: string, url: string, body?: unknown, more: { token?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    const who = more.token === undefined ? { cookie: this.#cookie } : { authorization: `Bearer ${more.token}` }
    const type = typeof body === 'string' ? 'text/yaml' : 'application/json'
    const content = body === undefined ? {} : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }
    const headers = { ...who, ...(body === undefined ? {} : { 'content-type': type }), ...more.headers }
    const response = await fetch(`${this.address}/api/v1${url}`, { method, headers, ...(content as { body?: string }) })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, etag: response.headers.get('etag'), body: isJson ? JSON.parse(text) : text }
  }

  /** Telemetry of one device of a gateway; resolves once it is on disk. */
  async send(gateway: string, secret: string, sample: unknown): Promise<number> {
    const authorization = `Basic ${Buffer.from(`${gateway}:${secret}`).toString('base64')}`
    const response = await fetch(`${this.address}/api/v1/telemetry`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify(sample)
    })
    return response.status
  }

  /** The whole alarm log, once it has this many lines. */
  async events(): Promise<Record<string, string>[]> {
    return (await this.ask('GET', '/alarm-events?limit=1000')).body.items
  }

  async #signIn(): Promise<void> {
    const response = await fetch(`${this.address}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD })
    })
    this.#cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
  }
}
