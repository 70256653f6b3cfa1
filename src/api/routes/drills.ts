// Drills: test alarms that climb a real ladder to real people, and the signed record of each.

import { z } from 'zod'
import { type DrillEffects, Drilling } from '../../alerts/drilling.ts'
import type { ShownDrill } from '../../alerts/drills.ts'
import { type DrillAsked, drillId } from '../../model/drill.ts'
import type { Person } from '../../model/duty.ts'
import type { Plant } from '../../model/plant.ts'
import { maySee, type Scope } from '../../model/scope.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { dutyPeopleAt, type Standpoint } from '../people.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, Nullable } from '../shapes.ts'
import { seesDevice, seesSite } from '../sight.ts'
import { submitted } from './alarms.ts'

const Step = z.object({
  rung: z.number(),
  occurrence: z.number(),
  person: z.string(),
  channel: z.string(),
  plannedAt: Instant,
  state: z.string(),
  sentAt: Instant.nullable(),
  deliveredAt: Instant.nullable(),
  acknowledgedAt: Instant.nullable(),
  problem: Nullable
})

const DrillBody = z
  .object({
    id: z.string(),
    drill: z.literal(true).meta({ description: 'It is no alarm: the alarms, their counts, statistics and events know nothing of it' }),
    at: Instant,
    by: z.string().meta({ description: 'schedule:ID where duty.yaml says so' }),
    site: Nullable,
    device: Nullable,
    rule: Nullable,
    tier: z.string(),
    person: Nullable,
    note: Nullable,
    ladder: Nullable.meta({ description: 'null: no ladder takes such an alarm; empty: the ways of one person' }),
    factor: z.number().meta({ description: 'The delays of the ladder were divided by this' }),
    endedAt: Instant.nullable().meta({ description: 'null: it goes on' }),
    outcome: Nullable.meta({ description: 'acknowledged, unanswered, nobody (no ladder), tooMany (at the same time)' }),
    acknowledged: z.object({ by: z.string(), at: Instant, note: Nullable }).nullable(),
    closedAt: Instant.nullable().meta({ description: 'null: receipts and answers still go into the record' }),
    steps: z.array(Step),
    signature: Nullable.meta({
      description:
        'HMAC-SHA256 (hex) over the record without `signature` and `genuine`, as JSON in the order of keys shown; in the audit log too'
    }),
    genuine: z.boolean().nullable().meta({ description: 'Whether the record is as it was signed; null while it is not closed' })
  })
  .meta({ id: 'Drill' })

const Asked = z
  .object({
    site: Id.optional(),
    device: Id.optional(),
    rule: Id.optional(),
    tier: z.enum(TIERS).optional().meta({ description: 'red by default' }),
    person: Id.optional().meta({ description: 'Only this person, by every way at once' }),
    note: z.string().max(200).optional(),
    fast: z
      .union([z.boolean(), z.int().min(1).max(LIMITS.drill.mostFactor)])
      .optional()
      .meta({ description: `Divide the delays of the ladder by this; true: by ${LIMITS.drill.fastFactor}` })
  })
  .nullable()
  .optional()

const DrillParams = z.object({ id: z.string().max(LIMITS.api.idLength) })

export function drillRoutes(api: Api, parts: ApiParts): void {
  holdRoute(api, parts)
  lookRoutes(api, parts)
  api.route({
    method: 'POST',
    url: '/api/v1/drills/:id/acknowledge',
    config: { needs: 'operator' },
    schema: {
      tags: ['notifications'],
      summary: 'Acknowledge a drill, which ends it',
      params: DrillParams,
      body: z
        .object({ note: z.string().max(LIMITS.book.noteLength).optional() })
        .nullable()
        .optional(),
      response: { 200: DrillBody }
    },
    handler: async (request) => {
      const by = caller(request)
      const { id } = request.params
      const { record } = await known(parts, id, by.scope)
      if (record.endedAt !== null) throw new ApiProblem('conflict', `The drill ${id} is over (${record.outcome}); nothing was changed.`)
      await submitted(parts, { id, action: 'acknowledge', note: request.body?.note ?? null }, by.user)
      return drillBody(await known(parts, id, by.scope))
    }
  })
}

function lookRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/drills',
    config: { needs: 'viewer' },
    schema: {
      tags: ['notifications'],
      summary: 'Drills, newest first, with who was reached when',
      response: { 200: z.object({ items: z.array(DrillBody) }) }
    },
    handler: async (request) => ({ items: (await parts.telling.drills.list(caller(request).scope)).map(drillBody) })
  })
  api.route({
    method: 'GET',
    url: '/api/v1/drills/:id',
    config: { needs: 'viewer' },
    schema: {
      tags: ['notifications'],
      summary: 'One drill, with whether its record is as it was signed',
      params: DrillParams,
      response: { 200: DrillBody }
    },
    handler: async (request) => drillBody(await known(parts, request.params.id, caller(request).scope))
  })
}

function holdRoute(api: Api, parts: ApiParts): void {
  const { telling, plant, clock } = parts
  api.route({
    method: 'POST',
    url: '/api/v1/drill',
    config: { needs: 'engineer' },
    schema: {
      tags: ['notifications'],
      summary: 'Hold a drill',
      description:
        'A test alarm that climbs the ladder of the site (or of the device) with its delays, to the people it would go to, until somebody acknowledges it or the last rung was called. Every message says first and last that it is a drill.',
      body: Asked,
      response: { 202: z.object({ id: z.string(), drill: z.literal(true), ladder: z.string(), notifications: z.number() }) }
    },
    handler: async (request, reply) => {
      const by = caller(request)
      const asked = askedOf(request.body ?? {}, parts, by.scope)
      const now = clock.now()
      const id = drillId(asked, now)
      // Tried out beforehand: a drill that reaches nobody is refused with a sentence.
      const trial = { notifications: [], drills: [] } as DrillEffects
      new Drilling(plant().fleet.plant, now).begin(id, asked, by.user, now, trial)
      const [begun] = trial.drills
      const ladder = begun?.kind === 'begun' ? begun.ladder : null
      if (ladder === null || trial.notifications.every(({ withheld }) => withheld === 'noAddress')) {
        throw new ApiProblem('conflict', 'Nobody would be told: no ladder of duty.yaml leads to a person with an address there.')
      }
      if ((await telling.drills.one(id, null)) !== null) {
        throw new ApiProblem('conflict', 'Another drill has just begun there; GET /drills shows it.')
      }
      await submitted(parts, { id, action: 'drill', drill: asked }, by.user)
      const notifications = trial.notifications.filter(({ withheld }) => withheld === null).length
      return reply.code(202).send({ id, drill: true as const, ladder, notifications })
    }
  })
}

function askedOf(body: NonNullable<z.infer<typeof Asked>>, { plant }: ApiParts, scope: Scope): DrillAsked {
  const { fleet } = plant()
  const { sites, devices, rules, duty } = fleet.plant
  const { device = null, rule = null, tier = 'red', person = null, note = null, fast = 1 } = body
  const own = devices.find(({ id }) => id === device)
  const only = sites.filter(({ id }) => seesSite(fleet, id, scope))
  const site = body.site ?? own?.site ?? (person === null && only.length === 1 ? (only[0]?.id ?? null) : null)
  const enterprise = sites.find(({ id }) => id === site)?.enterprise ?? null
  const at = { device, inArea: own?.area ?? null, site, enterprise }
  const somebody = duty?.people.find(({ id }) => id === person)
  const strange = [
    device !== null && !seesDevice(fleet, fleet.deviceNumber.get(device), scope) && `device ${device}`,
    site !== null && !seesSite(fleet, site, scope) && `site ${site}`,
    own !== undefined && site !== own.site && `device ${device} at the site ${site}`,
    rule !== null && !rules.some(({ id }) => id === rule) && `rule ${rule}`,
    person !== null && (somebody === undefined || !mayCall(somebody, at, fleet.plant, scope)) && `person ${person}`
  ].find((what) => what !== false)
  if (strange !== undefined) {
    throw new ApiProblem('unknown', `There is no ${strange} that you may hold a drill with: name one of yours.`)
  }
  if (site === null && device === null && person === null) {
    throw new ApiProblem('invalid', 'Say where the drill is: name a site, a device or a person.')
  }
  const factor = fast === true ? LIMITS.drill.fastFactor : fast === false ? 1 : fast
  return { site, device, rule, tier, person, note, factor }
}

/** Whether somebody of this scope may have this person called: of the caller's own people, and at a site, of those called there. */
function mayCall(person: Person, at: Standpoint, plant: Plant, scope: Scope): boolean {
  if (scope === null) return true
  if (at.site === null) return maySee(scope, { enterprise: person.enterprise, site: null })
  return dutyPeopleAt(plant, at, scope).includes(person)
}

async function known({ telling }: ApiParts, id: string, scope: Scope): Promise<ShownDrill> {
  const drill = await telling.drills.one(id, scope)
  if (drill === null) throw new ApiProblem('unknown', `There is no drill ${id} that you may see.`)
  return drill
}

function drillBody({ record, signature, genuine }: ShownDrill): z.infer<typeof DrillBody> {
  return { ...record, steps: [...record.steps], signature, genuine }
}
