// Password hashes as PHC text (github.com/P-H-C/phc-string-format): `$argon2id$v=19$m=…,t=…,p=…$salt$hash` and
// `$scrypt$ln=…,r=…,p=…$salt$hash`; and as Mosquitto writes them: `$7$iterations$salt$hash`, PBKDF2 with SHA-512. Hashing runs on the
// thread pool, never on the main thread.

import { type Argon2Algorithm, argon2, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { LIMITS } from '../platform/limits.ts'
import { type Problem, problem } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'

/** A parsed hash: what to compute, and what must come out. */
export type Phc =
  | {
      readonly kind: 'argon2'
      readonly algorithm: Argon2Algorithm
      readonly memoryKib: number
      readonly passes: number
      readonly lanes: number
      readonly salt: Buffer
      readonly hash: Buffer
    }
  | {
      readonly kind: 'scrypt'
      readonly log2Cost: number
      readonly blockSize: number
      readonly lanes: number
      readonly salt: Buffer
      readonly hash: Buffer
    }
  | { readonly kind: 'mosquitto'; readonly iterations: number; readonly salt: Buffer; readonly hash: Buffer }

/** What our own hashes cost: the OWASP Password Storage Cheat Sheet's smallest argon2id setting. */
const OWN = { kind: 'argon2', algorithm: 'argon2id', memoryKib: 19_456, passes: 2, lanes: 1 } as const
const OWN_SALT_BYTES = 16
const OWN_HASH_BYTES = 32

/** Spent by the broker's one thread at every CONNECT: secrets of machines are long, a storm of reconnections must pass. */
const MOSQUITTO = { iterations: 1_000, saltBytes: 12, hashBytes: 64 } as const

const ARGON2 = /^\$(argon2id|argon2i|argon2d)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const MOSQUITTO_LINE = /^\$7\$(\d{1,9})\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)$/

/** Whether a text claims to be a hash, rather than the secret itself. */
export function looksHashed(text: string): boolean {
  return /^\$(argon2|scrypt|7\$)/.test(text)
}

/** Whether it is a hash that a Mosquitto can check too. */
export function isMosquittoHash(text: string): boolean {
  return MOSQUITTO_LINE.test(text)
}

/** The parsed hash, or a problem where it is malformed or dearer to check than LIMITS.access allows. */
export function parsePhc(text: string): Phc | Problem {
  const found = argon2Phc(text) ?? scryptPhc(text) ?? mosquittoHash(text)
  if (found === null) {
    return problem(
      'The hash is not one of $argon2id$v=19$m=…,t=…,p=…$salt$hash, $scrypt$ln=…,r=…,p=…$salt$hash and $7$iterations$salt$hash: make it anew.'
    )
  }
  if (found.salt.length < 8 || found.salt.length > 64 || found.hash.length < 16 || found.hash.length > 64) {
    return problem('The salt of the hash must be 8 to 64 bytes long and the hash 16 to 64: make it anew.')
  }
  if (found.kind === 'argon2') return argon2Cost(found) ?? found
  return (found.kind === 'scrypt' ? scryptCost(found) : mosquittoCost(found)) ?? found
}

function argon2Phc(text: string): Extract<Phc, { kind: 'argon2' }> | null {
  const match = ARGON2.exec(text)
  if (match === null) return null
  const [, algorithm, memoryKib, passes, lanes, salt, hash] = match
  return {
    kind: 'argon2',
    algorithm: algorithm as Argon2Algorithm,
    memoryKib: Number(memoryKib),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt as string, 'base64'),
    hash: Buffer.from(hash as string, 'base64')
  }
}

function scryptPhc(text: string): Extract<Phc, { kind: 'scrypt' }> | null {
  const match = SCRYPT.exec(text)
  if (match === null) return null
  const [, log2Cost, blockSize, lanes, salt, hash] = match
  return {
    kind: 'scrypt',
    log2Cost: Number(log2Cost),
    blockSize: Number(blockSize),
    lanes: Number(lanes),
    salt: Buffer.from(salt as string, 'base64'),
    hash: Buffer.from(hash as string, 'base64')
  }
}

function mosquittoHash(text: string): Extract<Phc, { kind: 'mosquitto' }> | null {
  const [, iterations, salt, hash] = MOSQUITTO_LINE.exec(text) ?? []
  if (iterations === undefined) return null
  return {
    kind: 'mosquitto',
    iterations: Number(iterations),
    salt: Buffer.from(salt as string, 'base64'),
    hash: Buffer.from(hash as string, 'base64')
  }
}

function argon2Cost({ memoryKib, passes, lanes }: Extract<Phc, { kind: 'argon2' }>): Problem | null {
  const { hashMemoryKib, hashPasses } = LIMITS.access
  if (lanes >= 1 && lanes <= 16 && memoryKib >= 8 * lanes && memoryKib <= hashMemoryKib && passes >= 1 && passes <= hashPasses) return null
  return problem(
    `The hash asks for m=${memoryKib}, t=${passes}, p=${lanes}; m may be at most ${hashMemoryKib} and at least 8 p, t at most ${hashPasses}, p at most 16.`
  )
}

function scryptCost({ log2Cost, blockSize, lanes }: Extract<Phc, { kind: 'scrypt' }>): Problem | null {
  const memoryKib = (2 ** log2Cost * blockSize) / 8
  if (log2Cost >= 1 && blockSize >= 1 && lanes >= 1 && lanes <= 16 && memoryKib <= LIMITS.access.hashMemoryKib) return null
  return problem(
    `The hash asks for ln=${log2Cost}, r=${blockSize}, p=${lanes}: ${memoryKib} KiB; at most ${LIMITS.access.hashMemoryKib} KiB and 16 lanes are spent.`
  )
}

function mosquittoCost({ iterations }: Extract<Phc, { kind: 'mosquitto' }>): Problem | null {
  const { hashIterations } = LIMITS.access
  if (iterations >= 1 && iterations <= hashIterations) return null
  return problem(`The hash asks for ${iterations} iterations; it may be 1 to ${hashIterations}.`)
}

/** Whether this is the secret behind the hash; constant time in the comparison. */
export async function matchesPhc(phc: Phc, secret: string): Promise<boolean> {
  return timingSafeEqual(await derived(phc, secret), phc.hash)
}

function derived(phc: Phc, secret: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Buffer): void => (error === null ? resolve(key) : reject(error))
    if (phc.kind === 'argon2') {
      const { memoryKib: memory, passes, lanes: parallelism, salt: nonce, hash } = phc
      argon2(phc.algorithm, { message: secret, nonce, memory, passes, parallelism, tagLength: hash.length }, done)
    } else if (phc.kind === 'mosquitto') {
      pbkdf2(secret, phc.salt, phc.iterations, phc.hash.length, 'sha512', done)
    } else {
      const { blockSize: r, lanes: p, salt, hash } = phc
      const N = 2 ** phc.log2Cost
      scrypt(secret, salt, hash.length, { N, r, p, maxmem: 128 * r * (N + p + 2) }, done)
    }
  })
}

/** A fresh argon2id hash of the secret, as PHC text. */
export async function hashOf(secret: string): Promise<string> {
  const salt = randomBuffer(OWN_SALT_BYTES)
  const hash = await derived({ ...OWN, salt, hash: Buffer.alloc(OWN_HASH_BYTES) }, secret)
  return `$argon2id$v=19$m=${OWN.memoryKib},t=${OWN.passes},p=${OWN.lanes}$${unpadded(salt)}$${unpadded(hash)}`
}

/** A fresh hash of the secret of a gateway, for a Mosquitto to check as well. */
export async function mosquittoHashOf(secret: string): Promise<string> {
  const { iterations, saltBytes, hashBytes } = MOSQUITTO
  const salt = randomBuffer(saltBytes)
  const hash = await derived({ kind: 'mosquitto', iterations, salt, hash: Buffer.alloc(hashBytes) }, secret)
  return `$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}`
}

/** A hash that nothing matches and that costs as much to check as our own: for users that do not exist. */
export function unmatchable(): Phc {
  return { ...OWN, salt: randomBuffer(OWN_SALT_BYTES), hash: randomBuffer(OWN_HASH_BYTES) }
}

function randomBuffer(bytes: number): Buffer {
  return Buffer.from(secretText(bytes), 'base64url')
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
