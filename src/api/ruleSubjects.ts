// Whom each rule watches, inside somebody's scope: worked out once per fleet, as numbers, so that a rule over half a million
// devices costs two megabytes and not a list of objects.

import type { Fleet } from '../model/fleet.ts'
import type { Rule } from '../model/plant.ts'
import type { Scope } from '../model/scope.ts'
import { selectedDevices } from '../rules/compile.ts'
import { seesDevice } from './sight.ts'

const known = new WeakMap<Fleet, Map<string, Int32Array>>()

/** How many devices (of a rule `per: area`: areas) a rule watches that somebody of this scope may see. */
export function subjectCount(fleet: Fleet, rule: Rule, scope: Scope): number {
  const subjects = subjectsOf(fleet, rule)
  if (scope === null) return subjects.length
  let count = 0
  for (const number of subjects) if (seesDevice(fleet, number, scope)) count++
  return count
}

/** Whether a rule watches this device, or area, and somebody of this scope may see it. */
export function watches(fleet: Fleet, rule: Rule, subject: string, scope: Scope): boolean {
  const subjects = subjectsOf(fleet, rule)
  const asked = fleet.deviceNumber.get(subject)
  const number = subjects.find((member) => (rule.per === 'device' ? member === asked : fleet.devices[member]?.area === subject))
  return number !== undefined && seesDevice(fleet, number, scope)
}

/** Whether a rule watches something, and all of it may be seen by somebody of this scope; without limits, always. */
export function watchesOnly(fleet: Fleet, rule: Rule, scope: Scope): boolean {
  if (scope === null) return true
  const watched = selectedDevices(fleet, rule)
  return watched.length > 0 && watched.every((number) => seesDevice(fleet, number, scope))
}

/** The ids of the devices (of a rule `per: area`: areas) that a rule watches. */
export function subjectIds(fleet: Fleet, rule: Rule): string[] {
  return Array.from(subjectsOf(fleet, rule), (number) => {
    const device = fleet.devices[number]
    return (rule.per === 'area' ? device?.area : device?.id) ?? ''
  })
}

/** The rules that somebody of this scope may see: all of them, or those that watch something of theirs. In the order of the plant. */
export function rulesInScope(fleet: Fleet, scope: Scope): readonly Rule[] {
  const { rules } = fleet.plant
  return scope === null ? rules : rules.filter((rule) => subjectsOf(fleet, rule).some((number) => seesDevice(fleet, number, scope)))
}

/** The devices watched, by number; of a rule `per: area` the first member of each area stands for it. */
function subjectsOf(fleet: Fleet, rule: Rule): Int32Array {
  let ofFleet = known.get(fleet)
  if (ofFleet === undefined) known.set(fleet, (ofFleet = new Map()))
  let subjects = ofFleet.get(rule.id)
  if (subjects !== undefined) return subjects
  subjects = selectedDevices(fleet, rule)
  if (rule.per === 'area') {
    const areas = new Set<string | null>()
    subjects = subjects.filter((number) => {
      const area = fleet.devices[number]?.area ?? null
      if (areas.has(area)) return false
      areas.add(area)
      return true
    })
  }
  ofFleet.set(rule.id, subjects)
  return subjects
}
