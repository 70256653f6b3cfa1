// fenghuo audit verify: checks the hash-chained audit log; names the first broken record. Runs beside a live service.

import path from 'node:path'
import type { Command } from 'commander'
import { Audit } from '../../access/audit.ts'
import { SystemClock } from '../../platform/clock.ts'
import { Refusal } from '../../platform/problem.ts'
import { openState } from '../../store/state.ts'
import { configured } from '../configured.ts'

export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('the audit log')
    .command('verify')
    .description('check the hash chain of the audit log; names the first broken record')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the verdict as JSON')
    .action((options: { config: string; json?: boolean }) => verify(options.config, options.json ?? false))
}

async function verify(configFile: string, json: boolean): Promise<void> {
  const { config } = configured(configFile, process.env)
  const state = await openState(path.join(config.data, 'state.db'), { readOnly: true })
  try {
    const verdict = await new Audit(state, new SystemClock()).verify()
    if (json) console.log(JSON.stringify(verdict))
    if (verdict.kind === 'broken') throw new Refusal(`Record ${verdict.n} of the audit log is broken: ${verdict.sentence}`)
    if (!json) console.log(`The audit log is whole: ${verdict.count} records.`)
  } finally {
    await state.destroy()
  }
}
