import { beforeEach, describe, expect, it } from 'vitest'
import { GatewaySecrets } from '../../src/access/gateways.ts'
import type { Plant } from '../../src/model/plant.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { type Log, silentLog } from '../../src/platform/log.ts'

// 'password' by argon2id at 256 KiB and 64 MiB (reference implementation, src/test.c), 'pleaseletmein' by scrypt (RFC 7914).
const ARGON2 = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
const DEAR = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
const SCRYPT_HASH = Buffer.from(
  '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  'hex'
)
const SCRYPT = `$scrypt$ln=14,r=8,p=1$${btoa('SodiumChloride').replace(/=+$/, '')}$${SCRYPT_HASH.toString('base64').replace(/=+$/, '')}`

function plantOf(secrets: Record<string, string | null>): Plant {
  const gateways = Object.entries(secrets).map(([id, secret]) => ({ id, enterprise: 'e', name: { zh: id, en: id }, secret }))
  return { hash: '', enterprises: [], sites: [], areas: [], gateways, profiles: [], devices: [], rules: [] }
}

let warnings: string[]
let secrets: GatewaySecrets

beforeEach(() => {
  warnings = []
  const log: Log = { ...silentLog, warn: (sentence) => void warnings.push(sentence), error: (sentence) => void warnings.push(sentence) }
  secrets = new GatewaySecrets(log)
})

describe('a gateway is who it says', () => {
  it.each<[string | null, string | null, boolean]>([
    ['s3cret', 's3cret', true],
    ['s3cret', 's3cret ', false],
    ['s3cret', 'S3cret', false],
    ['s3cret', '', false],
    ['s3cret', null, false],
    ['密码 $1', '密码 $1', true],
    [null, 'anything', false],
    [null, '', false],
    [null, null, false],
    ['', '', false],
    [ARGON2, 'password', true],
    [ARGON2, 'Password', false],
    [ARGON2, ARGON2, false],
    [ARGON2, null, false],
    [SCRYPT, 'other', false],
    [SCRYPT, 'pleaseletmein', true],
    ['$argon2id$broken', '$argon2id$broken', false]
  ])('with the secret %s it says %s: %s', async (secret, said, expected) => {
    secrets.setPlant(plantOf({ gw: secret }))
    expect(await secrets.verify('gw', said)).toBe(expected)
    // And again, when it is remembered.
    expect(await secrets.verify('gw', said)).toBe(expected)
    expect(await secrets.verify('other', said)).toBe(false)
  })

  it('says which hash cannot be read, without the hash', () => {
    secrets.setPlant(plantOf({ good: ARGON2, bad: '$argon2id$broken' }))
    expect(warnings).toEqual([
      'gateway bad cannot sign in: The hash is not one of $argon2id$v=19$m=…,t=…,p=…$salt$hash, $scrypt$ln=…,r=…,p=…$salt$hash and $7$iterations$salt$hash: make it anew.'
    ])
  })

  it('takes another plant at once, what it remembers included', async () => {
    secrets.setPlant(plantOf({ gw: ARGON2, lit: 'a' }))
    expect(await secrets.verify('gw', 'password')).toBe(true)
    secrets.setPlant(plantOf({ gw: SCRYPT }))
    expect(await secrets.verify('gw', 'password')).toBe(false)
    expect(await secrets.verify('gw', 'pleaseletmein')).toBe(true)
    expect(await secrets.verify('lit', 'a')).toBe(false)
    secrets.setPlant(plantOf({}))
    expect(await secrets.verify('gw', 'pleaseletmein')).toBe(false)
  })

  it('remembers what has matched: a reconnection waits for no other thread', async () => {
    secrets.setPlant(plantOf({ gw: DEAR }))
    expect(await secrets.verify('gw', 'password')).toBe(true)
    const answers: boolean[] = []
    for (let connection = 0; connection < 1000; connection++) void secrets.verify('gw', 'password').then((answer) => answers.push(answer))
    await Promise.resolve().then().then().then()
    expect(answers).toHaveLength(1000)
    expect(answers.every(Boolean)).toBe(true)
  })

  it('checks the same secret once when it is asked for many times at once', async () => {
    secrets.setPlant(plantOf({ gw: ARGON2 }))
    const answers = await Promise.all(Array.from({ length: 500 }, () => secrets.verify('gw', 'password')))
    expect(answers.every(Boolean)).toBe(true)
  })

  it('lets one gateway guess only so many at a time, and not in the way of others', async () => {
    secrets.setPlant(plantOf({ guessed: ARGON2, honest: ARGON2 }))
    const guesses = Array.from({ length: 200 }, (_, guess) => secrets.verify('guessed', `guess ${guess}`))
    const right = secrets.verify('guessed', 'password')
    expect(await secrets.verify('honest', 'password')).toBe(true)
    expect(await Promise.all(guesses)).toEqual(Array.from({ length: 200 }, () => false))
    // It was turned away unheard, and is heard when it comes back.
    expect(await right).toBe(false)
    expect(await secrets.verify('guessed', 'password')).toBe(true)
  })

  it('does not look at a secret of absurd length', async () => {
    const long = 'x'.repeat(LIMITS.access.passwordLength + 1)
    secrets.setPlant(plantOf({ gw: long }))
    expect(await secrets.verify('gw', long)).toBe(false)
  })
})
