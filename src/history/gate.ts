// Questions pass together; replacing a file waits until none is under way, and holds new ones back meanwhile.

export class Gate {
  #inside = 0
  #closed = false
  #waiting: (() => void)[] = []

  /** Runs `work` beside others of its kind. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed) await this.#change()
    this.#inside++
    try {
      return await work()
    } finally {
      this.#inside--
      this.#wake()
    }
  }

  /** Runs `work` alone. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed) await this.#change()
    this.#closed = true
    try {
      while (this.#inside > 0) await this.#change()
      return await work()
    } finally {
      this.#closed = false
      this.#wake()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
