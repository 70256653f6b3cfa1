// A broker without a port, a journal whose flush the test decides, and clients that speak raw MQTT packets.

import { type Duplex, duplexPair } from 'node:stream'
import mqtt, { type IConnectPacket, type Packet } from 'mqtt-packet'
import { expect, vi } from 'vitest'
import { Broker } from '../../src/ingest/broker.ts'
import type { BrokerJournal } from '../../src/ingest/brokerAcceptance.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'

/** The journal's place, with the flush in the test's hands. */
export class HandJournal implements BrokerJournal {
  /** `kind source body`, in order. */
  readonly lines: string[] = []
  unflushedBytes = 0
  /** Flush at the end of each turn by itself. */
  eager: boolean
  #seq = 0
  #waiting: { bytes: number; done: (seq: number) => void }[] = []

  constructor(eager: boolean) {
    this.eager = eager
  }

  append(kind: string, source: string, body: Uint8Array, done: (seq: number) => void): void {
    this.lines.push(`${kind} ${source} ${Buffer.from(body).toString()}`)
    this.#waiting.push({ bytes: body.length, done })
    this.unflushedBytes += body.length
    if (this.eager && this.#waiting.length === 1) setImmediate(() => this.flush())
  }

  get waiting(): number {
    return this.#waiting.length
  }

  flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.unflushedBytes = 0
    for (const { done } of waiting) done(++this.#seq)
  }

  of(kind: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${kind} `))
  }
}

export interface Setting {
  readonly broker: Broker
  readonly journal: HandJournal
  readonly clock: ManualClock
  readonly metrics: Metrics
  readonly sentences: string[]
  /** Gateways whose secret was checked. */
  readonly checked: string[]
  /** A connection that says CONNECT, changed by `edit`; null: it says nothing yet. */
  connect(options?: (Partial<IConnectPacket> & { gateway?: string; secret?: string }) | null, edit?: (bytes: Buffer) => void): RawClient
  /** A client that has been let in. */
  enter(options?: Partial<IConnectPacket> & { gateway?: string; secret?: string }): Promise<RawClient>
}

const secrets: Record<string, string> = { 'gw-01': 'one', 'gw-02': 'two' }

/** A broker that knows gw-01 (secret `one`) and gw-02 (`two`). */
export async function setUp({ eager = true }: { eager?: boolean } = {}): Promise<Setting> {
  const journal = new HandJournal(eager)
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'))
  const metrics = new Metrics()
  const sentences: string[] = []
  const say = (sentence: string): void => void sentences.push(sentence)
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const checked: string[] = []
  const authenticate = async (id: string, secret: string): Promise<boolean> => {
    checked.push(id)
    return secrets[id] === secret
  }
  const broker = new Broker({ host: '127.0.0.1', port: 0, clock, log, metrics, journal, authenticate })
  await broker.open()
  let remotes = 0
  const connect: Setting['connect'] = (options = {}, edit) => {
    const [ours, theirs] = duplexPair()
    const client = new RawClient(theirs)
    broker.accept(ours, `device:${++remotes}`)
    if (options !== null) client.hello(options, edit)
    return client
  }
  const enter: Setting['enter'] = async (options) => {
    const client = connect(options)
    const connack = await client.next('connack')
    expect(connack).toMatchObject({ returnCode: 0 })
    return client
  }
  return { broker, journal, clock, metrics, sentences, checked, connect, enter }
}

/** Speaks packets and bytes; remembers what it heard. */
export class RawClient {
  readonly stream: Duplex
  readonly heard: Packet[] = []
  closed = false
  #taken = 0
  #messageId = 0
  #gathered: Buffer[] | null = null

  constructor(stream: Duplex) {
    this.stream = stream
    const parser = mqtt.parser()
    parser.on('packet', (packet) => void this.heard.push(packet))
    stream.on('data', (bytes: Buffer) => void parser.parse(bytes))
    for (const event of ['close', 'end', 'error']) stream.on(event, () => void (this.closed = true))
  }

  hello(
    { gateway = 'gw-01', secret, ...rest }: Partial<IConnectPacket> & { gateway?: string; secret?: string } = {},
    edit?: (bytes: Buffer) => void
  ): void {
    const bytes = mqtt.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'pump-house',
      keepalive: 0,
      username: gateway,
      password: Buffer.from(secret ?? secrets[gateway] ?? ''),
      ...rest
    })
    edit?.(bytes)
    this.bytes(bytes)
  }

  send(packet: Packet): void {
    this.bytes(mqtt.generate(packet))
  }

  bytes(bytes: Buffer): void {
    if (this.#gathered === null) this.stream.write(bytes)
    else this.#gathered.push(bytes)
  }

  /** Whatever is sent within arrives in one piece. */
  together(act: () => void): void {
    this.#gathered = []
    act()
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = null
    this.stream.write(bytes)
  }

  /** Publishes, and answers the packet id (0 for QoS 0). */
  publish(topic: string, payload: string, qos: 0 | 1 | 2 = 1, more: { retain?: boolean; dup?: boolean; messageId?: number } = {}): number {
    const messageId = qos === 0 ? 0 : (more.messageId ?? ++this.#messageId)
    this.send({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...more, ...(qos === 0 ? {} : { messageId }) })
    return messageId
  }

  async subscribe(...topics: string[]): Promise<number[]> {
    this.send({ cmd: 'subscribe', messageId: ++this.#messageId, subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })) })
    const suback = await this.next('suback')
    return (suback as unknown as { granted: number[] }).granted
  }

  /** The next packet heard of this kind. */
  async next(cmd: Packet['cmd']): Promise<Packet> {
    return vi.waitFor(() => {
      for (let i = this.#taken; i < this.heard.length; i++) {
        if (this.heard[i]?.cmd === cmd) {
          this.#taken = i + 1
          return this.heard[i] as Packet
        }
      }
      throw new Error(`no ${cmd} arrived; heard: ${this.heard.map((packet) => packet.cmd).join(', ')}; closed: ${this.closed}`)
    }, WAIT)
  }

  /** How many packets of this kind were heard. */
  count(cmd: Packet['cmd']): number {
    return this.heard.filter((packet) => packet.cmd === cmd).length
  }

  async gone(): Promise<void> {
    await vi.waitFor(() => expect(this.closed).toBe(true), WAIT)
  }

  /** The network fails: no DISCONNECT. */
  cut(): void {
    this.stream.destroy()
  }

  /** A round trip: everything sent before has been looked at. */
  async ping(): Promise<void> {
    this.send({ cmd: 'pingreq' })
    await this.next('pingresp')
  }
}

/** Lets everything happen that needs no flush. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => void setImmediate(resolve))
}

export const WAIT = { timeout: 5_000, interval: 2 }
