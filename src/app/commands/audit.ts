// fenghuo audit verify: checks the hash-chained audit log; names the first broken record, or the first anchor that it does not reach. Runs beside a live service.

import type { Command } from 'commander'
import { readAnchors } from '../../access/anchors.ts'
import { Audit } from '../../access/audit.ts'
import { SystemClock } from '../../platform/clock.ts'
import { Refusal } from '../../platform/problem.ts'
import { openState } from '../../store/state.ts'
import { configured } from '../configured.ts'
import { stateAt } from '../stateStore.ts'

export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('the audit log')
    .command('verify')
    .description('check the hash chain of the audit log; names the first broken record, or anchor that it does not reach')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--anchors <file>', 'the file of daily anchors; default: the one of the configuration')
    .option('--json', 'print the verdict as JSON')
    .action((options: { config: string; anchors?: string; json?: boolean }) =>
      verify(options.config, options.anchors ?? null, options.json ?? false)
    )
}

async function verify(configFile: string, anchorsFile: string | null, json: boolean): Promise<void> {
  const { config } = configured(configFile, process.env)
  const file = anchorsFile ?? config.audit.anchors
  const read = await readAnchors(file)
  if (read === null && anchorsFile !== null) throw new Refusal(`There is no file ${file}: name the file that the anchors are appended to.`)
  const state = await openState(stateAt(config), { readOnly: true })
  try {
    const verdict = await new Audit(state, new SystemClock()).verify(read?.anchors)
    if (json) console.log(JSON.stringify(verdict))
    if (verdict.kind === 'broken') throw new Refusal(`Record ${verdict.n} of the audit log is broken: ${verdict.sentence}`)
    if (verdict.kind === 'unanchored') throw new Refusal(verdict.sentence)
    if (json) return
    console.log(`The audit log is whole: ${verdict.count} records.`)
    if (read === null) console.log(`There are no anchors in ${file}, so nothing tells whether its end was cut off.`)
    else console.log(`It reaches all ${verdict.anchors} anchors of ${file}.`)
    for (const line of read?.unreadable ?? [])
      console.log(`${file}:${line}: this is no anchor and was left out; a loss of power may leave such a line.`)
  } finally {
    await state.destroy()
  }
}
