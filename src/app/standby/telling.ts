// What is said of a take-over, and of how well one would go: in the log, the audit log and health.

import { doubtQueued } from '../../alerts/settledBefore.ts'
import type { HealthReport, PartHealth } from '../../api/parts.ts'
import type { Log } from '../../platform/log.ts'
import type { Config } from '../config/service.ts'
import type { Standing } from './ground.ts'
import { noteWentBack } from './instance.ts'
import type { Term } from './seat.ts'

/** The part of the audit log that a take-over is written with. */
interface AuditLog {
  append(who: string, what: string, before: unknown, after: unknown): Promise<void>
}

/** Says once that this instance is active, and in whose place. */
export async function tellTakeOver({ lease, instance, from, host }: Term, audit: AuditLog, log: Log): Promise<void> {
  const own = { instance: instance.instance, host, epoch: lease.epoch }
  if (!lease.takenOver) return log.info(`this instance is active (epoch ${lease.epoch})`)
  const before = from === null ? null : { instance: from.instance, host: from.host, epoch: from.epoch }
  log.info(`this instance has taken over from ${from?.host ?? 'another'} and is active (epoch ${lease.epoch})`)
  await audit.append('service', 'lease.taken', before, own)
}

/** Where the store has lost what it had confirmed, whatever waits may have gone out: it is marked. Once the journal has been read again. */
export async function doubtAfterLoss(
  { wentBack, state, folder }: Pick<Standing, 'wentBack' | 'state' | 'folder'>,
  log: Log
): Promise<void> {
  if (!wentBack) return
  const doubtful = await doubtQueued(state)
  if (doubtful > 0) log.warn(`${doubtful} of the notifications that wait may have gone out before: PostgreSQL had lost what it confirmed`)
  await noteWentBack(folder, false)
}

/** Health with the epoch, and with what a take-over would cost where something is set so, or why there could be none (`lacks`). */
export function withTerm(report: HealthReport, term: Term | null, config: Config, lacks: string | null): HealthReport {
  if (term === null) return report
  const empty = emptyHistory(config)
  const set: PartHealth = { part: 'standby', state: 'ok', problem: empty === null ? null : `${empty.found} ${empty.todo}` }
  const part: PartHealth = lacks === null ? set : { part: 'standby', state: 'degraded', problem: lacks }
  return { ...report, epoch: term.lease.epoch, parts: [...report.parts, part] }
}

/** Where a standby with a data folder of its own would begin with an empty history: what that means, and what to do; else null. */
export function emptyHistory({
  journal,
  history,
  state
}: Pick<Config, 'journal' | 'history' | 'state'>): { readonly found: string; readonly todo: string } | null {
  if (state.url === null || !journal.copy || history.influx !== null) return null
  return {
    found:
      'History is embedded in this data folder: a standby with a data folder of its own begins with an empty one. Alarms and their log are not affected.',
    todo: 'Use InfluxDB (history.influx), or let both instances share the data folder (journal.copy: false).'
  }
}
