// What recorded data turns into: samples in the shape of contract 3, and problems with the line they stand on.

/** One sample of a recording. */
export interface RecordedSample {
  readonly kind: 'sample'
  readonly device: string
  /** Epoch ms; null where the file gives none. */
  readonly at: number | null
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly bad: readonly string[] | null
  readonly file: string
  readonly line: number
}

/** A row that cannot be read; the rest of its file can. */
export interface RecordedProblem {
  readonly kind: 'problem'
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly problem: string
}

export type RecordedItem = RecordedSample | RecordedProblem

/** `file:line: problem`. */
export function recordedProblemLine({ file, line, problem }: RecordedProblem): string {
  return `${file}:${line}: ${problem}`
}

/** Reads the lines of one file, one after the other. */
export interface LineReader {
  /** Appends what the line holds. `torn`: the file's last line, without a line end. */
  read(text: string, line: number, torn: boolean, into: RecordedItem[]): void
}
