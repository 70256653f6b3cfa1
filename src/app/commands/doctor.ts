// fenghuo doctor: looks at everything the service needs, and says what is wrong and what to do.

import path from 'node:path'
import type { Command } from 'commander'
import { SystemClock } from '../../platform/clock.ts'
import { examine } from '../doctor/doctor.ts'

const CONSOLE_FOLDER = path.join(import.meta.dirname, '..', '..', '..', 'console', 'dist')

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look at disk, clock, ports, versions, configuration and connections, and say what to do')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the findings as JSON', false)
    .action(async (options: { config: string; json: boolean }) => {
      const findings = await examine(options.config, process.env, CONSOLE_FOLDER, new SystemClock())
      const failed = findings.filter(({ state }) => state === 'fail').length
      if (failed > 0) process.exitCode = 1
      if (options.json) return console.log(JSON.stringify({ ok: failed === 0, findings }, null, 2))
      for (const { check, state, found, todo } of findings) {
        console.log(`${state.padEnd(5)} ${check}: ${found}`)
        if (todo !== null) console.log(`      -> ${todo}`)
      }
      const warned = findings.filter(({ state }) => state === 'warn').length
      console.log(failed === 0 && warned === 0 ? 'All is well.' : `${failed} failed, ${warned} to look at.`)
    })
}
