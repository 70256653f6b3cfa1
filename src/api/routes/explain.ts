// Why a rule fired or did not: what the engine tells of one subject, with the quality of each value and what happened last.

import { z } from 'zod'
import { QUALITIES, type Quality } from '../../model/quality.ts'
import { LEVELS } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { ExplainedCondition, ExplainedTier } from '../../rules/explain.ts'
import type { Api } from '../api.ts'
import type { ApiParts, PlantView } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { reasonText } from '../reasons.ts'
import { watches } from '../ruleSubjects.ts'
import { caller } from '../session.ts'
import { Id, Instant, ReasonText, TierName } from '../shapes.ts'
import { instant, instantOrNull } from '../views.ts'
import { RuleId, ruleNamed } from './rules.ts'

const VerdictName = z.enum(['yes', 'no', 'unknown'])

const Part = z
  .object({
    depth: z.number().meta({ description: 'How far inside the condition: the parts come from the outside in' }),
    device: z.string().nullable().meta({ description: 'For whom it is judged; null: the area as a whole' }),
    text: z.string(),
    verdict: VerdictName.nullable().meta({ description: 'null: a number' }),
    shown: z.string().nullable().meta({ description: 'The number as text; null: a condition' }),
    value: z.number().nullable().meta({ description: 'The number as the rule sees it; null: unknown, infinite, or a condition' }),
    metric: z.string().nullable(),
    at: Instant.nullable().meta({ description: 'Of a metric: when it was reported last' }),
    ageMs: z.number().nullable(),
    quality: z.enum(QUALITIES).nullable().meta({ description: 'Of a metric: the quality of what was reported last' }),
    unknown: z.array(z.string()).meta({ description: 'Why it is unknown, in sentences' }),
    unknownText: z.array(ReasonText),
    degraded: z.string().optional().meta({
      description: 'Of a vote that is counted otherwise, because members are unknown',
      example: 'degraded from 2oo3 to 1oo2: GD-103 unknown'
    })
  })
  .meta({ id: 'ExplainedPart' })

const Condition = z.object({ text: z.string(), verdict: VerdictName, parts: z.array(Part) }).meta({ id: 'ExplainedCondition' })

const Explained = z
  .object({
    rule: z.string(),
    device: z.string().nullable(),
    area: z.string().nullable(),
    at: Instant.meta({ description: 'What is told here holds at this instant of our clock' }),
    lineAt: Instant.meta({ description: 'The same instant on the time line of the device or area' }),
    level: z.enum(LEVELS),
    alarm: z.string().nullable().meta({ description: 'The alarm that stands' }),
    since: Instant.nullable().meta({ description: 'Since when it has had this level' }),
    suppressedBy: z
      .array(z.object({ by: z.string().meta({ example: 'state:tank-filling' }), because: z.string(), becauseText: ReasonText }))
      .meta({ description: 'The states and inhibitions for which nobody is told of this alarm' }),
    sentence: z.string().meta({ example: 'yellow: not yet: level_pct 86.1 > 85 holds since 12s of 30s' }),
    sentenceText: ReasonText,
    tiers: z.array(
      z.object({
        tier: TierName,
        on: z.boolean(),
        turnedAt: Instant.nullable().meta({ description: 'When it last went on or off' }),
        when: Condition,
        clear: Condition,
        clock: z
          .object({
            of: z.enum(['when', 'clear']),
            since: Instant,
            patienceMs: z.number(),
            elapsedMs: z.number(),
            dueAt: Instant.nullable().meta({ description: 'By our clock; null: it does not run out by itself' })
          })
          .nullable()
          .meta({ description: 'The delay that runs' }),
        sentence: z.string()
      })
    ),
    transitions: z
      .array(z.object({ at: Instant, from: z.enum(LEVELS), to: z.enum(LEVELS), id: z.string(), because: z.string() }))
      .meta({ description: `What it last did here, at most ${LIMITS.book.transitionsExplained}, in order` })
  })
  .meta({ id: 'Explanation' })
type Explained = z.infer<typeof Explained>

export function explainRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/rules/:id/explain',
    config: { needs: 'viewer' },
    schema: {
      tags: ['rules'],
      summary: 'Why a rule fired, or did not, on a device or area',
      description:
        'Every part of the conditions of every tier with its value or verdict, the delays that run, the last transitions, and a sentence. ' +
        'Give `device`, or `area` for a rule per area.',
      params: RuleId,
      querystring: z.object({ device: Id.optional(), area: Id.optional() }),
      response: { 200: Explained }
    },
    handler: async (request): Promise<Explained> => {
      const scope = caller(request).scope
      const view = parts.plant()
      const rule = ruleNamed(view, request.params.id, scope)
      const { device = null, area = null } = request.query
      const wanted = rule.per
      const given = wanted === 'device' ? device : area
      if (given === null || (device !== null && area !== null)) {
        const sentence = `The rule ${rule.id} watches ${wanted === 'device' ? 'devices' : 'areas'}: name one with ${wanted}=ID, and nothing else.`
        throw new ApiProblem('invalid', sentence, { faults: [{ at: wanted, problem: sentence }] })
      }
      const told = watches(view.fleet, rule, given, scope) ? parts.explain(rule.id, { device, area }) : null
      if (told === null) throw new ApiProblem('unknown', `The rule ${rule.id} watches no ${wanted} ${given} that you may see.`)
      const qualityOf = qualities(view)
      const held = told.alarm === null ? [] : (view.suppression?.().holding(told.alarm) ?? [])
      const most = LIMITS.book.transitionsExplained
      const transitions =
        rule.shadow === true
          ? await parts.book.shadowTransitionsOf(rule.id, given, most, scope)
          : await parts.book.transitionsOf(rule.id, given, most, scope)
      return {
        rule: rule.id,
        device: told.device,
        area: told.area,
        at: instant(told.clock),
        lineAt: instant(told.at),
        level: told.level,
        alarm: told.alarm,
        since: instantOrNull(told.since),
        suppressedBy: held.map(({ by, because }) => ({ by, because, becauseText: reasonText(because, view.fleet, null) })),
        sentence: told.sentence,
        sentenceText: reasonText(told.sentence, view.fleet, told.device),
        tiers: told.tiers.map((tier) => tierBody(tier, view, qualityOf)),
        transitions: transitions.map(({ at, from, to, id, because }) => ({ at: instant(at), from, to, id, because }))
      }
    }
  })
}

type QualityOf = (device: string | null, metric: string | null) => Quality | null

/** The quality of what a device last reported of a metric. */
function qualities({ fleet, latest }: PlantView): QualityOf {
  return (device, metric) => {
    const number = device === null || metric === null ? undefined : fleet.deviceNumber.get(device)
    return number === undefined ? null : (latest.of(number).values.find((value) => value.metric === metric)?.quality ?? null)
  }
}

function tierBody(told: ExplainedTier, view: PlantView, qualityOf: QualityOf): Explained['tiers'][number] {
  const { tier, on, turnedAt, when, clear, clock, sentence } = told
  return {
    tier,
    on,
    turnedAt: instantOrNull(turnedAt),
    when: conditionBody(when, view, qualityOf),
    clear: conditionBody(clear, view, qualityOf),
    clock: clock === null ? null : { ...clock, since: instant(clock.since), dueAt: instantOrNull(clock.dueAt) },
    sentence
  }
}

function conditionBody(
  { text, verdict, parts }: ExplainedCondition,
  { fleet }: PlantView,
  qualityOf: QualityOf
): Explained['tiers'][number]['when'] {
  return {
    text,
    verdict,
    parts: parts.map((part) => ({
      ...part,
      at: instantOrNull(part.at),
      quality: qualityOf(part.device, part.metric),
      unknown: [...part.unknown],
      unknownText: part.unknown.map((reason) => reasonText(reason, fleet, part.device))
    }))
  }
}
