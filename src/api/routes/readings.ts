// The history of one metric: raw, or as intervals. However the question is put, the answer is bounded.

import { z } from 'zod'
import { QUALITIES } from '../../model/quality.ts'
import { formatDuration, parseDuration } from '../../platform/duration.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { Id, Instant, Next, pageLimit, Time } from '../shapes.ts'
import { instant } from '../views.ts'
import { deviceNumber } from './devices.ts'

const MOST = LIMITS.history.rowsPerQuery
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
  limit: pageLimit(1000, MOST),
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
    handler: async (request) => {
      const { device, metric, every, limit, cursor } = request.query
      const view = plant()
      const metrics = view.fleet.profiles[deviceNumber(view, device, request)]?.metrics ?? []
      if (!metrics.some(({ id }) => id === metric)) {
        throw new ApiProblem('unknown', `${device} has no metric ${metric}; it has ${metrics.map(({ id }) => id).join(', ')}.`)
      }
      const { from, to } = stretch(request.query, clock.now())
      const after = cursor === undefined ? undefined : readCursor(cursor, 'number')
      if (every === undefined) {
        const rows = await history.readings({ device, metric, from, to, limit, ...(after === undefined ? {} : { after }) })
        const items = rows.map(({ at, value, quality }) => ({ at: instant(at), value, quality }))
        const last = rows.at(-1)
        return { items, next: last === undefined || rows.length < limit ? null : cursorAfter(last.at) }
      }
      refuseTooMany(from, to, every)
      const rows = await history.buckets({ device, metric, from: after === undefined ? from : after + every, to, everyMs: every, limit })
      const items = rows.map(({ at, min, max, avg, last, count }) => ({ at: instant(at), min, max, avg, last, count }))
      const last = rows.at(-1)
      return { items, next: last === undefined || rows.length < limit ? null : cursorAfter(last.at) }
    }
  })
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
  const count = Math.ceil(to / every) - Math.floor(from / every)
  if (count <= MOST) return
  const least = Math.ceil((to - from) / (MOST - 1) / 1000) * 1000
  const sentence = `every ${formatDuration(every)} from ${instant(from)} to ${instant(to)} makes ${count} intervals; at most ${MOST} are answered. Ask for every=${formatDuration(least)} or a shorter window.`
  throw new ApiProblem('invalid', sentence, { faults: [{ at: 'every', problem: sentence }] })
}
