// A plant folder from disk to frozen data (contract 2): fenghuo.yaml, profiles/*.yaml, plant.yaml (or plant.json), rules/*.yaml,
// duty.yaml.
// Invariant: every problem is found in one go; a plant comes out only where there is none.

import path from 'node:path'
import type { Plant } from '../../model/plant.ts'
import { type Problem, problem } from '../../platform/problem.ts'
import { checkRotas } from './dutyChecks.ts'
import { didYouMean, Findings } from './findings.ts'
import { fileIfThere, folderExists, missing, type PlantSource, plantOf, readPlantSource } from './plantSource.ts'
import { withSecretFiles } from './secretFiles.ts'
import { type Config, type Environment, readService } from './service.ts'
import { readSource, type SourceFile } from './source.ts'
import { checkTemplates, checkWays } from './wayChecks.ts'

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
  /** What the plant is made of, to be changed in memory. */
  readonly source: PlantSource | null
}

/**
 * Loads a plant folder and the service's settings. `where` is the folder or its fenghuo.yaml; a folder without
 * fenghuo.yaml gets the defaults, a named file must exist. `strict`: rules that can be judged but were hardly meant so are
 * problems too. `now` (epoch ms): rotas are looked through for holes from there on. Throws nothing.
 */
export function loadPlantFolder(
  where: string,
  given: Environment,
  options: { readonly strict?: boolean; readonly now?: number } = {}
): LoadedFolder {
  const findings = new Findings(options.strict)
  const env = withSecretFiles(given, findings)
  const isFolder = folderExists(where)
  const folder = isFolder ? where : path.dirname(where)
  if (!isFolder && !folderExists(folder)) {
    findings.problem(missing(folder, 'name the fenghuo.yaml of a plant folder'))
    return { config: null, plant: null, source: null, ...listsOf(findings) }
  }
  const named = isFolder ? fileIfThere(path.join(where, 'fenghuo.yaml')) : where
  const config = readService(folder, named, env, findings)
  const source = readPlantSource(folder, env, null, findings)
  const plant = source === null ? null : plantOf(source, findings)
  // As written, since it is also checked where something else in the file is wrong.
  const written = named === null ? null : readSource(named, new Findings())
  if (plant !== null && written !== null) checkFaultsTo(plant, written, findings)
  if (options.strict && plant !== null && config !== null) {
    if (source?.duty) checkWays(plant, config.channels, source.duty, findings)
    if (written !== null) checkTemplates(plant, config.channels, written, findings)
  }
  if (options.now !== undefined && source?.duty) checkRotas(source.duty, options.now, findings)
  return { config, plant, source, ...listsOf(findings) }
}

/** Loads profiles, plant and rules only. `rules` names the rule files that take the place of the folder's own. */
export function loadPlant(folder: string, env: Environment, options: { readonly rules?: readonly string[] } = {}): LoadedPlant {
  const findings = new Findings()
  const source = readPlantSource(folder, env, options.rules ?? null, findings)
  const plant = source === null ? null : plantOf(source, findings)
  return { plant, ...listsOf(findings) }
}

/** Whoever is to be told of faults of the service must be somebody of duty.yaml who can be reached. */
function checkFaultsTo(plant: Plant, written: SourceFile, findings: Findings): void {
  const { faultsTo } = ((written.value as { notifications?: unknown } | null)?.notifications ?? {}) as { faultsTo?: unknown }
  if (!Array.isArray(faultsTo)) return
  const { people = [], teams = [] } = plant.duty ?? {}
  const known = new Set([...people, ...teams].map(({ id }) => id))
  for (const [index, id] of faultsTo.entries()) {
    if (typeof id !== 'string') continue
    const place = written.place(['notifications', 'faultsTo', index])
    if (!known.has(id)) {
      const sentence = `notifications.faultsTo names ${id}, who is neither a person nor a team of duty.yaml${didYouMean(id, known)}`
      findings.problem(problem(sentence, place))
      continue
    }
    for (const one of teams.find((team) => team.id === id)?.people ?? [id]) {
      const person = people.find((other) => other.id === one)
      if (person === undefined || Object.keys(person.addresses).length > 0) continue
      findings.flaw(problem(`notifications.faultsTo names ${id}, but ${one} has no phone, email or other address`, place))
    }
  }
}

function listsOf(findings: Findings): { problems: Problem[]; warnings: Problem[] } {
  findings.sort()
  return { problems: findings.problems, warnings: findings.warnings }
}
