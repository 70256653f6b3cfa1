// Whom a duty may ever call: behind one target, and at one place. Whoever is on duty at this instant does not matter here.

import type { Duty, Target } from '../model/duty.ts'
import type { AlarmPlace, DutyPlan } from './dutyLadders.ts'

/** Everybody whom a target may ever mean; of a responsible role, at any hazard source or site. */
export function peopleBehind(duty: Duty, target: Target): ReadonlySet<string> {
  const members = (kind: 'person' | 'team', id: string): readonly string[] =>
    kind === 'person' ? [id] : (duty.teams.find((team) => team.id === id)?.people ?? [])
  switch (target.kind) {
    case 'person':
    case 'team':
      return new Set(members(target.kind, target.id))
    case 'duty': {
      const rota = duty.rotas.find(({ id }) => id === target.rota)
      const parties = [...(rota?.shifts ?? []).flatMap(({ order }) => order), ...(rota?.overrides ?? []).map(({ who }) => who)]
      return new Set(parties.flatMap(({ kind, id }) => members(kind, id)))
    }
    case 'responsible':
      return new Set(duty.responsible.flatMap(({ roles }) => roles[target.role] ?? []))
  }
}

/** Everybody whom a ladder may call for an alarm at this place, of whatever rule and tier, and who is responsible for it. */
export function peopleCalledAt(plan: DutyPlan, place: AlarmPlace): ReadonlySet<string> {
  const { duty } = plan
  if (duty === null) return new Set()
  const responsible = new Set(Object.values(plan.responsibleFor(place)?.roles ?? {}))
  const called = duty.ladders
    .filter(({ appliesTo: { area, site, enterprise } }) => {
      return (
        (area ?? place.area) === place.area && (site ?? place.site) === place.site && (enterprise ?? place.enterprise) === place.enterprise
      )
    })
    .flatMap(({ rungs }) => rungs.flatMap(({ tell }) => tell))
    .flatMap((target) => (target.kind === 'responsible' ? [] : [...peopleBehind(duty, target)]))
  return new Set([...called, ...responsible])
}
