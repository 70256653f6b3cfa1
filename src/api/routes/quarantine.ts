// What was accepted but could not be used, and why; and its retry after a correction.

import { z } from 'zod'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { inTime } from '../inTime.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem, unavailable } from '../problems.ts'
import { caller } from '../session.ts'
import { Instant, Next, pageLimit } from '../shapes.ts'
import { instant } from '../views.ts'
import { TelemetryOutcome } from './telemetry.ts'

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
  api.route({
    method: 'POST',
    url: '/api/v1/quarantine/:id/retry',
    config: { needs: 'operator' },
    schema: {
      tags: ['telemetry'],
      summary: 'Take in again what can be used by now',
      description:
        'After a correction of the plant. What the message says of the device is taken from the journal and enters with the instants it had (where a sample names none, that of its first receipt); it then leaves quarantine. 409 where it still cannot be used, or the journal no longer has it.',
      params: z.object({ id: z.coerce.number().int().min(1) }),
      response: { 200: TelemetryOutcome }
    },
    handler: async (request) => {
      const { scope, user } = caller(request)
      const obstacle = parts.submit.obstacle()
      if (obstacle !== null) throw unavailable(obstacle)
      const outcome = await inTime(parts.submit.retry(request.params.id, user, scope), LIMITS.api.submitMs, parts.clock)
      if (outcome === 'late') throw unavailable('It is not confirmed to be on disk yet. Look again in a moment before repeating it.')
      if (outcome.kind !== 'done') throw new ApiProblem(outcome.kind, outcome.sentence)
      return { accepted: outcome.accepted, rejected: [...outcome.rejected] }
    }
  })
}
