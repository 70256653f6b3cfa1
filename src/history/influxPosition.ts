// How far the journal is stored in InfluxDB. The data folder holds it, under an id of this installation; the database holds it
// too, as points of a measurement of its own, written after what they speak of.
// Invariant: everything through `seq` was acknowledged by the server. What lies behind it may be there already: written again,
// the same tags and instants change nothing. A server that knows less than the folder has lost something: it is written again.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, Refusal } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'

const POSITION_FILE = 'influx.json'
export const POSITION_MEASUREMENT = 'fenghuo_position'
const LAYOUT = 1
const HOUR_MS = 3_600_000

interface Kept {
  readonly layout: number
  readonly installation: string
  readonly seq: number
  /** The folder was made anew from elsewhere: the database may know more than `seq`, up to this one. */
  readonly upTo?: number
}

/** The id that a folder's readings have in InfluxDB; null where it has never stored any there. Throws a Refusal where that cannot be read. */
export function installationOf(folder: string): string | null {
  return read(join(folder, POSITION_FILE))?.installation ?? null
}

/**
 * Before history is opened: the readings of this folder belong to `installation`. `rebuilt`: another instance has stored them
 * meanwhile, at least up to `historySeq`, and the journal ends at `lastSeq`; what the folder knew of it counts no more.
 */
export function placePosition(
  folder: string,
  installation: string,
  rebuilt: { readonly historySeq: number; readonly lastSeq: number } | null
): void {
  mkdirSync(folder, { recursive: true })
  const kept = rebuilt === null ? read(join(folder, POSITION_FILE)) : null
  if (kept?.installation === installation) return
  const seq = rebuilt?.historySeq ?? 0
  write(folder, { layout: LAYOUT, installation, seq, ...(rebuilt !== null && { upTo: Math.max(seq, rebuilt.lastSeq) }) })
}

export class InfluxPosition {
  readonly installation: string
  readonly #folder: string
  #seq: number
  #upTo: number | null

  private constructor(folder: string, kept: Kept | null) {
    this.#folder = folder
    this.installation = kept?.installation ?? secretText(9).replaceAll('-', '.')
    this.#seq = kept?.seq ?? 0
    this.#upTo = kept?.upTo ?? null
  }

  /** Reads or begins it. Throws a Refusal where the folder cannot be used. */
  static open(folder: string): InfluxPosition {
    const file = join(folder, POSITION_FILE)
    let kept: Kept | null = null
    try {
      mkdirSync(folder, { recursive: true })
      kept = read(file)
      const position = new InfluxPosition(folder, kept)
      position.#write()
      return position
    } catch (cause) {
      if (cause instanceof Refusal) throw cause
      throw new Refusal(
        `The history folder ${folder} cannot be written (${messageOf(cause)}): make it writable for this user and start again`
      )
    }
  }

  get seq(): number {
    return this.#seq
  }

  /** The database says that it knows `known`: where another instance may have stored it, that is where we go on. */
  learn(known: number): void {
    if (known < this.#seq) this.move(known)
    else if (this.#upTo !== null && known > this.#seq) this.move(Math.min(known, this.#upTo))
  }

  /** A failure to write it is no loss: the next start writes a little twice. */
  move(seq: number): void {
    this.#seq = seq
    this.#upTo = null
    try {
      this.#write()
    } catch {}
  }

  /** The line that tells the server. Those of one hour overwrite each other. */
  line(seq: number, now: number): string {
    return `${POSITION_MEASUREMENT},installation=${this.installation} seq=${seq} ${Math.floor(now / HOUR_MS) * HOUR_MS}`
  }

  #write(): void {
    const kept: Kept = { layout: LAYOUT, installation: this.installation, seq: this.#seq }
    write(this.#folder, this.#upTo === null ? kept : { ...kept, upTo: this.#upTo })
  }
}

function write(folder: string, kept: Kept): void {
  const file = join(folder, POSITION_FILE)
  const fresh = openSync(`${file}.new`, 'w')
  try {
    writeSync(fresh, `${JSON.stringify(kept)}\n`)
    fsyncSync(fresh)
  } finally {
    closeSync(fresh)
  }
  renameSync(`${file}.new`, file)
}

function read(file: string): Kept | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw cause
  }
  let kept: Kept
  try {
    kept = JSON.parse(text) as Kept
    if (!/^[A-Za-z0-9._-]+$/.test(kept.installation) || !Number.isSafeInteger(kept.seq)) throw new Error('it holds no position')
  } catch (cause) {
    throw new Refusal(
      `${file} cannot be read (${messageOf(cause)}): move it away and start again; what the journal still holds is then stored in InfluxDB once more, which changes nothing there`
    )
  }
  if (kept.layout > LAYOUT) {
    throw new Refusal(
      `${file} was written by a newer version of Fenghuo (layout ${kept.layout}, this one reads ${LAYOUT}): start that version`
    )
  }
  return kept
}
