// A delivery worker: a process beside the service that sends what is due, by the same outbox in PostgreSQL, the queue on Redis and
// the configured channels. It judges nothing, has no journal and no data folder, and may end at any moment.

import { hostname } from 'node:os'
import { Access } from '../access/access.ts'
import { AckLinks } from '../alerts/ackLinks.ts'
import { Book } from '../alerts/book.ts'
import { channelsOf } from '../alerts/channels/channels.ts'
import { Outgoing } from '../alerts/channels/outgoing.ts'
import { Courier } from '../alerts/courier.ts'
import { handOver } from '../alerts/handedAnswers.ts'
import { Outbox } from '../alerts/outbox.ts'
import { RedisDispatcher } from '../alerts/queues/bullmq.ts'
import { SharedTempo } from '../alerts/queues/sharedTempo.ts'
import { Roster, type SenderFigures } from '../alerts/roster.ts'
import { OwnTempo } from '../alerts/tempo.ts'
import { alarmBody } from '../api/views.ts'
import { type Fleet, numberFleet } from '../model/fleet.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import { Random, secretText } from '../platform/random.ts'
import { guarded } from '../store/failure.ts'
import type { State } from '../store/schema.ts'
import { serviceSecret } from '../store/serviceSecrets.ts'
import { openWorkerState, type WorkerState } from '../store/workerState.ts'
import { amendedAtStart } from './amend/start.ts'
import type { Config } from './config/service.ts'
import type { Configured } from './configured.ts'
import { VERSION } from './version.ts'

/** A running worker. */
export interface DeliveryWorker {
  readonly id: string
  /** Resolves, if ever, with why it cannot go on: it must be stopped and the process must end. */
  readonly failure: Promise<Refusal>
  stop(): Promise<void>
}

/** Starts one. Throws a Refusal where something that it needs is missing. */
export async function deliveryWorker(configured: Configured, clock: Clock, log: Log): Promise<DeliveryWorker> {
  const { config } = configured
  const { stateUrl, redisUrl } = needed(config)
  const store = await openWorkerState(stateUrl, clock)
  try {
    return await started(configured, redisUrl, store, clock, log)
  } catch (cause) {
    await store.close()
    throw cause
  }
}

function needed({ state, notifications, channels }: Config): { readonly stateUrl: string; readonly redisUrl: string } {
  const { redis, deliver } = notifications
  if (state.url === null) {
    throw new Refusal('A delivery worker needs the outbox in PostgreSQL: set state.url (FENGHUO_POSTGRES_URL), as for the service.')
  }
  if (redis === null) {
    throw new Refusal('A delivery worker needs the queue on Redis: set notifications.redis (FENGHUO_REDIS_URL), as for the service.')
  }
  if (deliver === 'here') {
    throw new Refusal('notifications.deliver is here, so the service alone sends: write deliver: both or workers in fenghuo.yaml first.')
  }
  if (channels.length === 0)
    throw new Refusal('No channel is configured, so there is nothing to send by: add one under channels in fenghuo.yaml.')
  return { stateUrl: state.url, redisUrl: redis }
}

async function started(configured: Configured, redisUrl: string, store: WorkerState, clock: Clock, log: Log): Promise<DeliveryWorker> {
  const { config } = configured
  const { state } = store
  const id = `worker-${secretText(9)}`
  const plant = new WorkerPlant(configured, state, clock, log)
  await plant.look()
  const { allowPrivate, ca } = config.outgoing
  const outgoing = new Outgoing({ clock, allowPrivate, ca })
  const links = new AckLinks(await serviceSecret(state, 'links'), config.notifications.publicUrl, clock)
  const dispatcher = new RedisDispatcher({ url: redisUrl, clock, log })
  const problems = (): string | null =>
    store.problem ?? ([...courier.problems().map(({ part, problem }) => `${part}: ${problem}`)].join(' ').slice(0, LONGEST_PROBLEM) || null)
  const figures = (): SenderFigures => ({ sends: true, sending: courier.sending, sent: courier.sent, problem: problems() })
  const self = { id, role: 'worker', host: hostname(), pid: process.pid, version: VERSION }
  const roster = new Roster({ state, clock, self, figures })
  const book = new Book(state)
  const own = new OwnTempo(clock, () => roster.sharers())
  const courier: Courier = new Courier({
    ...{ outbox: new Outbox(state), clock, log, dispatcher, roster, id },
    channels: channelsOf(config.channels, { clock, log, outgoing, ca }),
    random: new Random(clock.now()).fork(id),
    journal: null,
    tempo: new SharedTempo({ evaluate: (...call) => dispatcher.evaluate(...call), id, own }),
    ackUrl: (n) => links.url(n),
    async alarmBody(alarm) {
      const booked = await book.alarm(alarm, null)
      return booked === null ? null : alarmBody(booked, { fleet: plant.fleet })
    },
    answered: (channel, answer) => handOver(state, channel.id, channel.kind, answer, clock.now())
  })
  await roster.start()
  await courier.start()
  const watch = watchOver(store, plant, clock, log)
  return {
    id,
    failure: watch.failure,
    async stop() {
      watch.stop()
      await courier.stop()
      await roster.stop()
      await store.close()
    }
  }
}

const LONGEST_PROBLEM = 500

/** The plant as the service has it: the files, and over them what was changed through the API. */
class WorkerPlant {
  readonly #configured: Configured
  readonly #state: State
  readonly #clock: Clock
  readonly #log: Log
  #fleet: Fleet
  #knownUpTo: number | null = null

  constructor(configured: Configured, state: State, clock: Clock, log: Log) {
    this.#configured = configured
    this.#state = state
    this.#clock = clock
    this.#log = log
    this.#fleet = numberFleet(configured.plant)
  }

  get fleet(): Fleet {
    return this.#fleet
  }

  /** Takes over what was changed since the last look. */
  async look(): Promise<void> {
    const newest = this.#state.selectFrom('amendments').select(({ fn }) => fn.max('n').as('n'))
    const upTo = (await guarded(() => newest.executeTakeFirst()))?.n ?? 0
    if (upTo === this.#knownUpTo) return
    const { source, plant } = this.#configured
    const access = new Access({ state: this.#state, clock: this.#clock, log: this.#log })
    this.#fleet = numberFleet((await amendedAtStart(source, plant, access, this.#log)).plant)
    this.#knownUpTo = upTo
  }
}

/** Looks now and then whether the store is still of this version, and the plant the same. */
function watchOver(store: WorkerState, plant: WorkerPlant, clock: Clock, log: Log): { failure: Promise<Refusal>; stop(): void } {
  let fail: (why: Refusal) => void = () => {}
  const failure = new Promise<Refusal>((resolve) => {
    fail = resolve
  })
  const look = async (): Promise<void> => {
    await store.check()
    await plant.look().catch((cause) => log.debug(`the plant could not be looked at: ${messageOf(cause)}`))
  }
  const failed = (cause: unknown): void =>
    fail(cause instanceof Refusal ? cause : new Refusal(`The delivery worker failed: ${messageOf(cause)}.`, { cause }))
  const timer: Timer = clock.every(LIMITS.courier.checkStoreMs, () => void look().catch(failed))
  return { failure, stop: () => timer.cancel() }
}
