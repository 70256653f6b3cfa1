// Devices, areas and sites out of service: windows declared ahead or at once, in which nobody is told of their alarms.
// Whoever declares one hides red alarms too, so it takes an engineer.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ServiceWindow, ServiceWindows, targetName } from '../../alerts/serviceWindows.ts'
import { Whereabouts } from '../../alerts/whereabouts.ts'
import type { ServiceActionBody, ServiceTarget } from '../../model/journal.ts'
import type { Scope } from '../../model/scope.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, Time } from '../shapes.ts'
import { seesTarget } from '../sight.ts'
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
    handler: (request) => ({ items: bodies(parts, caller(request).scope, () => true) })
  })
  for (const [path, kind] of Object.entries(KINDS)) {
    const targetOf = (id: string): ServiceTarget => ({ device: null, area: null, site: null, [kind]: id })
    const done = async (request: FastifyRequest, body: ServiceActionBody): Promise<z.infer<typeof Windows>> => {
      const { user, scope } = caller(request)
      await submitted(parts, body, user)
      return { items: bodies(parts, scope, (window) => targetName(window.target) === targetName(body.target)) }
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
        refuseStranger(plant(), target, caller(request).scope)
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
        refuseStranger(plant(), target, caller(request).scope)
        refuseWhileWiderLasts(plant(), target, parts.clock.now())
        return done(request, { id: null, action: 'returnToService', target, note: request.body?.note ?? null })
      }
    })
  }
}

function bodies({ plant, clock }: ApiParts, scope: Scope, wanted: (window: ServiceWindow) => boolean): z.infer<typeof WindowBody>[] {
  const view = plant()
  const now = clock.now()
  return (view.serviceWindows?.() ?? [])
    .filter((window) => wanted(window) && (scope === null || seesTarget(view.fleet, window.target, scope)))
    .map(({ target, from, until, by, note }) => ({
      ...target,
      from: instant(from),
      until: instant(until),
      by,
      note,
      running: from <= now && now < until
    }))
}

/** Whoever returns a device of a site that is out would believe that its alarms are told again. */
function refuseWhileWiderLasts(view: PlantView, target: ServiceTarget, now: number): void {
  const known = new ServiceWindows(view.serviceWindows?.() ?? [])
  const { device, area } = target
  const wider = known.covering({ device, area, ...new Whereabouts(view.fleet).of(device, area) }, now)
  if (wider === null || known.of(target).length > 0) return
  const sentence = `${targetName(target)} is out of service with all of ${targetName(wider.target)}, until ${instant(wider.until)}, declared by ${wider.by}: return that to service, or wait for its end.`
  throw new ApiProblem('conflict', sentence)
}

function refuseStranger(view: PlantView, target: ServiceTarget, scope: Scope): void {
  if (seesTarget(view.fleet, target, scope)) return
  throw new ApiProblem('unknown', `There is no ${targetName(target)} that you may see.`)
}
