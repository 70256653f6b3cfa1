// The history of one metric: raw, or as intervals. However the question is put, the answer is bounded.

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { bucketCount, smallestEvery } from '../../history/stretch.ts'
import { QUALITIES } from '../../model/quality.ts'
import { formatDuration, parseDuration } from '../../platform/duration.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { Id, Instant, itemCount, Next, Time } from '../shapes.ts'
import { instant } from '../views.ts'
import { deviceNumber } from './devices.ts'

const MOST = LIMITS.history.rowsPerQuery
const RAW_PER_PAGE = 1_000
const DEFAULT_WINDOW_MS = 24 * 3_600_000

const ReadingQuery = z.object({
  device: Id,
  metric: z.string().max(128).meta({ example: 'level_pct' }),
  from: Time.optional().meta({ description: 'Default: 24 h before `to`' }),
  to: Time.optional().meta({ description: 'Up to, not including; default: now' }),
  every: z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== null && ms > 0) return ms
      context.issues.push({ code: 'custom', input: text, message: 'not a duration: use a number with a unit, as 10s, 5m or 1h' })
      return z.NEVER
    })
    .optional()
    .meta({ description: 'Length of an interval; left out: raw readings', example: '5m' }),
  limit: itemCount(MOST)
    .optional()
    .meta({ description: `Items in one page, at most ${MOST}; default ${RAW_PER_PAGE}, with \`every\` ${MOST}` }),
  cursor: z.string().max(512).optional()
})

const Reading = z.object({ at: Instant, value: z.number().nullable(), quality: z.enum(QUALITIES) }).meta({ id: 'Reading' })
const Bucket = z
  .object({ at: Instant, min: z.number(), max: z.number(), avg: z.number(), last: z.number(), count: z.number() })
  .meta({ id: 'Interval', description: 'The usable values in [at, at + every); intervals without any are left out' })

export function readingRoutes(api: Api, parts: ApiParts): void {
  const { history, plant, clock } = parts
  api.route({
    method: 'GET',
    url: '/api/v1/readings',
    config: { needs: 'viewer' },
    schema: {
      tags: ['devices'],
      summary: 'The history of one metric of one device',
      description: `In time order. With \`every\`: smallest, largest, mean and last value of each interval, at most ${MOST} intervals.`,
      querystring: ReadingQuery,
      response: { 200: z.union([z.object({ items: z.array(Reading), next: Next }), z.object({ items: z.array(Bucket), next: Next })]) }
    },
    handler: async (request, reply) => {
      const { device, metric, every, cursor } = request.query
      const view = plant()
      const metrics = view.fleet.profiles[deviceNumber(view, device, request)]?.metrics ?? []
      if (!metrics.some(({ id }) => id === metric)) {
        throw new ApiProblem('unknown', `${device} has no metric ${metric}; it has ${metrics.map(({ id }) => id).join(', ')}.`)
      }
      const { from, to } = stretch(request.query, clock.now())
      const start = cursor === undefined ? from : Math.max(from, readCursor(cursor, 'number'))
      if (every === undefined) {
        const limit = request.query.limit ?? RAW_PER_PAGE
        const rows = await history.readings({ device, metric, from: start, to, limit })
        const items = rows.map(({ at, value, quality }) => ({ at: instant(at), value, quality }))
        const last = rows.at(-1)
        return answer(reply, items, last === undefined || rows.length < limit ? null : cursorAfter(last.at + 1))
      }
      refuseTooMany(from, to, every)
      const limit = request.query.limit ?? MOST
      const rows = await history.buckets({ device, metric, from: start, to, everyMs: every, limit: MOST })
      const items = rows.slice(0, limit).map(({ at, min, max, avg, last, count }) => ({ at: instant(at), min, max, avg, last, count }))
      const further = rows[limit]
      return answer(reply, items, further === undefined ? null : cursorAfter(further.at))
    }
  })
}

/** Ten thousand items of our own making are not held against their shape one by one. */
function answer(reply: FastifyReply, items: readonly unknown[], next: string | null): never {
  return reply.type('application/json').send(JSON.stringify({ items, next })) as never
}

function stretch(query: { from?: number | undefined; to?: number | undefined }, now: number): { from: number; to: number } {
  const to = query.to ?? now + 1
  const from = query.from ?? to - DEFAULT_WINDOW_MS
  if (from < to) return { from, to }
  throw new ApiProblem('invalid', `The window is empty: from ${instant(from)} is not before to ${instant(to)}.`, {
    faults: [{ at: 'from', problem: 'not before to' }]
  })
}

/** Refuses a question with more intervals than one answer may hold, naming the shortest interval that fits. */
function refuseTooMany(from: number, to: number, every: number): void {
  const count = bucketCount(from, to, every)
  if (count <= MOST) return
  const fits = formatDuration(smallestEvery(from, to, MOST))
  const sentence = `every=${formatDuration(every)} from ${instant(from)} to ${instant(to)} makes ${count} intervals; at most ${MOST} are answered. Ask for every=${fits} or longer, or for a shorter window.`
  throw new ApiProblem('invalid', sentence, { faults: [{ at: 'every', problem: sentence }] })
}
