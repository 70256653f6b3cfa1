// The journal of alarms, line for line as contract 5 has it: as items of a page, or as NDJSON for a program that compares.

import { z } from 'zod'
import { alarmEventLine } from '../../model/alarm.ts'
import type { Api } from '../api.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { caller } from '../session.ts'
import { EventBody, Next, pageLimit, Time } from '../shapes.ts'

const EventQuery = z.object({
  from: Time.optional().meta({ description: 'At or after' }),
  to: Time.optional().meta({ description: 'Before' }),
  limit: pageLimit(100),
  cursor: z.string().max(512).optional()
})

export function alarmEventRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/alarm-events',
    config: { needs: 'viewer' },
    schema: {
      tags: ['alarms'],
      summary: 'The journal of alarms',
      description:
        'In the order of the journal, oldest first. With `Accept: application/x-ndjson` one line per event, byte for byte as ' +
        '`fenghuo backtest --out` writes them; the cursor of the next page is then in the header `x-next-cursor`.',
      querystring: EventQuery,
      response: { 200: z.object({ items: z.array(EventBody), next: Next }) }
    },
    handler: async (request, reply) => {
      const { from, to, limit, cursor } = request.query
      const page = await parts.book.events({ from, to }, { limit, cursor }, caller(request).scope)
      if ('problem' in page) throw badCursor(page.problem)
      const lines = page.items.map(({ event }) => alarmEventLine(event))
      reply.header('vary', 'accept')
      if (request.headers.accept?.includes('application/x-ndjson')) {
        if (page.next !== null) reply.header('x-next-cursor', page.next)
        return reply.type('application/x-ndjson').send(lines.map((line) => `${line}\n`).join('') as never)
      }
      // The lines themselves are the items: nothing is parsed and written anew, so nothing can differ.
      return reply.type('application/json').send(`{"items":[${lines.join(',')}],"next":${JSON.stringify(page.next)}}` as never)
    }
  })
}
