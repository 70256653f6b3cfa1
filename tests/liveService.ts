// The real service as a child process, as an operator would run it: for tests that kill it, talk to it, or look at it.

import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

export const LAUNCHER = path.join(import.meta.dirname, '..', 'bin', 'fenghuo')
export const ADMIN_PASSWORD = 'a-test-password-of-some-length'

export interface ServiceOptions {
  /** The plant folder's fenghuo.yaml. */
  readonly config: string
  readonly data: string
  readonly env?: Record<string, string>
}

/** How a command ended, and everything it printed. */
export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/** Runs a command of the program to its end. */
export function runFenghuo(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })))
}

/** Starts the service where it is expected to refuse, and says how it ended; one that runs all the same is killed. */
export async function refusedStart({ config, data, env = {} }: ServiceOptions): Promise<Outcome> {
  const all = serviceEnv(data, env)
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--config', config], { env: all, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      if (output.includes('Fenghuo is running')) child.kill('SIGKILL')
    })
  }
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })))
}

function serviceEnv(data: string, env: Record<string, string>): NodeJS.ProcessEnv {
  const ports = { FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0' }
  return { PATH: process.env.PATH, FENGHUO_DATA: data, FENGHUO_ADMIN_PASSWORD: ADMIN_PASSWORD, ...ports, ...env }
}

export class LiveService {
  readonly #process: ChildProcess
  readonly #lines: string[]
  readonly httpAddress: string
  readonly mqttAddress: string

  private constructor(child: ChildProcess, lines: string[], httpAddress: string, mqttAddress: string) {
    this.#process = child
    this.#lines = lines
    this.httpAddress = httpAddress
    this.mqttAddress = mqttAddress
  }

  /** Starts `fenghuo serve` and resolves once it says that it is running, or stands by; throws what it printed where it ends instead. */
  static async start({ config, data, env = {} }: ServiceOptions): Promise<LiveService> {
    const child = spawn(process.execPath, [LAUNCHER, 'serve', '--config', config], {
      env: serviceEnv(data, env),
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const lines: string[] = []
    createInterface(child.stderr!).on('line', (line) => lines.push(line))
    return new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`the service ended (${code ?? signal}):\n${lines.join('\n')}`)))
      createInterface(child.stdout!).on('line', (line) => {
        lines.push(line)
        const running = /Console: (\S+)\s+MQTT: (\S+)/.exec(line) ?? /stands by. Health: (\S+)()\/healthz/.exec(line)
        if (running !== null) resolve(new LiveService(child, lines, running[1]!, running[2]!))
      })
    })
  }

  /** Everything printed so far. */
  get output(): string {
    return this.#lines.join('\n')
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const gone = this.#gone()
    this.#process.kill('SIGKILL')
    await gone
  }

  /** SIGTERM; resolves with the exit status. */
  async stop(): Promise<number | null> {
    const gone = this.#gone()
    this.#process.kill('SIGTERM')
    return gone
  }

  /** Resolves with the exit status once the process has ended by itself; null where a signal ended it. */
  ended(): Promise<number | null> {
    return this.#gone()
  }

  /** An operator action on an alarm, as the administrator. */
  async act(alarm: string, action: string, body: object = {}): Promise<Response> {
    return fetch(`${this.httpAddress}/api/v1/alarms/${encodeURIComponent(alarm)}/${action}`, {
      method: 'POST',
      headers: { cookie: await this.cookie(), 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  }

  /** Telemetry by HTTP Basic. */
  telemetry(gateway: string, secret: string, body: string | Uint8Array): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`${gateway}:${secret}`).toString('base64')}`
    return fetch(`${this.httpAddress}/api/v1/telemetry`, { method: 'POST', headers: { authorization }, body: body as string })
  }

  /** One scrape of /metrics: the value of each series by its name and labels as they stand there. */
  async metrics(): Promise<Map<string, number>> {
    const response = await fetch(`${this.httpAddress}/metrics`)
    if (!response.ok) throw new Error(`/metrics: ${response.status} ${await response.text()}`)
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
  }

  /** A request to the API as the administrator, parsed. */
  async get<Body>(address: string): Promise<Body> {
    const response = await fetch(`${this.httpAddress}${address}`, { headers: { cookie: await this.cookie() } })
    if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Body
  }

  /** Every item of a paged list. */
  async all<Item>(address: string): Promise<Item[]> {
    const items: Item[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const join = address.includes('?') ? '&' : '?'
      const page: { items: Item[]; next: string | null } = await this.get(
        `${address}${join}limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      )
      items.push(...page.items)
      cursor = page.next
    }
    return items
  }

  #cookie: Promise<string> | null = null

  /** The administrator's session cookie. */
  cookie(): Promise<string> {
    this.#cookie ??= this.#signIn()
    return this.#cookie
  }

  async #signIn(): Promise<string> {
    const response = await fetch(`${this.httpAddress}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD })
    })
    if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`)
    return response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
  }

  #gone(): Promise<number | null> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return Promise.resolve(this.#process.exitCode)
    return new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)))
  }
}
