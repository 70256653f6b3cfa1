// fenghuo history setup: makes a server ready to keep history.

import type { Command } from 'commander'
import { setUpInflux } from '../../history/influxSetup.ts'
import { problemLine, Refusal } from '../../platform/problem.ts'
import { loadPlantFolder } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import type { Output } from './check.ts'

export interface HistorySetupOptions {
  readonly config: string
  readonly hourly: boolean
}

export function historyCommand(program: Command): void {
  program
    .command('history')
    .description('where readings are kept for years')
    .command('setup')
    .description(
      'creates the database or bucket in InfluxDB, how long it keeps readings (history.keep), and hourly figures; says what it did'
    )
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--no-hourly', 'without hourly figures')
    .action((options: HistorySetupOptions) => setUpHistory(options, process.env, console))
}

/** Sets up what is configured. Throws a Refusal where it cannot. */
export async function setUpHistory(options: HistorySetupOptions, env: Environment, out: Output): Promise<void> {
  const { config, problems } = loadPlantFolder(options.config, env)
  if (config === null) {
    for (const one of problems) out.error(problemLine(one))
    throw new Refusal(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}; nothing was set up.`)
  }
  const { influx, retentionDays } = config.history
  if (influx === null) {
    out.log('History is kept in the embedded store: there is nothing to set up. FENGHUO_INFLUX_URL or history.influx chooses InfluxDB.')
    return
  }
  await setUpInflux(influx, { retentionDays, hourly: options.hourly }, (sentence) => out.log(sentence))
}
