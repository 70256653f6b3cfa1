// A disk in memory that tells what is flushed from what is only written, fails on demand, and loses power like a real one:
// of what was not flushed, any part may be there afterwards, in pieces of a sector.

import { basename } from 'node:path'
import type { Disk, DiskFile, OpenMode } from '../../../src/ingest/journal/disk.ts'
import type { Random } from '../../../src/platform/random.ts'

const SECTOR = 512

export type Operation = 'open' | 'write' | 'datasync' | 'truncate' | 'rename' | 'remove' | 'syncFolder'

/** Decides what becomes of an operation: throw to fail it, answer a number of bytes for a short write, null to let it be. */
export type Fault = (operation: Operation, file: string, length: number) => number | 'never' | null

class Inode {
  /** The name it has now. */
  path: string
  cached = Buffer.alloc(0)
  durable = Buffer.alloc(0)

  constructor(path: string) {
    this.path = path
  }
}

export function failure(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall })
}

export class MemoryDisk implements Disk {
  fault: Fault = () => null
  /** Changes so far: each is a moment at which power may fail. */
  changes = 0
  /** After so many changes power fails: nothing answers any more. */
  powerFailsAt = Number.POSITIVE_INFINITY
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()

  makeFolder(): Promise<void> {
    return Promise.resolve()
  }

  lock(): () => void {
    return () => {}
  }

  list(): Promise<string[]> {
    return Promise.resolve([...this.#names.keys()].map((path) => basename(path)))
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    if (mode !== 'read') await this.#change('open', path, 0)
    let inode = this.#names.get(path)
    if (mode === 'create') {
      inode = new Inode(path)
      this.#names.set(path, inode)
    }
    if (inode === undefined) throw failure('ENOENT', 'open')
    return this.#file(inode)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change('rename', to, 0)
    const inode = this.#names.get(from)
    if (inode === undefined) throw failure('ENOENT', 'rename')
    this.#names.delete(from)
    this.#names.set(to, inode)
    inode.path = to
  }

  async remove(path: string): Promise<void> {
    await this.#change('remove', path, 0)
    if (!this.#names.delete(path)) throw failure('ENOENT', 'unlink')
  }

  async free(): Promise<number> {
    return Number.MAX_SAFE_INTEGER
  }

  async syncFolder(path: string): Promise<void> {
    await this.#change('syncFolder', path, 0)
    this.#durableNames = new Map(this.#names)
  }

  /** What stands in a file, as a process that goes on would read it. */
  contents(path: string): Buffer {
    return Buffer.from((this.#names.get(path) as Inode).cached)
  }

  replace(path: string, bytes: Buffer): void {
    const inode = new Inode(path)
    inode.cached = Buffer.from(bytes)
    inode.durable = Buffer.from(bytes)
    this.#names.set(path, inode)
    this.#durableNames.set(path, inode)
  }

  delete(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  get paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  /** The disk a process finds that starts after this one was killed: all that was written is there. */
  afterKill(): MemoryDisk {
    const disk = new MemoryDisk()
    for (const [path, inode] of this.#names) disk.replace(path, inode.cached)
    return disk
  }

  /** The disk after a loss of power: what was flushed, and of the rest whatever chance leaves. */
  afterPowerLoss(random: Random): MemoryDisk {
    const disk = new MemoryDisk()
    const names = random.next() < 0.5 ? this.#names : this.#durableNames
    for (const [path, { cached, durable }] of names) {
      const length = random.next() < 0.5 ? cached.length : durable.length
      const bytes = Buffer.alloc(length)
      durable.copy(bytes, 0, 0, length)
      for (let at = 0; at < length; at += SECTOR) {
        if (at < cached.length && random.next() < 0.5) cached.copy(bytes, at, at, Math.min(at + SECTOR, length, cached.length))
      }
      disk.replace(path, bytes)
    }
    return disk
  }

  #file(inode: Inode): DiskFile {
    return {
      size: () => Promise.resolve(inode.cached.length),
      read: (buffer, from, length, position) =>
        Promise.resolve(inode.cached.copy(buffer, from, position, Math.min(position + length, inode.cached.length))),
      write: async (buffer, from, length, position) => {
        const count = (await this.#change('write', inode.path, length)) ?? length
        const grown = Buffer.alloc(Math.max(inode.cached.length, position + count))
        inode.cached.copy(grown)
        grown.set(buffer.subarray(from, from + count), position)
        inode.cached = grown
        return count
      },
      datasync: async () => {
        await this.#change('datasync', inode.path, 0)
        inode.durable = Buffer.from(inode.cached)
      },
      truncate: async (length) => {
        await this.#change('truncate', inode.path, length)
        inode.cached = Buffer.from(inode.cached.subarray(0, length))
      },
      close: () => Promise.resolve()
    }
  }

  async #change(operation: Operation, path: string, length: number): Promise<number | null> {
    if (this.changes >= this.powerFailsAt) await new Promise(() => {})
    this.changes++
    await Promise.resolve()
    const outcome = this.fault(operation, basename(path), length)
    return outcome === 'never' ? new Promise(() => {}) : outcome
  }
}
