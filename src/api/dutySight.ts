// What of the duty somebody may read: rotas by whom they call and where, and the health of the duty without the names of others.

import type { Duty, Rota } from '../model/duty.ts'
import { maySee, type Scope } from '../model/scope.ts'
import type { PartHealth, PlantView } from './parts.ts'
import { seesTarget } from './sight.ts'

/** Whether somebody of the rota is of an enterprise that the caller may see, and it is called for something that he may see. */
export function seesRota({ fleet }: Pick<PlantView, 'fleet'>, duty: Duty, rota: Rota, scope: Scope): boolean {
  if (scope === null) return true
  const called = duty.ladders.some(
    ({ appliesTo: { area, site }, rungs }) =>
      ((area === null && site === null) || seesTarget(fleet, { device: null, area, site: area === null ? site : null }, scope)) &&
      rungs.some(({ tell }) => tell.some((target) => target.kind === 'duty' && target.rota === rota.id))
  )
  if (scope.sites !== null && !called) return false
  const ids = new Set(
    rota.shifts
      .flatMap(({ order }) => order)
      .flatMap(({ kind, id }) => (kind === 'person' ? [id] : (duty.teams.find((team) => team.id === id)?.people ?? [])))
  )
  return duty.people.some(
    ({ id, enterprise }) => ids.has(id) && maySee({ enterprises: scope.enterprises, sites: null }, { enterprise, site: null })
  )
}

type Shown = Pick<PartHealth, 'part' | 'state' | 'problem'>

/** How the parts are, as somebody of this scope may read it: what concerns a rota outside of it is left out. */
export function healthInScope(parts: readonly PartHealth[], view: Pick<PlantView, 'fleet'>, scope: Scope): Shown[] {
  const { duty } = view.fleet.plant
  return parts.flatMap(({ rota: id, ...part }): Shown[] => {
    const rota = duty?.rotas.find((one) => one.id === id)
    const seen = id === undefined || scope === null || (duty !== undefined && rota !== undefined && seesRota(view, duty, rota, scope))
    return seen ? [part] : []
  })
}

/** How the parts are, for those who have not signed in: of rotas only how many leave nobody on duty. */
export function healthForAnybody(parts: readonly PartHealth[]): Shown[] {
  const count = parts.filter(({ rota }) => rota !== undefined).length
  const problem = `Nobody is on duty in ${count === 1 ? 'one rota' : `${count} rotas`}, now or within 24 hours: sign in to see which.`
  return parts.flatMap(({ rota, ...part }): Shown[] => {
    if (rota !== undefined) return []
    return [part.part === 'duty' && count > 0 ? { part: 'duty', state: 'degraded', problem } : part]
  })
}
