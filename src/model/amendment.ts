// Changes of rules, devices and gateways made through the API: they lie over what the plant folder says.

export const AMENDABLE = ['rule', 'device', 'gateway'] as const
export type Amendable = (typeof AMENDABLE)[number]

/** A thing as people write it in YAML: a mapping. Never holds a secret. */
export type WrittenThing = Readonly<Record<string, unknown>>

/**
 * - put: from now on it is `after`, whatever the files say.
 * - remove: it is not in force, even where a file has it.
 * - revert: it is again what the files say, or gone where they say nothing.
 */
export const AMEND_OPS = ['put', 'remove', 'revert'] as const
export type AmendOp = (typeof AMEND_OPS)[number]

/** One change of one thing. Every one ever made is kept. */
export interface Amendment {
  readonly kind: Amendable
  readonly id: string
  /** 1, 2, 3 … for each thing. */
  readonly version: number
  /** Epoch ms. */
  readonly at: number
  readonly by: string
  readonly note: string | null
  readonly op: AmendOp
  /** What was in force before; null: nothing. */
  readonly before: WrittenThing | null
  /** What is in force from then on; null: nothing. */
  readonly after: WrittenThing | null
  /** Of a gateway: a PHC hash; empty: revoked; null: as in the files. */
  readonly secret: string | null
  /** What the files said of it then, hashed; null: nothing. */
  readonly base: string | null
}
