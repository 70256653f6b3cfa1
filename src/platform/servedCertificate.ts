// The certificate of one port while the service runs: looked at again and again, taken up without a restart, and told of before
// it ends. Files are compared by what they hold, so renamed files and swapped links (certbot, Kubernetes) are seen like any other.

import { type Certificate, type CertificateFiles, readCertificate } from './certificate.ts'
import type { Clock, Timer } from './clock.ts'
import { LIMITS } from './limits.ts'
import type { Log } from './log.ts'
import type { Part } from './parts.ts'
import { Refusal } from './problem.ts'

const DAY_MS = 86_400_000

export interface ServedOptions {
  /** What is served with it, to be named in sentences: "the HTTP port". */
  readonly what: string
  readonly files: CertificateFiles
  readonly clock: Clock
  readonly log: Log
}

export class ServedCertificate implements Part {
  readonly name: string
  readonly #options: ServedOptions
  readonly #listeners = new Set<(certificate: Certificate) => void>()
  #current: Certificate | null = null
  /** Of the files that are served, or were refused. */
  #settled = ''
  /** Of files that could not be used when last looked at: half of them may be written still. */
  #doubted = ''
  #refused: string | null = null
  #timer: Timer | null = null
  #looking: Promise<void> = Promise.resolve()

  constructor(options: ServedOptions) {
    this.#options = options
    this.name = `certificate of ${options.what}`
  }

  /** Reads the files, or throws a Refusal that says why they cannot be served; then goes on looking. */
  async start(): Promise<void> {
    if (this.#timer !== null) return
    const { what, files, clock } = this.#options
    const { fingerprint, outcome } = await readCertificate(files)
    if (outcome.kind === 'problem') throw new Refusal(`TLS for ${what} cannot be served: ${outcome.problem}.`)
    // One that has expired is served all the same, and said aloud: a service that does not start tells nobody anything.
    this.#current = outcome
    this.#settled = fingerprint
    this.#timer = clock.every(LIMITS.tls.lookMs, () => void this.look(false))
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    await this.#looking
  }

  /** What is served now. */
  get current(): Certificate {
    if (this.#current === null) throw new Error(`${this.name} is not started`)
    return this.#current
  }

  /** Calls `listener` with each certificate that takes the place of another. */
  onChange(listener: (certificate: Certificate) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * Looks at the files and takes up what is new in them. What cannot be used is refused when it is seen a second time, or at
   * once where somebody `asked` for it.
   */
  look(asked: boolean): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look(asked))
    return this.#looking
  }

  /** Seconds until the served certificate ends; negative once it has. */
  get expiresInSeconds(): number {
    return this.#current === null ? Number.NaN : Math.floor((this.#current.validTo - this.#options.clock.now()) / 1000)
  }

  /** One sentence: what is wrong or will be, and what to do; null while all is well. */
  get problem(): string | null {
    const { what, clock } = this.#options
    if (this.#current === null) return null
    const { validFrom, validTo, clientCaTo, crlTo } = this.#current
    const now = clock.now()
    const said = [
      this.#refused,
      validFrom > now ? `The certificate of ${what} is not valid before ${shown(validFrom)}: see whether the clock is right.` : null,
      ends(`The certificate of ${what}`, validTo, now, LIMITS.tls.expiryWarnMs, 'Renew it: it is taken up without a restart'),
      ends(`The CA of clients of ${what}`, clientCaTo, now, LIMITS.tls.expiryWarnMs, 'Put its successor into clientCa beside it'),
      ends(`The revocation list of ${what}`, crlTo, now, LIMITS.tls.crlWarnMs, 'Issue a new one: without it no client is let in')
    ].filter((sentence) => sentence !== null)
    return said.length === 0 ? null : said.join(' ')
  }

  async #look(asked: boolean): Promise<void> {
    const { what, files, clock, log } = this.#options
    const { fingerprint, outcome } = await readCertificate(files)
    const known = fingerprint === this.#settled
    if (known && this.#refused === null) return void (this.#doubted = '')
    const why = outcome.kind === 'problem' ? outcome.problem : worse(outcome, this.current, clock.now())
    if (why !== null) {
      // One that came too early may be in time later.
      if (known && !asked) return
      if (!asked && this.#doubted !== fingerprint) return void (this.#doubted = fingerprint)
      this.#settled = fingerprint
      this.#refused = `The new certificate of ${what} is not used: ${why}. The one before is served on, until ${shown(this.current.validTo)}.`
      return log.error(this.#refused)
    }
    this.#settled = fingerprint
    this.#doubted = ''
    this.#refused = null
    const taken = outcome as Certificate
    this.#current = taken
    for (const listener of this.#listeners) listener(taken)
    log.info(`A new certificate is served by ${what}, valid until ${shown(taken.validTo)}; open connections go on.`)
  }
}

/** Why the present one is to be preferred; null: it is not. */
function worse({ validFrom, validTo, crlTo }: Certificate, before: Certificate, now: number): string | null {
  if (validTo <= now && before.validTo > validTo) return `it ended on ${shown(validTo)}`
  if (validFrom > now && before.validTo > now) return `it is not valid before ${shown(validFrom)}`
  if (crlTo !== null && crlTo <= now && (before.crlTo ?? Number.POSITIVE_INFINITY) > crlTo)
    return `its revocation list ended on ${shown(crlTo)}`
  return null
}

function ends(what: string, at: number | null, now: number, aheadMs: number, todo: string): string | null {
  if (at === null || at - now >= aheadMs) return null
  if (at <= now) return `${what} ended on ${shown(at)}. ${todo}.`
  const days = Math.floor((at - now) / DAY_MS)
  return `${what} ends on ${shown(at)}, in ${days === 1 ? '1 day' : `${days} days`}. ${todo}.`
}

function shown(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
