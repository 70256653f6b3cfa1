// Recorded files as one stream of samples: each file in its own order, several files merged by time. Invariant: bounded
// memory however long a file or a line is; a row that cannot be read is an item of the stream, not an exception.

import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { messageOf, type Problem, Refusal } from '../../platform/problem.ts'
import { ndjsonReader } from './ndjson.ts'
import type { LineReader, RecordedItem, RecordedProblem } from './samples.ts'
import { type Mapping, tableReader } from './table.ts'

const LONGEST_LINE = 1024 * 1024

/**
 * Opens files for reading: `.ndjson`, `.jsonl` and `.json` hold samples, everything else is a table and needs the mapping.
 * Every mismatch between mapping and tables is told at once; missing files and mappings are Refusals.
 */
export async function openRecording(
  files: readonly string[],
  mapping: Mapping | null
): Promise<{ recording: Recording | null; problems: Problem[] }> {
  const problems: Problem[] = []
  const opened: { file: string; bytes: number; reader: () => LineReader }[] = []
  for (const file of files) {
    const bytes = await sizeOf(file)
    if (isNdjson(file)) {
      opened.push({ file, bytes, reader: () => ndjsonReader(file) })
      continue
    }
    if (mapping === null) {
      throw new Refusal(`${file} is a table, and without a mapping nobody knows what its columns mean. Name one by --map MAP.yaml.`, {
        exitCode: 2
      })
    }
    const firstLine = await firstLineOf(file)
    const reader = (): LineReader | Problem[] => tableReader(file, firstLine, mapping)
    const found = reader()
    if (Array.isArray(found)) problems.push(...found)
    else opened.push({ file, bytes, reader: reader as () => LineReader })
  }
  return { recording: problems.length > 0 ? null : new Recording(opened), problems }
}

/** The files of one replay or backtest. */
export class Recording {
  /** All files together. */
  readonly bytes: number
  readonly #files: readonly { file: string; bytes: number; reader: () => LineReader }[]
  #bytesRead = 0

  constructor(files: readonly { file: string; bytes: number; reader: () => LineReader }[]) {
    this.#files = files
    this.bytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Read so far by the present pass: for showing progress. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** The stream, from the beginning. A sample without a time stands where the one before it in its file stood. */
  async *items(): AsyncGenerator<RecordedItem> {
    this.#bytesRead = 0
    const count = (bytes: number): void => void (this.#bytesRead += bytes)
    const pending = this.#files.map(({ file, reader }) => new FileItems(file, reader(), count))
    try {
      let open = pending
      for (const file of open) await file.fill()
      for (;;) {
        open = open.filter(({ next }) => next !== null)
        if (open.length === 0) return
        const file = open.reduce((first, other) => (other.at < first.at ? other : first))
        yield file.take()
        if (file.next === null) await file.fill()
      }
    } finally {
      for (const file of pending) file.close()
    }
  }

  /** The earliest and the latest instant, by reading everything once; null where no sample has one. */
  async span(): Promise<{ readonly first: number; readonly last: number } | null> {
    let first = Number.POSITIVE_INFINITY
    let last = Number.NEGATIVE_INFINITY
    for await (const item of this.items()) {
      if (item.kind !== 'sample' || item.at === null) continue
      if (item.at < first) first = item.at
      if (item.at > last) last = item.at
    }
    return first > last ? null : { first, last }
  }
}

/** One file's items, a chunk's worth at a time. */
class FileItems {
  /** The instant of the next item. */
  at = Number.NEGATIVE_INFINITY
  next: RecordedItem | null = null
  readonly #file: string
  readonly #reader: LineReader
  readonly #count: (bytes: number) => void
  readonly #stream: ReadStream
  readonly #chunks: AsyncIterator<Buffer>
  readonly #decoder = new StringDecoder('utf8')
  #items: RecordedItem[] = []
  #place = 0
  #rest = ''
  #line = 0
  #skipping = false
  #done = false

  constructor(file: string, reader: LineReader, count: (bytes: number) => void) {
    this.#file = file
    this.#reader = reader
    this.#count = count
    this.#stream = createReadStream(file)
    this.#chunks = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  take(): RecordedItem {
    const item = this.next as RecordedItem
    this.#advance()
    return item
  }

  /** Reads on until there is a next item, or the file has ended. */
  async fill(): Promise<void> {
    while (this.next === null && !this.#done) {
      this.#items = []
      this.#place = 0
      const { value, done } = await this.#chunks.next().catch((cause: unknown) => {
        throw new Refusal(`${this.#file} cannot be read on: ${messageOf(cause)}`, { cause })
      })
      if (done === true) this.#end()
      else this.#read(value)
      this.#advance()
    }
  }

  close(): void {
    this.#stream.destroy()
  }

  #advance(): void {
    this.next = this.#items[this.#place++] ?? null
    if (this.next?.kind === 'sample' && this.next.at !== null) this.at = this.next.at
  }

  #read(chunk: Buffer): void {
    this.#count(chunk.length)
    let text = this.#rest + this.#decoder.write(chunk)
    if (this.#line === 0 && text.startsWith('\ufeff')) text = text.slice(1)
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#take(text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end), false)
      from = end + 1
    }
    this.#rest = text.slice(from)
    if (this.#rest.length <= LONGEST_LINE) return
    if (!this.#skipping) this.#items.push(this.#tooLong())
    this.#skipping = true
    this.#rest = ''
  }

  #end(): void {
    this.#done = true
    const last = this.#rest + this.#decoder.end()
    if (last !== '' && !this.#skipping) this.#take(last, true)
    this.#rest = ''
  }

  #take(text: string, torn: boolean): void {
    this.#line++
    if (this.#skipping) this.#skipping = false
    else this.#reader.read(text, this.#line, torn, this.#items)
  }

  #tooLong(): RecordedProblem {
    return { kind: 'problem', file: this.#file, line: this.#line + 1, problem: `the line is longer than ${LONGEST_LINE} characters` }
  }
}

function isNdjson(file: string): boolean {
  return ['.ndjson', '.jsonl', '.json'].includes(path.extname(file).toLowerCase())
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.code === 'EACCES' ? 'this user may not read it' : cause.message
    throw new Refusal(`${file} cannot be read: ${why}.`, { cause })
  })
  if (!found.isFile()) throw new Refusal(`${file} cannot be read: it is not a file.`)
  return found.size
}

async function firstLineOf(file: string): Promise<string> {
  const stream = createReadStream(file, { end: LONGEST_LINE })
  let text = ''
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      text += chunk
      if (text.includes('\n')) break
    }
  } catch (cause) {
    throw new Refusal(`${file} cannot be read: ${messageOf(cause)}.`, { cause })
  }
  return (text.split('\n', 1)[0] as string).replace(/^\ufeff/, '').replace(/\r$/, '')
}
