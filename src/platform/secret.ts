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

/** Shorter ones are found in any text by chance. */
const LEAST_LENGTH = 6

/** Every secret inside a value, and what of an address that is one can be said apart from it: path, values, password. */
export function secretsIn(value: unknown): string[] {
  if (value instanceof Secret) {
    const text = value.reveal()
    return URL.canParse(text) ? [text, ...partsOf(new URL(text))] : [text]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : []
}

/**
 * `text` without these secrets, for what a server says that was sent them: some say back what they were asked. Also spelled for a
 * URL or in base64, and where the end of the text has cut one off.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let left = text
  for (const spelling of secrets.filter((secret) => secret.length >= LEAST_LENGTH).flatMap(spellings)) {
    left = left.replaceAll(spelling, SHOWN)
    const end = /…?$/.exec(left)?.[0] ?? ''
    const said = left.slice(0, left.length - end.length)
    for (let length = spelling.length - 1; length >= LEAST_LENGTH; length--) {
      if (!said.endsWith(spelling.slice(0, length))) continue
      left = `${said.slice(0, -length)}${SHOWN}${end}`
      break
    }
  }
  return left
}

function partsOf({ pathname, searchParams, password }: URL): string[] {
  return [...pathname.split('/'), ...searchParams.values(), decodeURIComponent(password)].filter((part) => part.length >= 2 * LEAST_LENGTH)
}

function spellings(secret: string): string[] {
  // Behind other bytes the same ones are spelled differently in base64; what they share with their neighbours is left out.
  const inside = [0, 1, 2].map((before) => {
    const coded = Buffer.from('\0'.repeat(before) + secret)
      .toString('base64')
      .replace(/=+$/, '')
    return coded.slice(before === 0 ? 0 : before + 1, coded.length - ((before + Buffer.byteLength(secret)) % 3 === 0 ? 0 : 1))
  })
  return [...new Set([secret, encodeURIComponent(secret), ...inside])].filter((spelling) => spelling.length >= LEAST_LENGTH)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
