// Bad input is a value, not an exception: a sentence that says what is wrong, where, and what to do.

/** Where in a file: 1-based. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Where inside what somebody has sent, for what stands in no file: `tiers.yellow.when`. */
  readonly field?: string
}

export interface Problem {
  readonly kind: 'problem'
  readonly problem: string
  readonly place: Place | null
}

export function problem(sentence: string, place: Place | null = null): Problem {
  return { kind: 'problem', problem: sentence, place }
}

/** `file:line:column: sentence`, as `fenghuo check` prints it. */
export function problemLine({ problem: sentence, place }: Problem): string {
  if (place === null) return sentence
  if (place.field !== undefined) return `${place.file}${place.field === '' ? '' : `, ${place.field}`}: ${sentence}`
  return `${place.file}:${place.line}:${place.column}: ${sentence}`
}

/** What the user asked for cannot be done, in one sentence: the command prints it, without a stack, and exits with `exitCode`. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly exitCode: number

  constructor(sentence: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(sentence, { cause: options.cause })
    this.exitCode = options.exitCode ?? 1
  }
}

/** Why a file cannot be read or written, to end a sentence with: from what the system threw. */
export function whyNot(thrown: unknown): string {
  switch ((thrown as { code?: unknown } | null)?.code) {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EISDIR':
      return 'it is a folder, not a file'
    case 'ENOTDIR':
      return 'a part of its path is a file, not a folder'
    case 'EACCES':
    case 'EPERM':
      return 'access is not permitted'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return messageOf(thrown)
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
