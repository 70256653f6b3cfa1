// One connection that subscribes, with acknowledgements of our own: mqtt.js signs in, pings and subscribes, but handles one
// message at a time, which would be one message for each flush of a disk. So PUBLISH is taken out of the stream before it
// (mqttFrames.ts) and acknowledged here, many at once. Invariant: acknowledgements leave in the order of arrival
// [MQTT-4.6.0-2], and none before `settle()`.

import type { Duplex } from 'node:stream'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Clock, Timer } from './clock.ts'
import { FrameCutter, type PublishFrame } from './mqttFrames.ts'
import { Gate } from './mqttGate.ts'
import { connectLoss, disconnectLoss, type Loss } from './mqttLosses.ts'

/** Where a broker is and who we are to it. */
export interface BrokerAddress {
  readonly scheme: 'mqtt' | 'mqtts' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
  /** Of ws and wss. */
  readonly path: string
}

export interface LinkCredentials {
  readonly username: string | null
  readonly password: string | null
  /** PEM. */
  readonly ca: Buffer | null
  readonly cert: Buffer | null
  readonly key: Buffer | null
}

export interface LinkOptions {
  readonly address: BrokerAddress
  readonly credentials: LinkCredentials
  readonly clientId: string
  readonly protocol: 4 | 5
  /** True: an older session of this id is forgotten, and this one when the connection ends. */
  readonly clean: boolean
  readonly keepAliveS: number
  /** MQTT 5: how long the broker keeps the session while we are away. */
  readonly expiryS: number
  /** Messages not yet acknowledged, at most: MQTT 5 tells the broker; in both the socket is not read above. */
  readonly inFlight: number
  /** Bytes of one message; longer ones are told as `tooLong`, without their body. */
  readonly longest: number
  readonly connectMs: number
  readonly clock: Clock
  readonly ears: LinkEars
}

export interface LinkEars {
  /** A message; it is acknowledged once `settle()` was called. What never is, the broker sends again on the next connection. */
  publish(delivery: Delivery): void
  /** Whether the socket may be read on; where not, `resume()` does once it may. */
  mayRead(): boolean
  /** The connection is over, for this reason; told once, and only after `openLink` has answered. */
  lost(loss: Loss): void
}

/** A message on its way to its acknowledgement. */
export class Delivery {
  readonly frame: PublishFrame
  isSettled = false
  readonly #link: MqttLink
  #repeats: Delivery[] = []

  constructor(frame: PublishFrame, link: MqttLink) {
    this.frame = frame
    this.#link = link
  }

  /** It is safe: the acknowledgement may leave, behind those of the messages before it. */
  settle(): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#link.settled()
    for (const repeat of this.#repeats) repeat.settle()
    this.#repeats = []
  }

  /** `repeat` is the same message, sent again: it is settled as soon as this one is. */
  settleWith(repeat: Delivery): void {
    if (this.isSettled) repeat.settle()
    else this.#repeats.push(repeat)
  }
}

/** Filters in one SUBSCRIBE. */
const FILTERS_AT_ONCE = 100
const PUBACK = 0x40
const PUBREC = 0x50
const PUBCOMP = 0x70

/** Connects and signs in; throws a Loss where that fails. */
export async function openLink(options: LinkOptions): Promise<MqttLink> {
  const link = new MqttLink(options)
  await link.open()
  return link
}

export class MqttLink {
  readonly #options: LinkOptions
  readonly #client: MqttClient
  readonly #cutter: FrameCutter
  #gate: Gate | null = null
  /** In the order of arrival; those before `#first` are acknowledged. */
  #waiting: Delivery[] = []
  #first = 0
  #acks: number[] = []
  #ackDue = false
  /** Of messages that we have sent and that nobody has acknowledged. */
  readonly #unanswered = new Set<() => void>()
  #held = false
  #deaf = false
  #isEnding = false
  #isOver = false
  #isOpen = false
  #loss: Loss | null = null
  #breath: Timer | null = null
  sessionPresent = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.#cutter = new FrameCutter(options.protocol, options.longest, {
      publish: (frame) => this.#hear(frame),
      release: (packetId) => this.#answer(PUBCOMP, packetId),
      pass: (bytes) => this.#gate?.hand(bytes)
    })
    this.#client = connect(clientOptions(options))
    const inner = this.#client as unknown as { streamBuilder: (client: MqttClient) => Duplex }
    const build = inner.streamBuilder
    inner.streamBuilder = (client) => {
      this.#gate = new Gate(build(client), (chunk) => this.#read(chunk))
      return this.#gate
    }
  }

  /** Messages taken and not yet acknowledged. */
  get inFlight(): number {
    return this.#waiting.length - this.#first
  }

  /** Those of them that the broker holds until it hears of them: it gives their packet ids to no other message. */
  get unacknowledged(): Delivery[] {
    return this.#waiting.slice(this.#first).filter(({ frame }) => frame.qos > 0)
  }

  open(): Promise<void> {
    const { clock, connectMs } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (loss: Loss): void => {
        limit.cancel()
        if (!this.#isOver) this.#over(loss)
        reject(loss)
      }
      const limit = clock.after(connectMs, () =>
        fail(connectLoss(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }), this.#options))
      )
      this.#client.on('error', (error) => {
        this.#loss ??= connectLoss(error, this.#options)
        if (!this.#isOpen) fail(this.#loss)
      })
      this.#client.on('disconnect', (packet) => void (this.#loss ??= disconnectLoss(packet.reasonCode ?? 0, this.#options)))
      this.#client.on('close', () => {
        const loss = this.#loss ?? { kind: 'closed', sentence: 'the connection was closed' }
        if (this.#isOpen) this.#over(loss)
        else fail(loss)
      })
      this.#client.on('connect', ({ sessionPresent }) => {
        limit.cancel()
        this.sessionPresent = sessionPresent
        this.#isOpen = true
        // mqtt.js waits for the answer to its ping behind the messages that we do not read.
        const breathMs = (this.#options.keepAliveS * 1000) / 2
        this.#breath = clock.every(breathMs, () => this.#held && this.#stayAlive())
        resolve()
      })
      this.#client.connect()
    })
  }

  /** Answers the filters that the broker did not grant. Throws where the connection has ended, or does meanwhile. */
  async subscribe(filters: readonly string[], noLocal = true): Promise<string[]> {
    this.#refuseOver()
    const refused: string[] = []
    for (let i = 0; i < filters.length; i += FILTERS_AT_ONCE) {
      const some = filters.slice(i, i + FILTERS_AT_ONCE)
      const options = this.#options.protocol === 5 ? ({ qos: 1, nl: noLocal, rap: false, rh: 0 } as const) : ({ qos: 1 } as const)
      await new Promise<void>((resolve, reject) => {
        this.#client.subscribe([...some], options, (error, _asked, packet) => {
          const codes = (packet as { granted?: readonly number[] } | undefined)?.granted
          if (codes === undefined) return void reject(error ?? new Error('the connection ended'))
          refused.push(...some.filter((_, n) => (codes[n] ?? 128) >= 128))
          resolve()
        })
      })
    }
    return refused
  }

  /** Throws where the connection has ended, or does meanwhile. */
  async unsubscribe(filters: readonly string[]): Promise<void> {
    this.#refuseOver()
    for (let i = 0; i < filters.length; i += FILTERS_AT_ONCE)
      await this.#client.unsubscribeAsync([...filters.slice(i, i + FILTERS_AT_ONCE)])
  }

  /** QoS 1; `done` once the broker has it or the connection is over. */
  publish(topic: string, payload: string, done: () => void): void {
    if (this.#isOver) return void done()
    const once = (): void => {
      if (this.#unanswered.delete(once)) done()
    }
    this.#unanswered.add(once)
    this.#client.publish(topic, payload, { qos: 1 }, once)
  }

  /** Reads on, if it was held. */
  resume(): void {
    if (!this.#held || this.#isOver || !this.#mayRead()) return
    this.#held = false
    this.#gate?.resumeReading()
  }

  /** From now on nothing is read or heard: what comes stays with the broker. What was heard is still acknowledged. */
  deafen(): void {
    this.#deaf = true
    this.#held = true
    this.#gate?.pauseReading()
  }

  /** Called by a delivery. */
  settled(): void {
    if (this.#isOver) return
    for (let next = this.#waiting[this.#first]; next?.isSettled === true; next = this.#waiting[++this.#first]) {
      const { qos, packetId } = next.frame
      if (qos > 0) this.#answer(qos === 1 ? PUBACK : PUBREC, packetId)
    }
    if (this.#first === this.#waiting.length || this.#first > 4096) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
    this.resume()
  }

  /** Sends what is to be acknowledged, says goodbye and closes: the session stays with the broker, unless it was to be clean. */
  async end(): Promise<void> {
    if (this.#isOver) return
    this.deafen()
    this.#sendAcks()
    // Answers to what we asked, and the end of the connection, are noticed only by who reads.
    this.#isEnding = true
    this.#gate?.resumeReading()
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const limit = clock.after(2_000, () => resolve())
      this.#client.end(false, () => {
        limit.cancel()
        resolve()
      })
    })
    this.#over(null)
  }

  /** Cuts the connection. */
  cut(): void {
    this.#over(null)
  }

  /** mqtt.js would keep what is asked of it now for a next connection. */
  #refuseOver(): void {
    if (this.#isOver) throw new Error('the connection has ended')
  }

  #over(loss: Loss | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#breath?.cancel()
    this.#client.on('error', () => {})
    this.#client.end(true)
    this.#gate?.destroy()
    // mqtt.js keeps what has a session behind it, also where no connection follows.
    for (const once of this.#unanswered) once()
    if (loss !== null && this.#isOpen) this.#options.ears.lost(loss)
  }

  #read(chunk: Buffer): void {
    if (!this.#cutter.feed(chunk)) {
      this.#loss ??= { kind: 'malformed', sentence: 'it sent what is no MQTT' }
      return void this.#gate?.destroy()
    }
    if (!this.#isEnding && !this.#mayRead()) {
      this.#held = true
      this.#gate?.pauseReading()
    }
  }

  #mayRead(): boolean {
    return !this.#deaf && this.inFlight < this.#options.inFlight && this.#options.ears.mayRead()
  }

  #hear(frame: PublishFrame): void {
    if (this.#deaf) return
    const delivery = new Delivery(frame, this)
    this.#waiting.push(delivery)
    this.#options.ears.publish(delivery)
  }

  #answer(type: number, packetId: number): void {
    this.#acks.push(type, packetId)
    if (this.#ackDue) return
    this.#ackDue = true
    queueMicrotask(() => this.#sendAcks())
  }

  #sendAcks(): void {
    this.#ackDue = false
    const acks = this.#acks
    if (acks.length === 0 || this.#isOver) return
    this.#acks = []
    const bytes = Buffer.allocUnsafe(acks.length * 2)
    for (let i = 0; i < acks.length; i += 2) {
      bytes[i * 2] = acks[i] as number
      bytes[i * 2 + 1] = 2
      bytes.writeUInt16BE(acks[i + 1] as number, i * 2 + 2)
    }
    this.#gate?.sendNow(bytes)
  }

  #stayAlive(): void {
    this.#client.sendPing()
    this.#client.reschedulePing(true)
  }
}

function clientOptions({
  address,
  credentials,
  clientId,
  protocol,
  clean,
  keepAliveS,
  expiryS,
  inFlight,
  connectMs
}: LinkOptions): IClientOptions {
  const { scheme, host, port, path } = address
  const options: IClientOptions = {
    ...{ protocol: scheme, host, port, protocolVersion: protocol, clientId, clean, keepalive: keepAliveS },
    ...{ manualConnect: true, reconnectPeriod: 0, resubscribe: false, connectTimeout: connectMs * 2, queueQoSZero: false }
  }
  if (scheme === 'ws' || scheme === 'wss') options.path = path
  if (protocol === 5) {
    options.properties = { receiveMaximum: Math.min(65_535, inFlight), sessionExpiryInterval: clean ? 0 : expiryS }
  }
  const { username, password, ca, cert, key } = credentials
  if (username !== null) options.username = username
  if (password !== null) options.password = password
  if (scheme !== 'mqtts' && scheme !== 'wss') return options
  if (ca !== null) options.ca = ca
  if (cert !== null) options.cert = cert
  if (key !== null) options.key = key
  return options
}
