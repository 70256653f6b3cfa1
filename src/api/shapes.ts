// The JSON shapes of contract 6, once: they check what is sent, type the routes, and are the OpenAPI document.

import { z } from 'zod'
import { DISPOSITIONS, OPERATOR_ACTIONS, SERVICE_ACTIONS } from '../model/alarm.ts'
import { CHANNEL_KINDS, NOTIFICATION_STATES } from '../model/notification.ts'
import { QUALITIES } from '../model/quality.ts'
import { LEVELS, TIERS } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { RULE_ORIGINS } from './amender.ts'

/** An instant in an answer: ISO 8601, UTC, milliseconds. */
export const Instant = z.string().meta({ format: 'date-time', example: '2026-01-01T00:00:05.000Z' })
export const Id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'an id has 1 to 64 of the characters A-Z a-z 0-9 . _ -')
export const TierName = z.enum(TIERS)

/** An instant in a question: ISO 8601 with zone, or a date (midnight UTC). Becomes epoch ms. */
export const Time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: 'not a time: use ISO 8601 with a zone, as 2026-01-01T00:00:00Z' })
  .transform((text) => Date.parse(text))
  .meta({ description: 'ISO 8601 with zone', example: '2026-01-01T00:00:00Z' })

/** How many items to answer. */
export function itemCount(most: number) {
  return z.coerce
    .number({ error: `a whole number from 1 to ${most}` })
    .int()
    .min(1)
    .max(most)
}

/** How many items one page may hold. */
export function pageLimit(fallback: number, most: number = LIMITS.api.itemsPerPage) {
  return itemCount(most)
    .default(fallback)
    .meta({ description: `Items in one page, at most ${most}` })
}

export const Next = z.string().nullable().meta({ description: 'Give it back as cursor to get the next page; null: this was the last' })

export const Text = z
  .object({ zh: z.string(), en: z.string() })
  .meta({ id: 'Text', description: 'A text in the two languages of the console' })
/** Beside each sentence of the judge. */
export const ReasonText = Text.meta({
  description: 'The same in the words of people: names and units of the plant',
  example: { zh: '液位 86.1% > 85%,持续 5 秒', en: 'Level 86.1% > 85% for 5s' }
})
const Name = Text.nullable()

export const Acknowledgement = z.object({ by: z.string(), at: Instant, note: z.string().nullable() })

export const WithholdingBody = z.object({ by: z.string(), at: Instant, until: Instant, note: z.string().nullable() })

export const AlarmBody = z
  .object({
    id: z.string().meta({ description: 'rule/subject#epoch-ms of the raise; percent-encode it in a path' }),
    rule: z.string(),
    device: z.string().nullable(),
    deviceName: Name,
    area: z.string().nullable(),
    areaName: Name,
    site: z.string().nullable(),
    siteName: Name,
    enterprise: z.string().nullable(),
    enterpriseName: Name,
    tier: TierName.meta({ description: 'The present tier; once cleared, the last one it had' }),
    worstTier: TierName,
    raisedAt: Instant,
    clearedAt: Instant.nullable(),
    acknowledged: Acknowledgement.nullable(),
    shelvedUntil: Instant.nullable(),
    isaState: z.string().meta({
      description:
        'ISA-18.2 state letter: A normal, B unacknowledged, C acknowledged, D returned to normal unacknowledged, E and F latched with the cause gone, unacknowledged and acknowledged, G shelved, H suppressed by design, I out of service'
    }),
    shelved: WithholdingBody.nullable(),
    suppressedBy: z.array(z.string()).meta({ description: 'The states and inhibitions that suppress it: state:… or inhibition:…' }),
    outOfService: WithholdingBody.nullable().meta({ description: 'The window in which its device, area or site is out of service' }),
    assignee: z.string().nullable(),
    closed: z
      .object({
        by: z.string(),
        at: Instant,
        disposition: z.enum(DISPOSITIONS),
        verifier: z.string().nullable(),
        note: z.string().nullable()
      })
      .nullable(),
    realarmAt: Instant.nullable().meta({ description: 'When it is announced again if nobody acknowledges' }),
    firstOut: z.boolean(),
    chattering: z.boolean(),
    stale: z.boolean(),
    because: z.string(),
    becauseText: ReasonText,
    title: Text,
    guidance: Text
  })
  .meta({ id: 'Alarm' })
export type AlarmBody = z.infer<typeof AlarmBody>

/** The lines of contract 5, key for key. */
export const EventBody = z
  .union([
    z.object({
      at: Instant,
      rule: z.string(),
      device: z.string().optional(),
      area: z.string().optional(),
      from: z.enum(LEVELS),
      to: z.enum(LEVELS),
      id: z.string(),
      because: z.string()
    }),
    z.object({
      at: Instant,
      id: z.string(),
      action: z.enum([...OPERATOR_ACTIONS, ...SERVICE_ACTIONS]),
      by: z.string(),
      note: z.string().nullable(),
      until: Instant.optional(),
      assignee: z.string().nullable().optional(),
      disposition: z.string().optional(),
      verifier: z.string().optional()
    })
  ])
  .meta({
    id: 'AlarmEvent',
    description: 'One line of the alarm journal. Exactly one of device and area is there.',
    example: {
      at: '2026-01-01T00:00:05.000Z',
      rule: 'tank-level',
      device: 'T-101',
      from: 'clear',
      to: 'yellow',
      id: 'tank-level/T-101#1767225605000',
      because: 'level_pct 86.1 > 85 for 5s'
    }
  })

export const Nullable = z.string().nullable()

export const NotificationBody = z
  .object({
    id: z.string(),
    at: Instant.meta({ description: 'When it was due' }),
    reason: z.string(),
    alarms: z.array(z.string()),
    tier: z.enum(TIERS),
    site: Nullable,
    enterprise: Nullable,
    ladder: z.string(),
    rung: z.number(),
    occurrence: z.number(),
    person: z.string(),
    channel: z.enum(CHANNEL_KINDS),
    address: Nullable.meta({ description: 'Masked for viewers' }),
    text: z.string(),
    drill: z.boolean(),
    withheld: Nullable.meta({ description: 'Why it was deliberately not sent' }),
    state: z.enum(NOTIFICATION_STATES),
    tries: z.number(),
    provider: Nullable,
    providerId: Nullable,
    problem: Nullable,
    possibleDuplicate: z.boolean().meta({ description: 'It may have reached the person twice' }),
    late: z.boolean().meta({ description: 'It was not sent in time; the ladder stepped on' }),
    sentAt: Instant.nullable().meta({ description: 'The provider accepted it. Sent is not told: see deliveredAt' }),
    deliveredAt: Instant.nullable(),
    failedAt: Instant.nullable()
  })
  .meta({ id: 'Notification' })

export const AlarmDetail = AlarmBody.extend({
  events: z
    .array(z.union([EventBody.options[0].extend({ becauseText: ReasonText }), EventBody.options[1]]))
    .meta({ description: 'In the order of the journal' }),
  notifications: z.array(NotificationBody).meta({ description: 'Whom it was told, and whom not and why, in the order of planning' }),
  demands: z
    .object({
      noteRequired: z.boolean().meta({ description: 'An acknowledgement needs a note' }),
      latched: z.boolean().meta({ description: 'It stays on until it is reset' }),
      longestShelfMs: z.number().meta({ description: 'How long it may be shelved at its present tier' })
    })
    .meta({ description: 'What the plant demands of whoever acts on it' })
}).meta({ id: 'AlarmDetail' })

const LastValue = z.object({
  metric: z.string(),
  name: Text,
  unit: z.string(),
  min: z.number(),
  max: z.number(),
  value: z.number().nullable(),
  at: Instant.nullable(),
  ageMs: z.number().nullable().meta({ description: 'Since its device was heard with it, by our clock' }),
  quality: z.enum(QUALITIES).nullable().meta({ description: 'null: never reported' })
})

export const DEVICE_STATES = ['online', 'silent', 'offline', 'never'] as const
export type DeviceState = (typeof DEVICE_STATES)[number]

export const DeviceBody = z
  .object({
    id: z.string(),
    name: Text,
    profile: z.string(),
    profileName: Text,
    gateway: z.string().nullable(),
    gatewayOnline: z.boolean().nullable().meta({ description: 'null: the gateway has not said' }),
    area: z.string().nullable(),
    areaName: Name,
    site: z.string().nullable(),
    siteName: Name,
    enterprise: z.string().nullable(),
    enterpriseName: Name,
    labels: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.number()),
    online: z.boolean(),
    neverReported: z.boolean(),
    state: z.enum(DEVICE_STATES).meta({
      description:
        'online: heard within silentAfter. silent: not. offline: its gateway is gone and it has not been heard since. never: not heard since the journal begins'
    }),
    lastReceivedAt: Instant.nullable(),
    ageMs: z.number().nullable(),
    silentAfterMs: z.number(),
    worstTier: TierName.nullable().meta({ description: 'The highest tier among its active alarms' }),
    values: z.array(LastValue)
  })
  .meta({ id: 'Device' })
export type DeviceBody = z.infer<typeof DeviceBody>

/** A rule as it is written. */
export const RuleText = z.object({
  id: z.string(),
  title: Text,
  per: z.enum(['device', 'area']),
  latched: z.boolean(),
  source: z.string().nullable(),
  tiers: z.array(
    z.object({
      tier: TierName,
      when: z.string(),
      clear: z.string().nullable(),
      deadband: z.number().nullable(),
      for: z.string(),
      clearFor: z.string()
    })
  )
})

/** How something that people can change stands between the files and the API. */
export const Amended = {
  version: z.number().meta({ description: 'How often it was changed through the API; the ETag has it too' }),
  amended: z.boolean().meta({ description: 'It was changed through the API, so that what a file says of it is not what is in force' }),
  file: z.string().nullable().meta({ description: 'Where a file says something of it; null: no file does' }),
  written: z.record(z.string(), z.unknown()).meta({ description: 'In the shape of its file: what PUT takes' })
}
export const DeviceDetail = DeviceBody.extend({
  thresholds: z
    .array(
      z.object({
        metric: z.string(),
        rule: z.string(),
        tier: TierName,
        op: z.enum(['>', '>=', '<', '<=']),
        value: z.number(),
        limit: z.string().nullable().meta({ description: 'The name of the limit; null: a number in the rule' })
      })
    )
    .meta({ description: 'Where a rule that watches this device compares one metric with one limit: the lines of a trend' }),
  rules: z.array(RuleText),
  ...Amended
}).meta({ id: 'DeviceDetail' })
export type DeviceDetail = z.infer<typeof DeviceDetail>

export const TierCounts = z.object({ blue: z.number(), yellow: z.number(), orange: z.number(), red: z.number() })

export const WithheldCounts = z
  .object({ shelved: z.number(), suppressed: z.number(), outOfService: z.number() })
  .meta({ description: 'Alarms that are withheld, each under one reason: out of service before suppressed before shelved' })

export const RULE_FIRING = ['never', 'sometimes', 'always'] as const
/** A rule that is unknown on at least this share of its subjects is failing. */
export const FAILING_SHARE = 0.1
export const RuleBody = RuleText.extend({
  origin: z.enum(RULE_ORIGINS).meta({
    description: 'file: a rule file has it; console: it was made through the API; builtIn: a rule file asks for it by name, under `builtIn`'
  }),
  shadow: z
    .boolean()
    .meta({ description: 'It is judged and tells nobody: what it does is in its shadow events alone, and `standing` is none' }),
  guidance: Text,
  appliesTo: z
    .object({
      profile: z.string().nullable(),
      devices: z.array(z.string()).nullable(),
      labels: z.record(z.string(), z.string()),
      area: z.string().nullable(),
      site: z.string().nullable(),
      enterprise: z.string().nullable()
    })
    .meta({ description: 'All that is given must match' }),
  subjects: z.number().meta({ description: 'Devices (or areas) that it watches' }),
  standing: TierCounts.meta({ description: 'Its alarms that are on now, by tier' }),
  lastFiredAt: Instant.nullable().meta({
    description: 'When it last raised an alarm (a shadow rule: would have, as far as is kept); null: never'
  }),
  firing: z.enum(RULE_FIRING).meta({
    description:
      'never: it has raised no alarm yet. always: its alarm has stood on every subject for more than 24 h. sometimes: anything else'
  }),
  unknown: z
    .object({
      looked: z.number().meta({ description: 'Subjects looked at: all, or evenly so many of very many' }),
      count: z.number(),
      share: z.number(),
      reasons: z
        .array(z.object({ reason: z.string(), reasonText: ReasonText, count: z.number() }))
        .meta({ description: 'The most frequent, at most 5' })
    })
    .nullable()
    .meta({ description: 'On how many subjects it cannot be judged now, and why; null in lists that do not ask for `firing=failing`' })
}).meta({ id: 'Rule' })
export type RuleBody = z.infer<typeof RuleBody>

export const RuleDetail = RuleBody.extend(Amended).meta({ id: 'RuleDetail' })
export const DeviceCounts = z.object({
  total: z.number(),
  online: z.number(),
  silent: z.number().meta({ description: 'Silent or behind a gateway that is gone' }),
  neverReported: z.number()
})

export const SiteBody = z
  .object({
    id: z.string(),
    name: Text,
    enterprise: z.string(),
    enterpriseName: Name,
    lat: z.number().nullable(),
    lon: z.number().nullable(),
    areas: z.array(z.object({ id: z.string(), name: Text })),
    worstTier: TierName.nullable(),
    alarms: TierCounts,
    unacknowledged: z.number(),
    withheld: WithheldCounts,
    devices: DeviceCounts
  })
  .meta({ id: 'Site' })
export type SiteBody = z.infer<typeof SiteBody>

export const PartHealthBody = z
  .object({ part: z.string(), state: z.enum(['ok', 'starting', 'degraded', 'full', 'failing']), problem: z.string().nullable() })
  .meta({ id: 'PartHealth' })
