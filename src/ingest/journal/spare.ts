// The next segment's file, filled with zeros in the background: flushing into blocks that exist spares the file system's own journal.
// Invariant: it is only ever an advantage; where it cannot be made, segments grow as they are written.

import { join } from 'node:path'
import { secretText } from '../../platform/random.ts'
import { type Disk, writeAll } from './disk.ts'
import { errnoOf } from './errno.ts'
import { SALT_BYTES, SEGMENT_HEADER_BYTES } from './format.ts'
import { type Blank, createBlank } from './segment.ts'

export const SPARE_NAME = 'spare.tmp'
/** A spare is made only where this many would fit. */
const FREE_SIZES = 2
/** Little at a time: a flush of the journal waits for at most this much of the background's. */
const STEP_BYTES = 512 * 1024

/** A salt nobody outside can know. */
export function newSalt(): Buffer {
  return Buffer.from(secretText(6), 'latin1').subarray(0, SALT_BYTES)
}

export class Spare {
  readonly #disk: Disk
  readonly #folder: string
  readonly #path: string
  readonly #size: number
  #ready: Blank | null = null
  #working: Promise<void> | null = null
  #stopped = false

  constructor(disk: Disk, folder: string, size: number) {
    this.#disk = disk
    this.#folder = folder
    this.#path = join(folder, SPARE_NAME)
    this.#size = size
  }

  /** Begins to make one, unless there is one. */
  prepare(): void {
    if (this.#ready !== null || this.#working !== null || this.#stopped) return
    this.#working = this.#make().finally(() => {
      this.#working = null
    })
  }

  get isReady(): boolean {
    return this.#ready !== null
  }

  /** The finished spare, which is the caller's from here on; null where there is none yet. */
  take(): Blank | null {
    const blank = this.#ready
    this.#ready = null
    return blank
  }

  /** Ends the work and removes the file. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#working
    const blank = this.take()
    if (blank !== null) await this.#discard(blank)
  }

  async #make(): Promise<void> {
    let blank: Blank | null = null
    try {
      // On a disk that is nearly full it would take the last room from everybody else.
      if ((await this.#disk.free(this.#folder)) < FREE_SIZES * this.#size) return
      blank = await createBlank(this.#disk, this.#path, newSalt())
      const zeros = Buffer.alloc(Math.min(STEP_BYTES, this.#size))
      for (let at = SEGMENT_HEADER_BYTES; at < this.#size && !this.#stopped; at += zeros.length) {
        await writeAll(blank.file, zeros, 0, Math.min(zeros.length, this.#size - at), at)
        await blank.file.datasync()
      }
    } catch (cause) {
      if (errnoOf(cause) === null) throw cause
      // Too little room, or a failing disk: the writer meets it itself and says so.
      await this.#discard(blank)
      return
    }
    if (this.#stopped) await this.#discard(blank)
    else this.#ready = blank
  }

  async #discard(blank: Blank | null): Promise<void> {
    try {
      await blank?.file.close()
      await this.#disk.remove(this.#path)
    } catch (cause) {
      // A spare left behind is removed by the next start.
      if (errnoOf(cause) === null) throw cause
    }
  }
}
