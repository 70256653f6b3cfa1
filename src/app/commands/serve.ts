// fenghuo serve: runs the service until SIGTERM or SIGINT, then drains and exits 0. Where another instance is active on the same
// PostgreSQL, it stands by until that one ends.

import type { Command } from 'commander'
import { SystemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import { StateFailure } from '../../store/failure.ts'
import { assemble } from '../assemble.ts'
import { configured } from '../configured.ts'
import { onHangup, untilSignal } from '../signals.ts'
import { standbyDoors } from '../standby/doors.ts'
import { noteWentBack } from '../standby/instance.ts'
import { takeSeat } from '../standby/seat.ts'

const STOP_DEADLINE_MS = 20_000

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('run the service until SIGTERM or SIGINT')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .action((options: { config: string }) => serve(options.config))
}

async function serve(configFile: string): Promise<void> {
  // Heard from the beginning: a signal during the start ends the service as soon as it stands.
  const ended = untilSignal()
  let reload = async (): Promise<void> => {}
  onHangup(() => void reload())
  const configuration = configured(configFile, process.env)
  const log = openLog(configuration.config.logLevel)
  const clock = new SystemClock()
  const waiting = standbyDoors(configuration.config, clock, log, (address) => console.log(`Fenghuo stands by. Health: ${address}/healthz`))
  const seat = await takeSeat(configuration.config, clock, log, { waiting, ended })
  if (seat === null) return
  const house = await assemble(configuration, clock, log, { seat }).catch(async (cause) => {
    // What is open keeps the process alive.
    await waiting.close()
    throw cause
  })
  console.log(`Fenghuo is running. Console: ${house.httpAddress}   MQTT: ${house.mqttAddress ?? 'off'}`)
  reload = house.reload
  if (house.generatedPassword !== null) console.log(`First sign-in: admin / ${house.generatedPassword}   (shown this once)`)
  const end = await Promise.race([ended, house.failure])
  if (typeof end === 'string') console.log(`${end}: draining`)
  else if (configuration.config.state.url !== null && isDisplaced(end)) {
    // Nothing is drained: what this process still holds was never acknowledged, and the next one reads the rest from the journal.
    console.error(end.message)
    if (wentBack(end)) await noteWentBack(seat.folder, true).catch(() => {})
    process.exit(end.exitCode)
  }
  const well = await house.stop(STOP_DEADLINE_MS)
  const why = typeof end === 'string' ? new Refusal('Not everything ended as it should; the journal holds what was acknowledged.') : end
  if (!well) {
    // What has not ended keeps the process alive.
    console.error(why.message)
    process.exit(why.exitCode)
  }
  if (typeof end !== 'string') throw end
}

/** Whether another instance has taken over, or the state is not as we left it. */
function isDisplaced({ cause }: Refusal): boolean {
  return cause instanceof StateFailure && (cause.kind === 'taken' || cause.kind === 'goneBack')
}

function wentBack({ cause }: Refusal): boolean {
  return cause instanceof StateFailure && cause.kind === 'goneBack'
}
