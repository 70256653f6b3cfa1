// Delivery workers, where they are the ones to send: whether any is there, of our version, and well.

import { type Clock, pause } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { lookForWorkers } from '../../store/senderLook.ts'
import type { Config } from '../config/service.ts'
import { VERSION } from '../version.ts'
import { type Finding, ok, warn } from './finding.ts'

const CHECK = 'delivery workers'

/** Nothing where PostgreSQL cannot be asked: that is said elsewhere. */
export async function checkWorkers({ state, notifications }: Config, clock: Clock): Promise<Finding[]> {
  if (notifications.deliver !== 'workers' || state.url === null) return []
  const twoBeats = (): Promise<void> => pause(clock, 2.5 * LIMITS.courier.beatMs)
  const workers = await lookForWorkers(state.url, twoBeats).catch(() => null)
  if (workers === null) return []
  if (workers.length === 0) {
    const found = 'No delivery worker is there, though notifications.deliver is workers: a running service sends by itself after 10 s.'
    return [warn(CHECK, found, 'Start one: fenghuo courier.')]
  }
  const findings = workers.flatMap(({ host, pid, version, problem }) => {
    const which = `The delivery worker ${host}/${pid}`
    const older = version === VERSION ? [] : [warn(CHECK, `${which} is of version ${version}.`, `Bring it to ${VERSION}.`)]
    return problem === null ? older : [...older, warn(CHECK, `${which} says: ${problem}`, 'See its own log.')]
  })
  const count = workers.length === 1 ? '1 delivery worker is' : `${workers.length} delivery workers are`
  return [ok(CHECK, `${count} there.`), ...findings]
}
