// The courier over a real state store and a carrier on loopback, with time that runs as fast as the test likes.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Book } from '../../src/alerts/book.ts'
import type { Channel, ChannelAnswer } from '../../src/alerts/channels/channel.ts'
import { Courier } from '../../src/alerts/courier.ts'
import { Outbox } from '../../src/alerts/outbox.ts'
import type { Dispatcher } from '../../src/alerts/queues/dispatcher.ts'
import { Roster } from '../../src/alerts/roster.ts'
import type { Tempo } from '../../src/alerts/tempo.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { DeliveryReport, PlannedNotification } from '../../src/model/notification.ts'
import type { Tier } from '../../src/model/tier.ts'
import { type Clock, SystemClock, type Timer } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Random } from '../../src/platform/random.ts'
import type { NotificationRow, State } from '../../src/store/schema.ts'
import { openState as openAt } from '../../src/store/state.ts'
import { PLANT } from '../api/plant.ts'
import { openState } from '../store/stateYard.ts'
import { LedgerCarrier, LedgerChannel, type LedgerChannelOptions } from './ledgerCarrier.ts'

export const FLEET = numberFleet(PLANT)

/** A clock that runs `factor` times as fast as the wall's. */
export class FastClock implements Clock {
  readonly #factor: number
  readonly #start: number

  /** Clocks of several processes with one `start`, epoch ms, show the same. */
  constructor(factor = 1, start = Date.now()) {
    this.#factor = factor
    this.#start = start
  }

  get start(): number {
    return this.#start
  }

  now(): number {
    return Math.floor(this.#start + this.monotonic())
  }

  monotonic(): number {
    return (performance.timeOrigin + performance.now() - this.#start) * this.#factor
  }

  after(ms: number, act: () => void): Timer {
    const timer = setTimeout(act, ms / this.#factor)
    return { cancel: () => clearTimeout(timer) }
  }

  every(ms: number, act: () => void): Timer {
    const timer = setInterval(act, ms / this.#factor)
    return { cancel: () => clearInterval(timer) }
  }
}

export interface YardOptions {
  readonly dispatcher: (clock: Clock) => Dispatcher
  readonly factor?: number
  readonly channel?: Partial<LedgerChannelOptions>
  /** A second provider, tried after the first. */
  readonly second?: Partial<LedgerChannelOptions>
  readonly folder?: string
  /** Where the carrier listens; missing: 127.0.0.1. */
  readonly carrierHost?: string
  /** A PostgreSQL, leased; missing: an SQLite file in the folder. */
  readonly where?: string
  /** The courier is the service's, beside other processes that send; missing: it is alone. */
  readonly beside?: { readonly sends: boolean }
  readonly tempo?: (dispatcher: Dispatcher) => Tempo
}

export class CourierYard {
  readonly clock: FastClock
  readonly carrier: LedgerCarrier
  readonly channel: LedgerChannel
  readonly second: LedgerChannel | null
  readonly state: State
  readonly book: Book
  readonly outbox: Outbox
  readonly courier: Courier
  readonly reports: DeliveryReport[] = []
  readonly answers: ChannelAnswer[] = []
  readonly dispatcher: Dispatcher
  readonly roster: Roster | null
  /** While true, nothing that is given to the journal is flushed. */
  journalStuck = false
  /** Alarms that nobody has acknowledged. */
  readonly standing = new Set<string>()
  readonly #folder: string
  #seq = 0

  private constructor(
    folder: string,
    carrier: LedgerCarrier,
    state: State,
    { dispatcher, factor = 1, channel, second, beside, tempo }: YardOptions
  ) {
    this.#folder = folder
    this.carrier = carrier
    this.state = state
    this.clock = new FastClock(factor)
    this.book = new Book(state)
    this.outbox = new Outbox(state)
    this.channel = new LedgerChannel({ url: carrier.url, ...channel })
    this.second = second === undefined ? null : new LedgerChannel({ url: carrier.url, id: 'second', ...second })
    this.dispatcher = dispatcher(this.clock)
    const figures = () => ({ sends: beside?.sends ?? true, sending: 0, sent: 0, problem: null })
    const self = { id: 'service', role: 'service', host: 'here', pid: process.pid, version: 'test' }
    const looked = (): void => void this.courier.doubt().catch(() => {})
    this.roster = beside === undefined ? null : new Roster({ state, clock: new SystemClock(), self, figures, looked })
    this.courier = new Courier({
      id: self.id,
      ...(tempo === undefined ? {} : { tempo: tempo(this.dispatcher) }),
      roster: this.roster,
      sends: () => beside?.sends ?? true,
      outbox: this.outbox,
      channels: this.second === null ? [this.channel] : [this.channel, this.second],
      dispatcher: this.dispatcher,
      clock: this.clock,
      random: new Random(1),
      log: silentLog,
      journal: (report, done) => {
        this.reports.push(report)
        if (!this.journalStuck) done()
      },
      answered: async (_channel: Channel, answer) => this.answers.push(answer),
      ackUrl: (n) => `https://example.com/a/${n}`,
      alarmBody: async (id) => ({ id, acknowledged: this.standing.has(id) ? null : {}, clearedAt: null })
    })
  }

  static async open(options: YardOptions): Promise<CourierYard> {
    const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'fenghuo-courier-')))
    const state = await (options.where === undefined ? openState(path.join(folder, 'state.db')) : openAt(options.where))
    const yard = new CourierYard(folder, await LedgerCarrier.open(options.carrierHost), state, options)
    await yard.book.load()
    yard.#seq = yard.book.position().seq
    return yard
  }

  /** Starts the courier, and what tells it of others. */
  async start(): Promise<void> {
    await this.roster?.start()
    await this.courier.start()
  }

  async close(keep = false): Promise<void> {
    await this.courier.stop()
    await this.roster?.stop()
    await this.carrier.close()
    await this.state.destroy()
    if (!keep) await rm(this.#folder, { recursive: true })
  }

  get folder(): string {
    return this.#folder
  }

  /** Commits the notifications as a turn of the loop would. */
  async plan(...notifications: readonly PlannedNotification[]): Promise<void> {
    this.#seq += 1
    await this.book.commit({ events: [], rejects: [], notifications, position: { seq: this.#seq, advancedTo: 0 }, fleet: FLEET })
    this.courier.wake()
  }

  planned(id: string, more: Partial<PlannedNotification> = {}): PlannedNotification {
    return plannedAt(id, this.clock.now(), more)
  }

  rows(): Promise<NotificationRow[]> {
    return this.state.selectFrom('notifications').selectAll().orderBy('n').execute()
  }

  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.rows()).map(({ id, state }) => [id, state]))
  }
}

export function plannedAt(id: string, at: number, more: Partial<PlannedNotification> = {}): PlannedNotification {
  const tier: Tier = more.tier ?? 'red'
  return {
    id,
    at,
    reason: 'raised',
    alarms: [`tank-level/T-101#${at}`],
    tier,
    site: 'tank-farm-a',
    enterprise: 'daxie-chem',
    ladder: 'standard',
    rung: 1,
    occurrence: 1,
    person: 'li',
    channel: 'sms',
    address: '+8613800000001',
    language: 'zh',
    words: { where: 'A 罐区 T-101', what: '储罐液位 红', howMuch: '液位 95.2%', toDo: '停泵', when: '08:00:00' },
    text: `A 罐区 T-101 储罐液位 红 液位 95.2% 停泵 (${id})`,
    drill: false,
    withheld: null,
    ...more
  }
}
