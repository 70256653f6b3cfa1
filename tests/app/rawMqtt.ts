// MQTT packets by hand: for what a proper client library refuses to send.

import { connect, type Socket } from 'node:net'

/** A PUBLISH with QoS 1; the topic may hold any bytes. */
export function publishPacket(topic: Uint8Array, body: Uint8Array, packetId: number): Buffer {
  const head = Buffer.from([topic.length >> 8, topic.length & 255, ...topic, packetId >> 8, packetId & 255])
  return packet(0x32, Buffer.concat([head, body]))
}

function packet(type: number, body: Buffer): Buffer {
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0))
    rest >>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.from([type, ...length]), body])
}

/** A socket that has signed in as a gateway. */
export class RawMqtt {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  readonly #closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  /** Resolves once CONNACK 0 has arrived. */
  static async signIn(address: string, gateway: string, secret: string): Promise<RawMqtt> {
    const { hostname, port } = new URL(address)
    const raw = new RawMqtt(connect(Number(port), hostname))
    const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, Buffer.byteLength(value)]), Buffer.from(value)])
    raw.send(packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 0]), text(`raw-${gateway}`), text(gateway), text(secret)])))
    await raw.answered(Buffer.from([0x20, 2, 0, 0]))
    return raw
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Resolves once these bytes have been received; rejects where the connection ends first. */
  async answered(bytes: Buffer): Promise<void> {
    while (!this.#received.includes(bytes)) {
      if (this.#socket.destroyed) throw new Error(`closed; received ${this.#received.toString('hex')}`)
      await new Promise<void>((resolve) => {
        this.#socket.once('data', () => resolve())
        this.#socket.once('close', () => resolve())
      })
    }
  }

  /** Resolves once the other side has closed the connection. */
  closed(): Promise<void> {
    return this.#closed
  }

  /** Cuts the connection without a goodbye. */
  cut(): void {
    this.#socket.destroy()
  }
}
