// The plant's hazard sources after GB 18218-2018: graded by what they may hold by design, and by what their tanks hold now.

import { z } from 'zod'
import type { HazardousSubstance, HazardSource } from '../../model/plant.ts'
import { gradeHazard, type HazardGrading, liveInventory } from '../../rules/hazard.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { nameIn, placesOf } from '../places.ts'
import { caller } from '../session.ts'
import { Instant, Text } from '../shapes.ts'
import { seesSite } from '../sight.ts'
import { deviceBody, instant } from '../views.ts'

const Graded = z.object({
  s: z.number().meta({ description: 'Sum of q / Q; from 1 on it is a major hazard source' }),
  major: z.boolean(),
  alpha: z.number(),
  r: z.number(),
  grade: z.number().nullable().meta({ description: '1 is the gravest, 4 the least; null: no major hazard source' })
})

const Stored = z.object({
  cas: z.string().nullable(),
  class: z.string().nullable(),
  name: Text,
  tank: z.string().nullable(),
  thresholdT: z.number().meta({ description: 'Q, tonnes' }),
  beta: z.number(),
  designT: z.number().meta({ description: 'The most that is stored by design, tonnes' }),
  liveT: z.number().meta({ description: 'By the level of its tank now, tonnes' }),
  levelPct: z.number().nullable().meta({ description: 'null: unknown, counted as full' }),
  levelAt: Instant.nullable(),
  levelAgeMs: z.number().nullable(),
  unknown: z.string().nullable().meta({ description: 'Why the level is unknown, so that the design amount counts; null: it is known' })
})

const HazardSourceBody = z
  .object({
    id: z.string(),
    name: Text,
    site: z.string(),
    siteName: Text.nullable(),
    exposed: z.number().meta({ description: 'People within 500 m of the boundary' }),
    design: Graded,
    live: Graded.extend({ unknownLevels: z.number().meta({ description: 'Substances whose level is unknown: they count as full' }) }),
    inventory: z.array(Stored)
  })
  .meta({ id: 'HazardSource' })

const LEVEL = 'level_pct'

export function hazardRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/hazard-sources',
    config: { needs: 'viewer' },
    schema: {
      tags: ['overview'],
      summary: 'Major hazard sources with S, R and grade, by design and by the levels now',
      description: `After GB 18218-2018. What a tank holds now is its design amount by its \`${LEVEL}\`; a level that is unknown counts as full.`,
      response: { 200: z.object({ standard: z.string(), at: Instant, items: z.array(HazardSourceBody) }) }
    },
    handler: async (request) => {
      const scope = caller(request).scope
      const plant = parts.plant()
      const now = parts.clock.now()
      const seen = (plant.fleet.plant.hazardSources ?? []).filter(({ site }) => seesSite(plant.fleet, site, scope))
      return { standard: 'GB 18218-2018', at: instant(now), items: seen.map((source) => bodyOf(source, plant, now)) }
    }
  })
}

function bodyOf(source: HazardSource, plant: PlantView, now: number): z.infer<typeof HazardSourceBody> {
  const levels = source.inventory.map((substance) => levelOf(substance, plant, now))
  const amounts = source.inventory.map(({ amountT }, i) => liveInventory(levels[i]?.pct ?? null, amountT))
  const design = gradeHazard(source)
  const live = gradeHazard(source, amounts)
  return {
    id: source.id,
    name: source.name,
    site: source.site,
    siteName: nameIn(placesOf(plant.fleet).sites, source.site),
    exposed: source.exposed,
    design: graded(design),
    live: { ...graded(live), unknownLevels: levels.filter(({ unknown }) => unknown !== null).length },
    inventory: design.inventory.map(({ substance, thresholdT, beta, amountT }, i) => {
      const { pct, at, unknown } = levels[i] as Level
      const { cas, class: hazardClass, name, tank } = substance
      const level = { levelPct: pct, levelAt: at === null ? null : instant(at), levelAgeMs: at === null ? null : Math.max(0, now - at) }
      return { cas, class: hazardClass, name, tank, thresholdT, beta, designT: amountT, liveT: amounts[i] as number, ...level, unknown }
    })
  }
}

interface Level {
  readonly pct: number | null
  readonly at: number | null
  readonly unknown: string | null
}

/** The level of the tank as rules would take it: what is old, faulty or out of range is unknown. */
function levelOf({ tank }: HazardousSubstance, plant: PlantView, now: number): Level {
  if (tank === null) return { pct: null, at: null, unknown: 'no tank with a level is named' }
  const number = plant.fleet.deviceNumber.get(tank)
  if (number === undefined) return { pct: null, at: null, unknown: `there is no device ${tank}` }
  const { state, values, silentAfterMs } = deviceBody(plant, number, null, now)
  const level = values.find(({ metric }) => metric === LEVEL)
  if (level === undefined) return { pct: null, at: null, unknown: `${tank} has no ${LEVEL}` }
  const at = level.at === null ? null : Date.parse(level.at)
  const lost = (unknown: string): Level => ({ pct: null, at, unknown })
  if (level.quality === null || at === null) return lost(`${tank} has never reported its level`)
  if (state === 'offline') return lost(`the gateway of ${tank} is offline`)
  if (state === 'silent' || now - at > silentAfterMs) return lost(`${tank} has not reported its level within its time`)
  if (level.value === null || level.quality === 'sensorFault') return lost(`the level sensor of ${tank} is faulty`)
  if (level.quality === 'outOfRange') return lost(`the level of ${tank} is out of range`)
  return { pct: level.value, at, unknown: null }
}

function graded({ s, major, alpha, r, grade }: HazardGrading): z.infer<typeof Graded> {
  return { s, major, alpha, r, grade }
}
