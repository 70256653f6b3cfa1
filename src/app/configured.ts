// The configuration a command runs on: every problem printed, and a refusal where there is one.

import type { Plant } from '../model/plant.ts'
import { problemLine, Refusal } from '../platform/problem.ts'
import { loadPlantFolder } from './config/load.ts'
import type { PlantSource } from './config/plantSource.ts'
import type { Config } from './config/service.ts'

export interface Configured {
  readonly config: Config
  readonly plant: Plant
  /** What the plant is made of. */
  readonly source: PlantSource
}

/** Loads a plant folder for running the service on it. Prints problems and warnings to standard error. */
export function configured(where: string, env: Record<string, string | undefined>): Configured {
  const { config, plant, source, problems, warnings } = loadPlantFolder(where, env)
  for (const one of [...problems, ...warnings]) console.error(problemLine(one))
  if (config === null || plant === null || source === null) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    throw new Refusal(`The configuration has ${count}; nothing was started.`)
  }
  return { config, plant, source }
}
