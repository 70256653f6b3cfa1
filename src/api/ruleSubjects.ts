// Whom each rule watches, inside somebody's scope: worked out once per fleet.

import { maySee, type Scope } from '../access/roles.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Rule } from '../model/plant.ts'
import { selectedDevices } from '../rules/compile.ts'
import { placesOf } from './places.ts'

/** The device (or, of a rule `per: area`, the area) that a rule watches, and whose it is. */
export interface Subject {
  readonly device: string | null
  readonly area: string | null
  readonly enterprise: string | null
}

const known = new WeakMap<Fleet, Map<string, readonly Subject[]>>()

/** The subjects of a rule that somebody of this scope may see. */
export function subjectsOf(fleet: Fleet, rule: Rule, scope: Scope): readonly Subject[] {
  let ofFleet = known.get(fleet)
  if (ofFleet === undefined) known.set(fleet, (ofFleet = new Map()))
  let subjects = ofFleet.get(rule.id)
  if (subjects === undefined) ofFleet.set(rule.id, (subjects = workOut(fleet, rule)))
  return scope === null ? subjects : subjects.filter(({ enterprise }) => maySee(scope, enterprise))
}

/** The rules that somebody of this scope may see: all of them, or those that watch something of theirs. In the order of the plant. */
export function rulesInScope(fleet: Fleet, scope: Scope): readonly Rule[] {
  const { rules } = fleet.plant
  return scope === null ? rules : rules.filter((rule) => subjectsOf(fleet, rule, scope).length > 0)
}

function workOut(fleet: Fleet, rule: Rule): readonly Subject[] {
  const { placeOf } = placesOf(fleet)
  const subjects: Subject[] = []
  const areas = new Set<string>()
  for (const number of selectedDevices(fleet, rule)) {
    const { id, area } = fleet.devices[number] as Fleet['devices'][number]
    const enterprise = placeOf[number]?.enterprise ?? null
    if (rule.per === 'device') subjects.push({ device: id, area: null, enterprise })
    else if (area !== null && !areas.has(area)) {
      areas.add(area)
      subjects.push({ device: null, area, enterprise })
    }
  }
  return subjects
}
