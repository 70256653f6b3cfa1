// What comes from outside sessions: vendors' callbacks, which prove themselves to their channel, and the one-time links that
// people acknowledge by. A link's page is looked at by GET, also by programs that fetch previews; only its button acknowledges.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Language } from '../../model/text.ts'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import type { Api } from '../api.ts'
import { inTime } from '../inTime.ts'
import { type LinkAnswer, type LinkTrouble, linkPage, troublePage } from '../linkPage.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem, problemOf } from '../problems.ts'

const perMinute = (max: number) => ({ max, timeWindow: 60_000 })

export function outsideRoutes(api: Api, parts: ApiParts): void {
  const { telling, log } = parts
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
      handler: async ({ params: { token } }, reply) => {
        const answer = method === 'GET' ? linkPage(await telling.link(token), false) : await pressed(parts, token)
        return sendPage(reply, answer)
      },
      // Whoever holds the phone reads a page, whatever goes wrong.
      errorHandler: async (error, request, reply) => {
        const problem = problemOf(error)
        const { token = '' } = request.params as { token?: string }
        const trouble = troubleOf(problem)
        if (problem.kind === 'internal') log.error(`a one-time link failed: ${messageOf(error)}`)
        const answer = troublePage(trouble, await languageOf(parts, token))
        return sendPage(reply.headers(problem.headers), answer) as never
      }
    })
  }
}

/** Whether somebody wanted the page of a one-time link: however wrong the path is, it is then answered by a page. */
export function wantsLink({ url }: Pick<FastifyRequest, 'url'>): boolean {
  return url.startsWith('/a/')
}

/** For a path that no link of this service has. */
export function sendNoLink(reply: FastifyReply): FastifyReply {
  return sendPage(reply, troublePage('unknown', null))
}

/** Presses the button, where the service can take it and says so in time. */
async function pressed({ telling, submit, clock, log }: ApiParts, token: string): Promise<LinkAnswer> {
  const before = await telling.link(token)
  if (before.kind !== 'open') return linkPage(before, true)
  const language = before.row.language === 'en' ? 'en' : 'zh'
  if (submit.obstacle() !== null) return troublePage('refused', language)
  const after = await inTime(telling.press(token), LIMITS.api.submitMs, clock).catch((cause) => {
    log.error(`a press of a one-time link could not be taken: ${messageOf(cause)}`)
    return null
  })
  if (after === null || after === 'late') return troublePage(after === null ? 'refused' : 'late', language)
  return linkPage(after, true)
}

function troubleOf({ kind }: ApiProblem): LinkTrouble {
  if (kind === 'tooMany') return 'tooMany'
  if (kind === 'tooLarge') return 'tooLarge'
  if (kind === 'unavailable') return 'refused'
  return kind === 'invalid' || kind === 'unknown' ? 'unknown' : 'fault'
}

/** Of the message behind a link; null: it cannot be told. */
async function languageOf({ telling }: ApiParts, token: string): Promise<Language | null> {
  const link = await telling.link(token).catch(() => null)
  if (link === null || link.kind === 'unknown' || link.kind === 'gone') return null
  return link.kind === 'expired' ? link.language : link.row.language === 'en' ? 'en' : 'zh'
}

function sendPage(reply: FastifyReply, { status, page }: LinkAnswer): FastifyReply {
  const headers = { 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex', 'cache-control': 'no-store' }
  return reply.code(status).headers(headers).type('text/html; charset=utf-8').send(page)
}

function callbackOf(request: FastifyRequest): Parameters<ApiParts['telling']['callback']>[1] {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')])
  )
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
  return { method: request.method, url: request.url, headers, body }
}
