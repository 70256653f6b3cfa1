// The plant at a start: what the folder says, and over it what was changed through the API, as far as it still fits.

import type { Access } from '../../access/access.ts'
import type { PartHealth } from '../../api/parts.ts'
import type { Plant } from '../../model/plant.ts'
import type { Log } from '../../platform/log.ts'
import { hashOfWritten, NO_OVERLAY, overlayOf, writtenIn } from '../config/amend.ts'
import type { PlantSource } from '../config/plantSource.ts'
import type { AmendedPlant } from './apply.ts'
import { fitting } from './candidate.ts'

/** Lays what is kept over the files, of which `plant` is made, and tells by name what does not fit or what a file no longer decides. */
export async function amendedAtStart(source: PlantSource, plant: Plant, access: Access, log: Log): Promise<AmendedPlant> {
  const kept = await access.amendments.latest()
  const latest = new Map(kept.map((amendment) => [`${amendment.kind} ${amendment.id}`, amendment]))
  const overlay = overlayOf(kept)
  if (overlay.rule.size + overlay.device.size + overlay.gateway.size === 0) {
    return { source, overlay: NO_OVERLAY, latest, plant, leftOut: [] }
  }
  const fit = fitting(source, overlay)
  for (const { change, problem } of fit.leftOut) {
    log.warn(`the ${change.kind} ${change.id}, changed through the API, no longer fits what the files say and is left out: ${problem}`)
  }
  for (const { kind, id, op, by, base, after } of kept) {
    const file = hashOfWritten(writtenIn(source, kind, id)?.written ?? null)
    // A file that has taken the change over is as good as the change.
    if (op === 'revert' || file === base || file === hashOfWritten(after)) continue
    log.warn(
      `the files say something else of ${kind} ${id} than when ${by} changed it through the API; that change stands, until it is taken back`
    )
  }
  return { source, overlay: fit.overlay, latest, plant: fit.plant, leftOut: fit.leftOut }
}

/** Whether all that was changed through the API is in force. Anybody reads it: what is not is named by the log and to whom it concerns. */
export function overlayHealth({ leftOut }: AmendedPlant): PartHealth {
  if (leftOut.length === 0) return { part: 'changes', state: 'ok', problem: null }
  const which = leftOut.length === 1 ? 'One change' : `${leftOut.length} changes`
  const verb = leftOut.length === 1 ? 'is' : 'are'
  const problem = `${which} made through the API ${verb} not in force, because the files no longer fit: change or take back what GET /api/v1/amendments names.`
  return { part: 'changes', state: 'degraded', problem }
}
