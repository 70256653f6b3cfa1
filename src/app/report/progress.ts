// A progress bar on the last line of a terminal while a source is read; without a terminal, nothing.

import type { Clock } from '../../platform/clock.ts'

const REDRAW_MS = 200
/** How often the clock is asked: judging must not wait for it. */
const LOOK_EVERY = 2048
const WIDTH = 24

export class PassProgress {
  readonly #stream: NodeJS.WriteStream | null
  readonly #clock: Clock
  #source: { readonly done: number } | null = null
  #calls = 0
  #drawnAt = 0

  constructor(stream: NodeJS.WriteStream | null, clock: Clock) {
    this.#stream = stream?.isTTY === true ? stream : null
    this.#clock = clock
  }

  /** Shows how much of the source is done, until `end()`. */
  show(source: { readonly done: number }): void {
    if (this.#stream === null) return
    this.#source = source
    this.#draw()
  }

  /** To be called for each record: judging is synchronous, so no timer would come through. */
  step(): void {
    if (this.#source === null || ++this.#calls % LOOK_EVERY !== 0) return
    if (this.#clock.monotonic() - this.#drawnAt >= REDRAW_MS) this.#draw()
  }

  /** Makes room for a line. */
  clear(): void {
    if (this.#source !== null) this.#stream?.write('\r\x1b[2K')
  }

  end(): void {
    this.clear()
    this.#source = null
  }

  #draw(): void {
    this.#drawnAt = this.#clock.monotonic()
    const done = this.#source?.done ?? 0
    const filled = Math.round(done * WIDTH)
    this.#stream?.write(`\r\x1b[2K${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(done * 100)).padStart(3)} %`)
  }
}
