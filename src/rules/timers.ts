// Who must be looked at next: a binary heap of subjects by due instant on our clock, in flat arrays.
// A key is never later than the true due instant: moving a due instant back in time costs nothing until it is reached.

export class Timers {
  /** The key of each subject, meaningful while it is in the heap. */
  readonly #key: Float64Array
  /** Its place in the heap, -1 when it is not there. */
  readonly #place: Int32Array
  readonly #heap: Int32Array
  #size = 0

  constructor(subjects: number) {
    this.#key = new Float64Array(subjects)
    this.#place = new Int32Array(subjects).fill(-1)
    this.#heap = new Int32Array(subjects)
  }

  /** The subject to look at first, or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number)
  }

  /** Its key; Infinity when nothing is due. */
  get firstKey(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#key[this.#heap[0] as number] as number)
  }

  /** Makes sure that `subject` comes up at `due` at the latest. */
  wake(subject: number, due: number): void {
    if (due === Number.POSITIVE_INFINITY) return
    let place = this.#place[subject] as number
    if (place === -1) {
      place = this.#size++
      this.#place[subject] = place
      this.#heap[place] = subject
    } else if (due >= (this.#key[subject] as number)) {
      return
    }
    this.#key[subject] = due
    this.#rise(subject, place)
  }

  /** Takes the first subject out. */
  take(): number {
    const subject = this.#heap[0] as number
    this.#place[subject] = -1
    const last = this.#heap[--this.#size] as number
    if (this.#size > 0) {
      this.#heap[0] = last
      this.#place[last] = 0
      this.#sink(last)
    }
    return subject
  }

  #rise(subject: number, from: number): void {
    const key = this.#key[subject] as number
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#heap[parentPlace] as number
      if ((this.#key[parent] as number) <= key) break
      this.#heap[place] = parent
      this.#place[parent] = place
      place = parentPlace
    }
    this.#heap[place] = subject
    this.#place[subject] = place
  }

  #sink(subject: number): void {
    const key = this.#key[subject] as number
    let place = 0
    for (;;) {
      let childPlace = place * 2 + 1
      if (childPlace >= this.#size) break
      let child = this.#heap[childPlace] as number
      const other = childPlace + 1
      if (other < this.#size && (this.#key[this.#heap[other] as number] as number) < (this.#key[child] as number)) {
        childPlace = other
        child = this.#heap[other] as number
      }
      if ((this.#key[child] as number) >= key) break
      this.#heap[place] = child
      this.#place[child] = place
      place = childPlace
    }
    this.#heap[place] = subject
    this.#place[subject] = place
  }
}
