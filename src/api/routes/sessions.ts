// Who is signed in, and ending that; one's own password.

import { z } from 'zod'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller, refusedSignIn, SESSION_COOKIE } from '../session.ts'
import { Instant } from '../shapes.ts'
import { instant } from '../views.ts'

const SessionEntry = z
  .object({
    id: z.string(),
    user: z.string(),
    startedAt: Instant,
    lastSeenAt: Instant.meta({ description: 'To the minute' }),
    from: z.string().meta({ description: 'The network address it began from' }),
    current: z.boolean().meta({ description: 'true: the one that asks' })
  })
  .meta({ id: 'SessionEntry' })

const NewPassword = z.object({
  present: z.string().min(1).max(LIMITS.access.passwordLength),
  password: z.string().max(LIMITS.access.passwordLength).meta({ description: 'At least 8 characters; what is tried first is refused' })
})

export function sessionsRoutes(api: Api, { access }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/sessions',
    config: { needs: 'viewer' },
    schema: {
      tags: ['session'],
      summary: 'Sessions that have not ended',
      description: `One's own; an administrator's answer has those of all users in scope. The last used first, at most ${LIMITS.api.itemsPerPage}.`,
      response: { 200: z.object({ items: z.array(SessionEntry) }) }
    },
    handler: async (request) => {
      const by = caller(request)
      const cookie = request.cookies[SESSION_COOKIE]
      const own = by.via === 'session' && cookie !== undefined ? access.sessionId(cookie) : null
      const items = (await access.sessions(by)).map((one) => ({
        ...one,
        startedAt: instant(one.startedAt),
        lastSeenAt: instant(one.lastSeenAt),
        current: one.id === own
      }))
      return { items }
    }
  })
  api.route({
    method: 'DELETE',
    url: '/api/v1/sessions/:id',
    config: { needs: 'viewer' },
    schema: {
      tags: ['session'],
      summary: 'End a session at once, with its live streams',
      params: z.object({ id: z.string().max(64) }),
      response: { 204: z.null().meta({ description: 'Ended' }) }
    },
    handler: async (request, reply) => {
      const { id } = request.params
      if (!(await access.endSession(caller(request), id))) throw new ApiProblem('unknown', `There is no session ${id} that you may end.`)
      return reply.code(204).send(null)
    }
  })
  api.route({
    method: 'POST',
    url: '/api/v1/session/password',
    config: { needs: 'viewer', rateLimit: { max: LIMITS.api.signInsPerMinute, timeWindow: 60_000 } },
    schema: {
      tags: ['session'],
      summary: 'Change one’s own password',
      description: 'Ends one’s other sessions; API tokens stay.',
      body: NewPassword,
      response: { 204: z.null().meta({ description: 'Changed' }) }
    },
    handler: async (request, reply) => {
      const secret = request.cookies[SESSION_COOKIE]
      if (caller(request).via !== 'session' || secret === undefined)
        throw new ApiProblem('forbidden', 'A password is changed by whoever is signed in with it, not by an API token.')
      const { present, password } = request.body
      const outcome = await access.changePassword(secret, present, password, request.ip)
      if ('problem' in outcome)
        throw new ApiProblem('invalid', outcome.problem, { faults: [{ at: '/password', problem: outcome.problem }] })
      if (outcome.kind === 'refused') {
        // A wrong password here is no reason to sign the browser out.
        if (outcome.reason === 'credentials') throw new ApiProblem('forbidden', 'The present password is wrong: try again.')
        throw refusedSignIn(outcome)
      }
      return reply.code(204).send(null)
    }
  })
}
