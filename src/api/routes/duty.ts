// Who is on duty, and who would be told of an alarm. Numbers and addresses are not shown whole.

import { z } from 'zod'
import { outlook } from '../../alerts/duty.ts'
import { DutyPlan } from '../../alerts/dutyLadders.ts'
import { toldBy } from '../../alerts/dutyPreview.ts'
import type { Duty, Rota } from '../../model/duty.ts'
import { CHANNEL_KINDS, NOTIFICATION_REASONS, WITHHOLD_REASONS } from '../../model/notification.ts'
import { maySee } from '../../model/scope.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import { seesRota } from '../dutySight.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, TierName } from '../shapes.ts'
import { instant } from '../views.ts'
import { ruleNamed } from './rules.ts'

const TextBody = z.object({ zh: z.string(), en: z.string() })
const OnDutyPerson = z.object({ id: z.string(), name: TextBody }).meta({ id: 'OnDutyPerson' })
const Hole = z.object({ from: Instant, to: Instant })

const OnDuty = z
  .object({
    rota: z.string(),
    name: TextBody,
    zone: z.string(),
    people: z.array(OnDutyPerson).meta({ description: 'Who is on duty now; empty: nobody' }),
    until: Instant.nullable().meta({ description: 'The next handover; null: none in the next 90 days, the same people stay' }),
    next: z.array(OnDutyPerson),
    holes: z.array(Hole).meta({ description: `When nobody is, in the next 90 days; at most ${LIMITS.duty.holesTold}` })
  })
  .meta({ id: 'OnDuty' })

const PreviewedMessage = z
  .object({
    at: Instant,
    rung: z.number(),
    occurrence: z.number(),
    reason: z.enum(NOTIFICATION_REASONS),
    person: z.string(),
    personName: TextBody.nullable().meta({ description: 'null: there is nobody behind it' }),
    channel: z.enum(CHANNEL_KINDS),
    withheld: z.enum(WITHHOLD_REASONS).nullable().meta({ description: 'Why the message would not go out; null: it would' }),
    text: z.string()
  })
  .meta({ id: 'PreviewedMessage' })

export function dutyRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/duty',
    config: { needs: 'viewer' },
    schema: {
      tags: ['duty'],
      summary: 'Who is on duty now and next, and when nobody is',
      description: 'Rotas whose people are of enterprises in the scope of the caller.',
      response: {
        200: z.object({
          at: Instant,
          configured: z.boolean().meta({ description: 'false: nobody is told of alarms' }),
          rotas: z.array(OnDuty)
        })
      }
    },
    handler: async (request) => {
      const scope = caller(request).scope
      const view = parts.plant()
      const { duty } = view.fleet.plant
      const now = parts.clock.now()
      const rotas =
        duty === undefined ? [] : duty.rotas.filter((rota) => seesRota(view, duty, rota, scope)).map((rota) => onDutyBody(duty, rota, now))
      return { at: instant(now), configured: (duty?.ladders.length ?? 0) > 0, rotas }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/duty/preview',
    config: { needs: 'viewer' },
    schema: {
      tags: ['duty'],
      summary: 'Who would be told of an alarm, when and by what, if nobody answered',
      description: 'Played on the ladder itself; nothing is sent. Grouping, throttles and floods do not show.',
      querystring: z.object({
        rule: Id,
        device: Id.optional(),
        area: Id.optional(),
        tier: z.enum(TIERS).optional(),
        at: z.iso.datetime({ offset: true }).optional()
      }),
      response: {
        200: z.object({
          at: Instant,
          rule: z.string(),
          device: z.string().nullable(),
          area: z.string().nullable(),
          tier: TierName,
          ladder: z.string().nullable(),
          items: z.array(PreviewedMessage)
        })
      }
    },
    handler: async (request) => {
      const { rule: id, device = null, area = null, tier: wanted, at: from } = request.query
      const scope = caller(request).scope
      const view = parts.plant()
      const { plant } = view.fleet
      const rule = ruleNamed(view, id, scope)
      if ((device === null) === (area === null)) throw new ApiProblem('invalid', 'Name either a device or an area.')
      const place = new DutyPlan(plant).placeOf({ device, area })
      const exists = device === null ? plant.areas.some((one) => one.id === area) : plant.devices.some((one) => one.id === device)
      if (!exists || !maySee(scope, place))
        throw new ApiProblem('unknown', `There is no ${device === null ? `area ${area}` : `device ${device}`}.`)
      const tier = wanted ?? rule.tiers.at(-1)?.tier ?? 'red'
      const at = from === undefined ? parts.clock.now() : Date.parse(from)
      const { ladder, told } = toldBy(plant, { rule: rule.id, tier, device, area }, at)
      const names = new Map((plant.duty?.people ?? []).map(({ id: person, name }) => [person, name]))
      const items = told.map(({ at: when, rung, occurrence, reason, person, channel, withheld, text }) => {
        return { at: instant(when), rung, occurrence, reason, person, personName: names.get(person) ?? null, channel, withheld, text }
      })
      return { at: instant(at), rule: rule.id, device, area, tier, ladder, items }
    }
  })
}

function onDutyBody(duty: Duty, rota: Rota, now: number): z.infer<typeof OnDuty> {
  const names = new Map(duty.people.map(({ id, name }) => [id, name]))
  const named = (ids: readonly string[]): z.infer<typeof OnDutyPerson>[] =>
    ids.map((id) => ({ id, name: names.get(id) ?? { zh: id, en: id } }))
  const { people, until, next, holes } = outlook(duty, rota.id, now)
  return {
    rota: rota.id,
    name: rota.name,
    zone: rota.zone,
    people: named(people),
    until: until === null ? null : instant(until),
    next: named(next),
    holes: holes.map(({ from, to }) => ({ from: instant(from), to: instant(to) }))
  }
}
