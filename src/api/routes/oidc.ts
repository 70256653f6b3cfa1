// Signing in at an OpenID Connect provider: the browser is sent there, and comes back with a code. Both are navigations of the
// browser, so what goes wrong is a page.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { escaped } from '../../platform/html.ts'
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
  return reply
    .code(kind === 'unavailable' ? 503 : 403)
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(refusedPage(kind, sentence) as never) as never
}

const SAID = {
  unavailable: '统一登录暂时不可用：请用本地账号登录，或稍后再试。',
  forbidden: '没有登录成功：登录已过期、被取消，或您在本系统没有权限。请重新登录；仍不行时请联系管理员。'
} as const

/** The way back leads to the start of the console, which knows where one was. */
function refusedPage(kind: keyof typeof SAID, sentence: string): string {
  const head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>烽火 Fenghuo</title>'
  const back = '<p><a href="/">返回登录 · Back to the sign-in</a></p>'
  const style = 'font-family:sans-serif;line-height:1.5;max-width:40em;margin:1.5em auto;padding:0 1em;color:#111;background:#fff'
  return `<!doctype html><html lang="zh-CN"><head>${head}</head><body style="${style}"><main><h1 style="font-size:1.3em">登录未成功 · Not signed in</h1><p>${SAID[kind]}</p><p lang="en">${escaped(sentence)}</p>${back}</main></body></html>`
}
