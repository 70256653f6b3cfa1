// The command line: one file per command in commands/. Exit status: 0 done; 1 what was asked about does not hold; 2 wrong usage.

import { Command, CommanderError } from 'commander'
import { messageOf, Refusal } from '../platform/problem.ts'
import { auditCommand } from './commands/audit.ts'
import { backtestCommand } from './commands/backtest.ts'
import { backupCommand, restoreCommand } from './commands/backup.ts'
import { brokerCommand } from './commands/broker.ts'
import { checkCommand } from './commands/check.ts'
import { courierCommand } from './commands/courier.ts'
import { demoCommand } from './commands/demo.ts'
import { devicesCommand } from './commands/devices.ts'
import { doctorCommand } from './commands/doctor.ts'
import { drillCommand } from './commands/drill.ts'
import { dutyCommand } from './commands/duty.ts'
import { hazardCommand } from './commands/hazard.ts'
import { historyCommand } from './commands/history.ts'
import { replayCommand } from './commands/replay.ts'
import { rulesCommand } from './commands/rules.ts'
import { secretsCommand } from './commands/secrets.ts'
import { serveCommand } from './commands/serve.ts'
import { simulateCommand } from './commands/simulate.ts'
import { stateCommand } from './commands/state.ts'
import { testCommand } from './commands/test.ts'
import { VERSION } from './version.ts'

const COMMANDS = [
  serveCommand,
  courierCommand,
  demoCommand,
  checkCommand,
  simulateCommand,
  replayCommand,
  backtestCommand,
  testCommand,
  hazardCommand,
  historyCommand,
  dutyCommand,
  drillCommand,
  devicesCommand,
  rulesCommand,
  auditCommand,
  brokerCommand,
  secretsCommand,
  doctorCommand,
  backupCommand,
  restoreCommand,
  stateCommand
]

/** Runs the command that the arguments name and answers its exit status. Bad input prints a sentence, never a stack trace. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = new Command('fenghuo')
    .description('Fenghuo 烽火: telemetry of hazard sources and fire sensors, judged as it arrives, raised as tiered alarms')
    .version(VERSION, '-V, --version', 'print the version')
    .exitOverride()
  for (const add of COMMANDS) add(program)
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    if (!(thrown instanceof Refusal)) throw thrown
    console.error(messageOf(thrown))
    return thrown.exitCode
  }
}
