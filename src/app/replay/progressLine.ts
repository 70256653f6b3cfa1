// A progress bar on the last line of a terminal, and lines above it. Without a terminal only the lines are written.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { ReplayProgress } from './replay.ts'

const REDRAW_MS = 200
const WIDTH = 24

export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  readonly #clock: Clock
  readonly #began: number
  #read: (() => ReplayProgress) | null = null
  #timer: Timer | null = null

  constructor(stream: NodeJS.WriteStream, clock: Clock) {
    this.#stream = stream
    this.#clock = clock
    this.#began = clock.monotonic()
  }

  /** Shows what `read` answers, until `end()`. */
  show(read: () => ReplayProgress): void {
    if (!this.#stream.isTTY) return
    this.#read = read
    this.#timer = this.#clock.every(REDRAW_MS, () => this.#draw())
    this.#draw()
  }

  /** Writes a line that stays. */
  above(line: string): void {
    this.#stream.write(this.#read === null ? `${line}\n` : `\r\x1b[2K${line}\n`)
    this.#draw()
  }

  end(): void {
    this.#timer?.cancel()
    this.#draw()
    if (this.#read !== null) this.#stream.write('\n')
    this.#read = null
  }

  #draw(): void {
    if (this.#read === null) return
    const { done, samples, acknowledged, badRows } = this.#read()
    const filled = Math.round(done * WIDTH)
    const seconds = Math.max(0.001, (this.#clock.monotonic() - this.#began) / 1000)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(done * 100)).padStart(3)} %`
    const bad = badRows === 0 ? '' : `, ${badRows} unreadable`
    this.#stream.write(`\r\x1b[2K${bar}  ${samples} sent, ${acknowledged} acknowledged, ${Math.round(acknowledged / seconds)}/s${bad}`)
  }
}
