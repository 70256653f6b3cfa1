// The shapes of the files people write, as zod schemas: the checks and the JSON Schemas for editors come from here alone.
// A message that begins with "must" completes the sentence "<key> of <thing> …". No transforms: a value passes as it was written.

import { z } from 'zod'
import { WEEKDAYS, WITHIN } from '../../model/plant.ts'
import { TIERS } from '../../model/tier.ts'
import { parseDuration } from '../../platform/duration.ts'
import { dayOf, Zone } from '../../platform/zone.ts'
import { isCasNumber } from '../../rules/hazard.ts'
import { HAZARD_CLASSES } from '../../rules/hazardTables.ts'

const MUST_BE_ID = 'must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
const MUST_BE_DURATION = 'must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d'
const MUST_BE_NUMBER = 'must be a number'
const MUST_BE_TEXT = 'must be text'
const MUST_BE_METRIC = 'must be a lower-case name such as level_pct: a letter, then letters, digits and underscores'

/** Words of the expression language that can name neither a metric nor a limit. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let limits loop package namespace return var void while'.split(
    ' '
  )
)
const METRIC_NAME = /^[a-z][a-z0-9_]*$/

const idPattern = /^[A-Za-z0-9._-]{1,64}$/
export const id = z.string({ error: MUST_BE_ID }).regex(idPattern, { error: MUST_BE_ID })
export const plainText = z.string({ error: MUST_BE_TEXT }).min(1, { error: 'must not be empty' })
export const text = z.union([plainText, z.strictObject({ zh: plainText, en: plainText })], { error: 'must be text, or {zh: …, en: …}' })
const finite = z.number({ error: MUST_BE_NUMBER })
export const flag = z.boolean({ error: 'must be true or false' })
const metricName = z
  .string()
  .regex(METRIC_NAME, { error: MUST_BE_METRIC, abort: true })
  .refine((name) => !RESERVED.has(name), { error: 'must not be a word of the rule language' })

export const durationText = z
  .string({ error: MUST_BE_DURATION })
  .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, { error: MUST_BE_DURATION, abort: true })
  .refine((value) => parseDuration(value) !== null, { error: MUST_BE_DURATION, abort: true })
export const longerThanNothing = durationText.refine((value) => parseDuration(value) !== 0, { error: 'must be longer than nothing' })

const limits = z.record(metricName, finite, { error: 'must be a mapping of limit names to numbers' })
const labels = z.record(z.string().min(1, { error: 'must not be empty' }), plainText, { error: 'must be a mapping of label names to text' })
const source = plainText.describe('Where the limits come from: a standard, a data sheet, practice. Shown to engineers.')

export const metricShape = z
  .strictObject({
    name: text.optional(),
    unit: plainText.describe('UCUM where it has one, "1" for none. Booleans are 0/1 with unit "1".'),
    min: finite.describe('Below this a value is out of range: kept in history, unknown to rules.'),
    max: finite.describe('Above this a value is out of range: kept in history, unknown to rules.'),
    stuckAfter: longerThanNothing.optional().describe('Unchanged for this long, the sensor is taken for stuck.'),
    zeroDrift: finite.gt(0, { error: 'must be above 0' }).optional().describe('Further below zero for long, its zero has drifted.')
  })
  .refine(({ min, max }) => min < max, { path: ['min'], error: 'must be below its max, or no value is ever in range' })
  .refine(({ min, zeroDrift }) => !(zeroDrift && -zeroDrift <= min), { path: ['zeroDrift'], error: 'must leave room above its min' })

export const profileShape = z
  .strictObject({
    id,
    name: text.optional(),
    metrics: z.record(metricName, metricShape, { error: 'must be a mapping of metric names to {unit, min, max}' }),
    limits: limits.optional(),
    silentAfter: longerThanNothing.describe('A value is held this long, then it is unknown.'),
    source: source.optional()
  })
  .meta({ title: 'Fenghuo device profile' })

export const enterpriseShape = z.strictObject({ id, name: text.optional() })

export const siteShape = z.strictObject({
  id,
  enterprise: id,
  name: text.optional(),
  lat: z
    .number({ error: MUST_BE_NUMBER })
    .min(-90, { error: 'must be between -90 and 90 degrees' })
    .max(90, { error: 'must be between -90 and 90 degrees' })
    .optional(),
  lon: z
    .number({ error: MUST_BE_NUMBER })
    .min(-180, { error: 'must be between -180 and 180 degrees' })
    .max(180, { error: 'must be between -180 and 180 degrees' })
    .optional()
})

export const areaShape = z.strictObject({ id, site: id, name: text.optional() })

export const gatewayShape = z.strictObject({
  id,
  enterprise: id,
  name: text.optional(),
  secret: plainText.describe('env:NAME, a literal, or a hash ($argon2id$…, $scrypt$… or $7$… of Mosquitto).')
})

export const deviceShape = z.strictObject({
  id,
  name: text.optional(),
  profile: id,
  gateway: id.optional(),
  area: id.optional(),
  site: id.optional(),
  labels: labels.optional(),
  limits: limits.optional().describe("Laid over the profile's limits.")
})

const MUST_BE_AMOUNT = 'must be a number of tonnes above 0'
const MUST_BE_CAS = 'must be a CAS number with its right check digit, such as "67-56-1"'
const MUST_BE_CLASS = 'must be a class of GB 18218-2018 such as J1, W2 or W5.3'
const MUST_BE_PEOPLE = 'must be a whole number of people from 0'
const hazardClasses = Object.keys(HAZARD_CLASSES) as [string, ...string[]]

export const substanceShape = z
  .strictObject({
    cas: z.string({ error: MUST_BE_CAS }).refine(isCasNumber, { error: MUST_BE_CAS }).optional(),
    class: z.enum(hazardClasses, { error: MUST_BE_CLASS }).optional().describe('Of several classes the one with the lowest threshold.'),
    name: text.optional(),
    amount_t: z
      .number({ error: MUST_BE_AMOUNT })
      .gt(0, { error: MUST_BE_AMOUNT })
      .describe('The most that is stored by design, in tonnes.'),
    tank: id.optional().describe('The device that measures its level.')
  })
  .describe('Named by its CAS number, its class, or both.')

export const hazardSourceShape = z.strictObject({
  id,
  site: id,
  name: text.optional(),
  exposed: z
    .int({ error: MUST_BE_PEOPLE })
    .min(0, { error: MUST_BE_PEOPLE })
    .describe('People exposed within 500 m of the boundary of the plant.'),
  inventory: z.array(substanceShape, { error: 'must be a list of substances' }).min(1, { error: 'must name at least one substance' })
})

const shelvingShape = z
  .strictObject(
    Object.fromEntries(TIERS.map((tier) => [tier, longerThanNothing.optional()])) as Record<
      (typeof TIERS)[number],
      z.ZodOptional<typeof longerThanNothing>
    >
  )
  .describe('How long an alarm of each tier may be shelved at most. Default: blue 24h, yellow 12h, orange 4h, red 1h.')

/** The lists of plant.yaml, in the order in which one refers to the other. */
export const PLANT_LISTS = {
  enterprises: enterpriseShape,
  sites: siteShape,
  areas: areaShape,
  gateways: gatewayShape,
  devices: deviceShape,
  hazardSources: hazardSourceShape
} as const

export const plantShape = z
  .strictObject({
    enterprises: z.array(enterpriseShape).optional(),
    sites: z.array(siteShape).optional(),
    areas: z.array(areaShape).optional(),
    gateways: z.array(gatewayShape).optional(),
    devices: z.array(deviceShape).optional(),
    hazardSources: z.array(hazardSourceShape).optional().describe('Inventories to be graded after GB 18218-2018: fenghuo hazard.'),
    shelving: shelvingShape.optional()
  })
  .meta({ title: 'Fenghuo plant: enterprises, sites, areas, gateways, devices, hazard sources' })

export const tierShape = z.strictObject({
  when: plainText.describe('CEL over the metrics and limits of the device: the tier is entered once this is true for `for`.'),
  clear: plainText.optional().describe('The tier is left once this is true for `clearFor`. Default: the opposite of `when`.'),
  deadband: finite
    .min(0, { error: 'must not be negative' })
    .optional()
    .describe('Moves the default exit away from the limit of a single comparison.'),
  for: durationText.optional(),
  clearFor: durationText.optional()
})

const selector = z
  .strictObject({
    profile: id.optional(),
    devices: z.array(id, { error: 'must be a list of device ids' }).min(1, { error: 'must name at least one device' }).optional(),
    labels: labels.optional(),
    area: id.optional(),
    site: id.optional(),
    enterprise: id.optional()
  })
  .describe('All given must match; {} is every device.')

export const ruleShape = z.strictObject({
  id,
  title: text.optional(),
  appliesTo: selector,
  per: z.enum(['device', 'area'], { error: 'must be device or area' }).optional(),
  latched: flag.optional().describe('Does not clear by itself: an operator resets it once its cause is gone.'),
  shadow: flag.optional().describe('Is judged on live data and told to nobody: what it does is kept apart.'),
  acknowledgeNote: z
    .literal('required', { error: 'must be required, or left out' })
    .optional()
    .describe('Whoever acknowledges an alarm of this rule must say something.'),
  realarm: longerThanNothing.optional().describe('On and unacknowledged, it is announced again each time this has passed. Default: never.'),
  realarmAcknowledged: longerThanNothing
    .optional()
    .describe('An acknowledgement holds for so long; an alarm that is still on is then announced as new. Default: for ever.'),
  degrade: z
    .enum(['towardsTrip', 'towardsRun'], { error: 'must be towardsTrip or towardsRun' })
    .optional()
    .describe('How voted() counts while u members are unknown: max(1, k - u), or min(k, known). Without it the vote is unknown.'),
  tiers: z.strictObject(
    Object.fromEntries(TIERS.map((tier) => [tier, tierShape.optional()])) as Record<(typeof TIERS)[number], z.ZodOptional<typeof tierShape>>
  ),
  guidance: text.optional().describe('Cause, consequence, what to do, in how long.'),
  source: source.optional()
})

const MUST_BE_TIME = 'must be a time of day such as "08:00", from "00:00" to "24:00"'
const MUST_BE_DATE = 'must be a date such as 2026-10-01'
const MUST_BE_DAYS = 'must be every, workdays, holidays, or a list of mon, tue, wed, thu, fri, sat, sun'
const MUST_BE_TIER = `must be one of ${TIERS.join(', ')}`
const MUST_BE_WITHIN = `must be one of ${WITHIN.join(', ')}`
const timeOfDay = z.string({ error: MUST_BE_TIME }).regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: MUST_BE_TIME })
const date = z
  .string({ error: MUST_BE_DATE })
  .regex(/^\d{4}-\d\d-\d\d$/, { error: MUST_BE_DATE, abort: true })
  .refine((value) => dayOf(value) !== null, { error: 'must be a day of the calendar' })
const zone = z
  .string({ error: 'must be a time zone such as Asia/Shanghai' })
  .refine((name) => Zone.named(name) !== null, { error: 'must be a time zone such as Asia/Shanghai' })
const tierName = z.enum(TIERS, { error: MUST_BE_TIER })

const suppresses = z.strictObject({
  rules: z.union(
    [z.literal('all'), z.array(id, { error: 'must be a list of rule ids' }).min(1, { error: 'must name at least one rule' })],
    { error: 'must be all, or a list of rule ids' }
  ),
  upTo: tierName
    .optional()
    .describe('Alarms above it are told all the same. Default orange: red is never held back unless it is said here.')
})

export const scheduleShape = z.strictObject({
  zone: zone.optional().describe('Default: the zone of the calendar.'),
  days: z
    .union(
      [z.enum(['every', 'workdays', 'holidays']), z.array(z.enum(WEEKDAYS, { error: MUST_BE_DAYS })).min(1, { error: MUST_BE_DAYS })],
      { error: MUST_BE_DAYS }
    )
    .optional()
    .describe('The days on which it begins. workdays: Monday to Friday without holidays, and make-up days; holidays: all others.'),
  from: timeOfDay.describe('By the wall clock, included.'),
  to: timeOfDay.describe('Not included; at or before `from` it is of the next day.')
})

export const stateShape = z.strictObject({
  id,
  title: text.optional(),
  appliesTo: selector,
  within: z
    .enum(WITHIN, { error: MUST_BE_WITHIN })
    .optional()
    .describe('Whose alarms it holds back: of the device itself (default), or of all in its gateway, area or site.'),
  while: plainText.optional().describe('CEL over the metrics and limits of the device. Unknown neither begins nor keeps the state.'),
  schedule: scheduleShape.optional(),
  manual: z
    .strictObject({ atMost: longerThanNothing.describe('A person must switch it on again after that.') })
    .optional()
    .describe('Switched on by a person, for a while.'),
  for: durationText.optional(),
  clearFor: durationText.optional(),
  suppresses,
  source: source.optional()
})

export const inhibitionShape = z.strictObject({
  id,
  title: text.optional(),
  source: z.strictObject({ rule: id, tier: tierName.optional().describe('This tier or above. Default: any.') }),
  within: z.enum(WITHIN, { error: MUST_BE_WITHIN }).describe('How far from the source its alarm explains others.'),
  clearFor: durationText.optional().describe('It goes on for so long after the source alarm is gone.'),
  suppresses,
  reason: source.optional()
})

export const calendarShape = z
  .strictObject({
    zone: zone.optional(),
    holidays: z
      .array(
        z.union([date, z.strictObject({ from: date, to: date, name: plainText.optional() })], {
          error: 'must be a date, or {from: …, to: …, name: …}'
        }),
        { error: 'must be a list of dates' }
      )
      .optional(),
    workdays: z
      .array(date, { error: 'must be a list of dates' })
      .optional()
      .describe('Weekend days on which people work to make up for a longer holiday.')
  })
  .describe('Days off and make-up days. In one of the rule files only.')

const MUST_BE_BUILT_IN = 'must be on, off, what to change, or a list of these'
const builtInChange = z.strictObject({
  profiles: z.array(id, { error: 'must be a list of profile ids' }).min(1, { error: 'must name at least one profile' }).optional(),
  metrics: z.array(metricName, { error: 'must be a list of metrics' }).min(1, { error: 'must name at least one metric' }).optional(),
  tier: z.enum([...TIERS, 'off'], { error: `must be one of ${TIERS.join(', ')}, off` }).optional(),
  after: durationText.optional().describe('device-silent only: how long nothing was received; the silentAfter of the profile without it.'),
  for: durationText.optional(),
  clearFor: durationText.optional(),
  latched: flag.optional(),
  shadow: flag.optional(),
  guidance: text.optional(),
  source: source.optional()
})
const builtIn = z
  .union([z.enum(['on', 'off'], { error: MUST_BE_BUILT_IN }), flag, z.array(builtInChange), builtInChange], { error: MUST_BE_BUILT_IN })
  .optional()
export const builtInShape = z
  .strictObject({
    'sensor-stuck': builtIn.describe('Unchanged for the stuckAfter of the metric.'),
    'sensor-out-of-range': builtIn.describe('Outside the min and max of the metric.'),
    'sensor-below-zero': builtIn.describe('Below zero by the zeroDrift of the metric.'),
    'sensor-faulty': builtIn.describe('Called bad by the device.'),
    'device-silent': builtIn.describe('Nothing received for the silentAfter of the profile.'),
    'clock-wrong': builtIn.describe('Its time stamps are not believed.')
  })
  .describe('Faults as rules, one per profile and metric; of a list the first entry that fits counts.')

export const rulesShape = z
  .strictObject({
    rules: z.array(ruleShape, { error: 'must be a list of rules' }).optional(),
    states: z
      .array(stateShape, { error: 'must be a list of states' })
      .optional()
      .describe('In them some alarms are expected and not told.'),
    inhibitions: z.array(inhibitionShape, { error: 'must be a list of inhibitions' }).optional().describe('Alarms that explain others.'),
    calendar: calendarShape.optional(),
    builtIn: builtInShape.optional()
  })
  .meta({ title: 'Fenghuo rules, states of the plant, and inhibitions' })
