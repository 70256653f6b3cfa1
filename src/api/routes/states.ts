// Suppression by design, to look at: which states of the plant are on where, which alarms explain others, and what each of them
// holds back at this moment; and states that people switch.

import { z } from 'zod'
import type { Inhibition, PlantState } from '../../model/plant.ts'
import type { Scope } from '../../model/scope.ts'
import type { StateActionBody, StateTarget, Suppressor } from '../../model/suppression.ts'
import { TIERS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Reason, Suppression } from '../../rules/suppression.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { reasonText } from '../reasons.ts'
import { caller } from '../session.ts'
import { Id, Instant, ReasonText, Time } from '../shapes.ts'
import { gatewaysSeen, seesTarget } from '../sight.ts'
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
    because: z.string(),
    becauseText: ReasonText
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
    handler: (request) => ({ items: statesOf(parts.plant(), caller(request).scope) })
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
      const scope = caller(request).scope
      const { inhibitions = [] } = view.fleet.plant
      return { items: inhibitions.map((one) => inhibitionBody(view, one, scope)) }
    }
  })
  switchRoutes(api, parts)
}

function switchRoutes(api: Api, parts: ApiParts): void {
  const act = async (request: Parameters<typeof caller>[0], body: StateActionBody): Promise<z.infer<typeof StateBody>> => {
    const { user, scope } = caller(request)
    const view = parts.plant()
    const obstacle = view.suppression?.().obstacle(body, parts.clock.now()) ?? null
    refuseStranger(view, body.target, scope)
    const known = view.fleet.plant.states?.some(({ id }) => id === body.state) === true
    if (!known) throw new ApiProblem('unknown', `There is no state ${body.state}.`)
    if (obstacle !== null) throw new ApiProblem('conflict', obstacle)
    await submitted(parts, body, user)
    return statesOf(parts.plant(), scope).find(({ id }) => id === body.state) as z.infer<typeof StateBody>
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
    on: on.map((reason) => onBody(view, reason, scope)),
    holdsBack: (suppression?.heldBy(by) ?? []).filter((alarm) => isSeen(view, subjectScope(view, alarm), scope))
  }
}

function onBody(view: PlantView, { scope, source, since, until, because }: Reason, asker: Scope): z.infer<typeof On> {
  const told = sourceSeen(view, source, asker) ? { source, because } : { source: 'elsewhere', because: 'of something elsewhere' }
  return {
    scope,
    ...told,
    becauseText: reasonText(told.because, view.fleet, null),
    since: instant(since),
    until: until === Number.POSITIVE_INFINITY ? null : instant(until)
  }
}

/** Whether the device or alarm that is the reason may be seen. A schedule and a person are nobody's. */
function sourceSeen(view: PlantView, source: string, scope: Scope): boolean {
  if (scope === null || source === 'schedule' || source === 'person') return true
  return isSeen(view, source.includes('#') ? subjectScope(view, source) : `device ${source}`, scope)
}

/** The scope of an alarm by its id, rule/subject#ms. */
function subjectScope({ fleet }: PlantView, alarm: string): string {
  const subject = alarm.slice(alarm.indexOf('/') + 1, alarm.lastIndexOf('#'))
  const rule = fleet.plant.rules.find(({ id }) => alarm.startsWith(`${id}/`))
  return `${rule?.per ?? 'device'} ${subject}`
}

/** Whether something in this scope may be seen. What is on everywhere tells nothing of anybody. */
function isSeen({ fleet }: PlantView, where: string, scope: Scope): boolean {
  if (scope === null || where === '*') return true
  const [kind, id] = where.split(' ') as [string, string]
  if (kind === 'gateway') return gatewaysSeen(fleet, scope).some((one) => one.id === id)
  return seesTarget(fleet, { device: null, area: null, site: null, [kind]: id }, scope)
}

function refuseStranger(view: PlantView, target: StateTarget, scope: Scope): void {
  if (seesTarget(view.fleet, target, scope)) return
  throw new ApiProblem('unknown', 'There is no such device, area or site that you may see.')
}
