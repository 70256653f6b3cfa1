// fenghuo devices import: many devices by a table, all rows or none; by a running service, or into the data folder of a stopped one.

import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { ImportOutcome } from '../../api/amender.ts'
import { type Clock, SystemClock } from '../../platform/clock.ts'
import { Refusal, whyNot } from '../../platform/problem.ts'
import { auditOf } from '../amend/apply.ts'
import { amendmentsOf, type CheckedImport, checkedImport } from '../amend/importing.ts'
import { amendedPlant, whileStopped } from '../amend/offline.ts'
import type { Environment } from '../config/service.ts'
import { configured } from '../configured.ts'
import { askService, serviceAddress } from '../serviceCall.ts'
import type { Output } from './check.ts'

export interface ImportOptions {
  readonly config: string
  readonly dryRun: boolean
  readonly json: boolean
  /** Of a running service; null: as the token or the data folder says. */
  readonly url: string | null
  readonly note: string | null
}

const HELP = `
Columns: id, profile, name (or name.zh and name.en), gateway, area, site, limits.NAME, labels.NAME; the first line names them.
A column that is there says what the device has, an empty cell is none; columns that are not there leave a known device as it is.
UTF-8, UTF-16 and GBK are read; commas, semicolons or tabs between the cells.

With FENGHUO_TOKEN (an API token of an engineer) or --url the running service imports; otherwise the service must be stopped,
and the next start has the devices.`

export function devicesCommand(program: Command): void {
  program
    .command('devices')
    .description('the devices of the plant')
    .command('import')
    .description('make and change many devices by a CSV table: all rows or none, every bad row named')
    .argument('<file>', 'a CSV table')
    .option('--dry-run', 'check and count, change nothing', false)
    .option('--url <url>', 'address of the running service (default: that of the configuration, where FENGHUO_TOKEN is set)')
    .option('--note <text>', 'why: kept with every version')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print the outcome as JSON', false)
    .addHelpText('after', HELP)
    .action(async (file: string, options: { config: string; dryRun: boolean; json: boolean; url?: string; note?: string }) => {
      const given = { ...options, url: options.url ?? null, note: options.note ?? null }
      if (!(await importDevices(file, given, process.env, console, new SystemClock()))) process.exitCode = 1
    })
}

interface Told {
  readonly outcome: Omit<ImportOutcome, 'kind'> | null
  readonly problems: readonly { readonly place: string; readonly problem: string; readonly line: number | null }[]
}

/** True where the table was imported, or could be. */
export async function importDevices(file: string, options: ImportOptions, env: Environment, out: Output, clock: Clock): Promise<boolean> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    throw new Refusal(`${file} cannot be read: ${whyNot(cause)}.`, { exitCode: 2, cause })
  }
  const token = env.FENGHUO_TOKEN || null
  if (options.url !== null && token === null) {
    throw new Refusal('The service asks who imports: put an API token of an engineer into FENGHUO_TOKEN.', { exitCode: 2 })
  }
  const told = token === null ? await intoFolder(bytes, options, env, clock) : await byService(bytes, options, env, token)
  if (options.json) {
    const problems = told.problems.map(({ place, problem, line }) => ({ file, line, place, problem }))
    out.log(JSON.stringify({ ok: told.outcome !== null, ...told.outcome, dryRun: options.dryRun, problems }, null, 2))
    return told.outcome !== null
  }
  for (const { place, problem, line } of told.problems)
    out.error(line === null ? `${file}: ${place}: ${problem}` : `${file}:${line}: ${problem}`)
  if (told.outcome === null) {
    out.error(`${told.problems.length === 1 ? '1 problem' : `${told.problems.length} problems`}; nothing was imported`)
    return false
  }
  const { rows, created, changed, unchanged } = told.outcome
  const verb = options.dryRun ? 'would be ' : ''
  out.log(`${file}: ${rows} rows: ${created} ${verb}created, ${changed} ${verb}changed, ${unchanged} unchanged`)
  return true
}

async function byService(bytes: Uint8Array, options: ImportOptions, env: Environment, token: string): Promise<Told> {
  const base = options.url ?? serviceAddress(options.config, env)
  const query = new URLSearchParams({ dryRun: String(options.dryRun), ...(options.note === null ? {} : { note: options.note }) })
  const todo = 'Name it with --url, or stop it and leave FENGHUO_TOKEN out.'
  const { ok, body, refusal } = await askService(base, token, `devices/import?${query}`, { type: 'text/csv', body: bytes }, todo)
  if (ok) return { outcome: body as unknown as Omit<ImportOutcome, 'kind'>, problems: [] }
  const problems = (body.problems ?? []) as Told['problems']
  if (problems.length > 0) return { outcome: null, problems }
  throw refusal
}

async function intoFolder(bytes: Uint8Array, { config, dryRun, note }: ImportOptions, env: Environment, clock: Clock): Promise<Told> {
  const configuration = configured(config, env)
  const quiet = (): void => {}
  const log = {
    debug: quiet,
    info: quiet,
    warn: (sentence: string) => console.error(sentence),
    error: (sentence: string) => console.error(sentence)
  }
  if (dryRun) return toldOf(checkedImport(await amendedPlant(configuration, clock, log), bytes), true)
  try {
    return await whileStopped(configuration, clock, log, async (now, access) => {
      const checked = checkedImport(now, bytes)
      const told = toldOf(checked, false)
      if (told.outcome === null || checked.changes.length === 0) return told
      const amendments = amendmentsOf(now, checked.changes, `${userInfo().username} (fenghuo devices import)`, note, clock.now())
      await access.amendments.record(amendments, auditOf(amendments))
      return told
    })
  } catch (cause) {
    if (!(cause instanceof Refusal) || !cause.message.includes('is in use by')) throw cause
    const sentence = `${cause.message} To import while the service runs, put an API token of an engineer into FENGHUO_TOKEN.`
    throw new Refusal(sentence, { cause })
  }
}

function toldOf({ rows, created, changes, problems, candidate }: CheckedImport, dryRun: boolean): Told {
  if (problems.length > 0 || candidate.plant === null) return { outcome: null, problems }
  return { outcome: { rows, created, changed: changes.length - created, unchanged: rows - changes.length, dryRun }, problems: [] }
}
