// fenghuo check: every problem of a plant folder, and nothing started.

import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { SystemClock } from '../../platform/clock.ts'
import { messageOf, type Problem, problemLine, Refusal } from '../../platform/problem.ts'
import { writeEditorSchemas } from '../config/editorSchemas.ts'
import { loadPlantFolder } from '../config/load.ts'
import type { Environment } from '../config/service.ts'

export interface CheckOptions {
  readonly config: string
  readonly json: boolean
  readonly schemas: string | null
}

/** Standard output and standard error, by the line. */
export type Output = Pick<Console, 'log' | 'error'>

export function checkCommand(program: Command): void {
  program
    .command('check')
    .description('validate service settings, profiles, devices, rules and duty; print every problem as file:line:column: sentence')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the findings as JSON', false)
    .option('--schemas <folder>', 'also write the JSON Schemas for editors into this folder')
    .action((options: { config: string; json: boolean; schemas?: string }) => {
      const good = check({ ...options, schemas: options.schemas ?? null }, process.env, console)
      if (!good) process.exitCode = 1
    })
}

/** Prints the problems on `log` and everything beside them on `error`; true where nothing stops the service from starting. */
export function check(options: CheckOptions, env: Environment, out: Output, now = new SystemClock().now()): boolean {
  const schemas = options.schemas === null ? [] : writtenSchemas(options.schemas)
  const { config, plant, problems, warnings } = loadPlantFolder(plantFolderOf(options.config), env, { strict: true, now })
  if (options.json) {
    out.log(
      JSON.stringify(
        { ok: problems.length === 0, problems: problems.map(jsonOf), warnings: warnings.map(jsonOf), schemas, ...figures(plant) },
        null,
        2
      )
    )
    return problems.length === 0
  }
  for (const file of schemas) out.error(`wrote ${file}`)
  for (const found of problems) out.log(problemLine(found))
  for (const found of warnings) out.error(problemLine({ ...found, problem: `warning: ${found.problem}` }))
  if (plant !== null && config !== null) {
    const { devices, profiles, rules, gateways, sites } = plant
    out.log(
      `${config.folder}: ${count(devices, 'device')}, ${count(profiles, 'profile')}, ${count(rules, 'rule')}, ${count(gateways, 'gateway')}, ${count(sites, 'site')}: no problems`
    )
  } else {
    out.error(problems.length === 1 ? '1 problem' : `${problems.length} problems`)
  }
  return problems.length === 0
}

/** A plant folder needs no fenghuo.yaml to be checked: where the default name is missing, the folder is meant. */
function plantFolderOf(config: string): string {
  const folder = path.dirname(config)
  return path.basename(config) === 'fenghuo.yaml' && !existsSync(config) && existsSync(folder) ? folder : config
}

function writtenSchemas(folder: string): string[] {
  try {
    return writeEditorSchemas(folder)
  } catch (cause) {
    throw new Refusal(`The schemas cannot be written into ${folder}: ${messageOf(cause)}`, { cause })
  }
}

function jsonOf({ problem: sentence, place }: Problem): Record<string, unknown> {
  return { file: place?.file ?? null, line: place?.line ?? null, column: place?.column ?? null, problem: sentence }
}

function figures(plant: ReturnType<typeof loadPlantFolder>['plant']): Record<string, unknown> {
  if (plant === null) return { plant: null }
  const { hash, enterprises, sites, areas, gateways, profiles, devices, rules } = plant
  const counts = { enterprises, sites, areas, gateways, profiles, devices, rules }
  return { plant: { hash, ...Object.fromEntries(Object.entries(counts).map(([name, list]) => [name, list.length])) } }
}

function count(list: readonly unknown[], noun: string): string {
  return `${list.length} ${list.length === 1 ? noun : `${noun}s`}`
}
