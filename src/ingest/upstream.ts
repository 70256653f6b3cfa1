// An external MQTT broker in place of the embedded one: persistent sessions that subscribe to what gateways publish. Gateways
// are spread over the connections by their id and never shared, so what one device sends stays in order. Invariant: the
// broker hears an acknowledgement only of what the journal has flushed; until then the message is the broker's.

import type { Plant } from '../model/plant.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Count, Metrics } from '../platform/metrics.ts'
import type { Delivery } from '../platform/mqttLink.ts'
import type { Part } from '../platform/parts.ts'
import type { BrokerJournal } from './brokerAcceptance.ts'
import { MessageCounts, Refusals, SparseLog } from './brokerCounts.ts'
import { type Standing, UpstreamAcceptance, type Waiter } from './upstreamAcceptance.ts'
import { UpstreamLine } from './upstreamLine.ts'
import { clientIdsOf, type Layout, UpstreamMemory, type UpstreamShelf } from './upstreamMemory.ts'
import { moveSessions } from './upstreamMove.ts'
import { shownAddress, type UpstreamSettings } from './upstreamSettings.ts'

export interface UpstreamOptions {
  readonly settings: UpstreamSettings
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly counts?: MessageCounts
  readonly journal: BrokerJournal
  /** Where is remembered which sessions the broker has: for every instance of the installation. */
  readonly shelf: UpstreamShelf
  /** As it is in force now: another object after every change. */
  readonly plant: () => Plant
  readonly standing: (gateway: string) => Standing
  /** Whether a gateway is online by what was judged; null: nothing is known. */
  readonly presence: (gateway: string) => boolean | null
  /** Default: LIMITS.upstream.keepAliveS. */
  readonly keepAliveS?: number
}

const LOOK_MS = 250
/** What stop() waits at most for the last flush. */
const DRAIN_MS = 5_000
const EVERYTHING: ReadonlySet<string> = new Set(['fh/1/#'])

export class Upstream implements Part {
  readonly name = 'MQTT broker'
  readonly counts: MessageCounts
  readonly #options: UpstreamOptions
  readonly #acceptance: UpstreamAcceptance
  readonly #memory: UpstreamMemory
  readonly #lines: readonly UpstreamLine[]
  readonly #lost: Count
  readonly #reconnects: Count
  readonly #droppedDown: Count
  #plant: Plant | null = null
  /** Of each line, while there is more than one. */
  #filters: ReadonlySet<string>[] = []
  #look: Timer | null = null
  #moving: Promise<void> = Promise.resolve()
  /** Why the sessions have not moved yet, as the end of a sentence. */
  #moveProblem: string | null = null
  #lostSession: { readonly at: number; readonly clientIds: Set<string> } | null = null
  #downInFlight = 0
  #isStopping = false

  constructor(options: UpstreamOptions) {
    const { metrics, clock, log, settings, journal, standing, presence } = options
    this.#options = options
    this.counts = options.counts ?? new MessageCounts(metrics)
    const refusals = new Refusals(metrics, new SparseLog(clock, log))
    this.#acceptance = new UpstreamAcceptance({ journal, counts: this.counts, refusals, metrics, standing, presence })
    this.#memory = new UpstreamMemory(options.shelf, clock, log)
    this.#lines = clientIdsOf(this.#layout()).map((clientId, n) => this.#lineOf(clientId, n, settings))
    this.#lost = metrics.counter(
      'fenghuo_upstream_sessions_lost_total',
      'Sessions that the external MQTT broker no longer had: possible loss.'
    )
    this.#reconnects = metrics.counter('fenghuo_upstream_reconnects_total', 'Connections to the external MQTT broker made after a loss.')
    this.#droppedDown = metrics.counter(
      'fenghuo_mqtt_down_dropped_total',
      'Messages to gateways dropped because too many were on their way.'
    )
    metrics.gauge(
      'fenghuo_mqtt_connections',
      'Connections to the external MQTT broker.',
      () => this.#lines.filter(({ isUp }) => isUp).length
    )
    metrics.gauge(
      'fenghuo_upstream_connections_wanted',
      'Connections to the external MQTT broker that there should be.',
      () => this.#lines.length
    )
    metrics.gauge('fenghuo_mqtt_unflushed_messages', 'Publishes waiting for the journal.', () => this.#acceptance.waiting)
  }

  get shownAddress(): string {
    return shownAddress(this.#options.settings.address)
  }

  /** Begins to connect, and goes on until it succeeds: the service runs without its broker, and says so. */
  async start(): Promise<void> {
    if (this.#look !== null) return
    this.#spread()
    this.#look = this.#options.clock.every(LOOK_MS, () => this.#lookAround())
    this.#moving = this.#begin()
  }

  /** Takes nothing more, acknowledges what is flushed within a bounded time, and says goodbye; the broker keeps the sessions. */
  async stop(): Promise<void> {
    if (this.#look === null || this.#isStopping) return
    this.#isStopping = true
    this.#look.cancel()
    for (const line of this.#lines) line.deafen()
    const { clock } = this.#options
    await Promise.race([this.#acceptance.drain(), new Promise<void>((resolve) => void clock.after(DRAIN_MS, resolve))])
    await this.#memory.end()
    await this.#moving
    await Promise.all(this.#lines.map((line) => line.stop()))
  }

  publish(topic: string, payload: string): void {
    const line = this.#lines[this.#partOf(topic.split('/')[2] ?? '')] as UpstreamLine
    if (this.#downInFlight >= LIMITS.mqtt.downInFlight) return void this.#droppedDown.add()
    const isTaken = line.publish(topic, payload, () => void this.#downInFlight--)
    if (isTaken) this.#downInFlight++
    else this.#droppedDown.add()
  }

  /** The broker lets gateways in, so only it can close a connection. What a revoked one still sends is refused as it comes. */
  disconnectGateway(id: string): void {
    const { log, standing } = this.#options
    log.warn(
      standing(id) === 'revoked'
        ? `what ${id} publishes is refused from now on; the MQTT broker still lets it in: take it out of its password file`
        : `the secret of ${id} has changed here; the MQTT broker still knows the old one: change it there too`
    )
  }

  gatewayConnected(id: string): boolean {
    return this.#acceptance.online(id) === true
  }

  /** Each session that is connected. */
  connections(): { readonly clientId: string; readonly since: number }[] {
    return this.#lines.flatMap(({ clientId, since }) => (since === null ? [] : [{ clientId, since }]))
  }

  get problem(): string | null {
    const now = this.#options.clock.now()
    const broker = `The MQTT broker ${this.shownAddress}`
    if (this.#moveProblem !== null)
      return `${broker}: ${this.#moveProblem}. Its sessions are to be moved; until then nothing is fetched from it.`
    const down = this.#lines.filter(({ problem }) => problem !== null)
    if (down.length > 0) {
      const which = down.length === this.#lines.length ? '' : ` (${down.map(({ clientId }) => clientId).join(', ')})`
      return `${broker}${which}: ${down[0]?.problem}. It keeps what gateways publish meanwhile, as far as it is set up to; trying again.`
    }
    const takenOver = this.#lines.find(({ takenOverAt }) => now - takenOverAt < LIMITS.upstream.takenOverShownMs)
    if (takenOver !== undefined) {
      return `${broker}: another client signs in with our client id ${takenOver.clientId}, or so it seems: connections were closed for it in the last minutes. Stop the other service, or give one of them another mqtt.broker.clientId.`
    }
    if (this.#lostSession !== null && now - this.#lostSession.at < LIMITS.upstream.lossShownMs) {
      const when = new Date(this.#lostSession.at).toISOString().slice(0, 19)
      return `${broker} no longer had our session ${[...this.#lostSession.clientIds].join(', ')} at ${when}Z: what gateways published while we were away may be lost. See its persistence and how long it keeps sessions.`
    }
    return null
  }

  async #begin(): Promise<void> {
    const { settings, clock, log } = this.#options
    if (!(await this.#memory.load())) return
    const layout = this.#layout()
    const former = this.#memory.former(layout)
    await this.#memory.moving(layout, former)
    if (former.length > 0) {
      const fresh = new Map(this.#lines.map(({ clientId }, n) => [clientId, [...this.#filtersOf(n)]]))
      const moved = await moveSessions({
        ...{ settings, clock, log, former, fresh, isStopping: () => this.#isStopping },
        hear: (delivery, waiter) => void this.#acceptance.hear(delivery, waiter),
        mayRead: (waiter: Waiter) => this.#acceptance.mayRead(waiter),
        failed: (sentence) => {
          if (sentence !== this.#moveProblem) log.warn(`MQTT broker ${this.shownAddress}: ${sentence}; trying again`)
          this.#moveProblem = sentence
        }
      })
      if (!moved) return
      this.#moveProblem = null
      await this.#memory.moving(layout, [])
      for (const id of fresh.keys()) this.#memory.addSession(id)
    }
    if (this.#isStopping) return
    for (const line of this.#lines) line.start()
  }

  #lineOf(clientId: string, n: number, settings: UpstreamSettings): UpstreamLine {
    const { clock, log, keepAliveS } = this.#options
    return new UpstreamLine({
      ...{ settings, clientId, clock, log, ...(keepAliveS === undefined ? {} : { keepAliveS }) },
      filters: () => this.#filtersOf(n),
      subscribed: (line, kept) => this.#subscribed(line, kept),
      hear: (delivery, line) => this.#hear(delivery, line, n),
      mayRead: (line) => this.#acceptance.mayRead(line)
    })
  }

  #hear(delivery: Delivery, line: UpstreamLine, n: number): void {
    const gateway = this.#acceptance.hear(delivery, line)
    // A filter of a plant that has changed since; the session has kept it.
    if (this.#lines.length > 1 && gateway !== null && !this.#filtersOf(n).has(filterOf(gateway))) line.drop(filterOf(gateway))
  }

  #subscribed(line: UpstreamLine, kept: boolean): void {
    const { clientId } = line
    if (line.connects > 1) this.#reconnects.add()
    if (!kept && this.#memory.hasSession(clientId)) {
      this.#lost.add()
      this.#lostSession = { at: this.#options.clock.now(), clientIds: new Set([...(this.#lostSession?.clientIds ?? []), clientId]) }
      this.#options.log.error(
        `the MQTT broker no longer had our session ${clientId}: what gateways published while we were away may be lost`
      )
    }
    this.#memory.addSession(clientId)
  }

  #layout(): Layout {
    const { address, clientId, connections } = this.#options.settings
    return { broker: `${address.host}:${address.port}`, clientId, connections }
  }

  #filtersOf(n: number): ReadonlySet<string> {
    return this.#lines.length === 1 ? EVERYTHING : (this.#filters[n] ?? new Set())
  }

  #lookAround(): void {
    if (this.#plant !== this.#options.plant()) {
      this.#spread()
      for (const line of this.#lines) line.refresh()
    }
    for (const line of this.#lines) line.resume()
  }

  /** Gives each gateway of the plant to its line. */
  #spread(): void {
    const plant = this.#options.plant()
    this.#plant = plant
    if (this.#lines.length === 1) return
    const filters = this.#lines.map(() => new Set<string>())
    for (const { id } of plant.gateways) filters[this.#partOf(id)]?.add(filterOf(id))
    this.#filters = filters
  }

  /** Always the same line for a gateway, as long as their number stays (FNV-1a). */
  #partOf(gateway: string): number {
    let hash = 0x811c9dc5
    for (let i = 0; i < gateway.length; i++) hash = Math.imul(hash ^ gateway.charCodeAt(i), 0x01000193)
    return (hash >>> 0) % this.#lines.length
  }
}

function filterOf(gateway: string): string {
  return `fh/1/${gateway}/#`
}
