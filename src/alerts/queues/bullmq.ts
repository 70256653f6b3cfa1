// The dispatcher by way of Redis (BullMQ), for one process that sends or several: whoever is free fetches. The queue carries numbers
// and where they go, so Redis may vanish, come back empty or stand still: the outbox has everything, and each sender sends by itself
// what does not come back. Nothing here ever waits for Redis for long.

import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { type Clock, pause, type Timer } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Log } from '../../platform/log.ts'
import { messageOf } from '../../platform/problem.ts'
import type { DueNotification } from '../outbox.ts'
import type { Deliver, Dispatcher } from './dispatcher.ts'

const QUEUE = 'notifications'
const PREFIX = 'fenghuo'
const CLOSE_MS = 1_000
const LOOK_EVERY_MS = 1_000

export interface RedisOptions {
  readonly url: string
  readonly clock: Clock
  readonly log: Log
  /** Whether this process takes out of the queue what is put into it; else it only puts in. Missing: yes. */
  readonly fetches?: boolean
}

/** Both ends of the queue, there once Redis has answered for the first time. */
interface Ends {
  readonly queue: Queue<DueNotification>
  /** Null where nothing is fetched here. */
  readonly worker: Worker<DueNotification> | null
}

export class RedisDispatcher implements Dispatcher {
  readonly name = 'redis'
  readonly fetches: boolean
  readonly #options: RedisOptions
  #deliver: Deliver | null = null
  #producer: Redis | null = null
  #ends: Ends | null = null
  #building = false
  /** The connection of what is fetched, also while it is being built. */
  #fetching: Redis | null = null
  #adding = 0
  #looking: Timer | null = null
  #problem: string | null = null
  /** Whether the log has said so. */
  #warned = false

  constructor(options: RedisOptions) {
    this.#options = options
    this.fetches = options.fetches ?? true
  }

  get problem(): string | null {
    return this.#problem
  }

  /** Begins to connect; a Redis that is away is no reason not to start. */
  async start(deliver: Deliver): Promise<void> {
    if (this.#producer !== null) return
    this.#deliver = deliver
    const producer = new Redis(this.#options.url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: LIMITS.courier.queueCommandMs,
      connectTimeout: LIMITS.courier.queueCommandMs,
      retryStrategy
    })
    this.#producer = producer
    this.#problem = troubleWith('Redis has not answered yet')
    producer.on('error', (cause) => this.#trouble(messageOf(cause)))
    producer.on('close', () => this.#trouble('the connection is closed'))
    producer.on('ready', () => void this.#connected(producer))
    this.#looking = this.#options.clock.every(LOOK_EVERY_MS, () => void this.#look(producer))
  }

  async stop(): Promise<void> {
    const [producer, ends] = [this.#producer, this.#ends]
    this.#deliver = null
    this.#looking?.cancel()
    this.#producer = null
    this.#ends = null
    if (ends !== null) {
      const closing = Promise.all([ends.worker?.close(true), ends.queue.close()]).catch(() => {})
      await Promise.race([closing, pause(this.#options.clock, CLOSE_MS)])
    }
    this.#fetching?.disconnect()
    producer?.disconnect()
  }

  async offer(due: readonly DueNotification[]): Promise<boolean> {
    const ends = this.#ends
    // While one batch hangs, the next would hang too.
    if (ends === null || this.#producer?.status !== 'ready' || this.#adding > 0) return false
    // Several may hand over the same: it is in the queue once. Where a dead process still holds it there, the sweep goes without.
    const jobs = due.map((one) => ({
      name: 'send',
      data: one,
      opts: { jobId: `m${one.n}-${one.tries}`, priority: 5 - one.tier, removeOnComplete: true, removeOnFail: true }
    }))
    this.#adding += 1
    const adding = ends.queue.addBulk(jobs).then(
      () => true,
      (cause) => {
        this.#trouble(messageOf(cause))
        return false
      }
    )
    void adding.finally(() => {
      this.#adding -= 1
    })
    const late = pause(this.#options.clock, LIMITS.courier.queueCommandMs).then(() => null)
    const taken = await Promise.race([adding, late])
    if (taken === true) this.#well()
    if (taken === null) this.#trouble(`Redis does not answer within ${LIMITS.courier.queueCommandMs / 1000} s`)
    return taken === true
  }

  /** Runs a script there. Throws where Redis does not work at the moment. */
  async evaluate(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const producer = this.#producer
    if (producer?.status !== 'ready' || this.#problem !== null) throw new Error('Redis does not answer')
    try {
      return await producer.eval(script, keys.length, ...keys, ...args)
    } catch (cause) {
      this.#trouble(messageOf(cause))
      throw cause
    }
  }

  /** Whether it is there again, or no longer, while there is nothing to hand over. */
  async #look(producer: Redis): Promise<void> {
    if (producer.status !== 'ready' || producer !== this.#producer) return
    if (this.#ends === null) return this.#connected(producer)
    await producer.ping().then(
      () => this.#well(),
      (cause) => this.#trouble(messageOf(cause))
    )
  }

  /** It answers, for the first time or again. */
  async #connected(producer: Redis): Promise<void> {
    if (this.#building || producer !== this.#producer) return
    if (this.#ends === null) {
      this.#building = true
      await this.#build(producer).catch((cause) => {
        this.#trouble(messageOf(cause))
        this.#fetching?.disconnect()
      })
      this.#building = false
    }
    this.#well()
  }

  /** Builds both ends on a connection that works: BullMQ never recovers from a first connection that fails. */
  async #build(producer: Redis): Promise<void> {
    const said = (cause: unknown): void => this.#trouble(messageOf(cause))
    const queue = new Queue<DueNotification>(QUEUE, { connection: producer, prefix: PREFIX, skipWaitingForReady: true })
    queue.on('error', said)
    const fetching = this.fetches ? new Redis(this.#options.url, { maxRetriesPerRequest: null, retryStrategy }) : null
    this.#fetching = fetching
    fetching?.on('error', said)
    const worker = fetching === null ? null : this.#workerOn(fetching)
    worker?.on('error', said)
    await Promise.all([queue.waitUntilReady(), worker?.waitUntilReady()]).catch((cause) => {
      void Promise.all([worker?.close(true), queue.close()]).catch(() => {})
      throw cause
    })
    if (producer !== this.#producer) return
    this.#ends = { queue, worker }
    void worker?.run().catch(said)
  }

  /** All that it may take is fetched at once: what goes first, the lanes decide. */
  #workerOn(fetching: Redis): Worker<DueNotification> {
    return new Worker<DueNotification>(QUEUE, async ({ data }) => this.#deliver?.(data), {
      connection: fetching,
      prefix: PREFIX,
      concurrency: LIMITS.courier.fetched,
      autorun: false
    })
  }

  #trouble(what: string): void {
    if (this.#producer === null) return
    if (!this.#warned) this.#options.log.warn(`the notification queue on Redis does not work (${what}); the courier does without it`)
    this.#warned = true
    this.#problem = troubleWith(what)
  }

  #well(): void {
    if (this.#problem === null || this.#ends === null) return
    this.#options.log.info('the notification queue on Redis works')
    this.#problem = null
    this.#warned = false
  }
}

function troubleWith(what: string): string {
  return `Redis does not work as the notification queue (${what}): notifications are sent without it, a few seconds later. Look at Redis.`
}

function retryStrategy(times: number): number {
  return Math.min(1_000, times * 100)
}
