// Devices, areas and sites out of service: windows declared ahead or at once, in which nobody is told of their alarms.
// Whoever declares one hides red alarms too, so it takes an engineer.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { maySee, type Scope } from '../../access/roles.ts'
import { type ServiceWindow, ServiceWindows, targetName } from '../../alerts/serviceWindows.ts'
import type { ServiceActionBody, ServiceTarget } from '../../model/journal.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { placesOf } from '../places.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, Time } from '../shapes.ts'
import { instant } from '../views.ts'
import { submitted } from './alarms.ts'

const WindowBody = z
  .object({
    device: z.string().nullable(),
    area: z.string().nullable(),
    site: z.string().nullable(),
    from: Instant,
    until: Instant,
    by: z.string(),
    note: z.string().nullable(),
    running: z.boolean().meta({ description: 'false: planned' })
  })
  .meta({ id: 'ServiceWindow', description: 'Exactly one of device, area and site is set' })
const Windows = z.object({ items: z.array(WindowBody) })

const Declaration = z.object({
  from: Time.nullable().optional().meta({ description: 'Missing: from now on' }),
  until: Time.meta({ description: 'When it returns by itself' }),
  note: z.string().min(1, 'say why').max(LIMITS.book.noteLength)
})
const Return = z
  .object({ note: z.string().max(LIMITS.book.noteLength).nullable().optional() })
  .nullable()
  .optional()
const Params = z.object({ id: Id })

const KINDS = { devices: 'device', areas: 'area', sites: 'site' } as const

export function outOfServiceRoutes(api: Api, parts: ApiParts): void {
  const { plant } = parts
  api.route({
    method: 'GET',
    url: '/api/v1/out-of-service',
    config: { needs: 'viewer' },
    schema: { tags: ['alarms'], summary: 'What is out of service, now or later', response: { 200: Windows } },
    handler: (request) => ({ items: bodies(parts, caller(request).enterprises, () => true) })
  })
  for (const [path, kind] of Object.entries(KINDS)) {
    const targetOf = (id: string): ServiceTarget => ({ device: null, area: null, site: null, [kind]: id })
    const done = async (request: FastifyRequest, body: ServiceActionBody): Promise<z.infer<typeof Windows>> => {
      const { user, enterprises } = caller(request)
      await submitted(parts, body, user)
      return { items: bodies(parts, enterprises, (window) => targetName(window.target) === targetName(body.target)) }
    }
    api.route({
      method: 'POST',
      url: `/api/v1/${path}/:id/out-of-service`,
      config: { needs: 'engineer' },
      schema: {
        tags: ['alarms'],
        summary: `Take ${kind === 'area' ? 'an' : 'a'} ${kind} out of service`,
        description: 'Its alarms go on being judged and logged; nobody is told until it returns. Answers its windows.',
        params: Params,
        body: Declaration,
        response: { 200: Windows }
      },
      handler: (request) => {
        const target = targetOf(request.params.id)
        refuseStranger(plant(), target, caller(request).enterprises)
        const { from = null, until, note } = request.body
        const now = parts.clock.now()
        const window = { target, from: Math.max(now, from ?? now), until, note }
        const known = new ServiceWindows(plant().serviceWindows?.() ?? [])
        const obstacle = known.obstacle(window, now)
        if (obstacle !== null) throw new ApiProblem(obstacle.conflict ? 'conflict' : 'invalid', obstacle.sentence)
        return done(request, { id: null, action: 'outOfService', target, from, until, note })
      }
    })
    api.route({
      method: 'POST',
      url: `/api/v1/${path}/:id/return-to-service`,
      config: { needs: 'engineer' },
      schema: {
        tags: ['alarms'],
        summary: `Return ${kind === 'area' ? 'an' : 'a'} ${kind} to service`,
        description: 'Ends the window that runs, or else drops those that are planned. Alarms that are still on are announced.',
        params: Params,
        body: Return,
        response: { 200: Windows }
      },
      handler: (request) => {
        const target = targetOf(request.params.id)
        refuseStranger(plant(), target, caller(request).enterprises)
        return done(request, { id: null, action: 'returnToService', target, note: request.body?.note ?? null })
      }
    })
  }
}

function bodies({ plant, clock }: ApiParts, scope: Scope, wanted: (window: ServiceWindow) => boolean): z.infer<typeof WindowBody>[] {
  const view = plant()
  const now = clock.now()
  return (view.serviceWindows?.() ?? [])
    .filter((window) => wanted(window) && maySee(scope, enterpriseOf(view, window.target) ?? null))
    .map(({ target, from, until, by, note }) => ({
      ...target,
      from: instant(from),
      until: instant(until),
      by,
      note,
      running: from <= now && now < until
    }))
}

function refuseStranger(view: PlantView, target: ServiceTarget, scope: Scope): void {
  const enterprise = enterpriseOf(view, target)
  if (enterprise !== undefined && maySee(scope, enterprise)) return
  throw new ApiProblem('unknown', `There is no ${targetName(target)} that you may see.`)
}

/** The enterprise of a target; undefined where the plant does not know it. */
function enterpriseOf({ fleet }: PlantView, { device, area, site }: ServiceTarget): string | null | undefined {
  const { placeOf, areas, sites } = placesOf(fleet)
  if (device !== null) return placeOf[fleet.deviceNumber.get(device) ?? -1]?.enterprise
  const of = area === null ? site : areas.get(area)?.site
  return of === undefined || of === null ? undefined : sites.get(of)?.enterprise
}
