// fenghuo courier: a delivery worker beside the service, until SIGTERM or SIGINT.

import type { Command } from 'commander'
import { awake, SystemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { configured } from '../configured.ts'
import { deliveryWorker } from '../deliveryWorker.ts'
import { untilSignal } from '../signals.ts'

export function courierCommand(program: Command): void {
  program
    .command('courier')
    .description('send notifications beside the service (needs PostgreSQL and Redis) until SIGTERM or SIGINT')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .action((options: { config: string }) => courier(options.config))
}

async function courier(configFile: string): Promise<void> {
  const ended = untilSignal()
  const configuration = configured(configFile, process.env)
  const log = openLog(configuration.config.logLevel)
  const worker = await deliveryWorker(configuration, new SystemClock(), log)
  const running = awake()
  console.log(`The delivery worker ${worker.id} is running. Channels: ${configuration.config.channels.map(({ id }) => id).join(', ')}`)
  const end = await Promise.race([ended, worker.failure])
  if (typeof end === 'string') console.log(`${end}: what is being sent gets its answer`)
  await worker.stop()
  running.cancel()
  if (typeof end !== 'string') throw end
}
