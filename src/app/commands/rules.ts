// fenghuo rules export: the rules that were changed through the API, as YAML for the files. Reads only; a service may be running.

import type { Command } from 'commander'
import type { WrittenThing } from '../../model/amendment.ts'
import { type Clock, SystemClock } from '../../platform/clock.ts'
import { amendedPlant } from '../amend/offline.ts'
import { type Change, writtenIn, yamlOf } from '../config/amend.ts'
import type { Environment } from '../config/service.ts'
import { configured } from '../configured.ts'
import type { Output } from './check.ts'

export interface ExportOptions {
  readonly config: string
  readonly all: boolean
  readonly json: boolean
}

export function rulesCommand(program: Command): void {
  program
    .command('rules')
    .description('the rules of the plant')
    .command('export')
    .description('print the rules that were changed through the API as YAML, to be put into the files')
    .option('--all', 'all rules in force, those of the files too', false)
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print them as JSON', false)
    .action(async (options: ExportOptions) => exportRules(options, process.env, console, new SystemClock()))
}

/** Prints the rules on `log`, and what to do with them on `error`. */
export async function exportRules({ config, all, json }: ExportOptions, env: Environment, out: Output, clock: Clock): Promise<void> {
  const quiet = (): void => {}
  const tell = (sentence: string): void => out.error(sentence)
  const { overlay, plant, source } = await amendedPlant(configured(config, env), clock, {
    debug: quiet,
    info: quiet,
    warn: tell,
    error: tell
  })
  const changes = [...overlay.rule.values()]
  const ids = all ? plant.rules.map(({ id }) => id) : changes.filter(({ op }) => op === 'put').map(({ id }) => id)
  const rules = ids.flatMap((id): WrittenThing[] => {
    const written = overlay.rule.get(id)?.written ?? writtenIn(source, 'rule', id)?.written
    return written === undefined ? [] : [written]
  })
  const removed = changes.filter(({ op }) => op === 'remove').map(({ id }) => id)
  if (json) {
    out.log(JSON.stringify({ rules, removed }, null, 2))
    return
  }
  if (rules.length > 0) out.log(yamlOf('rule', rules).trimEnd())
  else out.error('No rule was changed through the API.')
  for (const change of changes) out.error(advice(change, writtenIn(source, 'rule', change.id)?.place() ?? null))
  if (changes.length > 0) out.error('Then take the changes back: DELETE /api/v1/rules/{id}?to=file.')
}

function advice({ id, op }: Change, place: { readonly file: string; readonly line: number } | null): string {
  if (op === 'remove') return `${id}: taken out of force; remove it from ${place === null ? 'its file' : `${place.file}:${place.line}`}`
  return place === null ? `${id}: new; put it into a file in rules/` : `${id}: changed; put it in place of ${place.file}:${place.line}`
}
