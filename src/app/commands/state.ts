// fenghuo state migrate: the state from the data folder into PostgreSQL, or back.

import path from 'node:path'
import type { Command } from 'commander'
import { isServer } from '../../store/postgres.ts'
import { configured } from '../configured.ts'
import { type Moved, moveState } from '../stateMove.ts'

interface Options {
  readonly config: string
  readonly to: string
  readonly json: boolean
}

export function stateCommand(program: Command): void {
  program
    .command('state')
    .description('where the service keeps its state')
    .command('migrate')
    .description('move the state into PostgreSQL, or back into a file; the service must be stopped')
    .requiredOption('--to <place>', 'postgres://user:password@host/database, or the path of a new SQLite file')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print what was moved as JSON', false)
    .action(async ({ config: file, to, json }: Options) => {
      const { config } = configured(file, process.env)
      const target = isServer(to) ? to : path.resolve(to)
      const moved = await moveState(config, target)
      if (json) console.log(JSON.stringify(moved, null, 2))
      else for (const line of said(moved, isServer(target))) console.log(line)
    })
}

function said({ from, to, rows, audit, seq, aside }: Moved, intoServer: boolean): string[] {
  const count = Object.values(rows).reduce((sum, of) => sum + of, 0)
  return [
    `Moved ${count} rows from ${from} to ${to}; the audit log is whole there (${audit} records); journal record ${seq} is the last whose effects are in it.`,
    ...(aside === null ? [] : [`What it was moved from is kept as ${aside}.`]),
    intoServer
      ? 'Next: set FENGHUO_POSTGRES_URL (or state.url) to the same address, and start the service on the same data folder.'
      : 'Next: remove FENGHUO_POSTGRES_URL (or state.url), and start the service on the same data folder; state.db belongs there.'
  ]
}
