// Finds what JSON.parse does not tell: the byte at which a text stops being JSON. Runs only on texts already refused.

export interface JsonFault {
  /** 0-based, in characters of the text. */
  readonly position: number
  readonly wrong: string
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON forbids in a string
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\n\r]*/y

/** The first fault of a text as JSON; null where there is none. Never recurses, so depth costs nothing. */
export function findJsonFault(text: string): JsonFault | null {
  const open: ('{' | '[')[] = []
  let at = skip(SPACE, text, 0)
  let expect: 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'after' = 'value'
  for (;;) {
    const symbol = text[at]
    if (expect === 'after' && open.length === 0) {
      return symbol === undefined ? null : fault(text, at, 'the end of the message')
    }
    if (symbol === undefined) return { position: at, wrong: 'the message ends too early' }
    const inside = open.at(-1)
    if (expect === 'after') {
      if (symbol === ',') {
        at = skip(SPACE, text, at + 1)
        expect = inside === '{' ? 'key' : 'value'
        continue
      }
      if (symbol !== (inside === '{' ? '}' : ']')) return fault(text, at, inside === '{' ? "',' or '}'" : "',' or ']'")
      open.pop()
      at = skip(SPACE, text, at + 1)
      continue
    }
    if ((expect === 'valueOrEnd' && symbol === ']') || (expect === 'keyOrEnd' && symbol === '}')) {
      open.pop()
      at = skip(SPACE, text, at + 1)
      expect = 'after'
      continue
    }
    if (expect === 'key' || expect === 'keyOrEnd') {
      const end = skip(STRING, text, at)
      if (end === at) return fault(text, at, 'a name in double quotes')
      const colon = skip(SPACE, text, end)
      if (text[colon] !== ':')
        return text[colon] === undefined ? { position: colon, wrong: 'the message ends too early' } : fault(text, colon, "':'")
      at = skip(SPACE, text, colon + 1)
      expect = 'value'
      continue
    }
    if (symbol === '{' || symbol === '[') {
      open.push(symbol)
      at = skip(SPACE, text, at + 1)
      expect = symbol === '{' ? 'keyOrEnd' : 'valueOrEnd'
      continue
    }
    const end = scalarEnd(text, at)
    if (end === at) return fault(text, at, 'a value')
    at = skip(SPACE, text, end)
    expect = 'after'
  }
}

function scalarEnd(text: string, at: number): number {
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length
  return text[at] === '"' ? skip(STRING, text, at) : skip(NUMBER, text, at)
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function fault(text: string, at: number, expected: string): JsonFault {
  const found = text[at] === '"' ? 'a text that does not end or holds an invalid character' : `${JSON.stringify(text[at])}`
  return { position: at, wrong: `${expected} is expected, but there is ${found}` }
}

/** How deep brackets are nested in a text that is JSON. */
export function jsonDepth(text: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const symbol = text[at]
    if (inText) {
      if (symbol === '\\') at++
      else if (symbol === '"') inText = false
    } else if (symbol === '"') inText = true
    else if (symbol === '{' || symbol === '[') deepest = Math.max(deepest, ++depth)
    else if (symbol === '}' || symbol === ']') depth--
  }
  return deepest
}
