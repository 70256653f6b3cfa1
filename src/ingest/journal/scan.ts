// Reads the groups of one segment one after another, in blocks. Invariant: a group it answers is sound to its last bit.

import { type Disk, readAll } from './disk.ts'
import {
  GROUP_HEADER_BYTES,
  groupBodyBytes,
  groupCount,
  groupFirstSeq,
  isGroupBody,
  isGroupHeader,
  SEGMENT_HEADER_BYTES
} from './format.ts'

const BLOCK_BYTES = 1024 * 1024

/**
 * - group: `start`, `firstSeq` and `count` tell of the next one.
 * - more: call `fill()` and step again.
 * - end: nothing stands between here and `end`.
 * - invalid: what stands at `offset` is not a sound group.
 */
export type Step = 'group' | 'more' | 'end' | 'invalid'

export class GroupScan {
  readonly path: string
  readonly #disk: Disk
  readonly #salt: Buffer
  /** How far the file may be read; moves on with a segment that is being written. */
  end: number
  /** The bytes at hand; never overwritten, so views into them stay good. */
  block: Buffer = Buffer.alloc(0)
  /** The group of the last step, as an index into `block`. */
  start = 0
  firstSeq = 0
  count = 0
  #blockAt: number
  #next = 0
  #need = 0

  constructor(disk: Disk, path: string, salt: Buffer, end: number) {
    this.#disk = disk
    this.path = path
    this.#salt = salt
    this.end = end
    this.#blockAt = SEGMENT_HEADER_BYTES
  }

  /** The file's byte that the next step looks at. */
  get offset(): number {
    return this.#blockAt + this.#next
  }

  step(): Step {
    const start = this.#next
    const rest = this.end - this.offset
    if (rest <= 0) return 'end'
    if (rest < GROUP_HEADER_BYTES) return 'invalid'
    const available = this.block.length - start
    if (available < GROUP_HEADER_BYTES) return this.#more(GROUP_HEADER_BYTES)
    if (!isGroupHeader(this.block, start, this.block.length, this.#salt)) return 'invalid'
    const total = GROUP_HEADER_BYTES + groupBodyBytes(this.block, start)
    if (total > rest) return 'invalid'
    if (total > available) return this.#more(total)
    if (!isGroupBody(this.block, start)) return 'invalid'
    this.start = start
    this.firstSeq = groupFirstSeq(this.block, start)
    this.count = groupCount(this.block, start)
    this.#next = start + total
    return 'group'
  }

  /** Reads on from `offset`, at least what the last step lacked. */
  async fill(): Promise<void> {
    const offset = this.offset
    const block = Buffer.allocUnsafeSlow(Math.min(Math.max(BLOCK_BYTES, this.#need), this.end - offset))
    const file = await this.#disk.open(this.path, 'read')
    let count = 0
    try {
      count = await readAll(file, block, 0, block.length, offset)
    } finally {
      await file.close()
    }
    if (count < block.length) this.end = offset + count
    this.block = block.subarray(0, count)
    this.#blockAt = offset
    this.#next = 0
  }

  #more(need: number): 'more' {
    this.#need = need
    return 'more'
  }
}
