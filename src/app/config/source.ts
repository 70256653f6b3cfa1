// One configuration file as it was read: its value, and where in the file each part of the value stands.
// Invariant: whatever the file holds, reading it ends in findings with a place, never in an exception.

import { readFileSync } from 'node:fs'
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml'
import { messageOf, type Place, problem } from '../../platform/problem.ts'
import type { Findings } from './findings.ts'

export type Path = readonly (string | number)[]

/** A YAML or JSON file. Places are looked up only when asked for: a JSON file is parsed for its places on the first question. */
export class SourceFile {
  /** As shown to people: the path that leads to it from where the command runs. */
  readonly name: string
  readonly value: unknown
  readonly #text: string
  #parsed: { document: Document; lines: LineCounter } | null

  constructor(name: string, text: string, value: unknown, parsed: { document: Document; lines: LineCounter } | null) {
    this.name = name
    this.value = value
    this.#text = text
    this.#parsed = parsed
  }

  /** Where the value at `path` begins; where there is none, its nearest parent. */
  place(path: Path): Place {
    return this.#placeAt(this.#start(path))
  }

  /** Where the key that the last step of `path` names begins. */
  keyPlace(path: Path): Place {
    const key = path.at(-1)
    const parent = this.#node(path.slice(0, -1))
    if (isMap(parent)) {
      for (const pair of parent.items)
        if (keyText(pair) === String(key) && isScalar(pair.key) && pair.key.range) return this.#placeAt(pair.key.range[0])
    }
    return this.place(path)
  }

  /** Where character `offset` of the text at `path` stands, through quotes and folded lines. */
  placeIn(path: Path, offset: number | null): Place {
    const node = this.#node(path)
    if (offset === null || !isScalar(node) || !node.range || typeof node.value !== 'string') return this.place(path)
    const [start, end] = node.range
    const block = node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL'
    const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
    let at = block ? this.#text.indexOf('\n', start) + 1 : quoted ? start + 1 : start
    for (let i = 0; i <= offset && i < node.value.length; i++) {
      const wanted = node.value[i] as string
      if (/\s/.test(wanted)) continue
      while (at < end && this.#text[at] !== wanted) at++
      if (i < offset) at++
    }
    return this.#placeAt(Math.min(at, end))
  }

  #start(path: Path): number {
    let node: unknown = this.#document().contents
    let start = rangeStart(node) ?? 0
    for (const step of path) {
      const pair = isMap(node) ? node.items.find((item) => keyText(item) === String(step)) : undefined
      node = pair !== undefined ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined
      const found = rangeStart(node) ?? rangeStart(pair?.key)
      if (found === null) break
      start = found
    }
    return start
  }

  #node(path: Path): unknown {
    const { contents } = this.#document()
    return path.length === 0 ? contents : isMap(contents) || isSeq(contents) ? contents.getIn(path, true) : undefined
  }

  #document(): Document {
    return this.#parse().document
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#parse().lines.linePos(offset)
    return { file: this.name, line: Math.max(1, line), column: Math.max(1, col) }
  }

  #parse(): { document: Document; lines: LineCounter } {
    return (this.#parsed ??= parseText(this.#text))
  }
}

/**
 * Reads a file. A missing or unreadable file, text that is not UTF-8 and broken syntax are findings, and the answer is null;
 * a key given twice, an anchor's alias or an unknown tag is a finding too, but the rest of the file is still worth checking.
 */
export function readSource(name: string, findings: Findings): SourceFile | null {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(name))
  } catch (thrown) {
    findings.problem(problem(unreadable(thrown), { file: name, line: 1, column: 1 }))
    return null
  }
  if (name.endsWith('.json')) {
    try {
      return new SourceFile(name, text, JSON.parse(text), null)
    } catch {
      // Falls through: YAML contains JSON, so the YAML parser finds the same mistake and knows its place.
    }
  }
  return sourceOfText(name, text, findings)
}

/** Reads YAML or JSON that did not come from a file, likewise; `name` is shown to people in its place. */
export function sourceOfText(name: string, text: string, findings: Findings): SourceFile | null {
  try {
    return yamlSource(name, text, findings)
  } catch (thrown) {
    // The parser is recursive: brackets nested tens of thousands deep exhaust its stack.
    if (!(thrown instanceof RangeError)) throw thrown
    findings.problem(problem('this file nests too deeply to be read', { file: name, line: 1, column: 1 }))
    return null
  }
}

function yamlSource(name: string, text: string, findings: Findings): SourceFile | null {
  const parsed = parseText(text)
  const { document, lines } = parsed
  let broken = false
  const report = (sentence: string, offset: number): void => {
    const { line, col } = lines.linePos(offset)
    findings.problem(problem(sentence, { file: name, line, column: col }))
  }
  let lastLine = 0
  for (const error of document.errors) {
    const offset = error.pos[0]
    if (error.code === 'DUPLICATE_KEY') {
      report(`the key ${/^[^\s:]*/.exec(text.slice(offset))?.[0]} is given twice in the same mapping; keep one of them`, offset)
      continue
    }
    broken = true
    const { line } = lines.linePos(offset)
    // One mistake makes the parser stumble over every token after it; the first per line says enough.
    if (line !== lastLine) report(syntaxSentence(error.code, error.message), offset)
    lastLine = line
  }
  for (const warning of document.warnings)
    report(`this is not plain YAML (${warning.message}); write the value without a tag`, warning.pos[0])
  if (broken) return null
  let aliased = false
  visit(document, {
    Alias(_key, alias) {
      aliased = true
      report(`*${alias.source} refers to a value elsewhere; write the value out here`, alias.range?.[0] ?? 0)
    }
  })
  return aliased ? null : new SourceFile(name, text, document.toJS({ maxAliasCount: 0 }), parsed)
}

function parseText(text: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter()
  // 'error': the parser prints its own warnings to the console otherwise; ours are findings.
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true, prettyErrors: false, logLevel: 'error' })
  return { document: document as unknown as Document, lines }
}

function syntaxSentence(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'this line is indented with a tab; YAML takes spaces only'
    case 'MULTIPLE_DOCS':
      return 'a second document begins here (---); one file holds one document'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'there is a second ": " in this line; put text that contains a colon in quotes'
    case 'RESOURCE_EXHAUSTION':
      return 'this file nests too deeply to be read'
    default:
      return `this is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
  }
}

function unreadable(thrown: unknown): string {
  switch ((thrown as { code?: string }).code) {
    case 'ENOENT':
      return 'this file does not exist'
    case 'EISDIR':
      return 'this is a folder; a file is needed here'
    case 'EACCES':
      return 'this file may not be read by this user; change its permissions'
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'this file is not UTF-8 text; save it as UTF-8'
    default:
      return `this file cannot be read: ${messageOf(thrown)}`
  }
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

function rangeStart(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null
}
