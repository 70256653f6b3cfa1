import { describe, expect, it } from 'vitest'
import { hashOf, isMosquittoHash, looksHashed, matchesPhc, mosquittoHashOf, type Phc, parsePhc, unmatchable } from '../../src/access/phc.ts'

function phc(text: string): Phc {
  const parsed = parsePhc(text)
  if (parsed.kind === 'problem') throw new Error(parsed.problem)
  return parsed
}

const b64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64').replace(/=+$/, '')

describe('known hashes', () => {
  it.each([
    // From the test programme of the reference implementation (P-H-C/phc-winner-argon2, src/test.c), version 0x13.
    ['argon2id, 64 MiB', 'password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
    ['argon2id, 256 KiB', 'password', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    ['argon2id, 2 lanes', 'password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
    ['argon2i', 'password', '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8'],
    // As mosquitto_passwd 2.0.11 writes it.
    [
      "Mosquitto's PBKDF2-SHA512",
      'a secret of its own',
      '$7$101$0ZfFWh2sQ+CT5U0q$XMOvOZL/q2NF72Rq3j+efCZ0WD/gC9cHjXsc/9IsbWITFoNQy5pYvoaAMVtxuGb2VfGIXQC+7/D6Mz/VIxa1Hw=='
    ],
    // RFC 7914, section 12.
    [
      'scrypt, 16 MiB',
      'pleaseletmein',
      `$scrypt$ln=14,r=8,p=1$${b64(Buffer.from('SodiumChloride').toString('hex'))}$${b64(
        '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887'
      )}`
    ]
  ])('%s', async (_name, secret, text) => {
    expect(await matchesPhc(phc(text), secret)).toBe(true)
    expect(await matchesPhc(phc(text), `${secret} `)).toBe(false)
    expect(await matchesPhc(phc(text), '')).toBe(false)
  })
})

describe('our own hashes', () => {
  it('are argon2id at the cost OWASP names, with a salt of their own, and match only their secret', async () => {
    const [one, other] = await Promise.all([hashOf('烽火 beacon'), hashOf('烽火 beacon')])
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(other)
    expect(await matchesPhc(phc(one), '烽火 beacon')).toBe(true)
    expect(await matchesPhc(phc(one), '烽火 beacons')).toBe(false)
  })

  it('of gateways, where a Mosquitto must be able to check them too, are as it writes them', async () => {
    const [one, other] = await Promise.all([mosquittoHashOf('烽火 beacon'), mosquittoHashOf('烽火 beacon')])
    expect(one).toMatch(/^\$7\$1000\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/)
    expect(one).not.toBe(other)
    expect([isMosquittoHash(one), looksHashed(one), isMosquittoHash(await hashOf('x'))]).toEqual([true, true, false])
    expect(await matchesPhc(phc(one), '烽火 beacon')).toBe(true)
    expect(await matchesPhc(phc(one), '烽火 beacons')).toBe(false)
  })

  it('have a twin of the same cost that nothing matches', async () => {
    const { salt: _salt, hash: _hash, ...cost } = unmatchable() as Extract<Phc, { kind: 'argon2' }>
    expect(phc(await hashOf('x'))).toMatchObject(cost)
    expect(await matchesPhc(unmatchable(), '')).toBe(false)
  })
})

describe('what is not taken for a hash', () => {
  const salt = 'c29tZXNhbHQ'
  const hash = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  it.each([
    ['empty', '', 'not one of'],
    ['a literal', 'hunter2', 'not one of'],
    ['another version', `$argon2id$v=16$m=256,t=2,p=1$${salt}$${hash}`, 'not one of'],
    ['another order', `$argon2id$v=19$t=2,m=256,p=1$${salt}$${hash}`, 'not one of'],
    ['bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'not one of'],
    ['no salt', `$argon2id$v=19$m=256,t=2,p=1$$${hash}`, 'not one of'],
    ['a short salt', `$argon2id$v=19$m=256,t=2,p=1$c2Fs$${hash}`, 'salt of the hash must be 8 to 64'],
    ['a short hash', `$argon2id$v=19$m=256,t=2,p=1$${salt}$CTFh`, 'the hash 16 to 64'],
    ['a memory bomb', `$argon2id$v=19$m=4194304,t=2,p=1$${salt}$${hash}`, 'at most 262144'],
    ['a time bomb', `$argon2id$v=19$m=256,t=400000,p=1$${salt}$${hash}`, 't at most 10'],
    ['too little memory for its lanes', `$argon2id$v=19$m=8,t=1,p=2$${salt}$${hash}`, 'at least 8 p'],
    ['no lane', `$argon2id$v=19$m=256,t=2,p=0$${salt}$${hash}`, 'm may be'],
    ['a scrypt memory bomb', `$scrypt$ln=30,r=8,p=1$${salt}$${hash}`, 'at most 262144 KiB'],
    ['iterations without end', `$7$1000001$${salt}aa==$${hash}=`, '1 to 1000000'],
    ['no iteration', `$7$0$${salt}aa==$${hash}=`, '1 to 1000000'],
    ['scrypt without cost', `$scrypt$ln=0,r=8,p=1$${salt}$${hash}`, 'ln=0']
  ])('%s', (_name, text, sentence) => {
    expect(parsePhc(text)).toMatchObject({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })

  it.each([
    ['$argon2id$broken', true],
    ['$scrypt$ln=1', true],
    ['$ecret', false],
    ['argon2id', false]
  ])('%s claims to be a hash: %s', (text, expected) => {
    expect(looksHashed(text)).toBe(expected)
  })
})
