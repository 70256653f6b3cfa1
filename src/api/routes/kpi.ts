// How the alarm system itself does: the figures of ISA-18.2 over a stretch of time.

import { z } from 'zod'
import { type AlarmCounts, type AlarmStatistics, STALE_MS } from '../../alerts/statistics.ts'
import type { Plant } from '../../model/plant.ts'
import { LIMITS } from '../../platform/limits.ts'
import { Zone } from '../../platform/zone.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Instant, TierCounts, TierName, Time } from '../shapes.ts'
import { instant, instantOrNull } from '../views.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const DEFAULT_STRETCH_MS = 7 * DAY
const LONGEST_STRETCH_MS = 400 * DAY
/** Floods and chattering alarms told one by one. */
const TOLD = 100

const KpiQuery = z.object({
  from: Time.optional().meta({ description: 'Default: 7 days before `to`' }),
  to: Time.optional().meta({ description: 'Up to, not including; default: now' }),
  zone: z.string().max(64).optional().meta({
    description: 'Of the days: an IANA name; default: that of the plant (its calendar, else its duty, else UTC)',
    example: 'Asia/Shanghai'
  })
})

const Actor = z.object({ rule: z.string(), device: z.string().nullable(), area: z.string().nullable() })
const Count = z.number().int()

const Kpi = z
  .object({
    from: Instant,
    to: Instant,
    zone: z.string().meta({ description: 'Of the days' }),
    alarms: Count.meta({ description: 'Alarms raised' }),
    announced: Count.meta({ description: 'Raised, or risen to a higher tier: as often as somebody had to look' }),
    standing: Count.meta({ description: 'On at the end' }),
    perHour: z.number().meta({ description: 'Announced, on average. ISA-18.2: about 6 per operator are acceptable, above 12 too many' }),
    perDay: z.number().meta({ description: 'Announced, on average. ISA-18.2: about 150 per operator are acceptable' }),
    peakIn10Min: Count.nullable().meta({ description: 'The most announced within 10 minutes of a flood; null: there was none' }),
    tiers: z
      .array(z.object({ tier: TierName, announced: Count, share: z.number(), activeMs: z.number(), firstAt: Instant.nullable() }))
      .meta({ description: 'From red to blue; `share` of all announced, 0 to 1' }),
    days: z
      .array(z.object({ day: z.string(), alarms: Count, announced: TierCounts }))
      .meta({ description: 'Days of the zone with any, in order' }),
    floods: z
      .array(z.object({ from: Instant, to: Instant, announced: Count, peak: Count }))
      .meta({ description: `Begun by more than 10 announced in 10 minutes, ended by fewer than 5; the last ${TOLD}` }),
    floodCount: Count,
    floodShare: z.number().meta({ description: 'Share of the time in flood, 0 to 1. ISA-18.2: below 0.01' }),
    chattering: z
      .array(Actor.extend({ episodes: Count, cycles: Count, firstAt: Instant }))
      .meta({ description: `Came and went three times within a minute; the ${TOLD} with most cycles` }),
    chatteringCount: Count,
    stale: z
      .array(Actor.extend({ raisedAt: Instant, forMs: z.number() }))
      .meta({ description: `Stood for more than ${STALE_MS / HOUR} h; the longest 100` }),
    staleCount: Count,
    topTen: z
      .array(Actor.extend({ alarms: Count, announced: Count, activeMs: z.number(), firstAt: Instant.nullable(), share: z.number() }))
      .meta({ description: 'Who alarms most often; `share` of all alarms, 0 to 1' }),
    topTenShare: z.number().meta({ description: 'Share of the ten together. ISA-18.2: below 0.05' })
  })
  .meta({ id: 'Kpi' })
type Kpi = z.infer<typeof Kpi>

export function kpiRoutes(api: Api, { book, clock, plant }: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/kpi',
    config: { needs: 'viewer' },
    schema: {
      tags: ['overview'],
      summary: 'ISA-18.2 figures of the alarms in a stretch of time',
      description: 'Alarms that stood when the stretch began count as standing, not as raised.',
      querystring: KpiQuery,
      response: { 200: Kpi }
    },
    handler: async (request) => {
      const now = clock.now()
      // Nothing is known of what has not happened yet: a stretch ends now at the latest.
      const to = Math.min(request.query.to ?? now, now)
      const from = request.query.from ?? to - DEFAULT_STRETCH_MS
      if (from >= to) throw outOfBounds('from', 'The stretch is empty: `from` must lie before `to`, and before now.')
      if (to - from > LONGEST_STRETCH_MS) {
        throw outOfBounds('from', `The stretch is longer than ${LONGEST_STRETCH_MS / DAY} days: ask for a shorter one.`)
      }
      const zone = zoneOf(request.query.zone ?? zoneOfPlant(plant().fleet.plant))
      const figures = await book.statistics({ from, to }, caller(request).scope, (at) => zone.dayName(at))
      if (figures === null) {
        const most = LIMITS.book.eventsPerStretch
        throw outOfBounds('from', `The stretch holds more than ${most} alarm events: ask for a shorter one.`)
      }
      return kpiBody(figures, zone.name)
    }
  })
}

/** The zone in which the people of the plant count their days. */
function zoneOfPlant({ calendar, duty }: Plant): string {
  return calendar?.zone ?? duty?.rotas[0]?.zone ?? duty?.people[0]?.zone ?? 'UTC'
}

function zoneOf(name: string): Zone {
  const zone = Zone.named(name)
  if (zone === null) throw outOfBounds('zone', `There is no time zone ${name}: give an IANA name such as Asia/Shanghai.`)
  return zone
}

function outOfBounds(at: string, sentence: string): ApiProblem {
  return new ApiProblem('invalid', sentence, { faults: [{ at, problem: sentence }] })
}

function kpiBody(figures: AlarmStatistics, zone: string): Kpi {
  const { from, to, total, tiers, days, floods, floodMs, chattering, stale, staleCount, badActors } = figures
  const { alarms, announced, standing } = total
  const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  return {
    from: instant(from),
    to: instant(to),
    zone,
    alarms,
    announced,
    standing,
    perHour: (announced * HOUR) / (to - from),
    perDay: (announced * DAY) / (to - from),
    peakIn10Min: floods.length === 0 ? null : Math.max(...floods.map(({ peak }) => peak)),
    tiers: tiers.map((one) => ({ ...one, share: shareOf(one.announced, announced), firstAt: instantOrNull(one.firstAt) })),
    days: days.map((day) => ({ ...day, announced: { ...day.announced } })),
    floods: floods.slice(-TOLD).map((flood) => ({ ...flood, from: instant(flood.from), to: instant(flood.to) })),
    floodCount: floods.length,
    floodShare: shareOf(floodMs, to - from),
    chattering: chattering.slice(0, TOLD).map((one) => ({ ...one, firstAt: instant(one.firstAt) })),
    chatteringCount: chattering.length,
    stale: stale.map((one) => ({ ...one, raisedAt: instant(one.raisedAt) })),
    staleCount,
    topTen: badActors.map(actorBody),
    topTenShare: badActors.reduce((sum, { share }) => sum + share, 0)
  }
}

function actorBody(
  actor: AlarmCounts & { rule: string; device: string | null; area: string | null; share: number }
): Kpi['topTen'][number] {
  const { rule, device, area, alarms, announced, activeMs, firstAt, share } = actor
  return { rule, device, area, alarms, announced, activeMs, firstAt: instantOrNull(firstAt), share }
}
