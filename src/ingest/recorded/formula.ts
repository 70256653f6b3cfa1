// A value of a mapping: one column, or arithmetic over columns (+ - * / and parentheses). Own tiny parser, nothing is evaluated
// as code. A missing operand makes the result missing (NaN).

/** Computes one value from the numbers of a row, indexed by column. */
export type Formula = (numbers: Float64Array) => number

export interface FormulaProblem {
  readonly problem: string
  /** Where in the text, counted from 0. */
  readonly offset: number
}

export interface BoundFormula {
  readonly compute: Formula
  /** Indexes of the columns it reads. */
  readonly columns: readonly number[]
}

/**
 * Binds a text to the columns of a table. A text that is exactly a column's name is that column, whatever it looks like;
 * otherwise names within arithmetic are bare (letters, digits, `_` and `.`) or in double quotes (`"Cable 1" - 273.15`).
 */
export function bindFormula(text: string, columns: ReadonlyMap<string, number>): BoundFormula | FormulaProblem {
  const whole = columns.get(text.trim())
  if (whole !== undefined) return { compute: (numbers) => numbers[whole] as number, columns: [whole] }
  const parser = new FormulaParser(text, columns)
  try {
    const compute = parser.parse()
    return { compute, columns: [...parser.used] }
  } catch (thrown) {
    if (thrown instanceof Misread) return { problem: thrown.message, offset: thrown.offset }
    throw thrown
  }
}

class Misread extends Error {
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(problem)
    this.offset = offset
  }
}

const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|"([^"]*)"|([\p{L}_][\p{L}\p{N}_.]*)|([-+*/()]))/uy
const DEEPEST = 50

class FormulaParser {
  readonly used = new Set<number>()
  readonly #text: string
  readonly #columns: ReadonlyMap<string, number>
  #place = 0
  #depth = 0

  constructor(text: string, columns: ReadonlyMap<string, number>) {
    this.#text = text
    this.#columns = columns
  }

  parse(): Formula {
    const formula = this.#sum()
    const rest = this.#peek()
    if (rest !== null) throw new Misread(`"${rest.text}" is not expected here`, rest.offset)
    return formula
  }

  #sum(): Formula {
    let left = this.#product()
    for (;;) {
      const token = this.#peek()
      if (token?.kind !== 'sign' || (token.text !== '+' && token.text !== '-')) return left
      this.#place = token.end
      const [a, b] = [left, this.#product()]
      left = token.text === '+' ? (numbers) => a(numbers) + b(numbers) : (numbers) => a(numbers) - b(numbers)
    }
  }

  #product(): Formula {
    let left = this.#factor()
    for (;;) {
      const token = this.#peek()
      if (token?.kind !== 'sign' || (token.text !== '*' && token.text !== '/')) return left
      this.#place = token.end
      const [a, b] = [left, this.#factor()]
      left = token.text === '*' ? (numbers) => a(numbers) * b(numbers) : (numbers) => a(numbers) / b(numbers)
    }
  }

  #factor(): Formula {
    const token = this.#peek()
    if (token === null) throw new Misread('the expression ends where a column or a number is expected', this.#text.length)
    this.#place = token.end
    if (token.kind === 'number') {
      const number = Number(token.text)
      return () => number
    }
    if (token.kind === 'name') return this.#column(token.text, token.offset)
    if (++this.#depth > DEEPEST) throw new Misread('the expression is nested too deeply', token.offset)
    if (token.text === '-' || token.text === '+') {
      const factor = this.#factor()
      this.#depth--
      return token.text === '+' ? factor : (numbers) => -factor(numbers)
    }
    if (token.text !== '(') throw new Misread(`"${token.text}" stands where a column or a number is expected`, token.offset)
    const inner = this.#sum()
    const closing = this.#peek()
    if (closing?.text !== ')') throw new Misread('a parenthesis is not closed', token.offset)
    this.#place = closing.end
    this.#depth--
    return inner
  }

  #column(name: string, offset: number): Formula {
    const index = this.#columns.get(name)
    if (index === undefined) throw new Misread(`there is no column ${name}${nearest(name, this.#columns.keys())}`, offset)
    this.used.add(index)
    return (numbers) => numbers[index] as number
  }

  #peek(): { kind: 'number' | 'name' | 'sign'; text: string; offset: number; end: number } | null {
    TOKEN.lastIndex = this.#place
    const match = TOKEN.exec(this.#text)
    if (match === null) {
      const rest = this.#text.slice(this.#place).trimStart()
      if (rest === '') return null
      throw new Misread(`"${rest[0]}" cannot stand in an expression`, this.#text.length - rest.length)
    }
    const [all, number, quoted, bare, sign] = match
    const text = number ?? quoted ?? bare ?? (sign as string)
    const kind = number !== undefined ? 'number' : sign !== undefined ? 'sign' : 'name'
    return { kind, text, offset: match.index + all.length - all.trimStart().length, end: TOKEN.lastIndex }
  }
}

/** `; did you mean LEVEL?` where a column's name differs in case, spaces, order or one character only; else the empty text. */
export function nearest(name: string, known: Iterable<string>): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[\s_-]/g, '')
  for (const candidate of known) {
    if (plain(candidate) === plain(name) || sorted(candidate) === sorted(name) || differByOne(candidate, name))
      return `; did you mean ${candidate}?`
  }
  return ''
}

function sorted(text: string): string {
  return [...text].sort().join('')
}

function differByOne(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 3) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const skip = a.length === b.length ? 1 : 0
  return a.length >= b.length ? a.slice(start + 1) === b.slice(start + skip) : b.slice(start + 1) === a.slice(start)
}
