// What has changed between two texts, line by line, in the unified format that people know from version control. Pure.

const CONTEXT = 3
/** Above this many pairs of lines the middle is told as replaced whole. */
const MOST_PAIRS = 4_000_000

interface Line {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

/** The unified diff of two texts with their names; empty where they are the same. A missing text is empty. */
export function unifiedDiff(before: string, after: string, names: { readonly before: string; readonly after: string }): string {
  if (before === after) return ''
  const lines = compared(linesOf(before), linesOf(after))
  const out = [`--- ${names.before}`, `+++ ${names.after}`]
  let [oldLine, newLine] = [1, 1]
  for (let i = 0; i < lines.length; ) {
    const change = lines.findIndex(({ mark }, at) => at >= i && mark !== ' ')
    if (change < 0) break
    const from = Math.max(i, change - CONTEXT)
    oldLine += from - i
    newLine += from - i
    const to = hunkEnd(lines, change)
    const hunk = lines.slice(from, to)
    const [olds, news] = [hunk.filter(({ mark }) => mark !== '+').length, hunk.filter(({ mark }) => mark !== '-').length]
    out.push(`@@ -${span(oldLine, olds)} +${span(newLine, news)} @@`, ...hunk.map(({ mark, text }) => mark + text))
    oldLine += olds
    newLine += news
    i = to
  }
  return `${out.join('\n')}\n`
}

function span(first: number, count: number): string {
  return count === 1 ? `${first}` : `${count === 0 ? first - 1 : first},${count}`
}

/** Where the hunk that holds this change ends: context behind it, and no further change near enough to share it. */
function hunkEnd(lines: readonly Line[], change: number): number {
  let last = change
  for (let i = change; i < lines.length && i - last <= 2 * CONTEXT; i++) if (lines[i]?.mark !== ' ') last = i
  return Math.min(lines.length, last + 1 + CONTEXT)
}

function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** The lines of both, in order: what they share by their longest common sequence. */
function compared(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const same = (text: string): Line => ({ mark: ' ', text })
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same)
  ]
}

function middle(before: readonly string[], after: readonly string[]): Line[] {
  const [rows, columns] = [before.length, after.length]
  const gone = before.map((text): Line => ({ mark: '-', text }))
  const fresh = after.map((text): Line => ({ mark: '+', text }))
  if (rows * columns > MOST_PAIRS || rows === 0 || columns === 0) return [...gone, ...fresh]
  const width = columns + 1
  const common = new Uint32Array((rows + 1) * width)
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const here = row * width + column
      const [below, right] = [common[here + width] as number, common[here + 1] as number]
      common[here] = before[row] === after[column] ? 1 + (common[here + width + 1] as number) : Math.max(below, right)
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < rows && column < columns) {
    const here = row * width + column
    if (before[row] === after[column]) {
      lines.push({ mark: ' ', text: before[row++] as string })
      column++
    } else if ((common[here + width] as number) >= (common[here + 1] as number)) lines.push(gone[row++] as Line)
    else lines.push(fresh[column++] as Line)
  }
  return [...lines, ...gone.slice(row), ...fresh.slice(column)]
}
