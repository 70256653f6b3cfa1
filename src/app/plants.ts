// The plants that have been in force, by hash: the journal only says from which seq on which plant holds.
// Gateway secrets are left out; they belong to the doors and are read anew at each start.

import { rmSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import type { Plant } from '../model/plant.ts'
import { messageOf, Refusal } from '../platform/problem.ts'

/** Where plants are kept as well, for an instance without this folder. */
export interface PlantCopy {
  keepPlant(hash: string, file: Uint8Array): Promise<void>
}

export class Plants {
  readonly #folder: string
  readonly #copy: PlantCopy | null
  /** Kept for a record that is still to be judged. */
  readonly #ahead = new Set<string>()

  constructor(folder: string, copy: PlantCopy | null = null) {
    this.#folder = folder
    this.#copy = copy
  }

  /** Keeps the plant; on disk, and in the copy, when the promise resolves. Throws a Refusal where that cannot be. */
  async keep(plant: Plant): Promise<void> {
    this.#ahead.add(plant.hash)
    const target = this.#path(plant.hash)
    const withoutSecrets = { ...plant, gateways: plant.gateways.map((gateway) => ({ ...gateway, secret: null })) }
    const text = JSON.stringify(withoutSecrets)
    await this.#copy?.keepPlant(plant.hash, Buffer.from(text))
    try {
      await mkdir(this.#folder, { recursive: true })
      const file = await open(`${target}.part`, 'w')
      try {
        await file.writeFile(text)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(`${target}.part`, target)
    } catch (cause) {
      throw new Refusal(
        `The plant cannot be kept in ${this.#folder}: ${messageOf(cause)}. Make room, or give the user that runs Fenghuo the right to write there.`,
        { cause }
      )
    }
  }

  /** The plant with this hash, without secrets. Throws a Refusal where it is missing: the journal cannot be judged without it. */
  async load(hash: string): Promise<Plant> {
    const file = this.#path(hash)
    try {
      return JSON.parse(await readFile(file, 'utf8')) as Plant
    } catch (cause) {
      throw new Refusal(
        `The journal says that plant ${hash.slice(0, 12)} was in force, but ${file} cannot be read (${messageOf(cause)}). Restore the file from a backup of the data folder.`,
        { cause }
      )
    }
  }

  /** The record that puts it in force has been judged: from here on it stays as long as `prune` is told so. */
  judged(hash: string): void {
    this.#ahead.delete(hash)
  }

  /** Deletes what is not needed; never what is kept for a record to come. */
  async prune(needed: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const hash = path.parse(name).name
      // At once, so that nobody can begin to keep it in between.
      if (!needed.has(hash) && !this.#ahead.has(hash)) rmSync(path.join(this.#folder, name), { force: true })
    }
  }

  #path(hash: string): string {
    return path.join(this.#folder, `${hash}.json`)
  }
}
