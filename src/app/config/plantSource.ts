// A plant as it is written (contract 2): profiles/*.yaml, plant.yaml (or plant.json), rules/*.yaml, read once from disk; and the
// frozen plant that they make. Invariant: what is written can be changed in memory and made into a plant again, by the same checks.

import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Duty } from '../../model/duty.ts'
import { numberFleet } from '../../model/fleet.ts'
import type { Plant } from '../../model/plant.ts'
import { messageOf, type Place, type Problem, problem } from '../../platform/problem.ts'
import { readDuty } from './duty.ts'
import { checkDuty } from './dutyChecks.ts'
import { Findings } from './findings.ts'
import { type PlantParts, readPlantFile } from './plant.ts'
import { readProfiles } from './profiles.ts'
import { checkRules, readRules } from './rules.ts'
import type { Environment } from './service.ts'
import { readSource, type SourceFile } from './source.ts'
import { readStates, type StatesRead } from './states.ts'
import { byId } from './written.ts'

export interface PlantSource {
  readonly folder: string
  readonly env: Environment
  /** Null stands for a file that could not be read, and for a folder that is not there. */
  readonly profiles: readonly (SourceFile | null)[]
  readonly profilesMissing: boolean
  readonly plant: SourceFile | null
  readonly rules: readonly SourceFile[]
  /** duty.yaml; null: there is none. */
  readonly duty: SourceFile | null
  /** False where a file could not be read as it should: no plant comes of it. */
  readonly whole: boolean
}

/** Reads the files. `ruleFiles` take the place of the folder's own. Null where there is no such folder. */
export function readPlantSource(
  folder: string,
  env: Environment,
  ruleFiles: readonly string[] | null,
  findings: Findings
): PlantSource | null {
  const before = findings.problems.length
  if (!folderExists(folder)) {
    findings.problem(missing(folder, 'name a plant folder: it holds profiles/, plant.yaml and rules/'))
    return null
  }
  const profileFiles = yamlFiles(path.join(folder, 'profiles'), findings)
  const profiles = profileFiles?.map((file) => readSource(file, findings)) ?? [null]
  const plant = plantFile(folder, findings)
  const files = ruleFiles ?? yamlFiles(path.join(folder, 'rules'), findings)
  if (files === null) findings.warning(missing(path.join(folder, 'rules'), 'without rules nothing raises an alarm'))
  const rules = (files ?? []).map((file) => readSource(file, findings)).filter((read): read is SourceFile => read !== null)
  const dutyFile = fileIfThere(path.join(folder, 'duty.yaml'))
  const duty = dutyFile === null ? null : readSource(dutyFile, findings)
  return { folder, env, profiles, profilesMissing: profileFiles === null, plant, rules, duty, whole: findings.problems.length === before }
}

/** The plant that is written there; null where there is any problem with it. Pure, but for the reading of places. */
export function plantOf(source: PlantSource, findings: Findings): Plant | null {
  const before = findings.problems.length
  const profiles = readProfiles(source.profiles, findings)
  const parts = source.plant === null ? null : partsOf(source.plant, source, profiles, findings)
  if (source.profilesMissing && (parts === null || parts.claimed.devices.size > 0)) {
    findings.problem(missing(path.join(source.folder, 'profiles'), 'it holds one YAML file per kind of device'))
  }
  const { rules, origins } = readRules(source.rules, parts, profiles, findings)
  const written = readStates(source.rules, rules, parts, profiles, findings)
  if (parts === null) return null
  const told = source.duty === null ? null : readDuty(source.duty, { ...parts, rules }, source.env, findings)
  const plant = assembled(parts, [...profiles.byId.values()], rules, written, told)
  const complete = source.whole && findings.problems.length === before
  checkRules(numberFleet(plant), new Map([...origins, ...written.origins]), complete, findings)
  if (source.duty !== null && complete) checkDuty(plant, source.duty, findings)
  return source.whole && findings.problems.length === before ? plant : null
}

interface KnownParts {
  readonly profiles: PlantSource['profiles']
  readonly parts: PlantParts
  readonly findings: Findings
}

/** What a plant file gave: a changed rule does not make a hundred thousand devices be checked again. */
const knownParts = new WeakMap<SourceFile, KnownParts>()

function partsOf(file: SourceFile, source: PlantSource, profiles: ReturnType<typeof readProfiles>, findings: Findings): PlantParts {
  let known = knownParts.get(file)
  if (known === undefined || known.profiles !== source.profiles) {
    const own = new Findings()
    known = { profiles: source.profiles, parts: readPlantFile(file, profiles, source.env, own), findings: own }
    knownParts.set(file, known)
  }
  for (const found of known.findings.problems) findings.problem(found)
  for (const found of known.findings.warnings) findings.warning(found)
  return known.parts
}

function assembled(parts: PlantParts, profiles: Plant['profiles'], rules: Plant['rules'], written: StatesRead, duty: Duty | null): Plant {
  const { enterprises, sites, areas, gateways, devices, hazardSources, shelving } = parts
  const sorted = [...profiles].sort(byId)
  // Left out where there are none: plants without them keep their hash.
  const hazards = { ...(hazardSources.length === 0 ? {} : { hazardSources }), ...(shelving === null ? {} : { shelving }) }
  const { states, inhibitions, calendar } = written
  const others = {
    ...(states.length === 0 ? {} : { states }),
    ...(inhibitions.length === 0 ? {} : { inhibitions }),
    ...(calendar === null ? {} : { calendar }),
    ...(duty === null ? {} : { duty })
  }
  const content = { enterprises, sites, areas, gateways, profiles: sorted, devices, rules, ...hazards, ...others }
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
function plantFile(folder: string, findings: Findings): SourceFile | null {
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

/** That a folder is not there, and what it would be for. */
export function missing(folder: string, advice: string): Problem {
  return problem(`there is no such folder; ${advice}`, startOf(folder))
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 }
}

/** Whether this is a folder that may be looked at. */
export function folderExists(name: string): boolean {
  try {
    return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

/** The file's name; null where there is none. One that may not be looked at is left to its reader to report. */
export function fileIfThere(name: string): string | null {
  try {
    return statSync(name, { throwIfNoEntry: false }) === undefined ? null : name
  } catch {
    return name
  }
}
