// Fenghuo's own dialect (contract 3): one sample or an array of samples as JSON. Pure: bytes -> samples and problems.
// What is good is used, also beside what is bad; each problem says what, where and what to do.

import { isAscii, isUtf8 } from 'node:buffer'
import { LIMITS } from '../../platform/limits.ts'
import { findJsonFault, jsonDepth } from './fault.ts'
import { lacksOffset, parseInstant } from './instant.ts'
import { QuickReader } from './quick.ts'
import { maySpeakFor, type Registry, type Samples } from './samples.ts'

const { jsonDepth: DEPTH, samplesPerMessage: SAMPLES, valuesPerSample: VALUES } = LIMITS.message
const QUOTED_CHARACTERS = 64
const UNKNOWN = -2

/** What JSON.parse made of a sample; every member may be of any type. */
interface Sample {
  readonly device?: unknown
  readonly ts?: unknown
  readonly values?: unknown
  readonly bad?: unknown
}

/** The message being decoded. */
interface Message {
  readonly registry: Registry
  readonly gateway: number
  readonly deviceInTopic: string | null
  readonly into: Samples
  readonly isArray: boolean
}

/**
 * Puts the samples of one message and its problems into `into`, in place of what it held. `gateway` is the sender's number in the plant,
 * `deviceInTopic` the device its topic names, if any.
 */
export function decodeFenghuo(registry: Registry, gateway: number, deviceInTopic: string | null, body: Uint8Array, into: Samples): void {
  into.clear()
  const topicDevice = deviceInTopic === null ? -1 : (registry.fleet.deviceNumber.get(deviceInTopic) ?? UNKNOWN)
  if (topicDevice !== UNKNOWN && new QuickReader(registry, gateway, topicDevice, body, into).read()) return
  into.clear()
  decodeThoroughly(registry, gateway, deviceInTopic, body, into)
}

/** Reads any message at all; the same as `decodeFenghuo`, only slower where nothing is wrong. */
export function decodeThoroughly(registry: Registry, gateway: number, deviceInTopic: string | null, body: Uint8Array, into: Samples): void {
  const text = textOf(body)
  let content: unknown
  try {
    content = text === null ? undefined : JSON.parse(text)
  } catch {
    content = undefined
  }
  if (content === undefined || text === null) {
    into.reject(0, deviceInTopic, unreadable(body, text))
    return
  }
  const isArray = Array.isArray(content)
  const message: Message = { registry, gateway, deviceInTopic, into, isArray }
  const samples = isArray ? (content as unknown[]) : [content]
  if (samples.length === 0) into.reject(0, deviceInTopic, 'The message is an empty array: send at least one sample.')
  for (let index = 0; index < Math.min(samples.length, SAMPLES); index++) {
    const sample = samples[index] as Sample
    const wrong = decodeSample(message, sample, index)
    if (wrong !== null) refuse(message, index, nameOf(sample, deviceInTopic), wrong)
  }
  if (samples.length > SAMPLES) {
    into.reject(
      SAMPLES,
      deviceInTopic,
      `The message holds ${samples.length} samples, and only the first ${SAMPLES} are used: send at most ${SAMPLES} in one message.`
    )
  }
  // Depth itself harms nothing, so it is measured only where something is wrong anyway, to name the cause and not its effects.
  if (into.problems.length > 0 && jsonDepth(text) > DEPTH) {
    into.clear()
    into.reject(0, deviceInTopic, `The message is nested more than ${DEPTH} levels deep: send a sample or an array of samples.`)
  }
}

/** Adds one sample, or says why it cannot be used at all; single values that cannot are reported by themselves. */
function decodeSample(message: Message, sample: Sample, index: number): string | null {
  if (!isObject(sample)) return `there is ${kindOf(sample)}: send an object such as {"device": "T-101", "values": {"level_pct": 71.2}}`
  const { registry, deviceInTopic, into } = message
  const named = sample.device ?? deviceInTopic
  if (typeof named !== 'string') return wrongDevice(named)
  if (deviceInTopic !== null && named !== deviceInTopic) {
    return `"device" is ${quoted(named)}, but the topic names ${quoted(deviceInTopic)}: send it on its own topic or on the gateway's, or leave "device" out`
  }
  const device = registry.fleet.deviceNumber.get(named)
  if (device === undefined) return `the device ${quoted(named)} is not in the plant: add it to plant.yaml, or correct its name`
  if (!maySpeakFor(registry, message.gateway, device)) {
    const gateway = registry.fleet.plant.gateways[message.gateway]?.id ?? ''
    return `the device ${quoted(named)} does not belong to the gateway ${quoted(gateway)}: correct its gateway in plant.yaml, or the device's name`
  }
  const ts = readTs(sample.ts)
  if (typeof ts === 'string') return ts
  const { values } = sample
  const bad = sample.bad ?? null
  if (bad !== null && !Array.isArray(bad)) {
    return `"bad" is ${kindOf(bad)}: send an array of metric names, such as ["level_pct"], or leave it out`
  }
  if (!isObject(values) && (values !== undefined || bad === null)) return wrongValues(values)
  into.begin(device, ts)
  const [rows, problems] = [into.rows, into.problems.length + into.furtherProblems]
  const faulty = bad === null ? NONE : decodeBad(message, bad, index, device)
  if (values !== undefined) decodeValues(message, values as object, faulty, index, device)
  if (into.rows === rows && into.problems.length + into.furtherProblems > problems) into.hollow++
  return null
}

const NONE: ReadonlySet<string> = new Set()

/** Adds the metrics that the device itself calls bad, and answers them. */
function decodeBad(message: Message, bad: readonly unknown[], index: number, device: number): ReadonlySet<string> {
  const { registry, into } = message
  const named = registry.fleet.devices[device]?.id ?? null
  const first = registry.fleet.firstSeries[device] as number
  const places = registry.places[device] as ReadonlyMap<string, number>
  const faulty = new Set<string>()
  for (const metric of bad.slice(0, VALUES)) {
    const place = typeof metric === 'string' ? places.get(metric) : undefined
    if (typeof metric !== 'string') refuse(message, index, named, `"bad" holds ${kindOf(metric)}: it holds metric names only`)
    else if (place === undefined) refuse(message, index, named, unknownMetric(message, device, metric))
    else if (!faulty.has(metric)) {
      faulty.add(metric)
      into.push(first + place, Number.NaN)
    }
  }
  return faulty
}

/** Adds the values of a sample but those called bad. */
function decodeValues(message: Message, values: object, faulty: ReadonlySet<string>, index: number, device: number): void {
  const { registry, into } = message
  const named = registry.fleet.devices[device]?.id ?? null
  const first = registry.fleet.firstSeries[device] as number
  const places = registry.places[device] as ReadonlyMap<string, number>
  let count = 0
  // JSON.parse makes own properties only, `__proto__` too; nothing here is inherited.
  for (const metric in values) {
    if (++count > VALUES) {
      refuse(
        message,
        index,
        named,
        `"values" holds more than ${VALUES} values, and only the first ${VALUES} are used: send fewer in one sample`
      )
      return
    }
    const value = (values as Record<string, unknown>)[metric]
    const place = places.get(metric)
    if (place === undefined) refuse(message, index, named, unknownMetric(message, device, metric))
    else if (typeof value === 'number' && value - value === 0) {
      if (faulty.size === 0 || !faulty.has(metric)) into.push(first + place, value)
    } else if (faulty.has(metric)) continue
    else if (value === null) into.push(first + place, Number.NaN)
    else if (typeof value === 'boolean') into.push(first + place, value ? 1 : 0)
    else refuse(message, index, named, wrongValue(metric, value))
  }
}

/** Whole epoch ms, NaN where none is given, or what is wrong with it. */
function readTs(ts: unknown): number | string {
  if (typeof ts === 'number') return Math.floor(ts)
  if (ts === undefined || ts === null) return Number.NaN
  if (typeof ts !== 'string') return `"ts" is ${kindOf(ts)}: send epoch milliseconds or ISO 8601 text, or leave it out`
  const at = parseInstant(ts)
  if (at !== null) return at
  if (/^\d+$/.test(ts)) return `"ts" is the text ${quoted(ts)}: send epoch milliseconds as a number, without quotes`
  if (lacksOffset(ts))
    return `"ts" is ${quoted(ts)}, which does not say its time zone: send a date and a time with Z or an offset such as +08:00`
  return `"ts" is ${quoted(ts)}, which is no ISO 8601 instant: send one such as 2026-01-01T08:00:00+08:00, or epoch milliseconds`
}

/** Reports a problem of one sample as a sentence. */
function refuse({ isArray, into }: Message, index: number, device: string | null, wrong: string): void {
  into.reject(index, device, isArray ? `In sample ${index}, ${wrong}.` : `In the sample, ${wrong}.`)
}

function textOf(body: Uint8Array): string | null {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (isAscii(bytes)) return bytes.toString('latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

function unreadable(body: Uint8Array, text: string | null): string {
  if (body.length === 0) return 'The message is empty: send a sample as JSON.'
  if (text === null) return `The message is not valid UTF-8 at byte ${firstInvalidByte(body)}: send JSON in UTF-8.`
  const fault = findJsonFault(text)
  const byte = fault === null ? 0 : Buffer.byteLength(text.slice(0, fault.position))
  return `The message is not JSON at byte ${byte}: ${fault?.wrong ?? 'it cannot be read'}. Send a sample or an array of samples.`
}

/** The length of the longest prefix that is valid, by halving: only ever asked of bytes that are not. */
function firstInvalidByte(body: Uint8Array): number {
  let valid = 0
  let invalid = body.length
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1
    // A prefix may end inside a character: what counts is whether it is valid once that character is complete.
    const ends = [0, 1, 2, 3].map((more) => Math.min(middle + more, body.length))
    if (ends.some((end) => isUtf8(body.subarray(0, end)))) valid = middle
    else invalid = middle
  }
  return valid
}

function isObject(content: unknown): content is object {
  return typeof content === 'object' && content !== null && !Array.isArray(content)
}

/** The device a sample speaks of, as far as it says. */
function nameOf(sample: Sample, deviceInTopic: string | null): string | null {
  const name = isObject(sample) ? (sample as Sample).device : null
  return typeof name === 'string' ? clipped(name) : deviceInTopic
}

function wrongDevice(device: unknown): string {
  return device === null || device === undefined
    ? '"device" is missing: name the device, or send on the topic of the device'
    : `"device" is ${kindOf(device)}: send the device's name as text`
}

function wrongValues(values: unknown): string {
  return values === undefined
    ? '"values" is missing: send {"metric": number}, or {} as a sign of life'
    : `"values" is ${kindOf(values)}: send an object of numbers, such as {"level_pct": 71.2}`
}

function wrongValue(metric: string, value: unknown): string {
  const where = `the value of ${quoted(metric)} is`
  if (typeof value === 'number') return `${where} too large for a number: send null for a faulty value`
  if (typeof value !== 'string') return `${where} ${kindOf(value)}: send a number, true, false, or null for a faulty value`
  const isNumber = value.trim() !== '' && Number.isFinite(Number(value))
  return `${where} the text ${quoted(value)}: ${isNumber ? 'send the number without quotes' : 'send a number, or null for a faulty value'}`
}

function unknownMetric({ registry }: Message, device: number, metric: string): string {
  const profile = registry.fleet.profiles[device]?.id ?? ''
  return `the metric ${quoted(metric)} is not in the profile ${quoted(profile)}: add it there, or correct its name`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `the text ${quoted(value)}`
  return typeof value === 'number' ? `the number ${value}` : String(value)
}

function quoted(text: string): string {
  return JSON.stringify(clipped(text))
}

function clipped(text: string): string {
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text
}
