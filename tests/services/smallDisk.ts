// A small disk that tests fill: a tmpfs; mounting one needs root.

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

const MIB = 1024 * 1024

export class SmallDisk {
  readonly folder: string

  /** Mounts it on a folder that is there. */
  constructor(folder: string, mib: number) {
    this.folder = folder
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], { stdio: 'pipe' })
    } catch (cause) {
      throw new Error(`A tmpfs cannot be mounted (${cause}). This test needs root, or CAP_SYS_ADMIN: run it in a privileged container.`)
    }
  }

  /** To its last byte. */
  fill(): void {
    const ballast = openSync(this.#ballast, 'a')
    for (const size of [MIB, 4096, 1]) {
      const zeros = Buffer.alloc(size)
      try {
        while (writeSync(ballast, zeros) === size);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
      }
    }
    closeSync(ballast)
  }

  makeRoom(): void {
    rmSync(this.#ballast)
  }

  unmount(): void {
    execFileSync('umount', [this.folder], { stdio: 'ignore' })
  }

  get #ballast(): string {
    return path.join(this.folder, 'ballast')
  }
}
