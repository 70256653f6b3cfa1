// The rules in force: what each says, whom it watches, what of it stands now, and when it last fired.

import { z } from 'zod'
import { STALE_MS } from '../../alerts/statistics.ts'
import type { Fleet } from '../../model/fleet.ts'
import type { Rule } from '../../model/plant.ts'
import type { Scope } from '../../model/scope.ts'
import { LEVELS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Doubt } from '../../rules/doubts.ts'
import type { Api } from '../api.ts'
import { countTiers } from '../counts.ts'
import { badCursor, cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { reasonText } from '../reasons.ts'
import { rulesInScope, subjectCount, watchesOnly } from '../ruleSubjects.ts'
import { caller } from '../session.ts'
import { FAILING_SHARE, Instant, Next, pageLimit, RULE_FIRING, RuleBody, RuleDetail } from '../shapes.ts'
import { seesDevice, seesTarget } from '../sight.ts'
import { ruleBodies } from '../thresholds.ts'
import { amendedBody, instant, instantOrNull } from '../views.ts'

export const RuleId = z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'tank-level' }) })

export function ruleRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/rules',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'The rules in force, with what they make of the plant',
      description:
        'In the order of the plant. Whose scope is limited sees the rules that watch something of theirs, counted over that. ' +
        '`firing=never` lists the rules that have never raised an alarm, `firing=always` those that always do, `firing=failing` those ' +
        'that cannot be judged on a tenth of their subjects or more, the worst first.',
      querystring: z.object({
        firing: z.enum([...RULE_FIRING, 'failing']).optional(),
        limit: pageLimit(100),
        cursor: z.string().max(512).optional()
      }),
      response: { 200: z.object({ items: z.array(RuleBody), next: Next }) }
    },
    handler: async (request) => {
      const { firing, limit, cursor } = request.query
      const scope = caller(request).scope
      const view = parts.plant()
      const rules = rulesInScope(view.fleet, scope)
      const wanted = firing === undefined ? null : await firingOnes(parts, view, rules, scope, firing)
      const start = cursor === undefined ? 0 : readCursor(cursor, 'number')
      const items = wanted?.slice(start, start + limit) ?? (await bodiesOf(parts, view, rules.slice(start, start + limit), scope))
      return { items, next: start + limit < (wanted ?? rules).length ? cursorAfter(start + limit) : null }
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/rules/:id',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'One rule',
      description: 'As YAML for a file with `?format=yaml` or `Accept: text/yaml`.',
      params: RuleId,
      querystring: z.object({ format: z.enum(['json', 'yaml']).optional() }),
      response: { 200: RuleDetail }
    },
    handler: async (request, reply) => {
      const scope = caller(request).scope
      const view = parts.plant()
      const [body] = await bodiesOf(parts, view, [ruleNamed(view, request.params.id, scope)], scope, doubtsIn(parts, view, scope))
      const { id } = request.params
      const standing = parts.amender.standing('rule', id)
      const format = request.query.format ?? (/\byaml\b/.test(request.headers.accept ?? '') ? 'yaml' : 'json')
      if (standing !== null) reply.header('etag', `"${standing.etag}"`)
      const whole = watchesOnly(view.fleet, ruleNamed(view, id, scope), scope)
      // As it is written, a rule may name what its reader may not see.
      if (format === 'yaml' && !whole)
        throw new ApiProblem('forbidden', `The rule ${id} watches more than you may see; ask for it as JSON, which shows your part of it.`)
      if (format === 'yaml') return reply.type('text/yaml; charset=utf-8').send(parts.amender.yaml('rule', [id]) as never)
      return { ...(body as RuleBody), ...amendedBody(standing === null || whole ? standing : { ...standing, written: {} }) }
    }
  })
}

const ShadowEvent = z
  .object({
    at: Instant,
    rule: z.string(),
    device: z.string().nullable(),
    area: z.string().nullable(),
    from: z.enum(LEVELS),
    to: z.enum(LEVELS),
    id: z.string(),
    because: z.string()
  })
  .meta({ id: 'ShadowEvent' })

/** What shadow rules did, which no other list has. */
export function shadowRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/rules/:id/shadow-events',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'What a shadow rule would have raised and cleared',
      description: `Newest first. Of all shadow rules together the last ${LIMITS.book.shadowEvents} are kept.`,
      params: RuleId,
      querystring: z.object({ limit: pageLimit(100), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(ShadowEvent), next: Next }) }
    },
    handler: async (request) => {
      const scope = caller(request).scope
      const rule = ruleNamed(parts.plant(), request.params.id, scope)
      const page = await parts.book.shadowEvents(rule.id, request.query, scope)
      if ('problem' in page) throw badCursor(page.problem)
      const items = page.items.map(({ at, device, area, from, to, id, because }) => ({
        at: instant(at),
        rule: rule.id,
        device,
        area,
        from,
        to,
        id,
        because
      }))
      return { items, next: page.next }
    }
  })
}

/** The rule of this id where it is in the scope; any other id is answered alike. */
export function ruleNamed({ fleet }: PlantView, id: string, scope: Scope): Rule {
  const rule = rulesInScope(fleet, scope).find((one) => one.id === id)
  if (rule === undefined) throw new ApiProblem('unknown', `There is no rule ${id} that you may see.`)
  return rule
}

async function firingOnes(
  parts: ApiParts,
  view: PlantView,
  rules: readonly Rule[],
  scope: Scope,
  firing: RuleBody['firing'] | 'failing'
): Promise<RuleBody[]> {
  if (firing !== 'failing') return (await bodiesOf(parts, view, rules, scope)).filter((body) => body.firing === firing)
  const bodies = await bodiesOf(parts, view, rules, scope, doubtsIn(parts, view, scope))
  const share = ({ unknown }: RuleBody): number => unknown?.share ?? 0
  return bodies.filter((body) => share(body) >= FAILING_SHARE).sort((a, b) => share(b) - share(a))
}

function doubtsIn({ doubts }: ApiParts, { fleet }: PlantView, scope: Scope): ReturnType<ApiParts['doubts']> {
  return doubts(({ device, area }) => scope === null || seesTarget(fleet, { device, area, site: null }, scope))
}

/** Of the devices that a rule names, those that may be seen. */
function devicesSeen(fleet: Fleet, ids: readonly string[] | null, scope: Scope): string[] | null {
  return ids?.filter((id) => scope === null || seesDevice(fleet, fleet.deviceNumber.get(id), scope)) ?? null
}

function unknownBody(doubt: Doubt | undefined, fleet: Fleet): RuleBody['unknown'] {
  if (doubt === undefined) return { looked: 0, count: 0, share: 0, reasons: [] }
  const { looked, unknown: count, reasons } = doubt
  const top = [...reasons].sort(([, a], [, b]) => b - a).slice(0, 5)
  return {
    looked,
    count,
    share: count / looked,
    reasons: top.map(([reason, count]) => ({ reason, reasonText: reasonText(reason, fleet, null), count }))
  }
}

async function bodiesOf(
  { book, clock, amender }: ApiParts,
  { fleet }: PlantView,
  rules: readonly Rule[],
  scope: Scope,
  doubts: ReturnType<ApiParts['doubts']> | null = null
): Promise<RuleBody[]> {
  const standing = Map.groupBy(
    book.active({ state: 'active' }, scope).filter(({ clearedAt }) => clearedAt === null),
    ({ rule }) => rule
  )
  const staleBefore = clock.now() - STALE_MS
  const ids = rules.map(({ id }) => id)
  const lastRaised = await book.lastRaised(ids, scope)
  for (const { id, shadow } of rules) {
    if (shadow !== true) continue
    const at = await book.lastShadowRaise(id, scope)
    if (at === null) lastRaised.delete(id)
    else lastRaised.set(id, at)
  }
  const texts = ruleBodies(rules)
  return rules.map((rule, place) => {
    const { guidance, appliesTo } = rule
    const { profile, devices, labels, area, site, enterprise } = appliesTo
    // What still stands from before a rule became a shadow is cleared by that change.
    const on = standing.get(rule.id) ?? []
    const subjects = subjectCount(fleet, rule, scope)
    const last = lastRaised.get(rule.id) ?? null
    const stale = on.filter(({ raisedAt }) => raisedAt < staleBefore).length
    return {
      ...(texts[place] as (typeof texts)[number]),
      origin: amender.origin(rule.id),
      shadow: rule.shadow === true,
      guidance,
      appliesTo: { profile, devices: devicesSeen(fleet, devices, scope), labels, area, site, enterprise },
      subjects,
      standing: countTiers(on),
      lastFiredAt: instantOrNull(last),
      firing: last === null ? 'never' : subjects > 0 && stale >= subjects ? 'always' : 'sometimes',
      unknown: doubts === null ? null : unknownBody(doubts.get(rule.id), fleet)
    }
  })
}
