// A simulation script: YAML that says which devices there are, what each does, and when. Every problem at once, with its line.

import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../src/platform/duration.ts'
import { type Problem, problem } from '../src/platform/problem.ts'
import { Random } from '../src/platform/random.ts'
import type { Behaviour } from './behaviour.ts'
import { burst, duplicate, silent, stuck, wrongClock } from './behaviours/delivery.ts'
import { diurnal, drift, faulty, fillAndDrain, fireCurve, gasRelease, leak, run, state, steady } from './behaviours/values.ts'
import { SimulatedDevice } from './device.ts'

const A_DURATION = 'a duration is text with a unit, such as 30s, 15m or 8h'
const duration = z.string({ error: A_DURATION }).transform((text, context) => {
  const negative = text.startsWith('-')
  const ms = parseDuration(negative ? text.slice(1) : text)
  if (ms === null) context.addIssue({ code: 'custom', message: `"${text}" is not one: ${A_DURATION}` })
  return (negative ? -1 : 1) * (ms ?? 0)
})
const metric = z.string().regex(/^[a-z][a-z0-9_]*$/, 'a metric name is lower case letters, digits and _')
const noise = z.number().min(0).default(0)

/** Every behaviour: the shape of its settings, and how it is made from them. */
const BEHAVIOURS = {
  steady: talent(z.strictObject({ metric, value: z.number(), noise }), (s) => steady(s.metric, s.value, s.noise)),
  state: talent(z.strictObject({ metric, value: z.number() }), (s) => state(s.metric, s.value)),
  diurnal: talent(z.strictObject({ metric, mean: z.number(), amplitude: z.number(), peakHour: z.number().default(7), noise }), (s) =>
    diurnal(s.metric, s.mean, s.amplitude, s.peakHour, s.noise)
  ),
  fillAndDrain: talent(z.strictObject({ metric, low: z.number(), high: z.number(), period: duration, noise }), (s) =>
    fillAndDrain(s.metric, s.low, s.high, s.period, s.noise)
  ),
  run: talent(z.strictObject({ metric, perMinute: z.number(), limit: z.number() }), (s) => run(s.metric, s.perMinute, s.limit)),
  leak: talent(z.strictObject({ metric, perHour: z.number().positive() }), (s) => leak(s.metric, s.perHour)),
  gasRelease: talent(z.strictObject({ metric, peak: z.number(), rise: duration, halfLife: duration }), (s) =>
    gasRelease(s.metric, s.peak, s.rise, s.halfLife)
  ),
  fireCurve: talent(z.strictObject({ metric, peak: z.number(), growth: duration }), (s) => fireCurve(s.metric, s.peak, s.growth)),
  drift: talent(z.strictObject({ metric, perDay: z.number() }), (s) => drift(s.metric, s.perDay)),
  faulty: talent(z.strictObject({ metric }), (s) => faulty(s.metric)),
  stuck: talent(z.strictObject({ metric }), (s) => stuck(s.metric)),
  silent: talent(z.strictObject({}), () => silent()),
  wrongClock: talent(z.strictObject({ offset: duration }), (s) => wrongClock(s.offset)),
  duplicate: talent(z.strictObject({}), () => duplicate()),
  burst: talent(z.strictObject({ every: duration, most: z.number().int().min(1).max(100_000).default(10_000) }), (s) =>
    burst(s.every, s.most)
  )
}

function talent<Settings extends z.ZodType>(settings: Settings, make: (settings: z.output<Settings>) => Behaviour) {
  return { settings, make: make as (settings: unknown) => Behaviour }
}

const behaviourSchema = z.strictObject({
  from: duration.optional(),
  until: duration.optional(),
  ...Object.fromEntries(Object.entries(BEHAVIOURS).map(([name, { settings }]) => [name, settings.optional()]))
})

const scriptSchema = z.strictObject({
  seed: z.number().int().default(1),
  gateways: z.record(z.string(), z.strictObject({ secret: z.string() })),
  devices: z.array(
    z.strictObject({
      id: z.union([z.string(), z.array(z.string()).min(1)]),
      gateway: z.string(),
      every: duration,
      behaviours: z.array(behaviourSchema).min(1, 'a device needs at least one behaviour')
    })
  )
})

export interface Script {
  /** Secret by gateway id, as written: a literal or `env:NAME`. */
  readonly secrets: ReadonlyMap<string, string>
  readonly devices: readonly SimulatedDevice[]
}

/** Reads a script. `seed` overrides the script's own. A list of ids makes as many devices of one kind, each with its own chance. */
export function parseScript(text: string, file: string, seed: number | null): { script: Script | null; problems: Problem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  if (document.errors.length > 0) {
    return {
      script: null,
      problems: document.errors.map((error) => problem(error.message.split('\n')[0] as string, placeAt(error.pos[0])))
    }
  }
  const parsed = scriptSchema.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (!parsed.success) {
    return {
      script: null,
      problems: parsed.error.issues.map((issue) => problem(sentenceOf(issue), placeAt(offsetOf(document, issue.path))))
    }
  }
  const problems: Problem[] = []
  const random = new Random(seed ?? parsed.data.seed)
  const devices: SimulatedDevice[] = []
  for (const [index, entry] of parsed.data.devices.entries()) {
    if (parsed.data.gateways[entry.gateway] === undefined) {
      problems.push(
        problem(`gateway ${entry.gateway} is not listed under gateways`, placeAt(offsetOf(document, ['devices', index, 'gateway'])))
      )
    }
    for (const id of [entry.id].flat()) {
      const scheduled = entry.behaviours.map((one, place) => {
        const { from, until, ...rest } = one as { from?: number; until?: number } & Record<string, unknown>
        const names = Object.keys(rest) as (keyof typeof BEHAVIOURS)[]
        const [name] = names
        if (names.length !== 1 || name === undefined) {
          const where = placeAt(offsetOf(document, ['devices', index, 'behaviours', place]))
          problems.push(
            problem(`an entry names exactly one behaviour (${Object.keys(BEHAVIOURS).join(', ')}), besides from and until`, where)
          )
          return { fromMs: 0, untilMs: 0, behaviour: silent() }
        }
        return { fromMs: from ?? 0, untilMs: until ?? Number.POSITIVE_INFINITY, behaviour: BEHAVIOURS[name].make(rest[name]) }
      })
      devices.push(new SimulatedDevice(id, entry.gateway, entry.every, scheduled, random.fork(id)))
    }
  }
  if (problems.length > 0) return { script: null, problems }
  const secrets = new Map(Object.entries(parsed.data.gateways).map(([id, { secret }]) => [id, secret]))
  return { script: { secrets, devices }, problems: [] }
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  int: 'a whole number'
}

/** What the schema finds wrong, in words that need no knowledge of it. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const name = issue.path.length === 0 ? 'the script' : issue.path.map(String).join('.')
  switch (issue.code) {
    case 'invalid_type': {
      const missing = issue.message.endsWith('undefined') ? 'is missing: it ' : ''
      return issue.message.startsWith('Invalid input')
        ? `${name} ${missing}must be ${KINDS[issue.expected] ?? `a ${issue.expected}`}`
        : issue.message
    }
    case 'unrecognized_keys':
      return `${name} has the unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.join(', ')}`
    case 'invalid_union':
      return `${name} must be one id or a list of ids`
    case 'too_small':
      return issue.message.startsWith('Too small')
        ? `${name} must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`
        : issue.message
    case 'too_big':
      return `${name} must be at most ${issue.maximum}`
    default:
      return issue.message
  }
}

/** Where in the text the value of a path stands; the nearest enclosing one that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}
