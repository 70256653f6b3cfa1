// The gateways, and whether each is there. Their secrets are told to nobody.

import { z } from 'zod'
import type { Gateway } from '../../model/plant.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Amended, Instant, Next, pageLimit, Text } from '../shapes.ts'
import { devicesByGateway, gatewaysSeen } from '../sight.ts'
import { amendedBody, instantOrNull } from '../views.ts'

const GatewayBody = z
  .object({
    id: z.string(),
    name: Text,
    enterprise: z.string(),
    online: z.boolean().nullable().meta({ description: 'null: it has not said' }),
    since: Instant.nullable(),
    devices: z.number()
  })
  .meta({ id: 'Gateway' })
const GatewayDetail = GatewayBody.extend(Amended).meta({ id: 'GatewayDetail' })

export function gatewayRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/gateways',
    config: { needs: 'viewer' },
    schema: {
      tags: ['devices'],
      summary: 'Gateways, and whether they are there',
      querystring: z.object({ limit: pageLimit(100), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(GatewayBody), next: Next }) }
    },
    handler: async (request) => {
      const { limit, cursor } = request.query
      const view = parts.plant()
      const { scope } = caller(request)
      const gateways = gatewaysSeen(view.fleet, scope)
      const start = cursor === undefined ? 0 : readCursor(cursor, 'number')
      const counts = devicesByGateway(view.fleet, scope)
      const items = gateways.slice(start, start + limit).map((gateway) => bodyOf(gateway, view, counts))
      return { items, next: start + limit < gateways.length ? cursorAfter(start + limit) : null }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/gateways/:id',
    config: { needs: 'viewer' },
    schema: {
      tags: ['devices'],
      summary: 'One gateway',
      params: z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'gw-01' }) }),
      response: { 200: GatewayDetail }
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const view = parts.plant()
      const { scope } = caller(request)
      const gateway = gatewaysSeen(view.fleet, scope).find((one) => one.id === id)
      if (gateway === undefined) throw new ApiProblem('unknown', `There is no gateway ${id} that you may see.`)
      const standing = parts.amender.standing('gateway', id)
      if (standing !== null) reply.header('etag', `"${standing.etag}"`)
      return { ...bodyOf(gateway, view, devicesByGateway(view.fleet, scope)), ...amendedBody(standing) }
    }
  })
}

function bodyOf({ id, name, enterprise }: Gateway, { fleet, presence }: PlantView, counts: Int32Array): z.infer<typeof GatewayBody> {
  const there = presence.get(id)
  return {
    id,
    name,
    enterprise,
    online: there?.online ?? null,
    since: instantOrNull(there?.since ?? null),
    devices: counts[fleet.gatewayNumber.get(id) ?? -1] ?? 0
  }
}
