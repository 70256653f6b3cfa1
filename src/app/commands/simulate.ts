// fenghuo simulate: device simulators in place of field hardware, over real MQTT.

import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { SimulatedFleet } from '../../../simulators/fleet.ts'
import { parseScript, type Script } from '../../../simulators/script.ts'
import { SystemClock } from '../../platform/clock.ts'
import { parseDuration } from '../../platform/duration.ts'
import { problemLine, Refusal, whyNot } from '../../platform/problem.ts'
import { untilSignal } from '../signals.ts'

interface SimulateOptions {
  readonly url: string
  readonly seed?: number
  readonly for?: number
  readonly json?: boolean
}

export function simulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('run simulated devices from a script against a broker')
    .argument('<script>', 'a simulation script (YAML)')
    .requiredOption('--url <url>', 'the broker, such as mqtt://127.0.0.1:1883')
    .option('--seed <number>', "instead of the script's own", wholeNumber)
    .option('--for <duration>', 'end by itself after this long, such as 90s', duration)
    .option('--json', 'print the summary as JSON')
    .action((file: string, options: SimulateOptions) => simulate(file, options))
}

/** Reads a script; throws a Refusal with every problem where it cannot be used. */
export function loadScript(file: string, seed: number | null): Script {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Refusal(`${file} cannot be read: ${whyNot(cause)}.`, { cause })
  }
  const { script, problems } = parseScript(text, file, seed)
  if (script === null) throw new Refusal(problems.map(problemLine).join('\n'))
  return script
}

async function simulate(file: string, options: SimulateOptions): Promise<void> {
  const seed = options.seed ?? null
  const fleet = await SimulatedFleet.connect(loadScript(file, seed), {
    url: options.url,
    clock: new SystemClock(),
    env: process.env,
    seed: seed ?? 1,
    onState: (sentence) => console.error(sentence)
  })
  void untilSignal().then(() => fleet.stop())
  await fleet.run(options.for)
  const { sent, acknowledged } = fleet.counts
  console.log(options.json ? JSON.stringify({ sent, acknowledged }) : `${sent} samples sent, ${acknowledged} acknowledged`)
  if (acknowledged < sent) throw new Refusal(`${sent - acknowledged} samples were not acknowledged.`)
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms === null) throw new InvalidArgumentError('It must be a number with a unit, such as 90s or 15m.')
  return ms
}
