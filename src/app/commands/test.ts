// fenghuo test: plays scenario files and compares their alarm logs with what they expect.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { Plant } from '../../model/plant.ts'
import { type Problem, problem, problemLine, Refusal, whyNot } from '../../platform/problem.ts'
import { loadPlant } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import type { Difference } from '../scenario/compare.ts'
import { parseScenario } from '../scenario/parse.ts'
import { playScenario } from '../scenario/play.ts'

/** What became of one file. */
interface Tested {
  readonly file: string
  readonly problems: readonly Problem[]
  readonly differences: readonly Difference[]
  readonly lines: number
}

export function testCommand(program: Command): void {
  program
    .command('test')
    .description('play scenario files; print the difference to the alarm log they expect')
    .argument('<files...>', 'scenario files')
    .option('--json', 'print the results as JSON', false)
    .action((files: string[], options: { json: boolean }) => {
      if (!testFiles(files, options.json, process.env, console)) process.exitCode = 1
    })
}

/** Tests every file and prints the results; true where all hold. */
export function testFiles(files: readonly string[], json: boolean, env: Environment, out: Pick<Console, 'log'>): boolean {
  const plants = new Map<string, { plant: Plant | null; problems: readonly Problem[] }>()
  const tested = files.map((file) => testFile(file, plants, env))
  const failed = tested.filter(({ problems, differences }) => problems.length + differences.length > 0)
  if (json) {
    const results = tested.map(({ file, problems, differences }) => ({
      file,
      ok: problems.length + differences.length === 0,
      problems: problems.map(problemLine),
      differences: differences.map(({ sign, text }) => `${sign} ${text}`)
    }))
    out.log(JSON.stringify({ ok: failed.length === 0, results }, null, 2))
    return failed.length === 0
  }
  for (const { file, problems, differences, lines } of tested) {
    const good = problems.length + differences.length === 0
    out.log(good ? `ok    ${file} (${lines} ${lines === 1 ? 'line' : 'lines'})` : `FAIL  ${file}`)
    for (const found of problems) out.log(`      ${problemLine(found)}`)
    for (const { sign, text } of differences) out.log(`    ${sign} ${text}`)
  }
  if (tested.length > 1 || failed.length > 0) out.log(`${tested.length - failed.length} of ${tested.length} scenarios hold`)
  if (failed.some(({ differences }) => differences.length > 0))
    out.log('(- was expected and did not happen, + happened and was not expected)')
  return failed.length === 0
}

function testFile(file: string, plants: Map<string, { plant: Plant | null; problems: readonly Problem[] }>, env: Environment): Tested {
  const { scenario, problems } = parseScenario(file, read(file))
  if (scenario === null) return { file, problems, differences: [], lines: 0 }
  const folder = path.resolve(path.dirname(file), scenario.plant.text)
  const shown = path.relative('.', folder) || '.'
  let loaded = plants.get(folder)
  if (loaded === undefined) plants.set(folder, (loaded = loadPlant(shown, env)))
  const { plant } = loaded
  if (plant === null) {
    const { line, column } = scenario.plant
    const about = problem(`the plant ${scenario.plant.text} cannot be used`, { file, line, column })
    return { file, problems: [about, ...loaded.problems], differences: [], lines: 0 }
  }
  const outcome = playScenario(scenario, plant)
  return { file, problems: outcome.problems, differences: outcome.differences, lines: scenario.expected.length }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Refusal(`The scenario ${file} cannot be read: ${whyNot(cause)}.`, { exitCode: 2, cause })
  }
}
