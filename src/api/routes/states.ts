// Suppression by design, to look at: which states of the plant are on where, which alarms explain others, and what each of them
// holds back at this moment; and states that people switch.

import { z } from 'zod'
import { maySee, type Scope } from '../../access/roles.ts'
import type { Inhibition, PlantState } from '../../model/plant.ts'
import type { StateActionBody, StateTarget, Suppressor } from '../../model/suppression.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Reason, Suppression } from '../../rules/suppression.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { placesOf } from '../places.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Id, Instant, Time } from '../shapes.ts'
import { instant } from '../views.ts'
import { submitted } from './alarms.ts'

const Text = z.object({ zh: z.string(), en: z.string() })
const HeldBack = z.object({ rules: z.array(z.string()).nullable().meta({ description: 'null: of every rule' }), upTo: z.enum(TIERS) })

const On = z
  .object({
    scope: z.string().meta({ example: 'area bund-1', description: 'Whose alarms are held back; * is everything it applies to' }),
    source: z.string().meta({ description: 'The device, the alarm, `schedule` or `person` that makes it so' }),
    since: Instant,
    until: Instant.nullable().meta({ description: 'When it ends by itself, where that is known' }),
    because: z.string()
  })
  .meta({ id: 'SuppressionReason' })

const Common = {
  id: z.string(),
  title: Text,
  suppresses: HeldBack,
  on: z.array(On),
  holdsBack: z.array(z.string()).meta({ description: 'The alarms that stand and are not told because of it' })
}
const StateBody = z
  .object({ ...Common, kind: z.enum(['while', 'schedule', 'manual']), while: z.string().nullable() })
  .meta({ id: 'PlantState' })
const InhibitionBody = z
  .object({ ...Common, source: z.object({ rule: z.string(), tier: z.enum(TIERS) }), within: z.string() })
  .meta({ id: 'Inhibition' })

const Target = {
  device: Id.nullable().optional(),
  area: Id.nullable().optional(),
  site: Id.nullable().optional(),
  note: z.string().max(LIMITS.book.noteLength).nullable().optional()
}
const StateId = z.object({ id: Id })

export function stateRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/states',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'The states of the plant: which are on where, since when and why',
      response: { 200: z.object({ items: z.array(StateBody) }) }
    },
    handler: (request) => ({ items: statesOf(parts.plant(), caller(request).enterprises) })
  })
  api.route({
    method: 'GET',
    url: '/api/v1/inhibitions',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'Alarms that explain others, and what they hold back now',
      response: { 200: z.object({ items: z.array(InhibitionBody) }) }
    },
    handler: (request) => {
      const view = parts.plant()
      const scope = caller(request).enterprises
      const { inhibitions = [] } = view.fleet.plant
      return { items: inhibitions.map((one) => inhibitionBody(view, one, scope)) }
    }
  })
  switchRoutes(api, parts)
}

function switchRoutes(api: Api, parts: ApiParts): void {
  const act = async (request: Parameters<typeof caller>[0], body: StateActionBody): Promise<z.infer<typeof StateBody>> => {
    const { user, enterprises } = caller(request)
    const view = parts.plant()
    const obstacle = view.suppression?.().obstacle(body, parts.clock.now()) ?? null
    refuseStranger(view, body.target, enterprises)
    const known = view.fleet.plant.states?.some(({ id }) => id === body.state) === true
    if (!known) throw new ApiProblem('unknown', `There is no state ${body.state}.`)
    if (obstacle !== null) throw new ApiProblem('conflict', obstacle)
    await submitted(parts, body, user)
    return statesOf(parts.plant(), enterprises).find(({ id }) => id === body.state) as z.infer<typeof StateBody>
  }
  api.route({
    method: 'POST',
    url: '/api/v1/states/:id/enter',
    config: { needs: 'engineer' },
    schema: {
      tags: ['rules'],
      summary: 'Switch a state on for a device, an area or a site',
      description: 'Of states with `manual` only, for at most as long as they allow. It ends by itself.',
      params: StateId,
      body: z.object({ ...Target, until: Time }),
      response: { 200: StateBody }
    },
    handler: (request) => {
      const { until, note = null } = request.body
      return act(request, { id: null, action: 'enterState', state: request.params.id, target: targetOf(request.body), until, note })
    }
  })
  api.route({
    method: 'POST',
    url: '/api/v1/states/:id/leave',
    config: { needs: 'engineer' },
    schema: {
      tags: ['rules'],
      summary: 'Switch a state off before its time',
      description: 'Alarms that are still on are announced.',
      params: StateId,
      body: z.object(Target),
      response: { 200: StateBody }
    },
    handler: (request) => {
      const { note = null } = request.body
      return act(request, { id: null, action: 'leaveState', state: request.params.id, target: targetOf(request.body), until: null, note })
    }
  })
}

function targetOf(written: {
  device?: string | null | undefined
  area?: string | null | undefined
  site?: string | null | undefined
}): StateTarget {
  const { device = null, area = null, site = null } = written
  if ([device, area, site].filter((id) => id !== null).length === 1) return { device, area, site }
  throw new ApiProblem('invalid', 'Name one device, one area or one site.')
}

function statesOf(view: PlantView, scope: Scope): z.infer<typeof StateBody>[] {
  return (view.fleet.plant.states ?? []).map((state) => ({
    ...common(view, state, `state:${state.id}`, scope),
    kind: state.while !== null ? ('while' as const) : state.schedule !== null ? ('schedule' as const) : ('manual' as const),
    while: state.while
  }))
}

function inhibitionBody(view: PlantView, one: Inhibition, scope: Scope): z.infer<typeof InhibitionBody> {
  return { ...common(view, one, `inhibition:${one.id}`, scope), source: { rule: one.rule, tier: one.tier }, within: one.within }
}

function common(view: PlantView, { id, title, suppresses }: PlantState | Inhibition, by: Suppressor, scope: Scope) {
  const suppression: Suppression | null = view.suppression?.() ?? null
  const on = (suppression?.reasons() ?? []).filter((reason) => reason.by === by && isSeen(view, reason.scope, scope))
  const { rules, upTo } = suppresses
  return {
    id,
    title,
    suppresses: { rules: rules === null ? null : [...rules], upTo },
    on: on.map(onBody),
    holdsBack: (suppression?.heldBy(by) ?? []).filter((alarm) => isSeen(view, subjectScope(view, alarm), scope))
  }
}

function onBody({ scope, source, since, until, because }: Reason): z.infer<typeof On> {
  return { scope, source, since: instant(since), until: until === Number.POSITIVE_INFINITY ? null : instant(until), because }
}

/** The scope of an alarm by its id, rule/subject#ms. */
function subjectScope({ fleet }: PlantView, alarm: string): string {
  const subject = alarm.slice(alarm.indexOf('/') + 1, alarm.lastIndexOf('#'))
  const rule = fleet.plant.rules.find(({ id }) => alarm.startsWith(`${id}/`))
  return `${rule?.per ?? 'device'} ${subject}`
}

/** Whether something in this scope may be seen. What is on everywhere tells nothing of anybody. */
function isSeen(view: PlantView, scope: string, enterprises: Scope): boolean {
  if (enterprises === null || scope === '*') return true
  const [kind, id] = scope.split(' ') as [string, string]
  if (kind === 'gateway') {
    const gateway = view.fleet.plant.gateways.find((one) => one.id === id)
    return gateway !== undefined && maySee(enterprises, gateway.enterprise)
  }
  const target = { device: null, area: null, site: null, [kind]: id }
  const enterprise = enterpriseOf(view, target)
  return enterprise !== undefined && maySee(enterprises, enterprise)
}

function refuseStranger(view: PlantView, target: StateTarget, scope: Scope): void {
  const enterprise = enterpriseOf(view, target)
  if (enterprise !== undefined && maySee(scope, enterprise)) return
  throw new ApiProblem('unknown', 'There is no such device, area or site that you may see.')
}

/** The enterprise of a target; undefined where the plant does not know it. */
function enterpriseOf({ fleet }: PlantView, { device, area, site }: StateTarget): string | null | undefined {
  const { placeOf, areas, sites } = placesOf(fleet)
  if (device !== null) return placeOf[fleet.deviceNumber.get(device) ?? -1]?.enterprise
  const of = area === null ? site : areas.get(area)?.site
  return of === undefined || of === null ? undefined : sites.get(of)?.enterprise
}
