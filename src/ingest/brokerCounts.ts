// What the broker counts. Invariant: a message is counted as received in the moment it is settled one way or the other,
// so received = journaled + refused at every scrape.

import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Count, Metrics } from '../platform/metrics.ts'

const REFUSALS = [
  'tooManyConnections',
  'tooManyOfGateway',
  'protocolVersion',
  'identity',
  'credentials',
  'certificate',
  'tls',
  'willTopic',
  'unavailable',
  'packetTooLong',
  'packetUnfinished',
  'malformed',
  'malformedTopic',
  'foreignTopic',
  'subscription',
  'unreleased',
  'revoked'
] as const
/** Why the broker said no to a connection, a publish or a subscription. */
export type RefusalReason = (typeof REFUSALS)[number]

/** The loss identity's three counters, shared by everything that takes messages in (MQTT, HTTP). */
export class MessageCounts {
  readonly received: Count
  readonly journaled: Count
  readonly refused: Count

  constructor(metrics: Metrics) {
    this.received = metrics.counter('fenghuo_messages_received_total', 'Messages journaled or refused.')
    this.journaled = metrics.counter('fenghuo_messages_journaled_total', 'Messages flushed to the journal.')
    this.refused = metrics.counter('fenghuo_messages_refused_total', 'Messages refused before the journal.')
  }

  addJournaled(): void {
    this.received.add()
    this.journaled.add()
  }

  addRefused(): void {
    this.received.add()
    this.refused.add()
  }
}

const LINES_PER_WINDOW = 10
const WINDOW_MS = 10_000

/** A log for what the outside world can make happen at will: at most ten lines of one kind in ten seconds, then their number. */
export class SparseLog {
  readonly #clock: Clock
  readonly #log: Log
  readonly #windows = new Map<string, { since: number; lines: number; unsaid: number }>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Logs the sentence, or counts it. `many` names further ones in the plural: "refusals for credentials". */
  line(level: 'info' | 'warn', many: string, sentence: string): void {
    const now = this.#clock.monotonic()
    let window = this.#windows.get(many)
    if (window === undefined || now - window.since >= WINDOW_MS) {
      if (window !== undefined && window.unsaid > 0) this.#log[level](`${window.unsaid} more ${many} were not logged one by one`)
      window = { since: now, lines: 0, unsaid: 0 }
      this.#windows.set(many, window)
    }
    if (window.lines < LINES_PER_WINDOW) {
      window.lines++
      this.#log[level](sentence)
    } else window.unsaid++
  }
}

/** Counts refusals by reason and logs them. */
export class Refusals {
  readonly #counts: Record<RefusalReason, Count>
  readonly #log: SparseLog

  constructor(metrics: Metrics, log: SparseLog) {
    this.#counts = metrics.counters(
      'fenghuo_mqtt_refusals_total',
      'Connections, publishes and subscriptions refused, by reason.',
      'reason',
      REFUSALS
    )
    this.#log = log
  }

  add(reason: RefusalReason, sentence: string): void {
    this.#counts[reason].add()
    this.#log.line('warn', `MQTT refusals (${reason})`, sentence)
  }

  of(reason: RefusalReason): number {
    return this.#counts[reason].value
  }
}
