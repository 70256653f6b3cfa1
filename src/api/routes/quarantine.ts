// What was accepted but could not be used, and why.

import { z } from 'zod'
import type { Api } from '../api.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { caller } from '../session.ts'
import { Instant, Next, pageLimit } from '../shapes.ts'
import { instant } from '../views.ts'

const Rejected = z
  .object({
    id: z.number(),
    at: Instant.meta({ description: 'Receipt' }),
    seq: z.number().meta({ description: 'Its record in the journal' }),
    gateway: z.string(),
    enterprise: z.string().nullable(),
    topic: z.string(),
    device: z.string().nullable(),
    problem: z.string(),
    excerpt: z.string()
  })
  .meta({ id: 'Rejected' })

export function quarantineRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/quarantine',
    config: { needs: 'viewer' },
    schema: {
      tags: ['telemetry'],
      summary: 'What was accepted but could not be read',
      description: 'Newest first.',
      querystring: z.object({ limit: pageLimit(100), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(Rejected), next: Next }) }
    },
    handler: async (request) => {
      const page = await parts.book.quarantine(request.query, caller(request).scope)
      if ('problem' in page) throw badCursor(page.problem)
      return { items: page.items.map((item) => ({ ...item, at: instant(item.at) })), next: page.next }
    }
  })
}
