// Whether anybody would be told at this moment, in a sentence.

import { holes } from '../alerts/duty.ts'
import type { PartHealth } from '../api/parts.ts'
import type { Plant } from '../model/plant.ts'
import { localText } from './config/dutyChecks.ts'

const AHEAD_MS = 24 * 3_600_000

/** A plant without duty tells nobody: that is how it was set up, not a fault, but it is said. */
export function dutyPart({ duty }: Plant, now: number): PartHealth {
  const part = 'duty'
  if (duty === undefined || duty.ladders.length === 0) {
    return {
      part,
      state: 'ok',
      problem: 'Nobody is told of alarms: the plant folder has no duty.yaml with ladders. They show in the console only.'
    }
  }
  for (const rota of duty.rotas) {
    const [hole] = holes(duty, rota.id, now, now + AHEAD_MS)
    if (hole === undefined) continue
    const until = `until ${localText(hole.to, rota.zone)} (${rota.zone})`
    if (hole.from <= now)
      return {
        part,
        rota: rota.id,
        state: 'degraded',
        problem: `Nobody is on duty in the rota ${rota.id} ${until}: the next rung of each ladder is called instead.`
      }
    const from = localText(hole.from, rota.zone)
    return {
      part,
      rota: rota.id,
      state: 'ok',
      problem: `Nobody will be on duty in the rota ${rota.id} from ${from} ${until}: add a shift or an override.`
    }
  }
  return { part, state: 'ok', problem: null }
}
