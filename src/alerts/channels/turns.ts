// A window: so many at a time, the others wait in the order they came.

export class Turns {
  #free: number
  #waiting: (() => void)[] = []

  constructor(width: number) {
    this.#free = width
  }

  /** True once it is one's turn; false where the signal fires first. Each true is given back by `give`. */
  take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const mine = (): void => {
        signal.removeEventListener('abort', leave)
        resolve(true)
      }
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== mine)
        resolve(false)
      }
      this.#waiting.push(mine)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
