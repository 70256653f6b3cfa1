// Group commit: what comes while one batch is being done is done in the next. One batch at a time, in order of coming.

/** Does many small things in few large steps. Invariant: each item is in exactly one batch, and hears how that went. */
export class Together<Item, Answer> {
  readonly #act: (items: readonly Item[]) => Promise<readonly Answer[]>
  readonly #most: number
  readonly #waiting: { item: Item; resolve: (answer: Answer) => void; reject: (cause: unknown) => void }[] = []
  #running: Promise<void> | null = null

  /** `act` answers one answer per item, in their order; where it throws, every item of the batch hears that. */
  constructor(most: number, act: (items: readonly Item[]) => Promise<readonly Answer[]>) {
    this.#most = most
    this.#act = act
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves once everything added so far is done. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    // What is added in this turn of the event loop goes together.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most)
      try {
        const answers = await this.#act(batch.map(({ item }) => item))
        for (const [place, { resolve }] of batch.entries()) resolve(answers[place] as Answer)
      } catch (cause) {
        for (const { reject } of batch) reject(cause)
      }
    }
    this.#running = null
  }
}
