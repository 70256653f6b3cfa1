// The sites with the worst that is going on at each, and the counts of the whole plant.

import { z } from 'zod'
import { FLOOD_SCOPES } from '../../model/mark.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { countDevices, countTiers, countUnacknowledged, countWithheld, markCounts, siteBodies } from '../counts.ts'
import { healthInScope } from '../dutySight.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { caller } from '../session.ts'
import { DeviceCounts, Instant, Next, PartHealthBody, pageLimit, SiteBody, TierCounts, WithheldCounts } from '../shapes.ts'
import { instant } from '../views.ts'

const Overview = z
  .object({
    at: Instant.meta({ description: 'The time of the service' }),
    version: z.string(),
    alarms: TierCounts.extend({
      unacknowledged: z.number(),
      states: z
        .object({ unacknowledged: z.number(), acknowledged: z.number(), clearedUnacknowledged: z.number() })
        .meta({ description: 'ISA-18.2 states B, C and D' }),
      withheld: WithheldCounts
    }).meta({ description: 'Active alarms by tier, without those that are withheld: they are counted apart' }),
    floods: z
      .array(
        z.object({
          scope: z.enum(FLOOD_SCOPES),
          site: z.string().nullable(),
          enterprise: z.string().nullable(),
          since: Instant,
          count: z.number().int().meta({ description: 'Announced so far' })
        })
      )
      .meta({ description: 'Floods that are on: of everything, of an enterprise, of a site; the widest first' }),
    chattering: z.number().int().meta({ description: 'Rules that chatter on a device or area now' }),
    stale: z.number().int().meta({ description: 'Alarms that have stood for 24 h; withheld ones are left out' }),
    devices: DeviceCounts,
    intake: z.object({
      lagMs: z.number().meta({ description: 'How far judging is behind receiving' }),
      lagRecords: z.number(),
      messagesPerSecond: z.number().nullable()
    }),
    history: z.object({ lagRecords: z.number().meta({ description: 'Judged and not yet stored' }) }),
    sites: z.array(SiteBody).meta({ description: `At most ${LIMITS.api.itemsPerPage}; GET /sites has all of them` }),
    health: z.array(PartHealthBody),
    problems: z.array(z.string()).meta({ description: 'What is wrong with the service itself, in sentences' })
  })
  .meta({ id: 'Overview' })

export function siteRoutes(api: Api, parts: ApiParts): void {
  const { book, clock } = parts
  api.route({
    method: 'GET',
    url: '/api/v1/sites',
    config: { needs: 'viewer' },
    schema: {
      tags: ['overview'],
      summary: 'Sites with their worst tier',
      description:
        '`worstTier` is the highest tier that is on there now (not cleared); `alarms` counts the active list. Neither has what is shelved, suppressed or out of service: `withheld` has.',
      querystring: z.object({ limit: pageLimit(LIMITS.api.itemsPerPage), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(SiteBody), next: Next }) }
    },
    handler: async (request) => {
      const { limit, cursor } = request.query
      const scope = caller(request).scope
      const plant = parts.plant()
      const { bySite } = countDevices(plant, scope, clock.now())
      const sites = siteBodies(plant, book.active({ state: 'active' }, scope), book.standing(), bySite, scope)
      const start = cursor === undefined ? 0 : readCursor(cursor, 'number')
      const items = sites.slice(start, start + limit)
      return { items, next: start + limit < sites.length ? cursorAfter(start + limit) : null }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/overview',
    config: { needs: 'viewer' },
    schema: { tags: ['overview'], summary: 'The whole plant in counts, and the health of the service', response: { 200: Overview } },
    handler: async (request) => {
      const scope = caller(request).scope
      const plant = parts.plant()
      const now = clock.now()
      const active = book.active({ state: 'active' }, scope)
      const { all, bySite } = countDevices(plant, scope, now)
      const { parts: found, ...health } = parts.health()
      const seen = healthInScope(found, plant, scope)
      return {
        at: instant(now),
        version: health.version,
        alarms: {
          ...countTiers(active),
          unacknowledged: countUnacknowledged(active),
          states: states(book.counts(scope)),
          withheld: countWithheld(book.standing(), scope)
        },
        ...markCounts(plant, active, scope),
        devices: all,
        intake: { lagMs: health.intakeLagMs, lagRecords: health.intakeLagRecords, messagesPerSecond: health.messagesPerSecond },
        history: { lagRecords: health.historyLagRecords },
        sites: siteBodies(plant, active, book.standing(), bySite, scope).slice(0, LIMITS.api.itemsPerPage),
        health: seen,
        problems: seen.flatMap(({ problem }) => (problem === null ? [] : [problem]))
      }
    }
  })
}

function states(counts: ReturnType<ApiParts['book']['counts']>): z.infer<typeof Overview>['alarms']['states'] {
  const sum = { unacknowledged: 0, acknowledged: 0, clearedUnacknowledged: 0 }
  for (const ofTier of Object.values(counts)) {
    sum.unacknowledged += ofTier.unacknowledged
    sum.acknowledged += ofTier.acknowledged
    sum.clearedUnacknowledged += ofTier.clearedUnacknowledged
  }
  return sum
}
