// What the checks find: problems, which stop the service from starting; flaws, which `fenghuo check` refuses and the service
// only tells of, since plants change while it runs; and warnings.

import type { Place, Problem } from '../../platform/problem.ts'

export class Findings {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly #strict: boolean

  constructor(strict = false) {
    this.#strict = strict
  }

  problem(found: Problem): void {
    this.problems.push(found)
  }

  /** A problem to `fenghuo check`, a warning to everybody else. */
  flaw(found: Problem): void {
    if (this.#strict) this.problems.push(found)
    else this.warnings.push(found)
  }

  warning(found: Problem): void {
    this.warnings.push(found)
  }

  /** Orders both by file, line and column, as an editor lists them; without a place first. */
  sort(): void {
    for (const found of [this.problems, this.warnings]) found.sort((a, b) => byPlace(a.place, b.place))
  }
}

function byPlace(a: Place | null, b: Place | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column
}

/** `; did you mean storage-tank?` where one of the known names is close to the wrong one, else nothing. */
export function didYouMean(wrong: string, known: Iterable<string>): string {
  let best: string | null = null
  let least = Math.floor(wrong.length / 4) + 1
  for (const name of known) {
    if (Math.abs(name.length - wrong.length) >= least) continue
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase())
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best === null ? '' : `; did you mean ${best}?`
}

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one text to the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let least = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (same ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, (before[column - 2] ?? 0) + 1)
      }
      current.push(least)
    }
    before = above
    above = current
  }
  return above[b.length] ?? 0
}
