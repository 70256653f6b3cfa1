// fenghuo hazard: identifies and grades the plant's hazard sources after GB 18218-2018, from their design inventories.

import { statSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { HazardSource } from '../../model/plant.ts'
import type { Text } from '../../model/text.ts'
import { problemLine, Refusal } from '../../platform/problem.ts'
import { type GradedSubstance, gradeHazard, type HazardGrading } from '../../rules/hazard.ts'
import { loadPlant } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import type { Output } from './check.ts'

export function hazardCommand(program: Command): void {
  program
    .command('hazard')
    .description('identify and grade the major hazard sources of the plant (GB 18218-2018): S, R and grade, from plant.yaml')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the grading as JSON', false)
    .action((options: { config: string; json: boolean }) => {
      if (!hazard(options, process.env, console)) process.exitCode = 1
    })
}

/** Prints the grading of every hazard source; false where the plant has problems, which are printed instead. */
export function hazard(options: { readonly config: string; readonly json: boolean }, env: Environment, out: Output): boolean {
  const { plant, problems } = loadPlant(folderOf(options.config), env)
  if (plant === null) {
    for (const found of problems) out.error(problemLine(found))
    return false
  }
  const graded = (plant.hazardSources ?? []).map((source) => ({ source, grading: gradeHazard(source) }))
  if (options.json) {
    out.log(JSON.stringify({ standard: 'GB 18218-2018', sources: graded.map(({ source, grading }) => jsonOf(source, grading)) }, null, 2))
    return true
  }
  if (graded.length === 0) out.log('The plant names no hazard sources: list them in plant.yaml under hazardSources.')
  for (const { source, grading } of graded) for (const line of linesOf(source, grading)) out.log(line)
  return true
}

/** The plant folder; its fenghuo.yaml need not exist, for nothing is read from it. */
function folderOf(config: string): string {
  const found = statSync(config, { throwIfNoEntry: false })
  if (found?.isDirectory()) return config
  if (found === undefined && path.basename(config) !== 'fenghuo.yaml')
    throw new Refusal(`There is no ${config}: name a plant folder, or the fenghuo.yaml in it.`, { exitCode: 2 })
  return path.dirname(config)
}

function linesOf({ id, site, name, exposed }: HazardSource, { s, major, alpha, r, grade, inventory }: HazardGrading): string[] {
  const verdict = major ? `major hazard source, grade ${grade}` : 'not a major hazard source (S < 1)'
  const people = exposed === 1 ? '1 person' : `${exposed} people`
  return [
    `${id}  ${bothOf(name)}, site ${site}: ${verdict}`,
    `    S = ${s}   alpha = ${alpha} (${people} exposed)   R = ${r}`,
    ...inventory.map(substanceLine)
  ]
}

function substanceLine({ substance, amountT, thresholdT, ratio, beta }: GradedSubstance): string {
  const { cas, class: hazardClass, tank, name } = substance
  const keys = [tank, cas, hazardClass].filter((key) => key !== null).join(', ')
  return `    ${bothOf(name)} (${keys}): ${amountT} t of ${thresholdT} t = ${ratio}, beta ${beta}`
}

function bothOf({ zh, en }: Text): string {
  return zh === en ? zh : `${zh} ${en}`
}

function jsonOf({ id, site, name, exposed }: HazardSource, { inventory, ...grading }: HazardGrading): Record<string, unknown> {
  const substances = inventory.map(({ substance: { cas, class: hazardClass, name, tank }, amountT, thresholdT, ratio, beta }) => {
    return { cas, class: hazardClass, name, tank, amount_t: amountT, threshold_t: thresholdT, ratio, beta }
  })
  return { id, site, name, exposed, ...grading, inventory: substances }
}
