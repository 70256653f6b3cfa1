// What comes from outside sessions: vendors' callbacks, which prove themselves to their channel, and the one-time links that
// people acknowledge by. A link's page is looked at by GET, also by programs that fetch previews; only its button acknowledges.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { linkPage } from '../linkPage.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'

const perMinute = (max: number) => ({ max, timeWindow: 60_000 })

export function outsideRoutes(api: Api, { telling, log }: ApiParts): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const { callbackBytes, callbacksPerMinute, linksPerMinute } = LIMITS.courier
  for (const method of ['GET', 'POST'] as const) {
    api.route({
      method,
      url: '/api/v1/callbacks/:channel/:secret',
      bodyLimit: callbackBytes,
      config: { needs: 'nobody', rateLimit: perMinute(callbacksPerMinute), answers: '*/*' },
      schema: {
        tags: ['notifications'],
        summary: `Receipts and answers from a provider (${method})`,
        description: 'The channel decides whether a callback proves where it comes from.',
        params: z.object({ channel: z.string().max(64), secret: z.string().max(128) })
      },
      handler: async (request, reply) => {
        const { channel } = request.params
        const outcome = await telling.callback(channel, callbackOf(request))
        if (outcome === null) throw new ApiProblem('unknown', `There is no channel ${channel} that is called back.`)
        if (outcome.kind === 'refused') {
          log.warn(`a callback for channel ${channel} was refused: ${outcome.problem}`)
          throw new ApiProblem('forbidden', `Refused: ${outcome.problem}.`)
        }
        return reply.type(outcome.reply.contentType).send(outcome.reply.body as never)
      }
    })
    api.route({
      method,
      url: '/a/:token',
      bodyLimit: 4096,
      config: { needs: 'nobody', rateLimit: perMinute(linksPerMinute), answers: 'text/html' },
      schema: {
        tags: ['notifications'],
        summary: method === 'GET' ? 'The page of a one-time link' : 'Acknowledge by a one-time link',
        params: z.object({ token: z.string().max(128) })
      },
      handler: async (request, reply) => {
        const { token } = request.params
        const link = method === 'GET' ? await telling.link(token) : await telling.press(token)
        const status = link.kind === 'unknown' ? 404 : link.kind === 'expired' ? 410 : 200
        const headers = { 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' }
        return reply
          .code(status)
          .headers(headers)
          .type('text/html; charset=utf-8')
          .send(linkPage(link, method === 'POST') as never)
      }
    })
  }
}

function callbackOf(request: FastifyRequest): Parameters<ApiParts['telling']['callback']>[1] {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')])
  )
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
  return { method: request.method, url: request.url, headers, body }
}
