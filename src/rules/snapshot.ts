// The engine's memory as plain structured-cloneable data: copies of its flat arrays, valid under the same plant only.

import type { Memory } from './memory.ts'
import type { Ring } from './windows.ts'

export interface EngineSnapshot {
  readonly format: 1
  /** The plant it was judged under; another is refused. */
  readonly plantHash: string
  /** Our clock, epoch ms: time had been advanced to here. */
  readonly advancedTo: number
  readonly arrays: Readonly<Record<string, Float64Array | Uint8Array>>
  /** Samples of all rings, in the order of their series. */
  readonly rings: { readonly counts: Int32Array; readonly at: Float64Array; readonly value: Float64Array }
}

/** The arrays that make up the state; everything else follows from the plant. */
function arraysOf({ held, watches, lineDue, clockDue, areaDue }: Memory): Record<string, Float64Array | Uint8Array> {
  const { lastAt, offset, lastReceipt, value, valueAt, state, steadyValue, steadySince, clock } = held
  const { latches, level, raisedAt, eventAt } = watches
  return {
    lastAt,
    offset,
    lastReceipt,
    value,
    valueAt,
    state,
    ...(steadyValue === null || steadySince === null ? {} : { steadyValue, steadySince }),
    ...(clock === null ? {} : { clock }),
    latchState: latches.state,
    pulledSince: latches.pulledSince,
    turnedAt: latches.turnedAt,
    level,
    raisedAt,
    eventAt,
    lineDue,
    clockDue,
    areaDue
  }
}

export function snapshotOf(memory: Memory, advancedTo: number): EngineSnapshot {
  const arrays: Record<string, Float64Array | Uint8Array> = {}
  for (const [name, array] of Object.entries(arraysOf(memory))) arrays[name] = array.slice()
  const rings = [...memory.held.rings.values()]
  const counts = Int32Array.from(rings, (ring) => ring.count)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const [at, value] = [new Float64Array(total), new Float64Array(total)]
  let next = 0
  for (const ring of rings) {
    for (let i = 0; i < ring.count; i++, next++) {
      at[next] = ring.at(i)
      value[next] = ring.value(i)
    }
  }
  return { format: 1, plantHash: memory.fleet.plant.hash, advancedTo, arrays, rings: { counts, at, value } }
}

/** Fills an empty memory of the same plant. */
export function fillMemory(memory: Memory, snapshot: EngineSnapshot): void {
  const { format, plantHash, arrays, rings } = snapshot
  if (format !== 1) throw new Error(`the engine snapshot has format ${format}, this version reads format 1`)
  if (plantHash !== memory.fleet.plant.hash) throw new Error(`the engine snapshot was taken under plant ${plantHash}`)
  for (const [name, array] of Object.entries(arraysOf(memory))) {
    const saved = arrays[name]
    if (saved?.length !== array.length) throw new Error(`the engine snapshot does not fit its plant: ${name}`)
    array.set(saved)
  }
  let next = 0
  let index = 0
  for (const ring of memory.held.rings.values()) next = refill(ring, rings, next, rings.counts[index++] ?? 0)
}

function refill(ring: Ring, { at, value }: EngineSnapshot['rings'], from: number, count: number): number {
  for (let i = from; i < from + count; i++) ring.push(at[i] as number, value[i] as number)
  return from + count
}
