// Alarms: the list, one with its story, and what an operator does to it. An action goes through the journal like every
// other input; the answer is the alarm after it was applied.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { actionOutcome } from '../../alerts/actions.ts'
import type { BookedAlarm } from '../../alerts/booked.ts'
import { alarmEventLine, OPERATOR_ACTIONS } from '../../model/alarm.ts'
import type { OperatorActionBody } from '../../model/journal.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { inTime } from '../inTime.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem, type ProblemKind } from '../problems.ts'
import { caller } from '../session.ts'
import { AlarmBody, AlarmDetail, type EventBody, Id, Next, pageLimit, Time } from '../shapes.ts'
import { alarmBody } from '../views.ts'

const AlarmQuery = z.object({
  state: z.enum(['active', 'all']).default('active').meta({ description: 'active: not cleared, or not acknowledged' }),
  tier: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(TIERS, { error: `tiers are ${TIERS.join(', ')}` })).max(TIERS.length))
    .optional()
    .meta({ description: 'One tier, or several with commas', example: 'orange,red' }),
  site: Id.optional(),
  enterprise: Id.optional(),
  device: Id.optional(),
  from: Time.optional().meta({ description: 'Raised at or after' }),
  to: Time.optional().meta({ description: 'Raised before' }),
  limit: pageLimit(100),
  cursor: z.string().max(512).optional()
})

const AlarmParams = z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'tank-level/T-101#1767225605000' }) })

const ActionBody = z
  .object({
    note: z.string().max(LIMITS.book.noteLength).nullable().optional(),
    until: Time.nullable().optional().meta({ description: 'shelve: until when' }),
    assignee: z.string().max(128).nullable().optional(),
    disposition: z.string().max(128).nullable().optional()
  })
  .nullable()
  .optional()
  .meta({ example: { note: 'seen, on my way' } })

const KIND_OF: Record<'unknownAlarm' | 'conflict' | 'invalid' | 'unsupported', ProblemKind> = {
  unknownAlarm: 'unknown',
  conflict: 'conflict',
  invalid: 'invalid',
  unsupported: 'notBuilt'
}

export function alarmRoutes(api: Api, parts: ApiParts): void {
  const { book, plant } = parts
  api.route({
    method: 'GET',
    url: '/api/v1/alarms',
    config: { needs: 'viewer' },
    schema: {
      tags: ['alarms'],
      summary: 'Alarms',
      description: 'Active ones: highest tier first, then newest. With `state=all`: newest first.',
      querystring: AlarmQuery,
      response: { 200: z.object({ items: z.array(AlarmBody), next: Next }) }
    },
    handler: async (request) => {
      const { tier, limit, cursor, ...filter } = request.query
      const page = await book.list({ ...filter, tiers: tier }, { limit, cursor }, caller(request).enterprises)
      if ('problem' in page) throw badCursor(page.problem)
      const { fleet } = plant()
      return { items: page.items.map((alarm) => alarmBody(alarm, fleet)), next: page.next }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/alarms/:id',
    config: { needs: 'viewer' },
    schema: { tags: ['alarms'], summary: 'One alarm with its events', params: AlarmParams, response: { 200: AlarmDetail } },
    handler: async (request) => {
      const { id } = request.params
      const found = await book.get(id, caller(request).enterprises)
      if (found === null) throw noSuchAlarm(id)
      const events = found.events.map(({ event }) => JSON.parse(alarmEventLine(event)) as z.infer<typeof EventBody>)
      return { ...alarmBody(found.alarm, plant().fleet), events, notifications: [] }
    }
  })
  for (const action of OPERATOR_ACTIONS) {
    api.route({
      method: 'POST',
      url: `/api/v1/alarms/:id/${action}`,
      config: { needs: 'operator' },
      schema: {
        tags: ['alarms'],
        summary: `${action.charAt(0).toUpperCase()}${action.slice(1)} an alarm`,
        params: AlarmParams,
        body: ActionBody,
        response: { 200: AlarmBody }
      },
      handler: async (request) => {
        const body: OperatorActionBody = { id: request.params.id, action, note: request.body?.note ?? null }
        return alarmBody(await act(parts, request, body), plant().fleet)
      }
    })
  }
}

/** Journals the action and answers the alarm as it then is. */
async function act(parts: ApiParts, request: FastifyRequest, body: OperatorActionBody): Promise<BookedAlarm> {
  const { book, submit, clock } = parts
  const { user, enterprises } = caller(request)
  const before = await book.alarm(body.id, enterprises)
  const outcome = actionOutcome(before, body, user)
  if (outcome.kind === 'refused') throw new ApiProblem(KIND_OF[outcome.reason], outcome.sentence)
  if (before === null) throw noSuchAlarm(body.id)
  if (outcome.kind === 'unchanged') return before
  const obstacle = submit.obstacle()
  if (obstacle !== null) throw unavailable(obstacle)
  const applied = await inTime(submit.action(body, user), LIMITS.api.submitMs, clock)
  if (applied === 'late') {
    throw unavailable('The action is not confirmed to be on disk yet. Look at the alarm again in a moment before repeating it.')
  }
  const after = (await book.alarm(body.id, enterprises)) ?? before
  // Somebody may have been quicker while this action was on its way.
  const now = body.action === 'acknowledge' ? actionOutcome(after, body, user) : outcome
  if (now.kind === 'refused') throw new ApiProblem(KIND_OF[now.reason], now.sentence)
  if (body.action === 'reset' && after.clearedAt === null) {
    const sentence = `Alarm ${body.id} is still on (${after.because}). A latched alarm can be reset once its cause is gone; any other clears by itself.`
    throw new ApiProblem('conflict', sentence)
  }
  return after
}

function noSuchAlarm(id: string): ApiProblem {
  return new ApiProblem('unknown', `There is no alarm ${id} that you may see.`)
}

function unavailable(sentence: string): ApiProblem {
  return new ApiProblem('unavailable', sentence, { headers: { 'retry-after': '5' } })
}
