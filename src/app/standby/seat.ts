// The right to run: a data folder that this version reads, and the state. With PostgreSQL that is the lease; where another
// instance holds it, this one waits. Invariant: nothing of the data folder is opened before the lease is held.

import os from 'node:os'
import { type Clock, pause } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Log } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import { type LeasedState, takeLease } from '../../store/lease.ts'
import { type LastHolder, LeaseWatch } from '../../store/leaseWatch.ts'
import type { Config } from '../config/service.ts'
import { dataFolder } from '../dataFolder.ts'
import { foreign } from './claim.ts'
import { type Instance, instanceOf } from './instance.ts'

export interface Seat {
  readonly folder: string
  /** With PostgreSQL; else null, and the state is opened with the journal locked. */
  readonly term: Term | null
  /** Where it has waited: closes what it showed meanwhile, so that the ports are free. */
  readonly endWaiting?: () => Promise<void>
}

export interface Term {
  readonly url: string
  readonly instance: Instance
  /** Where this one answers, for people. */
  readonly host: string
  readonly lease: LeasedState
  /** Who held the lease before, where that was somebody else. */
  readonly from: LastHolder | null
}

/** What a standby shows while it waits. */
export interface Waiting {
  /** Called when it is known that there is somebody to wait for; resolves when its doors are open. */
  open(): Promise<void>
  /** Who is active, as last seen; a sentence where that cannot be found out. */
  tell(holder: LastHolder | null, problem: string | null): void
  /** The waiting is over, and everything is being started. */
  taking(): void
  /** May be called twice. */
  close(): Promise<void>
}

/**
 * Takes the seat. Where somebody else has it: with `waiting`, waits until it is free or `ended`, else throws a Refusal. Null:
 * ended while waiting. Throws a Refusal where the folder or the server cannot be used.
 */
export async function takeSeat(
  config: Config,
  clock: Clock,
  log: Log,
  wait?: { readonly waiting: Waiting; readonly ended: Promise<unknown> }
): Promise<Seat | null> {
  const folder = await dataFolder(config.data)
  const { url } = config.state
  if (url === null) return { folder, term: null }
  const instance = await instanceOf(folder)
  const watch = new LeaseWatch(url)
  const host = hostOf(config)
  const take = async (from: LastHolder | null): Promise<Seat | null> => {
    const lease = await takeLease(url, { instance: instance.instance, host, clock, log })
    if (lease === null) return null
    return { folder, term: { url, instance, host, lease, from: lease.takenOver ? from : null } }
  }
  try {
    // The first try says what is wrong with the server, if anything is.
    const before = await watch.look().catch(() => null)
    const first = await take(before)
    if (first !== null) return first
    if (wait === undefined) {
      throw new Refusal(
        `Another Fenghuo (${before?.host ?? 'unknown'}) works with the state in PostgreSQL: stop it first, or run fenghuo serve, which stands by.`
      )
    }
    const installation = await watch.installation()
    if (instance.installation !== null && installation !== null && instance.installation !== installation) throw foreign(folder)
    return await waitFor(take, watch, wait, clock, log)
  } finally {
    await watch.close()
  }
}

async function waitFor(
  take: (from: LastHolder | null) => Promise<Seat | null>,
  watch: LeaseWatch,
  { waiting, ended }: { readonly waiting: Waiting; readonly ended: Promise<unknown> },
  clock: Clock,
  log: Log
): Promise<Seat | null> {
  let isOver = false
  let holder: LastHolder | null = null
  let problem: string | null = null
  const over = ended.then(() => {
    isOver = true
  })
  await waiting.open()
  let seated: Seat | null = null
  try {
    while (!isOver) {
      try {
        const seen = await watch.look()
        if (seen !== null && seen.instance !== holder?.instance) log.info(`standing by: ${seen.host} (instance ${seen.instance}) is active`)
        holder = seen ?? holder
        waiting.tell(holder, null)
        const seat = await take(holder)
        if (problem !== null) log.info('PostgreSQL answers again; standing by')
        problem = null
        if (seat !== null) {
          if (!isOver) {
            waiting.taking()
            log.info(`the lease is free and taken (epoch ${seat.term?.lease.epoch}); everything is being started`)
            seated = { ...seat, endWaiting: () => waiting.close() }
            return seated
          }
          await seat.term?.lease.release()
        }
      } catch (cause) {
        // One that may come back is waited for, as the active one does.
        if (!(cause instanceof Refusal)) throw cause
        if (cause.message !== problem) log.warn(`standing by: ${cause.message}`)
        problem = cause.message
        waiting.tell(holder, problem)
      }
      await Promise.race([over, pause(clock, LIMITS.lease.tryMs)])
    }
    return null
  } finally {
    if (seated === null) await waiting.close()
  }
}

/** Where people find this instance. */
function hostOf({ http }: Config): string {
  const host = http.host === '0.0.0.0' || http.host === '::' ? os.hostname() : http.host
  return `${host.includes(':') ? `[${host}]` : host}:${http.port}`
}
