// fenghuo duty preview: who would be told of an alarm, when and by what, if nobody answered; fenghuo duty now: who is on duty.

import { statSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { outlook } from '../../alerts/duty.ts'
import { toldBy } from '../../alerts/dutyPreview.ts'
import { timeText } from '../../alerts/wording.ts'
import type { Duty } from '../../model/duty.ts'
import type { Device, Plant } from '../../model/plant.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { SystemClock } from '../../platform/clock.ts'
import { formatDuration } from '../../platform/duration.ts'
import { problemLine, Refusal } from '../../platform/problem.ts'
import { localText } from '../config/dutyChecks.ts'
import { loadPlant } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import type { Output } from './check.ts'

export interface PreviewOptions {
  readonly config: string
  readonly json: boolean
  readonly rule: string
  readonly device?: string
  readonly area?: string
  readonly site?: string
  readonly tier?: string
  readonly at?: string
}

export function dutyCommand(program: Command): void {
  const duty = program.command('duty').description('who is on duty, and who would be told of an alarm')
  duty
    .command('preview')
    .description('who would be told of an alarm, when and by what, if nobody answered')
    .requiredOption('--rule <id>', 'the rule that raises it')
    .option('--device <id>', 'the device it is about')
    .option('--area <id>', 'the area it is about, of a rule per area')
    .option('--site <id>', 'in place of a device: the first one there that the rule watches')
    .option('--tier <tier>', `${TIERS.join(', ')}; by default the highest of the rule`)
    .option('--at <time>', 'ISO 8601; by default now')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print as JSON', false)
    .action((options: PreviewOptions) => {
      if (!preview(options, process.env, console)) process.exitCode = 1
    })
  duty
    .command('now')
    .description('who is on duty now and next, and when nobody is in the next 90 days')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print as JSON', false)
    .action((options: { config: string; json: boolean }) => {
      if (!nowOn(options, process.env, console)) process.exitCode = 1
    })
}

/** Prints who would be told; false where nobody would be, or the plant has problems. */
export function preview(options: PreviewOptions, env: Environment, out: Output, now = new SystemClock().now()): boolean {
  const plant = plantOf(options.config, env, out)
  if (plant === null) return false
  const at = options.at === undefined ? now : Date.parse(options.at)
  if (Number.isNaN(at)) throw new Refusal(`--at ${options.at} is no time; write it as 2026-01-31T08:00:00+08:00.`, { exitCode: 2 })
  const subject = subjectOf(options, plant)
  const { ladder, told } = toldBy(plant, subject, at)
  if (options.json) {
    const people = told.map(({ id: _id, words: _words, alarms: _alarms, address, at: when, ...rest }) => {
      return { at: new Date(when).toISOString(), ...rest, address: address === null ? null : masked(address) }
    })
    out.log(JSON.stringify({ at: new Date(at).toISOString(), ...subject, ladder, told: people }, null, 2))
    return told.some(({ withheld }) => withheld === null)
  }
  const zone = plant.duty?.people[0]?.zone ?? 'UTC'
  const about = `${subject.rule} on ${subject.device ?? subject.area} at ${subject.tier}`
  if (ladder === null) {
    out.log(`${about}: ${plant.duty === undefined ? 'there is no duty.yaml' : 'no ladder takes it'}, so nobody is told.`)
    return false
  }
  out.log(`${about}: ladder ${ladder}, from ${timeText(at, zone, 'en')} (${zone}), if nobody answers`)
  for (const one of told) {
    const after = `+${formatDuration(Math.round((one.at - at) / 1000) * 1000)}`.padEnd(8)
    const what = one.withheld === null ? `${one.channel} to ${one.person}` : `${one.channel} to ${one.person}: not told, ${one.withheld}`
    out.log(`  ${after} ${timeText(one.at, zone, 'en')}  rung ${one.rung}  ${what}`)
  }
  return told.some(({ withheld }) => withheld === null)
}

function nowOn(options: { readonly config: string; readonly json: boolean }, env: Environment, out: Output): boolean {
  const plant = plantOf(options.config, env, out)
  if (plant === null) return false
  const { duty } = plant
  const now = new SystemClock().now()
  const rotas = (duty?.rotas ?? []).map((rota) => ({ rota, ...outlook(duty as Duty, rota.id, now) }))
  if (options.json) {
    const shown = rotas.map(({ rota, people, until, next, holes }) => {
      const told = holes.map(({ from, to }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }))
      return { rota: rota.id, people, until: until === null ? null : new Date(until).toISOString(), next, holes: told }
    })
    out.log(JSON.stringify({ rotas: shown }, null, 2))
  } else if (rotas.length === 0) out.log('There is no rota: duty.yaml of the plant folder would hold them.')
  else {
    for (const { rota, people, until, next, holes } of rotas) {
      const named = (ids: readonly string[]): string => (ids.length === 0 ? 'nobody' : ids.join(', '))
      const then = until === null ? 'for the next 90 days' : `until ${localText(until, rota.zone)}, then ${named(next)}`
      out.log(`${rota.id}: ${named(people)} ${then}`)
      for (const { from, to } of holes) out.log(`    nobody from ${localText(from, rota.zone)} to ${localText(to, rota.zone)}`)
    }
  }
  return rotas.every(({ people }) => people.length > 0)
}

function subjectOf(options: PreviewOptions, plant: Plant): { rule: string; tier: Tier; device: string | null; area: string | null } {
  const rule = plant.rules.find(({ id }) => id === options.rule)
  if (rule === undefined) throw new Refusal(`The plant has no rule ${options.rule}.`, { exitCode: 2 })
  const tier = options.tier === undefined ? rule.tiers.at(-1)?.tier : TIERS.find((known) => known === options.tier)
  if (tier === undefined) throw new Refusal(`--tier ${options.tier} is no tier; the tiers are ${TIERS.join(', ')}.`, { exitCode: 2 })
  if (options.area !== undefined) {
    if (!plant.areas.some(({ id }) => id === options.area)) throw new Refusal(`The plant has no area ${options.area}.`, { exitCode: 2 })
    return { rule: rule.id, tier, device: null, area: options.area }
  }
  const watched = (device: Device): boolean =>
    (rule.appliesTo.profile ?? device.profile) === device.profile && (options.site ?? device.site) === device.site
  const device = plant.devices.find((one) => (options.device === undefined ? watched(one) : one.id === options.device))
  if (device !== undefined) return { rule: rule.id, tier, device: device.id, area: null }
  const what =
    options.device === undefined
      ? `device that ${rule.id} watches${options.site === undefined ? '' : ` at ${options.site}`}`
      : `device ${options.device}`
  throw new Refusal(`The plant has no ${what}; name one with --device.`, { exitCode: 2 })
}

function plantOf(config: string, env: Environment, out: Output): Plant | null {
  const found = statSync(config, { throwIfNoEntry: false })
  if (found === undefined && path.basename(config) !== 'fenghuo.yaml')
    throw new Refusal(`There is no ${config}: name a plant folder, or the fenghuo.yaml in it.`, { exitCode: 2 })
  const { plant, problems } = loadPlant(found?.isDirectory() === true ? config : path.dirname(config), env)
  if (plant === null) for (const one of problems) out.error(problemLine(one))
  return plant
}

/** The last three characters of a number or address: enough to recognise it. */
export function masked(address: string): string {
  return `…${address.slice(-3)}`
}
