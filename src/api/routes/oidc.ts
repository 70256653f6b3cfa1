// Signing in at an OpenID Connect provider: the browser is sent there, and comes back with a code. Both are navigations of the
// browser, so what goes wrong is a page.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { setSessionCookie } from '../session.ts'
import { Text } from '../shapes.ts'

const TICKET = 'fenghuo_oidc'
const HERE = '/api/v1/session/oidc'
const OFTEN = { max: LIMITS.api.signInsPerMinute, timeWindow: 60_000 }
const AWAY = z.null().meta({ description: 'Somewhere else' })

const Ways = z
  .object({
    local: z.literal(true).meta({ description: 'By name and password, POST /session' }),
    oidc: z
      .object({ name: Text, begin: z.string().meta({ example: HERE, description: 'To navigate to' }), available: z.boolean() })
      .nullable()
      .meta({ description: 'null: there is no such way' })
  })
  .meta({ id: 'SignInWays' })

export function oidcRoutes(api: Api, { access }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/session/ways',
    config: { needs: 'nobody' },
    schema: { tags: ['session'], summary: 'The ways to sign in', response: { 200: Ways } },
    handler: async () => {
      const { elsewhere } = access
      const oidc = elsewhere === null ? null : { name: elsewhere.settings.name, begin: HERE, available: elsewhere.problem === null }
      return { local: true as const, oidc }
    }
  })
  api.route({
    method: 'GET',
    url: HERE,
    exposeHeadRoute: false,
    config: { needs: 'nobody', rateLimit: OFTEN },
    schema: { tags: ['session'], summary: 'Begin to sign in at the OpenID Connect provider', response: { 302: AWAY } },
    handler: async (request, reply) => {
      if (access.elsewhere === null) throw new ApiProblem('unknown', 'There are only local accounts here.')
      const begun = await access.elsewhere.begin()
      if (begun.kind === 'refused') return refuse(request, reply, begun)
      const { url, ticket } = begun
      const maxAge = LIMITS.access.oidcBegunMs / 1000
      // Lax: it has to come along when the provider sends the browser back.
      const cookie = { path: HERE, httpOnly: true, sameSite: 'lax', secure: request.protocol === 'https', maxAge } as const
      return reply.setCookie(TICKET, ticket, cookie).redirect(url, 302) as never
    }
  })
  api.route({
    method: 'GET',
    url: `${HERE}/callback`,
    exposeHeadRoute: false,
    config: { needs: 'nobody', rateLimit: OFTEN },
    schema: {
      tags: ['session'],
      summary: 'Where the OpenID Connect provider sends the browser back to',
      description: 'Sets the session cookie and sends the browser to the console.',
      response: { 302: AWAY }
    },
    handler: async (request, reply) => {
      const { searchParams } = new URL(request.url, 'http://here')
      reply.clearCookie(TICKET, { path: HERE })
      const outcome = await access.loginElsewhere(searchParams, request.cookies[TICKET] ?? '', request.ip)
      if (outcome.kind === 'refused') return refuse(request, reply, outcome)
      setSessionCookie(request, reply, outcome.secret, outcome.identity.expiresAt)
      return reply.redirect('/', 302) as never
    }
  })
}

/** A page for people, a problem for programs. */
function refuse(request: FastifyRequest, reply: FastifyReply, { reason, sentence }: { reason: string; sentence: string }): never {
  const kind = reason === 'unavailable' ? 'unavailable' : 'forbidden'
  if (!(request.headers.accept ?? '').includes('text/html')) throw new ApiProblem(kind, sentence)
  const shown = sentence.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Fenghuo</title><p>${shown}</p><p><a href="/">返回登录 · Back to the sign-in</a></p></html>`
  return reply
    .code(kind === 'unavailable' ? 503 : 403)
    .type('text/html; charset=utf-8')
    .send(page as never) as never
}
