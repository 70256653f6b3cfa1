// A secret that cannot slip out: it shows as [secret] in logs, JSON, error messages and inspection. Only `reveal` gives it away.

import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

const SHOWN = '[secret]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself, for the one line that needs it. */
  reveal(): string {
    return this.#value
  }

  /** Whether `other` is this secret; takes equally long whatever they have in common. */
  equals(other: string): boolean {
    return timingSafeEqual(digest(this.#value), digest(other))
  }

  toJSON(): string {
    return SHOWN
  }

  toString(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
