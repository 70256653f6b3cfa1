// What the alarm system says of itself: alarms that chatter, grow stale or were the first, and floods, as they began and ended.

import { z } from 'zod'
import { FLOOD_SCOPES, MARK_KINDS } from '../../model/mark.ts'
import type { Api } from '../api.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { caller } from '../session.ts'
import { Instant, Next, pageLimit, Time } from '../shapes.ts'
import { noticeBody } from '../views.ts'

const Notice = z
  .object({
    kind: z.enum(MARK_KINDS).meta({
      description:
        'chattering: came and went three times within a minute. stale: has stood for 24 h. firstOut: the first announced alarm of its area since all was quiet there. flood: more than 10 announced in 10 minutes'
    }),
    at: Instant,
    on: z.boolean().meta({ description: 'It begins; false: it ends' }),
    since: Instant.nullable().meta({ description: 'Where it ends: since when it was on' }),
    scope: z.enum(FLOOD_SCOPES).nullable().meta({ description: 'Of a flood' }),
    rule: z.string().nullable(),
    device: z.string().nullable(),
    area: z.string().nullable(),
    site: z.string().nullable(),
    enterprise: z.string().nullable(),
    alarms: z.array(z.string()).meta({ description: 'The alarms that carry the mark from now on, or no longer' }),
    count: z.number().int().nullable().meta({ description: 'Of a flood: announced so far' })
  })
  .meta({ id: 'Notice' })

export function noticeRoutes(api: Api, { book }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/notices',
    config: { needs: 'viewer' },
    schema: {
      tags: ['overview'],
      summary: 'Chattering, stale and first-out alarms, and floods: when they began and ended',
      description:
        'Newest first. What is on now is in `/overview` and on the alarms themselves. A flood of everything is seen by those who see everything.',
      querystring: z.object({
        kind: z.enum(MARK_KINDS).optional(),
        from: Time.optional(),
        to: Time.optional().meta({ description: 'Up to, not including' }),
        limit: pageLimit(100),
        cursor: z.string().max(512).optional()
      }),
      response: { 200: z.object({ items: z.array(Notice), next: Next }) }
    },
    handler: async (request) => {
      const { kind, from, to, limit, cursor } = request.query
      const page = await book.marks({ kind, from, to }, { limit, cursor }, caller(request).scope)
      if ('problem' in page) throw badCursor(page.problem)
      return { items: page.items.map(noticeBody), next: page.next }
    }
  })
}
