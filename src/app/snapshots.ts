// Snapshots of everything the loop knows, as files: written whole beside the old ones and renamed into place, so that
// at every instant the newest readable one is complete. A snapshot is only a shortcut: the journal can rebuild it.

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import type { Log } from '../platform/log.ts'
import { messageOf, Refusal } from '../platform/problem.ts'

const SUFFIX = '.snapshot'
const HEADER_BYTES = 8
const FORMAT = 1

export class Snapshots<State> {
  readonly #folder: string
  readonly #log: Log

  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  /** Makes the folder. Throws a Refusal where that cannot be: without snapshots the journal would grow for ever. */
  async open(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true })
    } catch (cause) {
      throw new Refusal(
        `The folder ${this.#folder} cannot be made: ${messageOf(cause)}. Move away what stands in its place, or give the user that runs Fenghuo the right to write there.`,
        { cause }
      )
    }
  }

  /** Stores the state reached after `seq`; on disk when the promise resolves with its file. */
  async write(seq: number, state: State): Promise<string> {
    await mkdir(this.#folder, { recursive: true })
    const body = serialize(state)
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(FORMAT, 0)
    header.writeUInt32LE(crc32(body), 4)
    const target = this.#path(seq)
    const file = await open(`${target}.part`, 'w')
    try {
      await file.writev([header, body])
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(`${target}.part`, target)
    return target
  }

  /** The newest readable snapshot taken at or before `atMost`, or null. A damaged one is reported and passed over. */
  async newest(atMost: number): Promise<{ seq: number; state: State } | null> {
    return this.#firstReadable((await this.seqs()).filter((seq) => seq <= atMost).reverse())
  }

  /** The oldest readable snapshot taken at or after `atLeast`, or null. */
  async oldest(atLeast: number): Promise<{ seq: number; state: State } | null> {
    return this.#firstReadable((await this.seqs()).filter((seq) => seq >= atLeast))
  }

  /** The seqs of all snapshots, ascending. */
  async seqs(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => [] as string[])
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => Number(name.slice(0, -SUFFIX.length)))
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b)
  }

  /** Deletes what neither recovery (the newest two) nor history's catch-up (the newest up to `storedSeq`) can need; answers the oldest seq kept. */
  async prune(storedSeq: number): Promise<number> {
    const seqs = await this.seqs()
    const forHistory = seqs.findLast((seq) => seq <= storedSeq)
    const kept = seqs.filter((seq, index) => index >= seqs.length - 2 || seq === forHistory)
    for (const seq of seqs) if (!kept.includes(seq)) await rm(this.#path(seq), { force: true })
    return forHistory === undefined ? 0 : (kept[0] ?? 0)
  }

  async #firstReadable(seqs: readonly number[]): Promise<{ seq: number; state: State } | null> {
    for (const seq of seqs) {
      try {
        const bytes = await readFile(this.#path(seq))
        const body = bytes.subarray(HEADER_BYTES)
        if (bytes.length < HEADER_BYTES) throw new Error('it is cut short')
        if (bytes.readUInt32LE(0) !== FORMAT) throw new Error(`its format is ${bytes.readUInt32LE(0)}, this program reads ${FORMAT}`)
        if (bytes.readUInt32LE(4) !== crc32(body)) throw new Error('its checksum does not match')
        return { seq, state: deserialize(body) as State }
      } catch (cause) {
        this.#log.warn(`snapshot ${this.#path(seq)} cannot be used (${messageOf(cause)}); an older one and the journal take its place`)
      }
    }
    return null
  }

  #path(seq: number): string {
    return path.join(this.#folder, `${String(seq).padStart(16, '0')}${SUFFIX}`)
  }
}
