// A plant folder from disk to frozen data (contract 2): fenghuo.yaml, profiles/*.yaml, plant.yaml (or plant.json), rules/*.yaml.
// Invariant: every problem is found in one go; a plant comes out only where there is none.

import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { numberFleet } from '../../model/fleet.ts'
import type { Plant } from '../../model/plant.ts'
import { messageOf, type Place, type Problem, problem } from '../../platform/problem.ts'
import { Findings } from './findings.ts'
import { type PlantParts, readPlantFile } from './plant.ts'
import { readProfiles } from './profiles.ts'
import { checkRules, readRules } from './rules.ts'
import { type Config, type Environment, readService } from './service.ts'
import { readSource, type SourceFile } from './source.ts'
import { byId } from './written.ts'

export interface LoadedPlant {
  /** Null where there is any problem with profiles, plant or rules. */
  readonly plant: Plant | null
  /** Ordered by file, line and column. */
  readonly problems: readonly Problem[]
  /** What is worth knowing but stops nothing, e.g. a gateway whose secret is not set. */
  readonly warnings: readonly Problem[]
}

export interface LoadedFolder extends LoadedPlant {
  /** Null where there is a problem with fenghuo.yaml or the environment. */
  readonly config: Config | null
}

/**
 * Loads a plant folder and the service's settings. `where` is the folder or its fenghuo.yaml; a folder without
 * fenghuo.yaml gets the defaults, a named file must exist. `strict`: rules that can be judged but were hardly meant so are
 * problems too. Throws nothing.
 */
export function loadPlantFolder(where: string, env: Environment, options: { readonly strict?: boolean } = {}): LoadedFolder {
  const findings = new Findings(options.strict)
  const isFolder = folderExists(where)
  const folder = isFolder ? where : path.dirname(where)
  if (!isFolder && !folderExists(folder)) {
    findings.problem(missing(folder, 'name the fenghuo.yaml of a plant folder'))
    return { config: null, plant: null, ...listsOf(findings) }
  }
  const named = isFolder ? fileIfThere(path.join(where, 'fenghuo.yaml')) : where
  const config = readService(folder, named, env, findings)
  const plant = readPlant(folder, env, null, findings)
  readDuty(folder, findings)
  return { config, plant, ...listsOf(findings) }
}

/** Loads profiles, plant and rules only. `rules` names the rule files that take the place of the folder's own. */
export function loadPlant(folder: string, env: Environment, options: { readonly rules?: readonly string[] } = {}): LoadedPlant {
  const findings = new Findings()
  const plant = readPlant(folder, env, options.rules ?? null, findings)
  return { plant, ...listsOf(findings) }
}

function listsOf(findings: Findings): { problems: Problem[]; warnings: Problem[] } {
  findings.sort()
  return { problems: findings.problems, warnings: findings.warnings }
}

function readPlant(folder: string, env: Environment, ruleFiles: readonly string[] | null, findings: Findings): Plant | null {
  const before = findings.problems.length
  if (!folderExists(folder)) {
    findings.problem(missing(folder, 'name a plant folder: it holds profiles/, plant.yaml and rules/'))
    return null
  }
  const profileFiles = yamlFiles(path.join(folder, 'profiles'), findings)
  const profiles = readProfiles(profileFiles?.map((file) => readSource(file, findings)) ?? [null], findings)
  const source = plantSource(folder, findings)
  const parts = source === null ? null : readPlantFile(source, profiles, env, findings)
  if (profileFiles === null && (parts === null || parts.claimed.devices.size > 0)) {
    findings.problem(missing(path.join(folder, 'profiles'), 'it holds one YAML file per kind of device'))
  }
  const files = ruleFiles ?? yamlFiles(path.join(folder, 'rules'), findings)
  if (files === null) findings.warning(missing(path.join(folder, 'rules'), 'without rules nothing raises an alarm'))
  const ruleSources = (files ?? []).map((file) => readSource(file, findings)).filter((read): read is SourceFile => read !== null)
  const { rules, origins } = readRules(ruleSources, parts, profiles, findings)
  if (parts === null) return null
  const plant = assembled(parts, [...profiles.byId.values()], rules)
  checkRules(numberFleet(plant), origins, findings.problems.length === before, findings)
  return findings.problems.length === before ? plant : null
}

function assembled(parts: PlantParts, profiles: Plant['profiles'], rules: Plant['rules']): Plant {
  const { enterprises, sites, areas, gateways, devices, hazardSources } = parts
  const sorted = [...profiles].sort(byId)
  // Left out where there are none: plants without them keep their hash.
  const hazards = hazardSources.length === 0 ? {} : { hazardSources }
  const content = { enterprises, sites, areas, gateways, profiles: sorted, devices, rules, ...hazards }
  for (const list of Object.values(content)) Object.freeze(list)
  return Object.freeze({ hash: plantHash(content), ...content })
}

/** Identifies what rules are judged against: sha256 over the plant's JSON, gateway secrets left out. */
function plantHash(content: Omit<Plant, 'hash'>): string {
  const hash = createHash('sha256')
  const { devices, gateways, ...rest } = content
  hash.update(JSON.stringify({ ...rest, gateways: gateways.map((gateway) => ({ ...gateway, secret: null })) }))
  // One by one: the text of 100,000 devices at once would be tens of megabytes.
  for (const device of devices) hash.update(`\n${JSON.stringify(device)}`)
  return hash.digest('hex')
}

/** plant.yaml, or plant.json for plants so large that YAML takes too long. */
function plantSource(folder: string, findings: Findings): SourceFile | null {
  const yaml = path.join(folder, 'plant.yaml')
  const json = fileIfThere(path.join(folder, 'plant.json'))
  if (json === null) {
    if (fileIfThere(yaml) !== null) return readSource(yaml, findings)
    findings.problem(problem('this file does not exist; it lists enterprises, sites, areas, gateways and devices', startOf(yaml)))
    return null
  }
  if (fileIfThere(yaml) === null) return readSource(json, findings)
  findings.problem(problem('plant.yaml and plant.json both exist; keep one of them', startOf(json)))
  return null
}

/** The YAML files of a folder, by name; null where there is no such folder. */
function yamlFiles(folder: string, findings: Findings): string[] | null {
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return null
    findings.problem(problem(`this cannot be read as a folder: ${messageOf(thrown)}`, startOf(folder)))
    return []
  }
  for (const name of names.filter((name) => /\.(yml|json)$/.test(name))) {
    const better = name.replace(/\.[a-z]+$/, '.yaml')
    findings.problem(
      problem(`this file would not be read; name it ${better}, or move it out of the folder`, startOf(path.join(folder, name)))
    )
  }
  return names.filter((name) => name.endsWith('.yaml')).map((name) => path.join(folder, name))
}

/** duty.yaml is not used yet: it only has to be a readable mapping. */
function readDuty(folder: string, findings: Findings): void {
  const file = fileIfThere(path.join(folder, 'duty.yaml'))
  const source = file === null ? null : readSource(file, findings)
  if (source === null || source.value === null) return
  if (typeof source.value !== 'object' || Array.isArray(source.value))
    findings.problem(problem('duty.yaml must be a mapping', source.place([])))
}

function missing(folder: string, advice: string): Problem {
  return problem(`there is no such folder; ${advice}`, startOf(folder))
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 }
}

function folderExists(name: string): boolean {
  try {
    return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

/** The file's name; null where there is none. One that may not be looked at is left to its reader to report. */
function fileIfThere(name: string): string | null {
  try {
    return statSync(name, { throwIfNoEntry: false }) === undefined ? null : name
  } catch {
    return name
  }
}
