// Anchors of the audit chain outside the database: where it stood each UTC day, appended to a file and said in the log. A chain
// that was cut off or written anew no longer reaches them. Keep the file on another machine's disk.

import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import type { Audit } from './audit.ts'

/** Where the chain stood: record `n` (0: none yet) had this hash. */
export interface Anchor {
  /** UTC, 2026-01-31. */
  readonly day: string
  /** ISO 8601. */
  readonly at: string
  readonly n: number
  readonly hash: string
}

export interface AnchorsRead {
  readonly anchors: readonly Anchor[]
  /** Lines (from 1) that are no anchors: a loss of power leaves such a line, and so does somebody's hand. */
  readonly unreadable: readonly number[]
  /** The file ends in the middle of a line. */
  readonly torn: boolean
}

/** The anchors of a file, null where there is no such file. Throws a Refusal where it cannot be read. */
export async function readAnchors(file: string): Promise<AnchorsRead | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Refusal(`The anchors of the audit log in ${file} cannot be read: ${messageOf(cause)}.`, { cause })
  }
  const lines = text.split('\n')
  const torn = lines.pop() !== ''
  const anchors: Anchor[] = []
  const unreadable: number[] = []
  for (const [place, line] of [...lines, ...(torn ? [''] : [])].entries()) {
    const anchor = anchorIn(line)
    if (anchor === null) unreadable.push(place + 1)
    else anchors.push(anchor)
  }
  return { anchors, unreadable, torn }
}

function anchorIn(line: string): Anchor | null {
  try {
    const { day, at, n, hash } = JSON.parse(line) as Partial<Anchor>
    const whole = typeof day === 'string' && typeof at === 'string' && Number.isSafeInteger(n) && typeof hash === 'string'
    return whole ? { day, at, n: n as number, hash } : null
  } catch {
    return null
  }
}

export interface AnchorParts {
  readonly audit: Pick<Audit, 'last' | 'hashAt'>
  readonly file: string
  readonly clock: Clock
  readonly log: Log
}

export class Anchors implements Part {
  readonly name = 'audit anchors'
  readonly #parts: AnchorParts
  #timer: Timer | null = null
  #last: Anchor | null = null
  #torn = false
  #problem: string | null = null
  #writing: Promise<void> | null = null

  constructor(parts: AnchorParts) {
    this.#parts = parts
  }

  /** A sentence where the chain does not fit its last anchor, or none could be written; else null. */
  get problem(): string | null {
    return this.#problem
  }

  /** Holds the chain against its last anchor, sets one for today where there is none, and goes on doing so each day. */
  async start(): Promise<void> {
    const { file, log, clock } = this.#parts
    try {
      const read = await readAnchors(path.resolve(file))
      this.#last = read?.anchors.at(-1) ?? null
      this.#torn = read?.torn ?? false
      this.#problem = await this.#misfit()
    } catch (cause) {
      this.#problem = messageOf(cause)
    }
    if (this.#problem !== null) log.error(this.#problem)
    await this.#daily()
    this.#timer ??= clock.every(LIMITS.access.anchorCheckMs, () => void this.#daily())
  }

  /** Sets a last anchor where something was recorded since the one before. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    await this.#writing
    await this.#set((last, n) => last?.n !== n)
  }

  async #misfit(): Promise<string | null> {
    if (this.#last === null || this.#last.n === 0) return null
    const { n, hash, day } = this.#last
    const found = await this.#parts.audit.hashAt(n)
    if (found === hash) return null
    const how = found === null ? 'was cut off' : 'was written anew'
    return `The audit log ${how} since its anchor of ${day} (record ${n}): run fenghuo audit verify, and find out who did it.`
  }

  #daily(): Promise<void> {
    this.#writing ??= this.#set((last, _n, day) => last?.day !== day).finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #set(wanted: (last: Anchor | null, n: number, day: string) => boolean): Promise<void> {
    const { audit, file, clock, log } = this.#parts
    try {
      const { n, hash } = await audit.last()
      const at = new Date(clock.now()).toISOString()
      const anchor = { day: at.slice(0, 10), at, n, hash }
      if (!wanted(this.#last, n, anchor.day)) return
      await append(file, `${this.#torn ? '\n' : ''}${JSON.stringify(anchor)}\n`)
      log.info('anchor of the audit log', { ...anchor })
      if (this.#problem?.startsWith(UNWRITTEN) === true) this.#problem = null
      this.#last = anchor
      this.#torn = false
    } catch (cause) {
      const sentence = `${UNWRITTEN} in ${file}: ${messageOf(cause)}. What is recorded meanwhile can be cut off unnoticed.`
      if (this.#problem === null) log.error(sentence)
      this.#problem ??= sentence
    }
  }
}

const UNWRITTEN = 'The anchor of the audit log could not be written'

/** On disk when it resolves. */
async function append(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a', 0o640)
  try {
    await handle.appendFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
