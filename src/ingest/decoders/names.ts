// Names looked up by their bytes, without making texts of them.

/** Finds which of a fixed list of ASCII names stands in a buffer. */
export class ByteNames {
  /** Name n has the bytes starts[n] up to starts[n + 1]. */
  readonly #starts: Int32Array
  readonly #bytes: Uint8Array
  /** Open addressing: a name's number plus one, 0 where a slot is free. */
  readonly #slots: Int32Array
  readonly #mask: number

  readonly count: number

  constructor(names: readonly string[]) {
    this.count = names.length
    this.#starts = new Int32Array(names.length + 1)
    for (const [number, name] of names.entries()) this.#starts[number + 1] = (this.#starts[number] as number) + Buffer.byteLength(name)
    this.#bytes = Buffer.from(names.join(''))
    let slots = 16
    while (slots < names.length * 2) slots *= 2
    this.#slots = new Int32Array(slots)
    this.#mask = slots - 1
    for (let number = 0; number < names.length; number++) {
      let slot = this.#slotOf(this.#bytes, this.#starts[number] as number, this.#starts[number + 1] as number)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#slots[slot] = number + 1
    }
  }

  /** The number of the name that stands at `from .. to`, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    let slot = this.#slotOf(bytes, from, to)
    for (;;) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0) return -1
      if (this.is(number, bytes, from, to)) return number
      slot = (slot + 1) & this.#mask
    }
  }

  /** Whether name `number` stands at `from .. to`. */
  is(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[number] as number
    if ((this.#starts[number + 1] as number) - start !== to - from) return false
    for (let i = from, j = start; i < to; i++, j++) if (bytes[i] !== this.#bytes[j]) return false
    return true
  }

  #slotOf(bytes: Uint8Array, from: number, to: number): number {
    let hash = 0x811c9dc5
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
    return (hash ^ (hash >>> 15)) & this.#mask
  }
}
