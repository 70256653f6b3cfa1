// The audit log, for administrators of everything: it tells of everybody.

import { z } from 'zod'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Instant, Next, pageLimit } from '../shapes.ts'
import { instant } from '../views.ts'

const AuditEntry = z
  .object({
    n: z.number(),
    at: Instant,
    who: z.string(),
    what: z.string().meta({ example: 'user.change li' }),
    before: z.unknown().meta({ description: 'null: there was nothing' }),
    after: z.unknown().meta({ description: 'null: there is nothing any more' }),
    hash: z.string().meta({ description: 'sha256 over this record and the hash of the one before it' })
  })
  .meta({ id: 'AuditEntry' })

export function auditRoutes(api: Api, { access }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/audit',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'The audit log, newest first',
      description: 'For administrators whose scope is not limited.',
      querystring: z.object({ limit: pageLimit(100), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(AuditEntry), next: Next }) }
    },
    handler: async (request) => {
      const { scope, user } = caller(request)
      if (scope !== null)
        throw new ApiProblem(
          'forbidden',
          `The audit log tells of all enterprises and sites; ${user} is limited to some. Ask an administrator of everything.`
        )
      const { limit, cursor } = request.query
      const records = await access.audit.list(limit + 1, cursor === undefined ? undefined : readCursor(cursor, 'number'))
      const items = records.slice(0, limit).map((record) => ({ ...record, at: instant(record.at) }))
      const last = items.at(-1)
      return { items, next: records.length > limit && last !== undefined ? cursorAfter(last.n) : null }
    }
  })
}
