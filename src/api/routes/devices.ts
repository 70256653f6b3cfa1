// Devices with their last values. Lists are filtered here by numbers worked out once per fleet, and paged by device id.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { QUALITIES } from '../../model/quality.ts'
import type { Scope } from '../../model/scope.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { firstAfter, placesOf } from '../places.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { DEVICE_STATES, DeviceBody, DeviceDetail, Id, Next, pageLimit } from '../shapes.ts'
import { seesDevice } from '../sight.ts'
import { ruleBodies, rulesOf, thresholdsOf } from '../thresholds.ts'
import { amendedBody, deviceBody, deviceState, worstTiers } from '../views.ts'

const DeviceQuery = z.object({
  q: z.string().max(100).optional().meta({ description: 'A part of the id or of a name, in either language' }),
  ids: z
    .string()
    .transform((text) => text.split(',').filter((id) => id !== ''))
    .pipe(z.array(Id).max(LIMITS.api.liveDevices))
    .optional()
    .meta({ description: 'These devices, with commas' }),
  profile: Id.optional(),
  site: Id.optional(),
  area: Id.optional(),
  enterprise: Id.optional(),
  gateway: Id.optional(),
  state: z
    .enum([...DEVICE_STATES, 'bad'])
    .optional()
    .meta({ description: 'bad: a last value is out of range or faulty, thus unknown to the rules' }),
  quality: z.enum(QUALITIES).optional().meta({ description: 'A last value has this quality' }),
  limit: pageLimit(100),
  cursor: z.string().max(512).optional()
})
type DeviceQuery = z.infer<typeof DeviceQuery>

export function deviceRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/devices',
    config: { needs: 'viewer' },
    schema: {
      tags: ['devices'],
      summary: 'Devices with their last values',
      description: 'In the order of their ids; all filters given must match.',
      querystring: DeviceQuery,
      response: {
        200: z.object({
          items: z.array(DeviceBody),
          next: Next,
          total: z.number().meta({ description: 'Devices that match, on all pages' })
        })
      }
    },
    handler: async (request) => {
      const { limit, cursor } = request.query
      const plant = parts.plant()
      const now = parts.clock.now()
      const { fleet } = plant
      const numbers = matching(plant, request.query, caller(request).scope, now)
      const start = cursor === undefined ? 0 : firstAfter(fleet, numbers, readCursor(cursor, 'string'))
      const page = numbers.subarray(start, start + limit)
      const worst = worstTiers(parts.book.active({ state: 'active' }, null), (alarm) => alarm.device)
      const items = Array.from(page, (number) => deviceBody(plant, number, worst.get(fleet.devices[number]?.id ?? '') ?? null, now))
      const last = items.at(-1)
      const next = last === undefined || start + limit >= numbers.length ? null : cursorAfter(last.id)
      return { items, next, total: numbers.length }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/devices/:id',
    config: { needs: 'viewer' },
    schema: {
      tags: ['devices'],
      summary: 'One device, with the rules that watch it',
      params: z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'T-101' }) }),
      response: { 200: DeviceDetail }
    },
    handler: async (request, reply) => {
      const plant = parts.plant()
      const number = deviceNumber(plant, request.params.id, request)
      const rules = rulesOf(plant.fleet, number).filter(({ shadow }) => shadow !== true)
      const device = plant.fleet.devices[number]
      if (device === undefined) throw noSuchDevice(request.params.id)
      const worst = worstTiers(parts.book.active({ state: 'active', device: device.id }, null), (alarm) => alarm.device)
      const body = deviceBody(plant, number, worst.get(device.id) ?? null, parts.clock.now())
      const standing = parts.amender.standing('device', device.id)
      if (standing !== null) reply.header('etag', `"${standing.etag}"`)
      return {
        ...body,
        ...amendedBody(standing),
        thresholds: thresholdsOf(
          rules,
          device,
          body.values.map(({ metric }) => ({ id: metric }))
        ),
        rules: ruleBodies(rules)
      }
    }
  })
}

/** The number of a device that the caller may see; any other id is answered alike. */
export function deviceNumber(plant: PlantView, id: string, request: FastifyRequest): number {
  const number = plant.fleet.deviceNumber.get(id)
  if (number === undefined || !seesDevice(plant.fleet, number, caller(request).scope)) {
    throw noSuchDevice(id)
  }
  return number
}

function noSuchDevice(id: string): ApiProblem {
  return new ApiProblem('unknown', `There is no device ${id} that you may see.`)
}

/** The devices that match everything asked for, in the order of their ids. */
function matching(plant: PlantView, query: DeviceQuery, scope: Scope, now: number): Int32Array {
  const { fleet, latest } = plant
  const { byId, placeOf, words } = placesOf(fleet)
  const q = query.q?.toLowerCase()
  const ids = query.ids === undefined ? null : new Set(query.ids)
  return byId.filter((number) => {
    const device = fleet.devices[number]
    const place = placeOf[number]
    if (device === undefined || place === undefined || (scope !== null && !seesDevice(fleet, number, scope))) return false
    if (ids !== null && !ids.has(device.id)) return false
    if (query.profile !== undefined && device.profile !== query.profile) return false
    if (query.gateway !== undefined && device.gateway !== query.gateway) return false
    if (query.area !== undefined && place.area?.id !== query.area) return false
    if (query.site !== undefined && place.site?.id !== query.site) return false
    if (query.enterprise !== undefined && place.enterprise !== query.enterprise) return false
    if (q !== undefined && !words[number]?.includes(q)) return false
    if (query.state === undefined && query.quality === undefined) return true
    const { receivedAt, values } = latest.of(number)
    if (query.quality !== undefined && !values.some((value) => value.quality === query.quality)) return false
    if (query.state === undefined) return true
    if (query.state === 'bad') return values.some(({ quality }) => quality === 'outOfRange' || quality === 'sensorFault')
    return deviceState(plant, number, receivedAt, now) === query.state
  })
}
