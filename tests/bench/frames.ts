// MQTT frames of telemetry, built once and patched in place: a load generator must cost little beside what it measures.
// Packet layout: MQTT 3.1.1 sections 3.1 (CONNECT) and 3.3 (PUBLISH).

const TS_DIGITS = 13
const VALUE_DIGITS = 4

/** A CONNECT with user name and password, clean session, no keep-alive. */
export function connectFrame(clientId: string, username: string, password: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)])
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 0]), text(clientId), text(username), text(password)])
  return Buffer.concat([Buffer.from([0x10]), remainingLength(body.length), body])
}

function remainingLength(length: number): Buffer {
  const bytes: number[] = []
  do {
    const rest = length >> 7
    bytes.push((length & 127) | (rest > 0 ? 128 : 0))
    length = rest
  } while (length > 0)
  return Buffer.from(bytes)
}

/** One QoS 1 PUBLISH of samples of the given devices, whose packet id, time stamps and values are written in place. */
export class PublishFrame {
  readonly bytes: Buffer
  readonly #packetIdAt: number
  readonly #tsAt: number[] = []
  readonly #valueAt: number[] = []

  constructor(topic: string, devices: readonly string[]) {
    const samples = devices.map((device) => `{"device":"${device}","ts":${'0'.repeat(TS_DIGITS)},"values":{"v":00.0}}`)
    const payload = Buffer.from(samples.length === 1 ? samples[0]! : `[${samples.join(',')}]`)
    const head = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 255]), Buffer.from(topic), Buffer.from([0, 0])])
    const length = remainingLength(head.length + payload.length)
    this.bytes = Buffer.concat([Buffer.from([0x32]), length, head, payload])
    const payloadAt = 1 + length.length + head.length
    this.#packetIdAt = payloadAt - 2
    let at = payloadAt + (samples.length === 1 ? 0 : 1)
    for (const sample of samples) {
      this.#tsAt.push(at + sample.indexOf('"ts":') + 5)
      this.#valueAt.push(at + sample.indexOf('00.0}'))
      at += sample.length + 1
    }
  }

  /** `value` is below 100, with one decimal. */
  patch(packetId: number, ts: number, value: number): Buffer {
    const { bytes } = this
    bytes[this.#packetIdAt] = packetId >> 8
    bytes[this.#packetIdAt + 1] = packetId & 255
    const tsText = String(ts)
    const valueText = value.toFixed(1).padStart(VALUE_DIGITS, ' ')
    for (let i = 0; i < this.#tsAt.length; i++) {
      const tsAt = this.#tsAt[i]!
      for (let digit = 0; digit < TS_DIGITS; digit++) bytes[tsAt + digit] = tsText.charCodeAt(digit)
      const valueAt = this.#valueAt[i]!
      for (let digit = 0; digit < VALUE_DIGITS; digit++) bytes[valueAt + digit] = valueText.charCodeAt(digit)
    }
    return bytes
  }
}
