// A gateway as it stands in the field: an ordinary MQTT client that publishes below its own prefix and hears its rejects.

import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'

export interface Rejected {
  readonly at: string
  readonly topic: string
  readonly device: string | null
  readonly problem: string
  readonly excerpt: string
}

export interface GatewayOptions {
  readonly url: string
  readonly id: string
  readonly secret: string
  /** Announces itself, and leaves a will that takes it back. */
  readonly announces?: boolean
  /** Default 4: MQTT 3.1.1. */
  readonly protocolVersion?: 4 | 5
  /** Default: one of its own for each connection. */
  readonly clientId?: string
  /** Comes back by itself after so long, ms; default: never. */
  readonly reconnectMs?: number
}

let connections = 0

export class Gateway {
  readonly rejects: Rejected[] = []
  readonly #client: MqttClient
  readonly #id: string
  /** Rejects when the connection of now is lost. */
  #lost: Promise<never>

  private constructor(client: MqttClient, id: string) {
    this.#client = client
    this.#id = id
    client.on('error', () => {})
    const nextLoss = (): Promise<never> => {
      const lost = new Promise<never>((_resolve, reject) => {
        client.once('close', () => {
          this.#lost = nextLoss()
          reject(new Error('the connection was lost'))
        })
      })
      lost.catch(() => {})
      return lost
    }
    this.#lost = nextLoss()
    client.on('message', (topic, body) => {
      if (topic === `fh/1/${id}/rejects`) this.rejects.push(JSON.parse(body.toString()) as Rejected)
    })
  }

  static async connect({ url, id, secret, announces = false, protocolVersion = 4, clientId, reconnectMs = 0 }: GatewayOptions) {
    const status = `fh/1/${id}/status`
    const options: IClientOptions = {
      username: id,
      password: secret,
      clientId: clientId ?? `${id}-${process.pid}-${++connections}`,
      protocolVersion,
      reconnectPeriod: reconnectMs,
      connectTimeout: 5_000,
      ...(announces ? { will: { topic: status, payload: Buffer.from('{"online":false}'), qos: 1 as const, retain: true } } : {})
    }
    const gateway = new Gateway(await connectAsync(url, options, false), id)
    if (announces) await gateway.#client.publishAsync(status, '{"online":true}', { qos: 1, retain: true })
    return gateway
  }

  get connected(): boolean {
    return this.#client.connected
  }

  /** Publishes to `fh/1/{id}/…` with QoS 1; resolves with the PUBACK, rejects where the connection ends before. */
  async publish(tail: string, body: unknown): Promise<void> {
    await this.publishTo(`fh/1/${this.#id}/${tail}`, body)
  }

  /** The same to any topic. A text is sent as it is, anything else as JSON. */
  async publishTo(topic: string, body: unknown): Promise<void> {
    const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const acknowledged = this.#client.publishAsync(topic, bytes, { qos: 1 })
    acknowledged.catch(() => {})
    await Promise.race([acknowledged, this.#lost])
  }

  async hearRejects(): Promise<void> {
    await this.#client.subscribeAsync(`fh/1/${this.#id}/rejects`, { qos: 1 })
  }

  /** Resolves once the connection is lost. */
  async closed(): Promise<void> {
    if (this.#client.connected) await this.#lost.catch(() => {})
  }

  /** Says goodbye: no will is published. */
  async end(): Promise<void> {
    await this.#client.endAsync()
  }

  /** Cuts the connection as a power failure would. */
  cut(): void {
    this.#client.options.reconnectPeriod = 0
    this.#client.stream.destroy()
    this.#client.end(true)
  }
}
