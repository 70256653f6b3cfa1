// How the service is, for those who watch over it: is the process alive, may it be sent work, and what does it count.

import { z } from 'zod'
import type { Api } from '../api.ts'
import { healthForAnybody } from '../dutySight.ts'
import type { ApiParts, HealthReport } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { Instant, PartHealthBody } from '../shapes.ts'
import { instant } from '../views.ts'

const Health = z
  .object({
    at: Instant,
    version: z.string(),
    role: z
      .enum(['active', 'standby'])
      .meta({ description: 'standby: another instance is active, and everything but this is answered 503' }),
    epoch: z.number().int().nullable().meta({ description: 'Of the lease, one higher with each holder; null without PostgreSQL' }),
    parts: z.array(PartHealthBody)
  })
  .meta({ id: 'Health' })

export function healthRoutes(api: Api, parts: ApiParts): void {
  const { health, clock, metrics } = parts
  const body = ({ version, epoch, parts: all }: HealthReport): z.infer<typeof Health> => ({
    at: instant(clock.now()),
    version,
    role: 'active',
    epoch: epoch ?? null,
    parts: healthForAnybody(all)
  })
  api.route({
    method: 'GET',
    url: '/healthz',
    config: { needs: 'nobody' },
    schema: {
      tags: ['service'],
      summary: 'Liveness',
      description:
        '200 as long as the process answers, however its parts are: restarting it would not mend a full disk. The body names each part; of the duty only how many rotas leave nobody on it.',
      response: { 200: Health }
    },
    handler: async () => body(health())
  })
  api.route({
    method: 'GET',
    url: '/readyz',
    config: { needs: 'nobody' },
    schema: {
      tags: ['service'],
      summary: 'Readiness',
      description: '503 with a sentence per part while the service is starting or cannot accept messages.',
      response: { 200: Health }
    },
    handler: async () => {
      const report = health()
      const bad = report.parts.filter(({ state }) => state === 'starting' || state === 'full' || state === 'failing')
      if (bad.length === 0) return body(report)
      const faults = bad.map(({ part, state, problem }) => ({ at: part, problem: problem ?? `The ${part} is ${state}.` }))
      throw new ApiProblem('unavailable', faults.map(({ problem }) => problem).join(' '), { faults, headers: { 'retry-after': '5' } })
    }
  })
  api.route({
    method: 'GET',
    url: '/metrics',
    config: { needs: 'nobody', answers: 'text/plain' },
    schema: {
      tags: ['service'],
      summary: 'Metrics in Prometheus text',
      description:
        'Without sign-in, and on loopback by default: where FENGHUO_HTTP_HOST opens the service to a network, let a proxy keep this path in.'
    },
    handler: async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send((await metrics.text()) as never)
  })
}
