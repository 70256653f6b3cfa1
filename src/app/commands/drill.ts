// fenghuo drill: begins a drill on a running service, and follows it to its signed record.

import type { Command } from 'commander'
import type { DrillRecord, DrillStep } from '../../alerts/drills.ts'
import { awake, type Clock, pause, SystemClock } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { Refusal } from '../../platform/problem.ts'
import type { Environment } from '../config/service.ts'
import { askService, serviceAddress, Unreachable } from '../serviceCall.ts'
import type { Output } from './check.ts'

export interface DrillOptions {
  readonly site?: string
  readonly device?: string
  readonly rule?: string
  readonly tier?: string
  readonly person?: string
  readonly note?: string
  /** A divisor as it was given, or true for the usual one. */
  readonly fast?: string | true
  readonly url?: string
  readonly token?: string
  readonly config: string
  readonly wait: boolean
  readonly json: boolean
}

type Shown = DrillRecord & { readonly signature: string | null; readonly genuine: boolean | null }

const LOOK_EVERY_MS = 1_000
const HELP = `
The running service holds it: FENGHUO_TOKEN (or --token) is an API token of an engineer. Every message says that it is a drill.
With --wait it is followed to its record; the exit status is then 0 where somebody acknowledged it and the record is genuine.`

export function drillCommand(program: Command): void {
  program
    .command('drill')
    .description('hold a drill: a test alarm that climbs the real ladder to the people it would reach')
    .option('--site <id>', 'whose ladder is climbed')
    .option('--device <id>', 'where the alarm is to seem to be')
    .option('--rule <id>', 'of which rule')
    .option('--tier <tier>', 'blue, yellow, orange or red (default: red)')
    .option('--person <id>', 'only this person, by every way at once')
    .option('--note <text>', 'stands in the messages')
    .option('--fast [divisor]', `divide the delays of the ladder (by ${LIMITS.drill.fastFactor} where no number is given)`)
    .option('--wait', 'follow it until its record is closed', false)
    .option('--url <url>', 'address of the running service (default: that of the configuration)')
    .option('--token <token>', 'API token of an engineer; better in FENGHUO_TOKEN, where other users of this machine do not see it')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the record as JSON', false)
    .addHelpText('after', HELP)
    .action(async (options: DrillOptions) => {
      const waiting = awake()
      const held = await drill(options, process.env, console, new SystemClock()).finally(() => waiting.cancel())
      if (!held) process.exitCode = 1
    })
}

/** True where the drill has begun, and with `wait` where it was acknowledged and its record is genuine. */
export async function drill(options: DrillOptions, env: Environment, out: Output, clock: Clock): Promise<boolean> {
  const token = options.token ?? env.FENGHUO_TOKEN ?? ''
  if (token === '')
    throw new Refusal('The service asks who holds the drill: put an API token of an engineer into FENGHUO_TOKEN.', { exitCode: 2 })
  const base = options.url ?? serviceAddress(options.config, env)
  const { site, device, rule, tier, person, note } = options
  const begun = await asked<{ id: string; ladder: string }>(base, token, 'drill', {
    site,
    device,
    rule,
    tier,
    person,
    note,
    ...fastOf(options)
  })
  if (!options.json) out.log(`DRILL ${begun.id} has begun${begun.ladder === '' ? '' : ` on the ladder ${begun.ladder}`}`)
  if (!options.wait) {
    if (options.json) out.log(JSON.stringify(begun, null, 2))
    return true
  }
  const told = new Set<string>()
  let away = false
  for (; ; await pause(clock, LOOK_EVERY_MS)) {
    const shown = await lookedAt(base, token, begun.id)
    if (shown === null && !away && !options.json)
      out.error(`The service at ${base} does not answer: its drill goes on, and it is asked until it does.`)
    away = shown === null
    if (shown === null) continue
    for (const line of linesOf(shown)) {
      if (!options.json && !told.has(line)) out.log(line)
      told.add(line)
    }
    if (shown.closedAt !== null) return ended(shown, options.json, out)
  }
}

/** Null while nobody answers, or nobody can: a service that is restarted, and one that takes over, goes on with the drill. */
async function lookedAt(base: string, token: string, id: string): Promise<Shown | null> {
  try {
    return await asked<Shown>(base, token, `drills/${encodeURIComponent(id)}`, null)
  } catch (cause) {
    if (cause instanceof Unreachable) return null
    throw cause
  }
}

function fastOf({ fast }: DrillOptions): { fast?: number | true } {
  if (fast === undefined) return {}
  if (fast === true) return { fast }
  const factor = Number(fast)
  if (Number.isInteger(factor) && factor >= 1 && factor <= LIMITS.drill.mostFactor) return { fast: factor }
  throw new Refusal(`--fast ${fast} is no divisor: give a whole number from 1 to ${LIMITS.drill.mostFactor}.`, { exitCode: 2 })
}

function linesOf({ steps }: Shown): string[] {
  return steps.flatMap((step) => [
    line(step, step.plannedAt, step.state === 'withheld' ? `not told: ${step.problem}` : 'planned'),
    ...(step.sentAt === null ? [] : [line(step, step.sentAt, 'sent')]),
    ...(step.deliveredAt === null ? [] : [line(step, step.deliveredAt, 'delivered')]),
    ...(step.acknowledgedAt === null ? [] : [line(step, step.acknowledgedAt, 'acknowledged')]),
    ...(step.state === 'failed' ? [line(step, step.plannedAt, `failed: ${step.problem}`)] : [])
  ])
}

function line({ rung, occurrence, channel, person }: DrillStep, at: string, what: string): string {
  return `  ${at}  rung ${rung}${occurrence > 1 ? ` (${occurrence})` : ''}  ${channel} to ${person}  ${what}`
}

function ended(shown: Shown, json: boolean, out: Output): boolean {
  const { id, outcome, acknowledged, genuine, signature } = shown
  if (json) out.log(JSON.stringify(shown, null, 2))
  else {
    out.log(`DRILL ${id} ended at ${shown.endedAt}: ${acknowledged === null ? outcome : `acknowledged by ${acknowledged.by}`}`)
    out.log(`  record ${genuine === true ? 'genuine' : 'NOT as it was signed'}, signature ${signature}`)
  }
  return outcome === 'acknowledged' && genuine === true
}

async function asked<Answer>(base: string, token: string, path: string, body: object | null): Promise<Answer> {
  const sent = body === null ? null : { type: 'application/json', body: JSON.stringify(body) }
  const answer = await askService(base, token, path, sent, 'Name it with --url.')
  if (!answer.ok) throw answer.refusal
  return answer.body as Answer
}
