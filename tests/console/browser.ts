// A real browser on the built console, on the real service, fed over real MQTT: what the tests of the console stand on.
// Invariant: a page that reports an error of its own or breaks the content policy fails its test.

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { ADMIN_PASSWORD, LiveService } from '../liveService.ts'
import { GATEWAY, SECRET } from './plant.ts'

const CHROMIUM = '/usr/bin/chromium'
const BUILT = path.join(import.meta.dirname, '..', '..', 'console', 'dist', 'index.html')
const FLAGS = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic'
]

/** How long anything may take to appear. */
export const SOON = { timeout: 15_000 }
export const DESK = { width: 1920, height: 1080 }
export const PHONE = { width: 390, height: 844 }
/** For tests of every size. */
export const SIZES = [
  ['desk', DESK],
  ['phone', PHONE]
] as const

export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`There is no browser at ${CHROMIUM}: apt-get install chromium fonts-noto-cjk`)
  if (!existsSync(BUILT)) throw new Error('The console is not built: npm run build')
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}

export interface Seat {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser complained of: errors of scripts, breaches of the content policy. */
  readonly complaints: string[]
}

/** A browser of somebody who has never been here. */
export async function takeSeat(browser: Browser, viewport: { width: number; height: number }): Promise<Seat> {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', timezoneId: 'Asia/Shanghai' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refused or broken request is logged as an error too: the tests refuse and break on purpose.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  return { context, page, complaints }
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string | null
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
  }[]
}

/** What axe-core finds serious or critical, one line each. */
async function seriousFaults(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(`${axe};0`)
  const result = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResult
  return result.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`))
}

/** What nobody should meet on the page as it stands: serious faults of accessibility, and what is wider than the window. */
export async function pageFaults(page: Page): Promise<string[]> {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  return [...(beyond === 0 ? [] : [`wider than the window by ${beyond} px`]), ...(await seriousFaults(page))]
}

/** A service with its gateway, and somebody in front of a browser. Each test has its own; stop and start them as it likes. */
export class Stand {
  folder = ''
  config = ''
  /** Of the service that runs. */
  data = ''
  env: Record<string, string> = {}
  browser!: Browser
  service!: LiveService
  gateway!: MqttPublisher
  seat!: Seat
  readonly clock = new SystemClock()

  get page(): Page {
    return this.seat.page
  }

  /** A service on a data folder of its own, and its gateway connected. */
  async start(env: Record<string, string> = {}, data: string | null = null): Promise<void> {
    this.data = data ?? (await mkdtemp(path.join(this.folder, 'data-')))
    this.service = await LiveService.start({ config: this.config, data: this.data, env: { ...this.env, ...env } })
    this.gateway = await connectMqtt({ url: this.service.mqttAddress, clock: this.clock, username: GATEWAY, password: SECRET })
  }

  async stop(): Promise<void> {
    await this.gateway?.end()
    await this.service?.stop()
  }

  /** Somebody else, who has never been here, in front of a window of this size. */
  async anew(viewport: { width: number; height: number }): Promise<Page> {
    await this.seat?.context.close()
    this.seat = await takeSeat(this.browser, viewport)
    return this.seat.page
  }

  /** Sends one sample and waits until it is on disk. */
  async report(device: string, values: Record<string, number | null>): Promise<void> {
    const sample = JSON.stringify({ device, ts: this.clock.now(), values })
    expect(await this.gateway.publish(`fh/1/${GATEWAY}/telemetry`, sample)).toBe(true)
  }

  /** To a place of the console: `devices/T-1`. */
  async goto(where: string): Promise<void> {
    await this.page.goto(`${this.service.httpAddress}/#/${where}`)
  }

  /** Types name and password into the sign-in page, and sends them. */
  async tryToSignIn(user: string, password: string, where = ''): Promise<void> {
    const { page } = this
    if ((await page.locator('.sign-in').count()) === 0) await this.goto(where)
    await page.fill('input[name=username]', user)
    await page.fill('input[name=password]', password)
    await page.click('button[type=submit]')
  }

  async signIn(where = 'alarms', user = 'admin', password = ADMIN_PASSWORD): Promise<void> {
    await this.tryToSignIn(user, password, where)
    await this.page.locator('.top').waitFor(SOON)
  }

  /** Asks the service as its administrator. */
  async ask(method: string, address: string, body: object): Promise<Response> {
    const headers = { cookie: await this.service.cookie(), 'content-type': 'application/json' }
    return fetch(`${this.service.httpAddress}/api/v1${address}`, { method, headers, body: JSON.stringify(body) })
  }

  /** A user whose password is `of NAME, and long`. */
  async makeUser(name: string, role: string): Promise<void> {
    const made = await this.ask('POST', '/users', { name, role, password: passwordOf(name) })
    expect(made.status).toBe(201)
  }
}

export const passwordOf = (name: string): string => `of ${name}, and long`

/** A stand for each test of this file; `prepare` writes the plant into a folder, and gives the path of its fenghuo.yaml. */
export function standOn(prepare: (folder: string, stand: Stand) => Promise<string>): Stand {
  const stand = new Stand()
  beforeAll(async () => {
    stand.folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-console-'))
    stand.config = await prepare(path.join(stand.folder, 'plant'), stand)
    stand.browser = await openBrowser()
  })
  afterAll(async () => {
    await stand.browser?.close()
    await rm(stand.folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    await stand.start()
    await stand.anew(DESK)
  })
  afterEach(async () => {
    await stand.seat?.context.close()
    await stand.stop()
    expect(stand.seat?.complaints).toEqual([])
  })
  return stand
}
