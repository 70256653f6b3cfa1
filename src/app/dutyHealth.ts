// Whether anybody would be told at this moment, and in the day to come, in sentences.

import { holes } from '../alerts/duty.ts'
import type { PartHealth } from '../api/parts.ts'
import type { Duty, Rota } from '../model/duty.ts'
import type { Plant } from '../model/plant.ts'
import type { Clock } from '../platform/clock.ts'
import { localText } from './config/dutyChecks.ts'

const AHEAD_MS = 86_400_000
/** Health is asked more often than rotas are worth walking through. */
const LOOK_EVERY_MS = 60_000

/** The parts of health about the duty, looked at now and then. */
export function dutyHealth(plant: () => Plant, clock: Clock): () => PartHealth[] {
  let known: PartHealth[] = []
  let of: Duty | null | undefined = null
  let lookedAt = 0
  return () => {
    const now = clock.now()
    const { duty } = plant()
    if (duty !== of || now - lookedAt >= LOOK_EVERY_MS) {
      known = dutyParts(duty, now)
      of = duty
      lookedAt = now
    }
    return known
  }
}

/** Beside the duty itself, each rota that leaves nobody on duty in the day to come. */
export function dutyParts(duty: Duty | undefined, now: number): PartHealth[] {
  // That is how the plant was set up, not a fault, but it is said.
  if (duty === undefined || duty.ladders.length === 0) {
    const problem = 'Nobody is told of alarms: the plant folder has no duty.yaml with ladders. They show in the console only.'
    return [{ part: 'duty', state: 'ok', problem }]
  }
  return [{ part: 'duty', state: 'ok', problem: null }, ...duty.rotas.flatMap((rota) => holeOf(duty, rota, now))]
}

function holeOf(duty: Duty, { id, zone }: Rota, now: number): PartHealth[] {
  const [hole] = holes(duty, id, now, now + AHEAD_MS)
  if (hole === undefined) return []
  const until = `until ${localText(hole.to, zone)} (${zone})`
  const problem =
    hole.from <= now
      ? `Nobody is on duty in the rota ${id} ${until}: the next rung of each ladder is called instead. Add a shift or an override.`
      : `Nobody will be on duty in the rota ${id} from ${localText(hole.from, zone)} ${until}: add a shift or an override.`
  return [{ part: `duty ${id}`, rota: id, state: 'degraded', problem }]
}
