// The live stream's door: who may listen, and from where on.

import { z } from 'zod'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller, stillValid } from '../session.ts'
import { Id } from '../shapes.ts'
import { deviceNumber } from './devices.ts'

const EventNumber = z.coerce
  .number({ error: 'the id of an event of this stream is a whole number' })
  .int('the id of an event of this stream is a whole number')
  .min(0)

const LiveQuery = z.object({
  devices: z
    .string()
    .transform((text) => text.split(',').filter((id) => id !== ''))
    .pipe(z.array(Id).max(LIMITS.api.liveDevices))
    .default([])
    .meta({ description: 'Readings of these devices, with commas', example: 'T-101,T-102' }),
  lastEventId: EventNumber.optional().meta({ description: 'As the header Last-Event-ID, for clients that cannot set it; the header wins' })
})

export function liveRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/live',
    exposeHeadRoute: false,
    config: { needs: 'viewer', answers: 'text/event-stream' },
    schema: {
      tags: ['live'],
      summary: 'The live stream (server-sent events)',
      description: [
        '- `alarm` (with an id): one line of the alarm journal, exactly as in `/alarm-events`. With `Last-Event-ID` the stream resumes behind that event, without a gap and without repeating one.',
        '- `alarm-state`: `{"alarm": …}`, the alarm as in `/alarms`, after the events that changed it.',
        '- `notice`: an alarm begins or stops to chatter, has stood for 24 h, is the first of its area, or a flood begins or ends; as in `/notices`, which tells what was missed while not connected. Where time alone has marked an alarm, its `alarm-state` follows.',
        '- `reading` (for `?devices=`): `{device, receivedAt, values: [{metric, at, value, quality}]}`, the newest values, at most four times a second.',
        '- `device`: `{device, online, state, lastReceivedAt}` when a device goes online or stops being so.',
        '- `beat`: `{at}`, the time of the service, every 5 s. The first one carries the id to resume from.',
        '',
        'A client that does not read is cut off and resumes from its last event id.'
      ].join('\n'),
      querystring: LiveQuery
    },
    handler: async (request, reply) => {
      const identity = caller(request)
      const plant = parts.plant()
      for (const id of request.query.devices) deviceNumber(plant, id, request)
      const after = lastEventId(request.headers['last-event-id']) ?? request.query.lastEventId ?? null
      parts.live.admit(identity.user)
      for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
      reply.hijack()
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no'
      })
      parts.live.join({
        response: reply.raw,
        identity,
        devices: new Set(request.query.devices),
        after,
        stillValid: () => stillValid(request, parts.access, 'viewer')
      })
    }
  })
}

function lastEventId(header: string | string[] | undefined): number | null {
  if (header === undefined || header === '') return null
  const number = EventNumber.safeParse(header)
  if (number.success) return number.data
  const sentence = 'Last-Event-ID must be the id of an event of this stream: a whole number.'
  throw new ApiProblem('invalid', sentence, { faults: [{ at: 'Last-Event-ID', problem: sentence }] })
}
