// Which enterprises and sites somebody is given: how that is sent, and whether the plant has them.

import { z } from 'zod'
import type { Plant } from '../model/plant.ts'
import type { Grants } from '../model/scope.ts'
import { LIMITS } from '../platform/limits.ts'
import { ApiProblem } from './problems.ts'
import { Id } from './shapes.ts'

const ids = z.array(Id).min(1).max(LIMITS.access.grants).nullable()

/** As it is sent. */
export const GRANTED = {
  enterprises: ids.meta({ description: 'What it may see; null: all' }),
  sites: ids.meta({ description: 'Within the enterprises; null: all of them, and what stands at no site' })
}

/** As it is answered. */
export const GRANTS = {
  enterprises: z.array(z.string()).nullable().meta({ description: 'null: all' }),
  sites: z.array(z.string()).nullable().meta({ description: 'Within the enterprises; null: all' })
}

/** Throws an ApiProblem where the plant has no such enterprise or site, or a site is of none of the enterprises. */
export function refuseUnknownGrants(plant: Plant, { enterprises, sites }: Grants): void {
  const known = new Set(plant.enterprises.map(({ id }) => id))
  const stranger = enterprises?.find((id) => !known.has(id))
  if (stranger !== undefined)
    throw refused('enterprises', `There is no enterprise ${stranger}; the plant names ${[...known].join(', ') || 'none'}.`)
  const enterpriseOf = new Map(plant.sites.map(({ id, enterprise }) => [id, enterprise]))
  for (const site of sites ?? []) {
    const enterprise = enterpriseOf.get(site)
    if (enterprise === undefined) throw refused('sites', `There is no site ${site} in the plant.`)
    if (enterprises !== null && !enterprises.includes(enterprise))
      throw refused(
        'sites',
        `The site ${site} is of the enterprise ${enterprise}, which is not among those given: nothing of it would be seen.`
      )
  }
}

function refused(at: string, sentence: string): ApiProblem {
  return new ApiProblem('invalid', sentence, { faults: [{ at, problem: sentence }] })
}
