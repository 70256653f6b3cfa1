// Signing in and out, and who one is.

import { z } from 'zod'
import type { Access } from '../../access/access.ts'
import { type Identity, ROLES } from '../../access/roles.ts'
import { grantsOf } from '../../model/scope.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { GRANTS } from '../grants.ts'
import type { ApiParts } from '../parts.ts'
import { caller, refusedSignIn, refuseForeignOrigin, SESSION_COOKIE, setSessionCookie } from '../session.ts'
import { grantsBody } from '../views.ts'

const Session = z
  .object({
    username: z.string(),
    role: z.enum(ROLES),
    ...GRANTS,
    via: z.enum(['session', 'token']),
    external: z.boolean().meta({ description: 'Signs in by OpenID Connect, and has no password here' }),
    signOutAt: z.url().nullable().meta({
      description:
        'Where a browser goes after DELETE /session to end the session of the OpenID Connect provider too: the next person at the desk would come in by it. null: nowhere'
    })
  })
  .meta({
    id: 'Session',
    example: { username: 'admin', role: 'admin', enterprises: null, sites: null, via: 'session', external: false, signOutAt: null }
  })

const Credentials = z
  .object({ username: z.string().min(1).max(128), password: z.string().min(1).max(1024) })
  .meta({ example: { username: 'admin', password: '…' } })

export function sessionRoutes(api: Api, parts: ApiParts): void {
  const { access } = parts
  api.route({
    method: 'POST',
    url: '/api/v1/session',
    config: {
      needs: 'nobody',
      rateLimit: { max: LIMITS.api.signInsPerMinute, timeWindow: 60_000 }
    },
    schema: {
      tags: ['session'],
      summary: 'Sign in',
      description: 'Sets the session cookie `fenghuo_session` (HttpOnly, SameSite=Lax). Programs use API tokens instead.',
      body: Credentials,
      response: { 200: Session }
    },
    preValidation: async (request) => refuseForeignOrigin(request),
    handler: async (request, reply) => {
      const { username, password } = request.body
      const outcome = await access.login(username, password, request.ip)
      if (outcome.kind === 'refused') throw refusedSignIn(outcome)
      setSessionCookie(request, reply, outcome.secret, outcome.identity.expiresAt)
      return body(outcome.identity, access)
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/session',
    config: { needs: 'viewer' },
    schema: { tags: ['session'], summary: 'Who am I', response: { 200: Session } },
    handler: async (request) => body(caller(request), access)
  })
  api.route({
    method: 'DELETE',
    url: '/api/v1/session',
    config: { needs: 'nobody' },
    schema: {
      tags: ['session'],
      summary: 'Sign out',
      response: { 204: z.null().meta({ description: 'Signed out, whether one was signed in or not' }) }
    },
    handler: async (request, reply) => {
      const secret = request.cookies[SESSION_COOKIE]
      if (secret !== undefined) {
        refuseForeignOrigin(request)
        await access.logout(secret)
        reply.clearCookie(SESSION_COOKIE, { path: '/' })
      }
      return reply.code(204).send(null)
    }
  })
}

async function body(identity: Identity, access: Access): Promise<z.infer<typeof Session>> {
  const { user, role, scope, via } = identity
  const { external, signOutAt } = await access.elsewhereOf(user)
  return { username: user, role, ...grantsBody(grantsOf(scope)), via, external, signOutAt: via === 'session' ? signOutAt : null }
}
