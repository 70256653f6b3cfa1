// Telemetry by HTTP, for gateways without MQTT. 202 means the same as PUBACK: on disk, flushed.

import { z } from 'zod'
import { checkTelemetry } from '../../ingest/intake.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { inTime } from '../inTime.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem, unavailable } from '../problems.ts'

/** What became of the samples of a message. */
export const TelemetryOutcome = z
  .object({
    accepted: z.number().meta({ description: 'Samples that are used, wholly or in part' }),
    rejected: z
      .array(z.object({ index: z.number(), problem: z.string() }))
      .meta({ description: 'Samples, or parts of them, that cannot; also in quarantine' })
  })
  .meta({ id: 'TelemetryOutcome', example: { accepted: 2, rejected: [{ index: 2, problem: 'There is no device T-999.' }] } })

const Sample = z
  .object({
    device: z.string(),
    ts: z.union([z.number(), z.string()]).optional().meta({ description: 'Epoch ms or ISO 8601; left out: the time of receipt' }),
    values: z.record(z.string(), z.union([z.number(), z.boolean(), z.null()])),
    bad: z.array(z.string()).optional().meta({ description: 'Metrics whose value is faulty' })
  })
  .meta({ id: 'Sample', example: { device: 'T-101', ts: 1767225600000, values: { level_pct: 71.2, alarm: true } } })

/** What the body is, for the readers of the documentation; it is taken as bytes and checked by intake. */
export const TelemetryBody = z.union([Sample, z.array(Sample)])

export function telemetryRoutes(api: Api, parts: ApiParts): void {
  const { submit, clock, plant } = parts
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  api.route({
    method: 'POST',
    url: '/api/v1/telemetry',
    bodyLimit: LIMITS.api.bodyBytes,
    config: { needs: 'gateway', documentedBody: TelemetryBody },
    schema: {
      tags: ['telemetry'],
      summary: 'Send telemetry',
      description:
        'One sample or an array of samples of the devices of the gateway that signs in by HTTP Basic. ' +
        'Answered once the message is on disk. A repeat is harmless: equal device, time and values are ignored.',
      response: { 202: TelemetryOutcome }
    },
    handler: async (request, reply) => {
      const body = request.body
      const encoding = request.headers['content-encoding'] ?? 'identity'
      if (encoding !== 'identity')
        throw new ApiProblem('mediaType', `The body is encoded as ${encoding}; send it as it is, without compression.`)
      const gateway = request.gateway
      if (gateway === null) throw new Error('telemetry was reached without a gateway')
      if (!(body instanceof Uint8Array) || body.length === 0) {
        throw new ApiProblem('malformed', 'The body is empty; send one sample, or an array of samples, as JSON.')
      }
      const obstacle = submit.obstacle()
      if (obstacle !== null) throw unavailable(obstacle)
      const outcome = checkTelemetry(plant().fleet, gateway, null, body)
      // Who can be told at once that nothing of it can ever be read is told so, instead of filling the quarantine.
      if (outcome.accepted === 0 && !isJson(body))
        throw new ApiProblem('malformed', outcome.rejected[0]?.problem ?? 'The body is not JSON.')
      if ((await inTime(submit.telemetry(gateway, body), LIMITS.api.submitMs, clock)) === 'late') {
        throw unavailable('The message is not on disk yet. Send it again: a repeat is ignored.')
      }
      return reply.code(202).send({ accepted: outcome.accepted, rejected: [...outcome.rejected] })
    }
  })
}

function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
    return true
  } catch {
    return false
  }
}
