// The usual message, read straight from its bytes: known devices and metrics, plain numbers, no escapes, nothing wrong.
// Invariant: it reads such a message exactly as JSON.parse would, or gives up and leaves the message to the thorough reader.

import { LIMITS } from '../../platform/limits.ts'
import { maySpeakFor, type Registry, type Samples } from './samples.ts'

const { samplesPerMessage: SAMPLES, valuesPerSample: VALUES } = LIMITS.message

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Powers of ten that a double holds exactly. */
const TENS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
/** With so many digits a number without its point is a whole double, so that dividing it by a power of ten rounds once, as it must. */
const EXACT_DIGITS = 15

const DEVICE = Buffer.from('device')
const TS = Buffer.from('ts')
const VALUES_KEY = Buffer.from('values')
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

export class QuickReader {
  readonly #registry: Registry
  readonly #into: Samples
  readonly #gateway: number
  /** The device of the topic; -1 where the topic names none. */
  readonly #topicDevice: number
  readonly #bytes: Uint8Array
  #at = 0
  /** What `#number` read. */
  #value = 0

  constructor(registry: Registry, gateway: number, topicDevice: number, bytes: Uint8Array, into: Samples) {
    this.#registry = registry
    this.#gateway = gateway
    this.#topicDevice = topicDevice
    this.#bytes = bytes
    this.#into = into
  }

  /** Adds all samples of the message and answers true; or false, having added anything: then the caller begins anew. */
  read(): boolean {
    this.#space()
    if (this.#bytes[this.#at] !== OPEN_ARRAY) return this.#sample() && this.#isEnd()
    this.#at++
    for (let count = 0; count < SAMPLES; count++) {
      this.#space()
      if (!this.#sample()) return false
      this.#space()
      const next = this.#bytes[this.#at++]
      if (next === CLOSE_ARRAY) return this.#isEnd()
      if (next !== COMMA) return false
    }
    return false
  }

  #isEnd(): boolean {
    this.#space()
    return this.#at === this.#bytes.length
  }

  #space(): void {
    const bytes = this.#bytes
    let at = this.#at
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++
    this.#at = at
  }

  #sample(): boolean {
    if (this.#bytes[this.#at++] !== OPEN_OBJECT) return false
    const into = this.#into
    let device = this.#topicDevice
    let ts = Number.NaN
    let seen = 0
    let sample = -1
    for (;;) {
      const key = this.#key()
      if (key < 0 || (seen & (1 << key)) !== 0) return false
      seen |= 1 << key
      if (key === 0) {
        device = this.#device()
        if (device < 0 || sample >= 0) return false
      } else if (key === 1) {
        if (!this.#number()) return false
        ts = Math.floor(this.#value)
      } else {
        if (device < 0) return false
        sample = into.count
        into.begin(device, ts)
        if (!this.#values(device)) return false
      }
      this.#space()
      const next = this.#bytes[this.#at++]
      if (next === CLOSE_OBJECT) break
      if (next !== COMMA) return false
    }
    if (sample < 0 || !maySpeakFor(this.#registry, this.#gateway, device)) return false
    into.ts[sample] = ts
    return true
  }

  /** 0 for "device", 1 for "ts", 2 for "values", each with its colon; -1 for anything else. */
  #key(): number {
    const to = this.#name()
    if (to < 0) return -1
    const from = this.#nameFrom
    const length = to - from
    const key =
      length === 6
        ? this.#stands(DEVICE, from)
          ? 0
          : this.#stands(VALUES_KEY, from)
            ? 2
            : -1
        : length === 2 && this.#stands(TS, from)
          ? 1
          : -1
    return key >= 0 && this.#colon() ? key : -1
  }

  #nameFrom = 0

  /** Reads a text in quotes, in which nothing is looked at but its end; where it ends, or -1. Its beginning is `#nameFrom`. */
  #name(): number {
    this.#space()
    const bytes = this.#bytes
    if (bytes[this.#at] !== QUOTE) return -1
    const from = this.#at + 1
    const most = Math.min(from + 64, bytes.length - 1)
    let at = from
    while (at < most && bytes[at] !== QUOTE) at++
    if (bytes[at] !== QUOTE) return -1
    this.#nameFrom = from
    this.#at = at + 1
    return at
  }

  #colon(): boolean {
    this.#space()
    if (this.#bytes[this.#at] !== COLON) return false
    this.#at++
    this.#space()
    return true
  }

  /** The number of the device named here; -1 where it is not known, or not the topic's. */
  #device(): number {
    const to = this.#name()
    if (to < 0) return -1
    const device = this.#registry.deviceNames.find(this.#bytes, this.#nameFrom, to)
    return this.#topicDevice >= 0 && device !== this.#topicDevice ? -1 : device
  }

  #values(device: number): boolean {
    const { fleet, metricNames } = this.#registry
    const bytes = this.#bytes
    const into = this.#into
    if (bytes[this.#at++] !== OPEN_OBJECT) return false
    this.#space()
    if (bytes[this.#at] === CLOSE_OBJECT) {
      this.#at++
      return true
    }
    const names = metricNames[device]
    if (names === undefined) return false
    const first = fleet.firstSeries[device] as number
    const firstRow = into.rows
    let last = -1
    let furthest = -1
    for (let count = 0; count < VALUES; count++) {
      const to = this.#name()
      if (to < 0) return false
      // Senders name metrics in the profile's order more often than not.
      const place =
        last + 1 < names.count && names.is(last + 1, bytes, this.#nameFrom, to) ? last + 1 : names.find(bytes, this.#nameFrom, to)
      if (place < 0 || !this.#colon() || !this.#scalar()) return false
      // Of a metric named twice the last one counts: that is for the thorough reader.
      if (place <= furthest) for (let row = firstRow; row < into.rows; row++) if (into.series[row] === first + place) return false
      into.push(first + place, this.#value)
      last = place
      if (place > furthest) furthest = place
      this.#space()
      const next = bytes[this.#at++]
      if (next === CLOSE_OBJECT) return true
      if (next !== COMMA) return false
    }
    return false
  }

  #scalar(): boolean {
    const byte = this.#bytes[this.#at] as number
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.#number()
    if (this.#stands(NULL, this.#at)) this.#value = Number.NaN
    else if (this.#stands(TRUE, this.#at)) this.#value = 1
    else if (this.#stands(FALSE, this.#at)) {
      this.#value = 0
      this.#at++
    } else return false
    this.#at += 4
    return true
  }

  /** A number without exponent and with few digits, as most are. */
  #number(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    const isNegative = bytes[at] === MINUS
    if (isNegative) at++
    const begin = at
    let whole = 0
    for (let byte = bytes[at] as number; byte >= ZERO && byte <= NINE; byte = bytes[++at] as number) whole = whole * 10 + (byte - ZERO)
    let digits = at - begin
    if (digits === 0 || (digits > 1 && bytes[begin] === ZERO)) return false
    let decimals = 0
    if (bytes[at] === POINT) {
      const point = ++at
      for (let byte = bytes[at] as number; byte >= ZERO && byte <= NINE; byte = bytes[++at] as number) whole = whole * 10 + (byte - ZERO)
      decimals = at - point
      if (decimals === 0) return false
      digits += decimals
    }
    // What follows is for the caller to accept: an exponent is no comma and no bracket.
    if (digits > EXACT_DIGITS) return false
    const value = decimals === 0 ? whole : whole / (TENS[decimals] as number)
    this.#value = isNegative ? -value : value
    this.#at = at
    return true
  }

  #stands(word: Uint8Array, at: number): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[at + i] !== word[i]) return false
    return true
  }
}
