// The real service as a child process, as an operator would run it: for tests that kill it, talk to it, or look at it.

import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

const MAIN = path.join(import.meta.dirname, '..', 'src', process.env.FH_MAIN ?? 'main.ts')
export const ADMIN_PASSWORD = 'a-test-password-of-some-length'

export interface ServiceOptions {
  /** The plant folder's fenghuo.yaml. */
  readonly config: string
  readonly data: string
  readonly env?: Record<string, string>
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

  /** Starts `fenghuo serve` and resolves once it says that it is running; throws what it printed where it ends instead. */
  static async start({ config, data, env = {} }: ServiceOptions): Promise<LiveService> {
    const ports = { FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0' }
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', config], {
      env: { PATH: process.env.PATH, FENGHUO_DATA: data, FENGHUO_ADMIN_PASSWORD: ADMIN_PASSWORD, ...ports, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const lines: string[] = []
    createInterface(child.stderr!).on('line', (line) => lines.push(line))
    return new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`the service ended (${code ?? signal}):\n${lines.join('\n')}`)))
      createInterface(child.stdout!).on('line', (line) => {
        lines.push(line)
        const running = /Console: (\S+)\s+MQTT: (\S+)/.exec(line)
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
      const page: { items: Item[]; next: string | null } = await this.get(`${address}${join}limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
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
    return response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ')
  }

  #gone(): Promise<number | null> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return Promise.resolve(this.#process.exitCode)
    return new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)))
  }
}
