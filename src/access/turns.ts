// Costly work one at a time, with a bounded line of those who wait: a flood is turned away, not stored.

/** Takes turns: one piece of work runs, at most `waiting` others wait in order. */
export class Turns {
  readonly #most: number
  #line: Promise<unknown> = Promise.resolve()
  #present = 0

  constructor(waiting: number) {
    this.#most = waiting + 1
  }

  /** The work's result once it had its turn; null, at once, where the line is full. */
  take<Result extends {}>(act: () => Promise<Result>): Promise<Result> | null {
    if (this.#present >= this.#most) return null
    this.#present += 1
    const done = this.#line.then(act).finally(() => void (this.#present -= 1))
    this.#line = done.catch(() => {})
    return done
  }
}
