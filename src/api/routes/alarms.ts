// Alarms: the list, one with its story, and what an operator does to it. An action goes through the journal like every
// other input; the answer is the alarm after it was applied.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { actionOutcome, actionRules, type RefusalReason } from '../../alerts/actions.ts'
import type { BookedAlarm } from '../../alerts/booked.ts'
import { isStanding } from '../../alerts/fold.ts'
import { type Alarm, alarmEventLine, OPERATOR_ACTIONS } from '../../model/alarm.ts'
import type { OperatorActionBody } from '../../model/journal.ts'
import type { Plant } from '../../model/plant.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { inTime } from '../inTime.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { withKnownPeople } from '../people.ts'
import { ApiProblem, type ProblemKind, unavailable } from '../problems.ts'
import { reasonText } from '../reasons.ts'
import { caller } from '../session.ts'
import { AlarmBody, AlarmDetail, type EventBody, Id, Next, pageLimit, Time } from '../shapes.ts'
import { alarmBody } from '../views.ts'
import { notificationBody } from './notifications.ts'

const Flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional()

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
  shelved: Flag.meta({ description: 'true: the shelved ones, also those that are normal; false: without them' }),
  suppressed: Flag.meta({ description: 'The same for alarms suppressed by design' }),
  outOfService: Flag.meta({ description: 'The same for alarms of what is out of service' }),
  limit: pageLimit(100),
  cursor: z.string().max(512).optional()
})

const AlarmParams = z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'tank-level/T-101#1767225605000' }) })

const ActionBody = z
  .object({
    note: z.string().max(LIMITS.book.noteLength).nullable().optional(),
    until: Time.nullable().optional().meta({ description: 'shelve: until when; with a note that says why' }),
    assignee: z.string().max(128).nullable().optional().meta({ description: 'assign: to whom, of GET /people/choices; null: to nobody' }),
    disposition: z
      .string()
      .max(128)
      .nullable()
      .optional()
      .meta({ description: 'close: real, instrumentFault, maintenance, test or communication' }),
    verifier: z
      .string()
      .max(128)
      .nullable()
      .optional()
      .meta({ description: 'close: who has verified it, somebody else; of GET /people/choices' })
  })
  .nullable()
  .optional()
  .meta({ example: { note: 'seen, on my way' } })

const KIND_OF: Record<RefusalReason, ProblemKind> = {
  unknownAlarm: 'unknown',
  conflict: 'conflict',
  invalid: 'invalid',
  forbidden: 'forbidden'
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
      const page = await book.list({ ...filter, tiers: tier }, { limit, cursor }, caller(request).scope)
      if ('problem' in page) throw badCursor(page.problem)
      const view = plant()
      return { items: page.items.map((alarm) => alarmBody(alarm, view)), next: page.next }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/alarms/:id',
    config: { needs: 'viewer' },
    schema: { tags: ['alarms'], summary: 'One alarm with its events', params: AlarmParams, response: { 200: AlarmDetail } },
    handler: async (request) => {
      const { id } = request.params
      const found = await book.get(id, caller(request).scope)
      if (found === null) throw noSuchAlarm(id)
      const told = await parts.telling.notices.ofAlarm(id, caller(request).scope)
      const { fleet } = plant()
      const events = found.events.map(({ event }) => {
        const line = JSON.parse(alarmEventLine(event)) as z.infer<typeof EventBody>
        return 'because' in line ? { ...line, becauseText: reasonText(line.because, fleet, found.alarm.device) } : line
      })
      const notifications = told.map((notice) => notificationBody(notice, caller(request)))
      return { ...alarmBody(found.alarm, plant()), events, notifications, demands: demandsOn(found.alarm, plant().fleet.plant) }
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
        const { note = null, ...details } = request.body ?? {}
        const body: OperatorActionBody = { id: request.params.id, action, note, ...details, role: caller(request).role, identities: true }
        return alarmBody(await act(parts, request, body), plant())
      }
    })
  }
}

function demandsOn({ rule, tier }: Alarm, plant: Plant): z.infer<typeof AlarmDetail>['demands'] {
  const { noteRequired, shelvingMs } = actionRules(plant, rule)
  return { noteRequired, latched: plant.rules.find(({ id }) => id === rule)?.latched === true, longestShelfMs: shelvingMs[tier] }
}

/** Journals the action and answers the alarm as it then is. */
async function act(parts: ApiParts, request: FastifyRequest, asked: OperatorActionBody): Promise<BookedAlarm> {
  const { book, clock, plant } = parts
  const { user, scope } = caller(request)
  const before = await book.alarm(asked.id, scope)
  const named = before === null ? asked : await withKnownPeople(parts, asked, before, scope)
  // The desk may have forgotten an alarm that is over: it is told what the book knows.
  const body = before === null || isStanding(before) ? named : { ...named, alarm: plainAlarm(before) }
  const outcomeOn = (alarm: BookedAlarm | null) =>
    actionOutcome(alarm, body, user, clock.now(), actionRules(plant().fleet.plant, alarm?.rule ?? ''))
  const outcome = outcomeOn(before)
  if (outcome.kind === 'refused') throw new ApiProblem(KIND_OF[outcome.reason], outcome.sentence)
  if (before === null) throw noSuchAlarm(body.id)
  if (outcome.kind === 'unchanged') return before
  await submitted(parts, body, user)
  const after = (await book.alarm(body.id, scope)) ?? before
  // Somebody may have been quicker while this action was on its way.
  const now = isDone(body, user, after) ? outcome : outcomeOn(after)
  if (now.kind === 'refused') throw new ApiProblem(KIND_OF[now.reason], now.sentence)
  if (body.action === 'reset' && after.clearedAt === null) {
    const sentence = `Alarm ${body.id} is still on (${after.because}). A latched alarm can be reset once its values show that the cause is gone; any other clears by itself.`
    throw new ApiProblem('conflict', sentence)
  }
  return after
}

/** Journals the action; resolves once it is applied. Throws an ApiProblem where that cannot be, or is not certain. */
export async function submitted(
  { submit, clock }: ApiParts,
  body: Parameters<ApiParts['submit']['action']>[0],
  user: string
): Promise<void> {
  const obstacle = submit.obstacle()
  if (obstacle !== null) throw unavailable(obstacle)
  const applied = await inTime(submit.action(body, user), LIMITS.api.submitMs, clock)
  if (applied === 'late') throw unavailable('The action is not confirmed to be on disk yet. Look again in a moment before repeating it.')
}

/** Whether the alarm is as this action would have it. Of the actions that two people may race for. */
function isDone({ action, until }: OperatorActionBody, user: string, { shelved }: Alarm): boolean {
  if (action === 'shelve') return shelved !== null && shelved.by === user && shelved.until === until
  return action !== 'acknowledge' && action !== 'close'
}

function plainAlarm({ inArea, site, enterprise, lastEvent, ...alarm }: BookedAlarm): Alarm {
  return alarm
}

function noSuchAlarm(id: string): ApiProblem {
  return new ApiProblem('unknown', `There is no alarm ${id} that you may see.`)
}
