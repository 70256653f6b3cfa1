// Readings in columns, as they travel from decoding to the rules and to history: no object per reading.

/**
 * Qualified readings, in journal order. The rows of one sample stand together: the first has `head` 1. A sample without
 * values is one row with series -1 (a sign of life). Rows with `judged` 0 (late ones) are for history only; with 2 the sample
 * had a time stamp of its own that was not believed.
 * Grows by doubling and is reused: `clear()` keeps the memory.
 */
export class ReadingColumns {
  length = 0
  device: Int32Array
  /** -1: the sample carries no value. */
  series: Int32Array
  /** Epoch ms on the device's time line. */
  at: Float64Array
  /** NaN with quality sensorFault. */
  value: Float64Array
  /** Index into QUALITIES. */
  quality: Uint8Array
  head: Uint8Array
  judged: Uint8Array

  constructor(capacity = 1024) {
    this.device = new Int32Array(capacity)
    this.series = new Int32Array(capacity)
    this.at = new Float64Array(capacity)
    this.value = new Float64Array(capacity)
    this.quality = new Uint8Array(capacity)
    this.head = new Uint8Array(capacity)
    this.judged = new Uint8Array(capacity)
  }

  /** Appends one row. */
  push(device: number, series: number, at: number, value: number, quality: number, head: number, judged: number): void {
    const row = this.length
    if (row === this.device.length) this.#grow()
    this.device[row] = device
    this.series[row] = series
    this.at[row] = at
    this.value[row] = value
    this.quality[row] = quality
    this.head[row] = head
    this.judged[row] = judged
    this.length = row + 1
  }

  clear(): void {
    this.length = 0
  }

  #grow(): void {
    const capacity = this.device.length * 2
    this.device = copied(new Int32Array(capacity), this.device)
    this.series = copied(new Int32Array(capacity), this.series)
    this.at = copied(new Float64Array(capacity), this.at)
    this.value = copied(new Float64Array(capacity), this.value)
    this.quality = copied(new Uint8Array(capacity), this.quality)
    this.head = copied(new Uint8Array(capacity), this.head)
    this.judged = copied(new Uint8Array(capacity), this.judged)
  }
}

function copied<A extends Int32Array | Float64Array | Uint8Array>(target: A, source: A): A {
  target.set(source as never)
  return target
}
