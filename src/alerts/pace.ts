// How often a person is told: the window in which messages about one place are gathered, and the most messages per stretch.
// Memory: one instant per person, way and site, and as many per person and way as a stretch allows.

export interface PaceSnapshot {
  readonly opened: readonly (readonly [key: string, at: number])[]
  readonly sent: readonly (readonly [key: string, instants: readonly number[]])[]
}

export class Pace {
  readonly #opened = new Map<string, number>()
  readonly #sent = new Map<string, number[]>()

  /** When the open window of this key ends; null: none is open. */
  windowEnd(key: string, windowMs: number, at: number): number | null {
    const opened = this.#opened.get(key)
    if (opened === undefined) return null
    if (opened + windowMs > at) return opened + windowMs
    this.#opened.delete(key)
    return null
  }

  open(key: string, at: number): void {
    this.#opened.set(key, at)
  }

  /** When one more may go out; null: now. */
  heldUntil(key: string, throttle: { readonly max: number; readonly perMs: number } | null, at: number): number | null {
    if (throttle === null) return null
    const instants = this.#sent.get(key) ?? []
    while (instants.length > 0 && (instants[0] as number) + throttle.perMs <= at) instants.shift()
    return instants.length < throttle.max ? null : (instants[instants.length - throttle.max] as number) + throttle.perMs
  }

  note(key: string, at: number, throttle: { readonly max: number } | null): void {
    if (throttle === null) return
    const instants = this.#sent.get(key)
    if (instants === undefined) this.#sent.set(key, [at])
    else {
      instants.push(at)
      if (instants.length > throttle.max) instants.shift()
    }
  }

  snapshot(): PaceSnapshot {
    return { opened: [...this.#opened], sent: [...this.#sent].map(([key, instants]) => [key, [...instants]]) }
  }

  static restore({ opened, sent }: PaceSnapshot): Pace {
    const pace = new Pace()
    for (const [key, at] of opened) pace.#opened.set(key, at)
    for (const [key, instants] of sent) pace.#sent.set(key, [...instants])
    return pace
  }
}
