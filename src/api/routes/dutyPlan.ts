// The duty plan as it stands: the ladders with their rungs, and the three responsible people of each major hazard source.

import { z } from 'zod'
import { targetText } from '../../alerts/dutyLadders.ts'
import { type Duty, type Ladder, RESPONSIBLE_ROLES, type ResponsibleRole, type Target } from '../../model/duty.ts'
import { CHANNEL_KINDS } from '../../model/notification.ts'
import type { HazardSource } from '../../model/plant.ts'
import { maySee, type Scope } from '../../model/scope.ts'
import { TIERS } from '../../model/tier.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { nameIn, placesOf } from '../places.ts'
import { caller } from '../session.ts'
import { Nullable, Text } from '../shapes.ts'
import { seesSite } from '../sight.ts'

const Name = Text.nullable()

const RungBody = z.object({
  afterMs: z.number(),
  tell: z.array(z.object({ target: z.string().meta({ example: 'duty:tank-farm' }), name: Name })),
  by: z.array(z.array(z.enum(CHANNEL_KINDS))).meta({ description: 'In order; the next is used where all of the one before have failed' }),
  repeatMs: z.number().nullable(),
  times: z.number()
})

const LadderBody = z
  .object({
    id: z.string(),
    appliesTo: z.object({
      tiers: z.array(z.enum(TIERS)).nullable(),
      rules: z.array(z.string()).nullable(),
      ...{ area: Nullable, site: Nullable, enterprise: Nullable }
    }),
    receiptWithinMs: z.number().nullable(),
    rungs: z.array(RungBody)
  })
  .meta({ id: 'Ladder' })

const ResponsibleBody = z
  .object({
    hazardSource: z.string(),
    name: Text,
    site: z.string(),
    siteName: Name,
    roles: z.array(
      z.object({ role: z.enum(RESPONSIBLE_ROLES), person: Nullable.meta({ description: 'null: nobody is named' }), name: Name })
    )
  })
  .meta({ id: 'Responsible' })

export function dutyPlanRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/duty/plan',
    config: { needs: 'viewer' },
    schema: {
      tags: ['duty'],
      summary: 'The ladders, and who is responsible for each major hazard source',
      description:
        'In the order of duty.yaml: the first ladder that matches an alarm is its ladder. Names are those of people in the scope.',
      response: { 200: z.object({ ladders: z.array(LadderBody), responsible: z.array(ResponsibleBody) }) }
    },
    handler: async (request) => {
      const { scope } = caller(request)
      const view = parts.plant()
      const { duty, hazardSources = [] } = view.fleet.plant
      const names = namesIn(duty, scope)
      const ladders = (duty?.ladders ?? []).filter(({ appliesTo }) => seesPlace(view, appliesTo, scope))
      const sources = hazardSources.filter(({ site }) => seesSite(view.fleet, site, scope))
      return {
        ladders: ladders.map((ladder) => ladderBody(ladder, names)),
        responsible: sources.map((source) => responsibleBody(source, view, duty, names))
      }
    }
  })
}

type Names = (target: Target) => z.infer<typeof Name>

function namesIn(duty: Duty | undefined, scope: Scope): Names {
  const people = (duty?.people ?? []).filter(
    ({ enterprise }) => enterprise === null || maySee(peopleScope(scope), { enterprise, site: null })
  )
  const named = new Map<string, z.infer<typeof Text>>([
    ...people.map(({ id, name }) => [`person:${id}`, name] as const),
    ...(duty?.teams ?? []).map(({ id, name }) => [`team:${id}`, name] as const),
    ...(duty?.rotas ?? []).map(({ id, name }) => [`duty:${id}`, name] as const)
  ])
  return (target) => named.get(targetText(target)) ?? null
}

/** People belong to enterprises and stand at no site. */
const peopleScope = (scope: Scope): Scope => (scope === null ? null : { enterprises: scope.enterprises, sites: null })

function seesPlace({ fleet }: PlantView, { area, site, enterprise }: Ladder['appliesTo'], scope: Scope): boolean {
  const at = site ?? (area === null ? null : (placesOf(fleet).areas.get(area)?.site ?? null))
  if (at !== null) return seesSite(fleet, at, scope)
  return enterprise === null || maySee(peopleScope(scope), { enterprise, site: null })
}

function ladderBody({ id, appliesTo, receiptWithinMs, rungs }: Ladder, names: Names): z.infer<typeof LadderBody> {
  const { tiers, rules } = appliesTo
  return {
    id,
    appliesTo: { ...appliesTo, tiers: tiers === null ? null : [...tiers], rules: rules === null ? null : [...rules] },
    receiptWithinMs,
    rungs: rungs.map(({ afterMs, tell, by, repeatMs, times }) => ({
      afterMs,
      tell: tell.map((target) => ({ target: targetText(target), name: names(target) })),
      by: by.map((together) => [...together]),
      repeatMs,
      times
    }))
  }
}

/** Named for the source itself, else for its site: as an alarm of it would find them. */
function responsibleBody(
  { id, name, site }: HazardSource,
  { fleet }: PlantView,
  duty: Duty | undefined,
  names: Names
): z.infer<typeof ResponsibleBody> {
  const all = duty?.responsible ?? []
  const found = all.find(({ hazardSource }) => hazardSource === id) ?? all.find((one) => one.site === site)
  const of = (role: ResponsibleRole): z.infer<typeof ResponsibleBody>['roles'][number] => {
    const person = found?.roles[role] ?? null
    return { role, person, name: person === null ? null : names({ kind: 'person', id: person }) }
  }
  return { hazardSource: id, name, site, siteName: nameIn(placesOf(fleet).sites, site), roles: RESPONSIBLE_ROLES.map(of) }
}
