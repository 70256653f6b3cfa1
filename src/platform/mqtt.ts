// The one door to mqtt.js: a publisher that bounds what is on its way and knows what was acknowledged. Invariant: a message
// is counted as acknowledged only after the broker's PUBACK or PUBCOMP; over a lost connection it is sent again.

import { connect, type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt'
import type { Clock } from './clock.ts'
import { messageOf, Refusal } from './problem.ts'
import { Random, secretText } from './random.ts'

export interface MqttOptions {
  /** `mqtt://host:port` or `mqtts://…`; user name and password may stand in it, percent-encoded. */
  readonly url: string
  readonly clock: Clock
  /** Win over those in the URL. */
  readonly username?: string
  readonly password?: string
  /** Default: one that no other connection has. A second connection with the same id takes over the first. */
  readonly clientId?: string
  /** False: the broker keeps subscriptions and messages while we are away; needs a `clientId`. Default true. */
  readonly clean?: boolean
  readonly will?: { readonly topic: string; readonly payload: string; readonly qos?: 0 | 1 | 2; readonly retain?: boolean }
  /** Messages on their way at most. Default 1000. */
  readonly window?: number
  /** Seconds between signs of life. Default 60. */
  readonly keepaliveS?: number
  /** What the first connection may take. Default 10 s. */
  readonly connectMs?: number
  /** Chance of the reconnect pauses; default seeded by the client id, so that a fleet does not return all at once. */
  readonly random?: Random
  /** Hears a sentence when the connection is lost, refused or back. */
  readonly onState?: (state: 'lost' | 'refused' | 'back', sentence: string) => void
}

export interface PublishOptions {
  /** Default 1. */
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/**
 * Connects, or throws a Refusal that says why it cannot: a malformed address (exit code 2), nobody there, credentials refused.
 * Once connected, the publisher comes back by itself after losses, with growing jittered pauses.
 */
export async function connectMqtt(options: MqttOptions): Promise<MqttPublisher> {
  const { client, address } = openClient(options)
  await new Promise<void>((resolve, reject) => {
    const limit = options.connectMs ?? 10_000
    // Only our own listeners go: mqtt.js lives by listeners of its own on these events.
    const leave = (): void => {
      timer.cancel()
      client.removeListener('connect', connected).removeListener('error', failed).removeListener('close', closed)
    }
    const fail = (sentence: string, cause?: unknown): void => {
      leave()
      client.on('error', nothing)
      client.end(true)
      reject(new Refusal(sentence, { cause }))
    }
    const connected = (): void => {
      leave()
      resolve()
    }
    const failed = (error: Error): void => fail(connectProblem(error, address, client.options.username), error)
    const closed = (): void => fail(`${address} closed the connection before it was established. Is it an MQTT broker?`)
    const timer = options.clock.after(limit, () => fail(`${address} did not answer within ${limit / 1000} s. Is it an MQTT broker?`))
    client.on('connect', connected).on('error', failed).on('close', closed)
    client.connect()
    // As long as this is set, mqtt.js connects again behind the back of whoever has ended it.
    client.options.manualConnect = false
  })
  return new MqttPublisher(client, address, options)
}

/** A connection that publishes. */
export class MqttPublisher {
  readonly address: string
  readonly #client: MqttClient
  readonly #window: number
  readonly #clock: Clock
  #sent = 0
  #acknowledged = 0
  #failed = 0
  #waiting: (() => void)[] = []
  #whenIdle: (() => void)[] = []
  #ended = false
  /** Shared by all publishes: one closure for the connection, none per message. */
  readonly #settled: (error?: Error | null) => void

  constructor(client: MqttClient, address: string, options: MqttOptions) {
    this.address = address
    this.#client = client
    this.#clock = options.clock
    this.#window = options.window ?? 1000
    this.#settled = (error) => this.#settle(error == null)
    comeBack(client, address, options)
  }

  get connected(): boolean {
    return this.#client.connected
  }

  /** Messages handed over so far. */
  get sent(): number {
    return this.#sent
  }

  /** Of those, how many the broker has acknowledged (QoS 0: how many have left). */
  get acknowledged(): number {
    return this.#acknowledged
  }

  get inFlight(): number {
    return this.#sent - this.#acknowledged - this.#failed
  }

  /** No further message is taken until an acknowledgement arrives. */
  get full(): boolean {
    return this.inFlight >= this.#window
  }

  /** Hands one message over; false, and nothing sent, while the window is full or the publisher has ended: wait for `room()`. */
  offer(topic: string, payload: string | Buffer, options: PublishOptions = {}): boolean {
    if (this.#ended || this.full) return false
    this.#sent++
    this.#client.publish(topic, payload, publishOptions(options), this.#settled)
    return true
  }

  /** Resolves once there is room for a message; false where the publisher has ended. */
  async room(): Promise<boolean> {
    while (this.full && !this.#ended) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    return !this.#ended
  }

  /** Sends one message when there is room, and resolves true once it is acknowledged, false where that never came. */
  async publish(topic: string, payload: string | Buffer, options: PublishOptions = {}): Promise<boolean> {
    if (!(await this.room())) return false
    this.#sent++
    return new Promise((resolve) => {
      this.#client.publish(topic, payload, publishOptions(options), (error) => {
        this.#settle(error == null)
        resolve(error == null)
      })
    })
  }

  /** Subscribes and calls `hear` for every message below `filter`; false where the broker refuses. */
  async subscribe(filter: string, hear: (topic: string, payload: Buffer) => void): Promise<boolean> {
    this.#client.on('message', hear)
    try {
      const [grant] = await this.#client.subscribeAsync(filter, { qos: 1 })
      return grant !== undefined && grant.qos !== 128
    } catch {
      this.#client.removeListener('message', hear)
      return false
    }
  }

  /** Resolves true once everything sent is acknowledged, false after `ms` without. */
  async idle(ms: number): Promise<boolean> {
    if (this.inFlight === 0) return true
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve)
      this.#whenIdle.push(() => {
        timer.cancel()
        resolve()
      })
    })
    return this.inFlight === 0
  }

  /** Waits up to `graceMs` for acknowledgements, then says goodbye: no will is sent. */
  async end(graceMs = 5_000): Promise<void> {
    if (this.#ended) return
    if (this.#client.connected) await this.idle(graceMs)
    this.#finish()
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(2_000, resolve)
      this.#client.end(!this.#client.connected, () => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** Cuts the connection without a goodbye, as a power failure would: the broker sends the will. */
  cut(): void {
    this.#finish()
    this.#client.stream?.destroy()
    this.#client.end(true)
  }

  #settle(acknowledged: boolean): void {
    if (acknowledged) this.#acknowledged++
    else this.#failed++
    if (this.#waiting.length > 0 && !this.full) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const go of waiting) go()
    }
    if (this.inFlight === 0 && this.#whenIdle.length > 0) {
      const idle = this.#whenIdle
      this.#whenIdle = []
      for (const go of idle) go()
    }
  }

  #finish(): void {
    this.#ended = true
    for (const go of this.#waiting.splice(0)) go()
    for (const go of this.#whenIdle.splice(0)) go()
  }
}

const AT_LEAST_ONCE: IClientPublishOptions = { qos: 1 }

function publishOptions({ qos = 1, retain = false }: PublishOptions): IClientPublishOptions {
  return qos === 1 && !retain ? AT_LEAST_ONCE : { qos, retain }
}

function openClient(options: MqttOptions): { client: MqttClient; address: string } {
  const url = URL.canParse(options.url) ? new URL(options.url) : null
  if (url === null || (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:') || url.hostname === '') {
    throw new Refusal(`"${withoutPassword(options.url)}" is not an MQTT address. Write it like mqtt://gw-01:secret@127.0.0.1:1883.`, {
      exitCode: 2
    })
  }
  const secure = url.protocol === 'mqtts:'
  const port = url.port === '' ? (secure ? 8883 : 1883) : Number(url.port)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const username = options.username ?? decodeURIComponent(url.username)
  const password = options.password ?? decodeURIComponent(url.password)
  const settings: IClientOptions = {
    protocol: secure ? 'mqtts' : 'mqtt',
    host,
    port,
    protocolVersion: 4,
    manualConnect: true,
    clean: options.clean ?? true,
    clientId: options.clientId ?? `fenghuo-${username}-${secretText(6)}`,
    keepalive: options.keepaliveS ?? 60,
    reconnectPeriod: FIRST_PAUSE_MS,
    connectTimeout: options.connectMs ?? 10_000,
    // QoS 0 may be lost: while away it is, instead of piling up.
    queueQoSZero: false
  }
  if (username !== '') settings.username = username
  if (password !== '') settings.password = password
  if (options.will !== undefined) {
    const { topic, payload, qos = 1, retain = true } = options.will
    settings.will = { topic, payload: Buffer.from(payload), qos, retain }
  }
  return { client: connect(settings), address: `${url.protocol}//${url.host}` }
}

/** Lengthens the pause before the next attempt from loss to loss, halved by chance at most, and tells what happens. */
function comeBack(client: MqttClient, address: string, options: MqttOptions): void {
  const random = options.random ?? new Random(seedOf(String(client.options.clientId)))
  const tell = options.onState ?? nothing
  // Refused when coming back, it tries again: a secret may be on its way. Refused at first, it must not.
  client.options.reconnectOnConnackError = true
  let pauseMs = FIRST_PAUSE_MS
  let away = false
  const jitter = (): void => void (client.options.reconnectPeriod = Math.round(pauseMs * (0.5 + random.next() / 2)))
  jitter()
  client.on('close', () => {
    if (!away && !client.disconnecting) tell('lost', `The connection to ${address} was lost; trying again.`)
    away = true
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
    jitter()
  })
  client.on('connect', () => {
    if (away) tell('back', `The connection to ${address} is back.`)
    away = false
    pauseMs = FIRST_PAUSE_MS
    jitter()
  })
  client.on('error', (error) => {
    if ('code' in error && typeof error.code === 'number') tell('refused', connectProblem(error, address, client.options.username))
  })
}

function connectProblem(error: Error & { code?: unknown }, address: string, username: string | undefined): string {
  switch (error.code) {
    case 1:
      return `${address} does not speak MQTT 3.1.1.`
    case 2:
      return `${address} refused the client id.`
    case 3:
      return `${address} is there but takes no more connections of ${username ?? 'this client'} at the moment.`
    case 4:
      return `${address} refused the user name or password${username === undefined ? ': none was given' : ` of ${username}`}.`
    case 5:
      return `${address} does not let ${username ?? 'a client without a user name'} in.`
    case 'ECONNREFUSED':
      return `Nothing answers at ${address}. Is the service running, and is this its MQTT port?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${address} is not known by that name.`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `The host of ${address} cannot be reached from here.`
    default:
      return `No MQTT connection to ${address}: ${messageOf(error)}.`
  }
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@')
}

function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

function nothing(): void {}
