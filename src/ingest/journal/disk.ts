// The narrow door to the file system: what the journal asks of a disk, so that tests can put a failing one in its place.
// Invariant: every failure is thrown as it came (with its errno code); nothing is retried or hidden here.

import fs from 'node:fs'
import { lockFolder } from './lock.ts'

export interface DiskFile {
  /** Bytes in the file. */
  size(): Promise<number>
  /** Bytes read from `position` on into `buffer[from .. from + length)`; fewer only at the end of the file. */
  read(buffer: Uint8Array, from: number, length: number, position: number): Promise<number>
  /** Bytes written, which may be fewer than asked for. */
  write(buffer: Uint8Array, from: number, length: number, position: number): Promise<number>
  /** Resolves once everything written so far is on disk; after a failure nothing written since the last success may be taken to be there. */
  datasync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** - read, write: an existing file. - create: an empty file, replacing one of that name. */
export type OpenMode = 'read' | 'write' | 'create'

export interface Disk {
  makeFolder(path: string): Promise<void>
  /** The names in a folder, unordered. */
  list(path: string): Promise<string[]>
  open(path: string, mode: OpenMode): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Bytes that can still be written to the disk a folder is on. */
  free(folder: string): Promise<number>
  /** Makes creations, renames and removals in the folder durable. */
  syncFolder(path: string): Promise<void>
  /** Takes a folder for this process alone, or throws a Refusal; the answer lets it go again. */
  lock(folder: string): () => void
}

const FLAGS: Record<OpenMode, string> = { read: 'r', write: 'r+', create: 'w+' }

/** The system's file system. */
export const systemDisk: Disk = {
  makeFolder: async (path) => void (await fs.promises.mkdir(path, { recursive: true })),
  list: (path) => fs.promises.readdir(path),
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, FLAGS[mode], (error, fd) => (error === null ? resolve(new SystemFile(fd)) : reject(error)))
    }),
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path),
  free: async (folder) => {
    const { bavail, bsize } = await fs.promises.statfs(folder)
    return bavail * bsize
  },
  syncFolder: async (path) => {
    const folder = await fs.promises.open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
  lock: lockFolder
}

class SystemFile implements DiskFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => (error === null ? resolve(stats.size) : reject(error)))
    })
  }

  read(buffer: Uint8Array, from: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, buffer, from, length, position, (error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }

  write(buffer: Uint8Array, from: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, buffer, from, length, position, (error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, length, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }
}

/** Writes all of `buffer[from .. from + length)` at `position`, going on after short writes. */
export async function writeAll(file: DiskFile, buffer: Uint8Array, from: number, length: number, position: number): Promise<void> {
  for (let written = 0; written < length; ) {
    const count = await file.write(buffer, from + written, length - written, position + written)
    if (count <= 0) throw Object.assign(new Error('the disk took no bytes'), { code: 'ENOSPC', syscall: 'write' })
    written += count
  }
}

/** Reads `buffer[from .. from + length)`; the bytes read, fewer only at the end of the file. */
export async function readAll(file: DiskFile, buffer: Uint8Array, from: number, length: number, position: number): Promise<number> {
  let done = 0
  while (done < length) {
    const count = await file.read(buffer, from + done, length - done, position + done)
    if (count <= 0) break
    done += count
  }
  return done
}
