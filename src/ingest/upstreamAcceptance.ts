// From a message of an external broker to its acknowledgement. Whose it is, the topic says: that a gateway publishes below its own
// prefix only is the broker's to enforce. Invariant: `settle()` is called only after the journal has flushed the message, or
// where there is nothing to be kept of it, and that is counted.

import { LIMITS } from '../platform/limits.ts'
import type { Count, Metrics } from '../platform/metrics.ts'
import type { Delivery } from '../platform/mqttLink.ts'
import type { BrokerJournal } from './brokerAcceptance.ts'
import type { MessageCounts, Refusals } from './brokerCounts.ts'
import { isWellFormed, judgeTopic, ownPrefix, parseStatus, quoted } from './brokerTopics.ts'
import type { UpstreamRepeats } from './upstreamRepeats.ts'

/**
 * - unknown: not in the plant; what it sends is quarantined. - revoked: its secret was taken back, or it was removed: what
 * it sends is refused.
 */
export type Standing = 'known' | 'unknown' | 'revoked'

/** What of one connection waits for the flush. */
export interface Waiter {
  waitingBytes: number
  waitingCount: number
  /** What was taken on former connections and never acknowledged; missing: nothing is known of it. */
  readonly repeats?: UpstreamRepeats
}

interface Verdict {
  readonly kind: 'telemetry' | 'status' | 'rejects' | 'foreign' | 'malformed'
  readonly gateway: string
  readonly source: string
}

const IGNORED = ['echo', 'retained', 'repeat'] as const
const TOPIC = /^fh\/1\/([A-Za-z0-9._-]{1,64})\/(.+)$/
/** Bytes a message costs beyond its body while it waits. */
const OVERHEAD = 128

export interface AcceptanceParts {
  readonly journal: BrokerJournal
  readonly counts: MessageCounts
  readonly refusals: Refusals
  readonly metrics: Metrics
  readonly standing: (gateway: string) => Standing
  /** Whether the gateway is online by what the journal says; null: nothing is known. */
  readonly presence: (gateway: string) => boolean | null
}

export class UpstreamAcceptance {
  readonly #parts: AcceptanceParts
  readonly #ignored: Record<(typeof IGNORED)[number], Count>
  readonly #redelivered: Count
  readonly #verdicts = new Map<string, Verdict>()
  /** Of gateways of the plant, as far as it was journaled by us. */
  readonly #online = new Map<string, boolean>()
  #isStopping = false
  #whenIdle: (() => void) | null = null
  /** Messages handed to the journal and not yet flushed. */
  waiting = 0

  constructor(parts: AcceptanceParts) {
    this.#parts = parts
    this.#ignored = parts.metrics.counters(
      'fenghuo_upstream_ignored_total',
      'Messages of the external broker of which nothing is kept: retained ones that say what is known, messages to gateways, and what was taken before and is sent again.',
      'reason',
      IGNORED
    )
    this.#redelivered = parts.metrics.counter(
      'fenghuo_upstream_redelivered_total',
      'Messages that the external broker sent again: their acknowledgement had not reached it.'
    )
  }

  online(gateway: string): boolean | null {
    return this.#online.get(gateway) ?? this.#parts.presence(gateway)
  }

  mayRead(line: Waiter): boolean {
    return (
      !this.#isStopping &&
      line.waitingBytes < LIMITS.upstream.unflushedBytesPerConnection &&
      this.#parts.journal.unflushedBytes < LIMITS.mqtt.unflushedBytes
    )
  }

  /** Takes a message; answers its gateway, or null where it has none. */
  hear(delivery: Delivery, line: Waiter): string | null {
    if (this.#isStopping) return null
    const { frame } = delivery
    if (frame.dup) this.#redelivered.add()
    const verdict = this.#verdictOn(frame.topic)
    const { gateway, kind } = verdict
    const first = line.repeats?.firstOf(frame) ?? null
    if (first !== null) {
      this.#ignored.repeat.add()
      first.settleWith(delivery)
      return gateway === '' ? null : gateway
    }
    if (kind === 'foreign' || kind === 'malformed') {
      const what = kind === 'foreign' ? 'which is none of a gateway' : 'with bytes that are no UTF-8 text or with control characters'
      this.#refuse(
        delivery,
        kind === 'foreign' ? 'foreignTopic' : 'malformedTopic',
        `The broker passed on ${quoted(frame.topic)}, ${what}.`
      )
      return null
    }
    if (kind === 'rejects') {
      this.#ignore(delivery, 'echo')
      return null
    }
    const standing = this.#parts.standing(gateway)
    if (standing === 'revoked') {
      const sentence = `${gateway} is revoked, and the broker passed on what it published to ${quoted(frame.topic)}: refused. Take it out of the broker's password file.`
      this.#refuse(delivery, 'revoked', sentence)
    } else if (frame.tooLong > 0) {
      const sentence = `${gateway} published ${frame.tooLong} bytes to ${quoted(frame.topic)}; the limit is ${LIMITS.mqtt.packetBytes}: refused.`
      this.#refuse(delivery, 'packetTooLong', sentence)
    } else if (kind === 'status' && standing === 'known') this.#status(delivery, line, verdict)
    else if (frame.retain) this.#ignore(delivery, 'retained')
    else this.#telemetry(delivery, line, verdict, standing === 'known')
    return gateway
  }

  /** Takes nothing more; resolves once everything handed to the journal is flushed. */
  async drain(): Promise<void> {
    this.#isStopping = true
    if (this.waiting === 0) return
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve
    })
  }

  #verdictOn(topic: string): Verdict {
    const known = this.#verdicts.get(topic)
    if (known !== undefined) return known
    const verdict = verdictOf(topic)
    // Those that are too long for us may have 64 KiB each.
    if (topic.length > LIMITS.mqtt.topicBytes) return verdict
    if (this.#verdicts.size >= LIMITS.upstream.topicsKnown) this.#verdicts.clear()
    this.#verdicts.set(topic, verdict)
    return verdict
  }

  #telemetry(delivery: Delivery, line: Waiter, { gateway, source }: Verdict, isKnown: boolean): void {
    // A gateway that publishes is not offline, whatever its last will said.
    if (isKnown && this.online(gateway) !== true) {
      this.#online.set(gateway, true)
      this.#parts.journal.append('presence', gateway, Buffer.from('{"online":true,"why":"published"}'), nothing)
    }
    this.#append(delivery, line, 'telemetry', source, delivery.frame.body)
  }

  #status(delivery: Delivery, line: Waiter, { gateway, source }: Verdict): void {
    const { body, retain, dup } = delivery.frame
    const online = parseStatus(body)
    if (online === null && retain) return void this.#ignore(delivery, 'retained')
    if (online === null) return void this.#append(delivery, line, 'telemetry', source, body)
    // A retained status tells how it was when we subscribed, which may be long known.
    if ((retain || dup) && this.online(gateway) === online) return void this.#ignore(delivery, 'retained')
    this.#online.set(gateway, online)
    this.#append(delivery, line, 'presence', gateway, Buffer.from(JSON.stringify({ online, why: retain ? 'retained status' : 'status' })))
  }

  #append(delivery: Delivery, line: Waiter, kind: 'telemetry' | 'presence', source: string, body: Buffer): void {
    const bytes = delivery.frame.body.length + source.length + OVERHEAD
    line.waitingBytes += bytes
    line.waitingCount++
    this.waiting++
    this.#parts.journal.append(kind, source, body, () => {
      line.waitingBytes -= bytes
      line.waitingCount--
      this.waiting--
      this.#parts.counts.addJournaled()
      delivery.settle()
      if (this.waiting === 0) this.#whenIdle?.()
    })
  }

  #ignore(delivery: Delivery, why: (typeof IGNORED)[number]): void {
    this.#ignored[why].add()
    delivery.settle()
  }

  #refuse(delivery: Delivery, reason: 'foreignTopic' | 'malformedTopic' | 'revoked' | 'packetTooLong', sentence: string): void {
    this.#parts.counts.addRefused()
    this.#parts.refusals.add(reason, sentence)
    delivery.settle()
  }
}

function verdictOf(topic: string): Verdict {
  const [, gateway, leaf] = TOPIC.exec(topic) ?? []
  if (gateway === undefined || leaf === undefined) {
    return { kind: isWellFormed(topic) ? 'foreign' : 'malformed', gateway: '', source: topic }
  }
  if (leaf === 'rejects') return { kind: 'rejects', gateway, source: topic }
  const { kind, source } = judgeTopic(topic, ownPrefix(gateway))
  return { kind, gateway, source }
}

function nothing(): void {}
