// What the broker asks of names and topics before it believes them. Pure.
// Source of the rules: MQTT 3.1.1 sections 1.5.3 (UTF-8) and 4.7 (topics), and the topic tree fh/1/{gateway}/….

import { LIMITS } from '../platform/limits.ts'

export const GATEWAY_ID = /^[A-Za-z0-9._-]{1,64}$/

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for [MQTT-1.5.3-2]
const ILL_FORMED = /[\u0000-\u001f\u007f-\u009f\ufffd]/

/**
 * Whether a name from the wire is text without control characters. Bytes that were no UTF-8 arrive here as U+FFFD, so two
 * different broken names could become one: U+FFFD is refused wherever it comes from.
 */
export function isWellFormed(text: string): boolean {
  return !ILL_FORMED.test(text)
}

/** Everything a gateway may publish and subscribe to begins with this. */
export function ownPrefix(gateway: string): string {
  return `fh/1/${gateway}/`
}

/** What a publish to a topic is, judged by its topic alone. */
export interface TopicVerdict {
  readonly kind: 'telemetry' | 'status' | 'foreign' | 'malformed'
  /** The topic as it is journaled: cut where it is longer than the limit, marked by an ellipsis no real topic ends in. */
  readonly source: string
}

/**
 * Judges a topic name. Below the own prefix everything is taken, an unknown or overlong topic too: its content is
 * quarantined, which is kinder than closing a connection that would send it again for ever.
 */
export function judgeTopic(topic: string, prefix: string): TopicVerdict {
  if (!isWellFormed(topic)) return { kind: 'malformed', source: topic }
  if (!topic.startsWith(prefix)) return { kind: 'foreign', source: topic }
  if (topic.length === prefix.length + 6 && topic.endsWith('status')) return { kind: 'status', source: topic }
  return { kind: 'telemetry', source: withinLimits(topic) }
}

function withinLimits(topic: string): string {
  let source = topic
  const levels = source.split('/')
  if (levels.length > LIMITS.mqtt.topicLevels) source = `${levels.slice(0, LIMITS.mqtt.topicLevels).join('/')}…`
  if (Buffer.byteLength(source) <= LIMITS.mqtt.topicBytes) return source
  let length = LIMITS.mqtt.topicBytes
  while (Buffer.byteLength(source.slice(0, length)) > LIMITS.mqtt.topicBytes - 3) length--
  return `${source.slice(0, length)}…`
}

/** Why a topic filter is refused, as the end of a sentence, or null where it may be granted. */
export function filterProblem(filter: string, prefix: string): string | null {
  if (!isWellFormed(filter)) return 'holds bytes that are no UTF-8 text or control characters'
  if (filter.startsWith('$share/')) return 'asks for a shared subscription, which this broker does not have'
  if (!filter.startsWith(prefix) || filter.length === prefix.length) return `is not below ${prefix}`
  if (Buffer.byteLength(filter) > LIMITS.mqtt.topicBytes) return `is longer than ${LIMITS.mqtt.topicBytes} bytes`
  if (filter.split('/').length > LIMITS.mqtt.topicLevels) return `has more than ${LIMITS.mqtt.topicLevels} levels`
  return null
}

/** A status body `{"online": boolean}`, or null where it is anything else. */
export function parseStatus(body: Uint8Array): boolean | null {
  if (body.length > 1024) return null
  try {
    const status: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
    if (typeof status !== 'object' || status === null || !Object.hasOwn(status, 'online')) return null
    const { online } = status as { online: unknown }
    return typeof online === 'boolean' ? online : null
  } catch {
    return null
  }
}

/** The beginning of a text from the wire as it may stand in a log line. */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return JSON.stringify(shown)
}
