// A process of its own that stores without end: what the tests kill, or starve of disk. Batch `seq` holds the rows of `batchRows(seq)`.
// Its standard output says `stored SEQ` after each commit and `trouble SENTENCE` where health is not ok.

import { pathToFileURL } from 'node:url'
import { History } from '../../src/history/history.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { columnsOf, DAY, NOON, type Row, someFleet } from './someFleet.ts'

/** Six series over five days, many instants more than once; the value tells the batch. */
export function batchRows(seq: number): Row[] {
  const rows: Row[] = []
  for (let row = 0; row < 40; row++) {
    const n = seq * 40 + row
    rows.push([n % 6, NOON - (n % 5) * DAY + ((n * 7919) % 3000) * 1000, seq + row / 64])
  }
  return rows
}

/** Days pass in seconds, so that closed days are written and merged all the time. */
class FastClock implements Clock {
  readonly #real = new SystemClock()
  readonly #began = this.#real.monotonic()
  now = (): number => Math.floor(NOON + DAY + (this.#real.monotonic() - this.#began) * 500_000)
  monotonic = (): number => this.#real.monotonic()
  after = (ms: number, act: () => void) => this.#real.after(ms === LIMITS.history.commitMs ? 5 : ms, act)
  every = (ms: number, act: () => void) => this.#real.every(ms / 1000, act)
}

async function run(folder: string): Promise<void> {
  const history = new History({ folder, clock: new FastClock(), log: silentLog, memoryMb: 256, threads: 1, retentionDays: null })
  await history.start()
  history.setFleet(someFleet(3))
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  say(`stored ${history.storedSeq}`)
  let said = history.storedSeq
  let problem: string | null = null
  let seq = history.acceptedSeq
  for (;;) {
    if (history.pendingRows < 20_000) {
      const columns = columnsOf(batchRows(seq + 1))
      if (history.offer(columns, seq + 1)) seq++
    }
    if (history.storedSeq > said) say(`stored ${(said = history.storedSeq)}`)
    if (history.health().problem !== problem) say(`trouble ${(problem = history.health().problem)}`)
    await new Promise((resolve) => setTimeout(resolve, seq % 8 === 0 ? 2 : 0))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  // The limit on a file's size is announced by a signal that would end the process.
  process.on('SIGXFSZ', () => {})
  await run(process.argv[2]!)
}
