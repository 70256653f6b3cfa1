// fenghuo backup, fenghuo restore: a consistent copy of the data folder, while the service runs or not, and back.

import path from 'node:path'
import type { Command } from 'commander'
import { SystemClock } from '../../platform/clock.ts'
import { backup } from '../backup/backup.ts'
import type { Manifest } from '../backup/manifest.ts'
import { restore } from '../backup/restore.ts'
import { configured } from '../configured.ts'

interface Options {
  readonly config: string
  readonly json: boolean
}

export function backupCommand(program: Command): void {
  program
    .command('backup')
    .description('copy state, journal and history into a new folder; the service may go on meanwhile')
    .argument('<folder>', 'a new or empty folder')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print what was copied as JSON', false)
    .action(async (folder: string, options: Options) => {
      const { config } = configured(options.config, process.env)
      tell(await backup(config.data, folder, new SystemClock(), config.state.url), options.json, `Backed up ${config.data} to ${folder}`)
    })
}

export function restoreCommand(program: Command): void {
  program
    .command('restore')
    .description('check a backup and copy it into the empty data folder')
    .argument('<folder>', 'what fenghuo backup has made')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--json', 'print what was restored as JSON', false)
    .action(async (folder: string, options: Options) => {
      const { config } = configured(options.config, process.env)
      tell(await restore(path.resolve(folder), config.data, config.state.url), options.json, `Restored ${folder} to ${config.data}`)
    })
}

function tell(manifest: Manifest, json: boolean, done: string): void {
  if (json) {
    console.log(JSON.stringify(manifest, null, 2))
    return
  }
  const { files, journal, state, at } = manifest
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  console.log(
    `${done}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, as of ${at}; journal records ${journal.from} to ${journal.to}, state through ${state.seq}.`
  )
}
