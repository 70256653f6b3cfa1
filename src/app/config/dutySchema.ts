// The shape of duty.yaml: people, teams, rotas, the responsible people of hazard sources, ladders. Checked like all other files;
// the JSON Schema for editors comes from here alone.

import { z } from 'zod'
import { CHANNEL_KINDS } from '../../model/notification.ts'
import { TIERS } from '../../model/tier.ts'
import { parseDuration } from '../../platform/duration.ts'
import { LIMITS } from '../../platform/limits.ts'
import { dayOf, Zone } from '../../platform/zone.ts'
import { durationText } from './schema.ts'

const MUST_BE_ID = 'must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
const MUST_BE_TIME = 'must be a time of day such as "08:00"'
const MUST_BE_INSTANT = 'must be a local date and time such as 2026-02-10T08:00'
const MUST_BE_PARTY = 'must be person:ID or team:ID'
const MUST_BE_TARGET = 'must be duty:ROTA, person:ID, team:ID, or responsible:operation, technical or main'
const MUST_BE_WAY = `must be a way of telling, or several together: ${CHANNEL_KINDS.join(', ')}, sms+push`
const MUST_BE_PHONE = 'must be a phone number of digits, with spaces, hyphens and a leading + as you like, in quotes'
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const id = z.string({ error: MUST_BE_ID }).regex(/^[A-Za-z0-9._-]{1,64}$/, { error: MUST_BE_ID })
const plainText = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })
const text = z.union([plainText, z.strictObject({ zh: plainText, en: plainText })], { error: 'must be text, or {zh: …, en: …}' })
const zone = z
  .string({ error: 'must be the name of a time zone such as Asia/Shanghai' })
  .refine((name) => Zone.named(name) !== null, { error: 'must be the name of a time zone such as Asia/Shanghai' })
const timeOfDay = z.string({ error: MUST_BE_TIME }).regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: MUST_BE_TIME })
const localInstant = z.string({ error: MUST_BE_INSTANT }).refine((value) => instantParts(value) !== null, { error: MUST_BE_INSTANT })
const party = z.string({ error: MUST_BE_PARTY }).regex(/^(person|team):[A-Za-z0-9._-]{1,64}$/, { error: MUST_BE_PARTY })
const hours = z.strictObject({ from: timeOfDay, to: timeOfDay })
const wholeDays = durationText.refine((value) => (parseDuration(value) ?? 1) % 86_400_000 === 0 && parseDuration(value) !== 0, {
  error: 'must be a number of whole days, such as 1d or 7d'
})
const count = (most: number): z.ZodInt => {
  const error = `must be a whole number from 1 to ${most}`
  return z.int({ error }).min(1, { error }).max(most, { error })
}

/** The day (since 1970) and minute of `2026-02-10T08:00`; null where it is no such text. */
export function instantParts(value: string): { readonly day: number; readonly minute: number } | null {
  const parts = /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)$/.exec(value)
  const day = parts === null ? null : dayOf(parts[1] as string)
  return parts === null || day === null ? null : { day, minute: Number(parts[2]) * 60 + Number(parts[3]) }
}

const addresses = z.strictObject(
  Object.fromEntries(CHANNEL_KINDS.map((kind) => [kind, plainText.optional()])) as Record<
    (typeof CHANNEL_KINDS)[number],
    z.ZodOptional<typeof plainText>
  >
)

export const personShape = z.strictObject({
  id,
  name: text.optional(),
  language: z.enum(['zh', 'en'], { error: 'must be zh or en' }).optional().describe('Of the messages; zh by default.'),
  zone: zone.optional(),
  enterprise: id.optional(),
  user: plainText.optional().describe('The sign-in name in the console: pushed messages go there.'),
  phone: z
    .string({ error: MUST_BE_PHONE })
    .regex(/^(\+?[\d][\d ()-]{1,24}|env:.+)$/, { error: MUST_BE_PHONE })
    .optional()
    .describe('For sms and voice. env:NAME is read from the environment.'),
  email: z
    .string({ error: 'must be a mail address' })
    .regex(/^([^@\s]+@[^@\s]+|env:.+)$/, { error: 'must be a mail address' })
    .optional(),
  addresses: addresses.optional().describe('By way: a URL, a robot, another number. env:NAME is read from the environment.'),
  quiet: hours.optional().describe('Told of nothing but red in these hours; the rest waits until they end.')
})

export const teamShape = z.strictObject({
  id,
  name: text.optional(),
  people: z.array(id, { error: 'must be a list of people' }).min(1, { error: 'must name at least one person' })
})

const shift = z.strictObject({
  from: timeOfDay,
  to: timeOfDay.describe('Not after `from`: of the next day.'),
  days: z
    .array(z.enum(WEEKDAYS, { error: `must be one of ${WEEKDAYS.join(', ')}` }))
    .min(1, { error: 'must name at least one weekday' })
    .optional(),
  order: z.array(party, { error: 'must be a list of person:ID and team:ID' }).min(1, { error: 'must name somebody' }),
  rotate: wholeDays.optional().describe('The turn passes on after so many days; 1d by default.'),
  offset: z.int({ error: 'must be a whole number from 0' }).min(0, { error: 'must be a whole number from 0' }).optional()
})

export const rotaShape = z.strictObject({
  id,
  name: text.optional(),
  zone: zone.optional(),
  start: z
    .string({ error: 'must be a date such as 2026-01-05' })
    .refine((value) => dayOf(value) !== null, { error: 'must be a date such as 2026-01-05' })
    .describe('The day of the first turn.'),
  shifts: z.array(shift, { error: 'must be a list of shifts' }).min(1, { error: 'must have at least one shift' }),
  overrides: z
    .array(z.strictObject({ from: localInstant, to: localInstant, who: party, instead: party.optional(), note: plainText.optional() }))
    .optional(),
  swaps: z
    .array(
      z.strictObject({
        from: localInstant,
        to: localInstant,
        between: z.tuple([party, party], { error: "must be two, who take each other's turns" }),
        note: plainText.optional()
      })
    )
    .optional()
})

export const responsibleShape = z.strictObject({
  hazardSource: id.optional(),
  site: id.optional(),
  operation: id.optional().describe('操作负责人'),
  technical: id.optional().describe('技术负责人'),
  main: id.optional().describe('主要负责人')
})

const rung = z.strictObject({
  after: durationText.optional().describe('Since the alarm began, or rose above what this ladder was begun for; 0s by default.'),
  tell: z
    .array(
      z
        .string({ error: MUST_BE_TARGET })
        .regex(/^((duty|person|team):[A-Za-z0-9._-]{1,64}|responsible:(operation|technical|main))$/, { error: MUST_BE_TARGET }),
      { error: 'must be a list of targets' }
    )
    .min(1, { error: 'must name somebody' }),
  by: z
    .array(z.string({ error: MUST_BE_WAY }).refine(areWays, { error: MUST_BE_WAY }), { error: 'must be a list of ways' })
    .min(1, { error: 'must name at least one way' })
    .describe('In order: the next is used where the one before has failed. sms+push: both at once.'),
  repeat: durationText.refine((value) => parseDuration(value) !== 0, { error: 'must be longer than nothing' }).optional(),
  times: count(LIMITS.duty.calls).optional().describe('Calls in all; without it, with repeat, until somebody answers.')
})

function areWays(value: string): boolean {
  return value.split('+').every((way) => (CHANNEL_KINDS as readonly string[]).includes(way))
}

export const ladderShape = z.strictObject({
  id,
  appliesTo: z
    .strictObject({
      tiers: z
        .array(z.enum(TIERS, { error: `must be one of ${TIERS.join(', ')}` }))
        .min(1, { error: 'must name at least one tier' })
        .optional(),
      rules: z.array(id).min(1, { error: 'must name at least one rule' }).optional(),
      area: id.optional(),
      site: id.optional(),
      enterprise: id.optional()
    })
    .optional()
    .describe('All given must match. The first ladder of the file that matches an alarm is its ladder.'),
  steps: z
    .array(rung, { error: 'must be a list of steps' })
    .min(1, { error: 'must have at least one step' })
    .max(LIMITS.duty.rungs, { error: `must have at most ${LIMITS.duty.rungs} steps` }),
  receiptWithin: durationText.optional().describe('Without a receipt within this, the next way or person is called at once.'),
  quietHours: z.boolean({ error: 'must be true or false' }).optional().describe('Whether quiet hours hold it back; never red.')
})

export const drillShape = z.strictObject({
  id,
  site: id,
  tier: z.enum(TIERS, { error: `must be one of ${TIERS.join(', ')}` }),
  at: timeOfDay.describe('The time of day at which it begins.'),
  days: z
    .array(z.enum(WEEKDAYS, { error: `must be one of ${WEEKDAYS.join(', ')}` }))
    .min(1, { error: 'must name at least one weekday' })
    .optional()
    .describe('Every day by default.'),
  week: z
    .int({ error: 'must be a whole number from 1 to 5' })
    .min(1, { error: 'must be a whole number from 1 to 5' })
    .max(5, { error: 'must be a whole number from 1 to 5' })
    .optional()
    .describe('Only on the first, second, … of these weekdays in a month.'),
  zone: zone.optional(),
  fast: count(LIMITS.drill.mostFactor).optional().describe('Every delay of the ladder is divided by this; 1 by default.')
})

/** The lists of duty.yaml, each entry checked by itself. */
export const DUTY_LISTS = {
  people: personShape,
  teams: teamShape,
  rotas: rotaShape,
  responsible: responsibleShape,
  ladders: ladderShape,
  drills: drillShape
} as const

export const dutyShape = z
  .strictObject({
    zone: zone.optional().describe('Of everybody who names no other; Asia/Shanghai by default.'),
    groupWindow: durationText
      .optional()
      .describe('After a message, further ones to the same person about the same site go out as one; 30s by default.'),
    throttle: z
      .strictObject({ max: count(10_000), per: durationText })
      .optional()
      .describe('Most messages to one person by one way.'),
    floodDigest: durationText.optional().describe('In a flood one message per this long instead of one per alarm; 5m by default.'),
    receipts: z
      .array(z.enum(CHANNEL_KINDS, { error: `must be one of ${CHANNEL_KINDS.join(', ')}` }))
      .optional()
      .describe('Ways whose receipts come back; sms and voice by default.'),
    people: z.array(personShape).optional(),
    teams: z.array(teamShape).optional(),
    rotas: z.array(rotaShape).optional(),
    responsible: z.array(responsibleShape).optional(),
    ladders: z.array(ladderShape).optional(),
    drills: z.array(drillShape).optional().describe('Test alarms that are held by themselves.')
  })
  .meta({ title: 'Fenghuo duty: who is told of an alarm, when and by what' })
