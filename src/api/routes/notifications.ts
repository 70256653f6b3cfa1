// Who was told what, with what success, and who was not, and why; dead letters; what people answered; drills.

import { z } from 'zod'
import { type Identity, mayAct } from '../../access/roles.ts'
import { maskedAddress, type Notice } from '../../alerts/notices.ts'
import type { SeenSender } from '../../alerts/roster.ts'
import { NOTIFICATION_STATES } from '../../model/notification.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { badCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, Next, NotificationBody, Nullable, pageLimit, Time } from '../shapes.ts'
import { instant } from '../views.ts'

const AnswerBody = z
  .object({
    at: Instant,
    channel: z.string(),
    address: z.string(),
    text: z.string(),
    person: Nullable,
    alarm: Nullable,
    outcome: z.string().meta({ description: 'acknowledged, drill, unknownText, unknownSender, nothingOpen' })
  })
  .meta({ id: 'Answer' })

const NotificationQuery = z.object({
  state: z.enum(NOTIFICATION_STATES).optional(),
  alarm: z.string().max(LIMITS.api.idLength).optional(),
  person: Id.optional(),
  from: Time.optional(),
  to: Time.optional(),
  limit: pageLimit(100),
  cursor: z.string().max(512).optional()
})

const SenderBody = z
  .object({
    id: z.string(),
    role: z.enum(['service', 'worker']),
    host: z.string(),
    pid: z.number(),
    version: z.string(),
    startedAt: Instant,
    beatAt: Instant.meta({ description: 'When it last said that it lives, by its own clock' }),
    alive: z.boolean(),
    sends: z.boolean().meta({ description: 'false: it leaves sending to others at the moment' }),
    sending: z.number().meta({ description: 'Being sent at this moment' }),
    sent: z.number().meta({ description: 'Accepted by providers since its start' }),
    problem: Nullable
  })
  .meta({ id: 'Sender' })

export function notificationRoutes(api: Api, parts: ApiParts): void {
  const { telling, access } = parts
  api.route({
    method: 'GET',
    url: '/api/v1/notifications',
    config: { needs: 'viewer' },
    schema: {
      tags: ['notifications'],
      summary: 'What was sent to whom, withheld and why',
      description: 'Newest first.',
      querystring: NotificationQuery,
      response: { 200: z.object({ items: z.array(NotificationBody), next: Next }) }
    },
    handler: async (request) => {
      const { limit, cursor, ...filter } = request.query
      const page = await telling.notices.list(filter, { limit, cursor }, caller(request).scope)
      if ('problem' in page) throw badCursor(page.problem)
      return { items: page.items.map((notice) => notificationBody(notice, caller(request))), next: page.next }
    }
  })
  api.route({
    method: 'POST',
    url: '/api/v1/notifications/:id/retry',
    config: { needs: 'operator' },
    schema: {
      tags: ['notifications'],
      summary: 'Send a dead letter again',
      params: z.object({ id: z.string().max(LIMITS.api.idLength) }),
      response: { 200: NotificationBody }
    },
    handler: async (request) => {
      const { id } = request.params
      const by = caller(request)
      const before = await telling.notices.one(id, by.scope)
      if (before === null) throw new ApiProblem('unknown', `There is no notification ${id} that you may see.`)
      if (!(await telling.retry(id))) {
        throw new ApiProblem('conflict', `Notification ${id} is ${before.state}: only one that has failed can be sent again.`)
      }
      await access.audit.append(by.user, `notification.retry ${id}`, { state: before.state, problem: before.problem }, { state: 'queued' })
      return notificationBody((await telling.notices.one(id, by.scope)) ?? before, by)
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/notifications/workers',
    config: { needs: 'engineer' },
    schema: {
      tags: ['notifications'],
      summary: 'Processes that send: the service and its delivery workers',
      description: 'Empty where only the service can send. One that is gone is listed for ten minutes.',
      response: { 200: z.object({ items: z.array(SenderBody) }) }
    },
    handler: async () => ({ items: (telling.senders() ?? []).map(senderBody) })
  })
  api.route({
    method: 'GET',
    url: '/api/v1/answers',
    config: { needs: 'viewer' },
    schema: {
      tags: ['notifications'],
      summary: 'What people sent back, and what was made of it',
      description: 'Newest first.',
      querystring: z.object({ limit: pageLimit(100), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(AnswerBody), next: Next }) }
    },
    handler: async (request) => {
      const by = caller(request)
      const page = await telling.notices.answers(request.query, by.scope)
      if ('problem' in page) throw badCursor(page.problem)
      const shown = (address: string): string => (mayAct(by.role, 'operator') ? address : maskedAddress('sms', address))
      return { items: page.items.map((item) => ({ ...item, at: instant(item.at), address: shown(item.address) })), next: page.next }
    }
  })
}

function senderBody({ role, started_at, beat: _beat, beat_at, sends, ...sender }: SeenSender): z.infer<typeof SenderBody> {
  const startedAt = instant(started_at)
  return { ...sender, role: role === 'worker' ? 'worker' : 'service', startedAt, beatAt: instant(beat_at), sends: sends === 1 }
}

/** As the API shows it: an address whole only to whoever acts on alarms. */
export function notificationBody({ n: _n, ...notice }: Notice, by: Identity): z.infer<typeof NotificationBody> {
  const time = (at: number | null): string | null => (at === null ? null : instant(at))
  const { address, channel } = notice
  return {
    ...notice,
    alarms: [...notice.alarms],
    address: address === null || mayAct(by.role, 'operator') ? address : maskedAddress(channel, address),
    at: instant(notice.at),
    sentAt: time(notice.sentAt),
    deliveredAt: time(notice.deliveredAt),
    failedAt: time(notice.failedAt)
  }
}
