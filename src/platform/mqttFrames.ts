// Cuts what a broker sends into packets and takes PUBLISH out of the stream, by the wire format alone (MQTT 3.1.1 section 2,
// MQTT 5 section 2). Invariant: a body longer than allowed is never gathered: it is passed over as it comes.

/** A PUBLISH as it came. `body` is a view of what was read: copy it to keep it. */
export interface PublishFrame {
  readonly topic: string
  readonly body: Buffer
  readonly qos: 0 | 1 | 2
  readonly dup: boolean
  readonly retain: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
  /** Bytes of the whole packet where it is longer than allowed, and `body` empty; else 0. */
  readonly tooLong: number
}

export interface FrameEars {
  publish(frame: PublishFrame): void
  /** PUBREL of a QoS 2 publish. */
  release(packetId: number): void
  /** Everything else, as it came. */
  pass(bytes: Buffer): void
}

const PUBLISH = 3
const PUBREL = 6
const NOTHING = Buffer.alloc(0)
/** A topic is at most 65535 bytes; with its length, the packet id, and the longest fixed header. */
const LONGEST_HEAD = 65_535 + 2 + 2 + 5

export class FrameCutter {
  readonly #longest: number
  readonly #hasProperties: boolean
  readonly #ears: FrameEars
  #parts: Buffer[] = []
  #gathered = 0
  /** Nothing can be cut before this much is gathered. */
  #needed = 0
  #skipping = 0

  /** `longest`: bytes of a PUBLISH after its fixed header. */
  constructor(protocol: 4 | 5, longest: number, ears: FrameEars) {
    this.#longest = longest
    this.#hasProperties = protocol === 5
    this.#ears = ears
  }

  /** Takes what was read. False where it is no MQTT: the connection is of no use any more. */
  feed(chunk: Buffer): boolean {
    let rest = chunk
    if (this.#skipping > 0) {
      const skipped = Math.min(this.#skipping, rest.length)
      this.#skipping -= skipped
      if (skipped === rest.length) return true
      rest = rest.subarray(skipped)
    }
    if (this.#gathered > 0) {
      this.#parts.push(rest)
      this.#gathered += rest.length
      if (this.#gathered < this.#needed) return true
      rest = Buffer.concat(this.#parts, this.#gathered)
    }
    this.#parts = []
    this.#gathered = 0
    return this.#cut(rest)
  }

  #cut(bytes: Buffer): boolean {
    let at = 0
    let passFrom = 0
    const passOn = (until: number): void => {
      if (until > passFrom) this.#ears.pass(bytes.subarray(passFrom, until))
    }
    while (at < bytes.length) {
      const header = headerAt(bytes, at)
      if (header === 'malformed') return false
      const type = (bytes[at] as number) >> 4
      if (header === null) {
        passOn(at)
        return this.#keep(bytes.subarray(at), bytes.length - at + 1)
      }
      const { bodyAt, end } = header
      const isPublish = type === PUBLISH
      const tooLong = isPublish && end - bodyAt > this.#longest
      if (end > bytes.length && !tooLong) {
        passOn(at)
        return this.#keep(bytes.subarray(at), end - at)
      }
      if (isPublish || type === PUBREL) {
        passOn(at)
        const head = Math.min(LONGEST_HEAD, end - at)
        if (tooLong && bytes.length - at < head) return this.#keep(bytes.subarray(at), head)
        if (isPublish && !this.#publish(bytes, at, bodyAt, end, tooLong)) return false
        if (type === PUBREL) {
          if (end - bodyAt < 2) return false
          this.#ears.release(bytes.readUInt16BE(bodyAt))
        }
        passFrom = end
        if (end > bytes.length) this.#skipping = end - bytes.length
      }
      at = end
    }
    passOn(bytes.length)
    return true
  }

  #keep(bytes: Buffer, needed: number): true {
    this.#parts = [bytes]
    this.#gathered = bytes.length
    this.#needed = needed
    return true
  }

  #publish(bytes: Buffer, at: number, bodyAt: number, end: number, tooLong: boolean): boolean {
    const flags = bytes[at] as number
    const qos = (flags >> 1) & 3
    if (qos === 3 || end - bodyAt < 2) return false
    let next = bodyAt + 2 + bytes.readUInt16BE(bodyAt)
    if (next + (qos > 0 ? 2 : 0) > end) return false
    const topic = bytes.toString('utf8', bodyAt + 2, next)
    let packetId = 0
    if (qos > 0) {
      packetId = bytes.readUInt16BE(next)
      next += 2
    }
    if (!tooLong && this.#hasProperties) {
      const properties = varint(bytes, next)
      if (properties === null || properties === 'malformed') return false
      next = properties.next + properties.value
      if (next > end) return false
    }
    const body = tooLong ? NOTHING : bytes.subarray(next, end)
    const dup = (flags & 8) !== 0
    const retain = (flags & 1) !== 0
    this.#ears.publish({ topic, body, qos: qos as 0 | 1 | 2, dup, retain, packetId, tooLong: tooLong ? end - at : 0 })
    return true
  }
}

/** Where a packet's body begins and ends; null: its header is not all there. */
function headerAt(bytes: Buffer, at: number): { bodyAt: number; end: number } | 'malformed' | null {
  const length = varint(bytes, at + 1)
  if (length === null || length === 'malformed') return length
  return { bodyAt: length.next, end: length.next + length.value }
}

function varint(bytes: Buffer, at: number): { value: number; next: number } | 'malformed' | null {
  let value = 0
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return null
    value += (byte & 127) * 128 ** i
    if (byte < 128) return { value, next: at + i + 1 }
  }
  return 'malformed'
}
