// From one set of sessions at the broker to another, where the number of connections or the client ids have changed. Nothing is
// lost and no gateway's messages change their order: while sessions are emptied and made, a bridge collects everything, so that
// at every instant some session holds what comes in. What two of them hold is taken twice, which the engine knows as repeats.

import type { Clock } from '../platform/clock.ts'
import { pause } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { type Delivery, type LinkEars, type MqttLink, openLink } from '../platform/mqttLink.ts'
import type { Loss } from '../platform/mqttLosses.ts'
import { messageOf } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'
import type { Waiter } from './upstreamAcceptance.ts'
import { BOUNDS, isLoss, rightsLoss } from './upstreamLine.ts'
import { credentialsOf, type UpstreamSettings } from './upstreamSettings.ts'

const LOOK_MS = 250

export interface MoveParts {
  readonly settings: UpstreamSettings
  readonly clock: Clock
  readonly log: Log
  readonly former: readonly string[]
  /** The new sessions, each with its filters. */
  readonly fresh: ReadonlyMap<string, readonly string[]>
  readonly hear: (delivery: Delivery, waiter: Waiter) => void
  readonly mayRead: (waiter: Waiter) => boolean
  readonly isStopping: () => boolean
  readonly failed: (sentence: string) => void
}

/** Empties and removes the former sessions, and makes the new ones. False where it was stopped before its end: it begins anew. */
export async function moveSessions(parts: MoveParts): Promise<boolean> {
  const { former, fresh, log, settings } = parts
  const bridge = `${settings.clientId}-bridge`
  log.info(`the sessions ${former.join(', ')} at the MQTT broker are emptied and make room for ${[...fresh.keys()].join(', ')}`)
  const steps = [
    () => make(parts, bridge, ['fh/1/#']),
    ...former.map((id) => () => empty(parts, id)),
    ...[...fresh].map(
      ([id, filters]) =>
        () =>
          make(parts, id, filters)
    ),
    () => empty(parts, bridge)
  ]
  for (const step of steps) if (!(await untilDone(parts, step))) return false
  log.info('the sessions at the MQTT broker have moved')
  return true
}

async function untilDone({ clock, isStopping, failed }: MoveParts, step: () => Promise<void>): Promise<boolean> {
  for (let pauseMs: number = LIMITS.upstream.firstPauseMs; !isStopping(); pauseMs = Math.min(LIMITS.upstream.longestPauseMs, pauseMs * 2)) {
    try {
      await step()
      return true
    } catch (thrown) {
      if (isStopping()) return false
      failed(isLoss(thrown) ? thrown.sentence : messageOf(thrown))
    }
    for (let left = pauseMs; left > 0 && !isStopping(); left -= LOOK_MS) await pause(clock, Math.min(left, LOOK_MS))
  }
  return false
}

function open(
  { settings, clock }: MoveParts,
  clientId: string,
  ears: LinkEars,
  options: { clean?: boolean; inFlight?: number } = {}
): Promise<MqttLink> {
  return openLink({
    ...{ address: settings.address, credentials: credentialsOf(settings), clientId, protocol: settings.protocol, clean: false },
    ...{ ...BOUNDS, keepAliveS: LIMITS.upstream.keepAliveS, clock, ears },
    ...options
  })
}

/** Makes a session that collects, and leaves what it has collected so far where it is. */
async function make(parts: MoveParts, clientId: string, filters: readonly string[]): Promise<void> {
  const link = await open(parts, clientId, DEAF, { inFlight: Number.MAX_SAFE_INTEGER })
  try {
    const refused = await link.subscribe(filters)
    if (refused.length > 0) throw rightsLoss(refused)
  } finally {
    link.cut()
  }
}

/** Takes everything that a session holds, up to a mark that we send ourselves, then removes it. */
async function empty(parts: MoveParts, clientId: string): Promise<void> {
  const { clock, log, hear, mayRead } = parts
  const topic = `fh/1/${clientId}/rejects`
  const mark = secretText(16)
  const waiter: Waiter = { waitingBytes: 0, waitingCount: 0 }
  let heardAt = clock.monotonic()
  let over: (loss: Loss | null) => void = () => {}
  const reached = new Promise<Loss | null>((resolve) => {
    over = resolve
  })
  const link = await open(parts, clientId, {
    publish(delivery) {
      heardAt = clock.monotonic()
      if (delivery.frame.topic === topic && delivery.frame.body.toString() === mark) {
        delivery.settle()
        over(null)
      } else hear(delivery, waiter)
    },
    mayRead: () => mayRead(waiter),
    lost: over
  })
  const look = clock.every(LOOK_MS, () => {
    link.resume()
    if (parts.isStopping()) over(STOPPED)
    // Silent is who says nothing while he is listened to.
    if (waiter.waitingCount > 0 || !mayRead(waiter)) heardAt = clock.monotonic()
    if (clock.monotonic() - heardAt < LIMITS.upstream.quietMs) return
    log.warn(`our mark did not come back in the session ${clientId}; it has delivered nothing for a while and counts as empty`)
    over(null)
  })
  try {
    // Not waited for: the answer is read only where there is room for what comes before it.
    link.subscribe([topic], false).then(
      () => link.publish(topic, mark, () => {}),
      (thrown) => over({ kind: 'closed', sentence: messageOf(thrown) })
    )
    const loss = await reached
    if (loss !== null) throw loss
    while (waiter.waitingCount > 0 && !parts.isStopping()) await pause(clock, 10)
    // What came since the stop was not taken, and stays where it is.
    if (parts.isStopping()) throw STOPPED
    await link.end()
  } finally {
    look.cancel()
    link.cut()
  }
  await (await open(parts, clientId, DEAF, { clean: true })).end()
}

const STOPPED: Loss = { kind: 'closed', sentence: 'it was stopped' }
const DEAF: LinkEars = { publish() {}, mayRead: () => true, lost() {} }
