// fenghuo replay: recorded plant data into a running service, over MQTT.

import type { Command } from 'commander'
import type { RecordedProblem } from '../../ingest/recorded/samples.ts'
import { recordedProblemLine } from '../../ingest/recorded/samples.ts'
import { type Clock, SystemClock } from '../../platform/clock.ts'
import { problemLine, Refusal } from '../../platform/problem.ts'
import { readMapFile } from '../replay/mapFile.ts'
import { ProgressLine } from '../replay/progressLine.ts'
import { openReplay, type ReplayListener, type ReplaySummary } from '../replay/replay.ts'
import { untilSignal } from '../signals.ts'

interface Options {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly speed: string
  readonly map?: string
  readonly now: boolean
  readonly json: boolean
}

/** Bad rows and rejects named one by one; further ones are counted. */
const NAMED = 200

export function replayCommand(program: Command): void {
  program
    .command('replay')
    .description('send recorded data (NDJSON of samples, or tables through a mapping) over MQTT, QoS 1')
    .argument('<files...>', 'recorded files; several are merged by time')
    .requiredOption('--url <url>', 'the broker, like mqtt://gw-01:secret@127.0.0.1:1883')
    .option('--username <gateway>', 'the gateway to sign in as, in place of the one in the URL')
    .option('--password <secret>', 'its secret, in place of the one in the URL')
    .option('--speed <n>', 'how many times faster than recorded, or max', 'max')
    .option('--map <file>', 'MAP.yaml: what the columns of a table mean')
    .option('--now', 'shift the time stamps into the present', false)
    .option('--json', 'print the summary as JSON', false)
    .action(async (files: string[], options: Options) => {
      if (!(await replay(files, options, new SystemClock()))) process.exitCode = 1
    })
}

/** True where every row was read, sent and acknowledged. */
async function replay(files: readonly string[], options: Options, clock: Clock): Promise<boolean> {
  const mapping = options.map === undefined ? null : readMapFile(options.map)
  if (mapping !== null && mapping.mapping === null) {
    for (const found of mapping.problems) console.error(problemLine(found))
    return false
  }
  const line = new ProgressLine(process.stderr, clock)
  const named = new NamedProblems(line)
  const { replay: run, problems } = await openReplay(
    {
      files,
      mapping: mapping?.mapping ?? null,
      url: options.url,
      username: options.username ?? null,
      password: options.password ?? null,
      speed: speedOf(options.speed),
      now: options.now
    },
    clock,
    named
  )
  for (const found of problems) console.error(problemLine(found))
  if (run === null) return false
  void untilSignal().then(() => run.stop())
  line.show(() => run.progress)
  const summary = await run.run().finally(() => line.end())
  if (options.json) console.log(JSON.stringify({ files, ...summary, problems: named.problems }))
  else console.log(sentenceOf(summary))
  return summary.badRows === 0 && summary.acknowledged === summary.samples && !summary.stopped
}

class NamedProblems implements ReplayListener {
  readonly problems: RecordedProblem[] = []
  readonly #line: ProgressLine
  #badRows = 0
  #rejects = 0

  constructor(line: ProgressLine) {
    this.#line = line
  }

  badRow(found: RecordedProblem): void {
    this.#badRows++
    if (this.#badRows <= NAMED) {
      this.problems.push(found)
      this.#line.above(recordedProblemLine(found))
    } else if (this.#badRows === NAMED + 1) this.#line.above('Further rows that cannot be read are only counted.')
  }

  rejected(sentence: string): void {
    this.#rejects++
    if (this.#rejects <= NAMED) this.#line.above(`rejected: ${sentence}`)
    else if (this.#rejects === NAMED + 1) this.#line.above('Further rejects are only counted.')
  }

  connection(sentence: string): void {
    this.#line.above(sentence)
  }
}

function speedOf(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const speed = Number(text)
  if (!(speed > 0) || !Number.isFinite(speed)) throw new Refusal(`--speed is a number above 0, or max; it was "${text}".`, { exitCode: 2 })
  return speed
}

function sentenceOf({ samples, acknowledged, messages, badRows, rejected, seconds, stopped }: ReplaySummary): string {
  const parts = [
    `${samples} samples sent in ${messages} messages`,
    `${acknowledged} acknowledged`,
    badRows === 1 ? '1 row could not be read' : `${badRows} rows could not be read`
  ]
  if (samples > acknowledged) parts.push(`${samples - acknowledged} never acknowledged`)
  if (rejected > 0) parts.push(`${rejected} rejected by the service`)
  return `${parts.join(', ')} (${seconds.toFixed(1)} s)${stopped ? '; stopped before the end' : ''}`
}
