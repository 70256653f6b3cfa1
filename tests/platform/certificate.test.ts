// Certificates of a port: what is read and refused, what is taken up while it runs, and what is said before one ends.

import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type CertificateFiles, readCertificate } from '../../src/platform/certificate.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { certificateNumber, readRevocationList } from '../../src/platform/der.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { type Log, silentLog } from '../../src/platform/log.ts'
import { Secret } from '../../src/platform/secret.ts'
import { ServedCertificate } from '../../src/platform/servedCertificate.ts'
import { Authority, type Issued } from '../authority.ts'

const DAY = 86_400_000
const NOW = Math.floor(Date.now() / 1000) * 1000
let folder: string
let ca: Authority
let first: Issued
let second: Issued
let old: Issued
let later: Issued
let here: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-certificates-'))
  ca = new Authority(path.join(folder, 'ca'))
  first = ca.issue('first', { to: new Date(NOW + 90 * DAY) })
  second = ca.issue('second', { to: new Date(NOW + 180 * DAY) })
  old = ca.issue('old', { from: new Date(NOW - 90 * DAY), to: new Date(NOW - DAY) })
  later = ca.issue('later', { from: new Date(NOW + DAY), to: new Date(NOW + 90 * DAY) })
})

beforeEach(() => {
  here = mkdtempSync(path.join(folder, 'port-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function files(changes: Partial<CertificateFiles> = {}): CertificateFiles {
  const at = (name: string): string => path.join(here, name)
  return { cert: at('tls.crt'), key: at('tls.key'), passphrase: null, clientCa: null, crl: null, minVersion: 'TLSv1.2', ...changes }
}

function put({ cert, key }: Issued): void {
  copyFileSync(cert, path.join(here, 'tls.crt'))
  copyFileSync(key, path.join(here, 'tls.key'))
}

async function problemOf(changes: Partial<CertificateFiles> = {}): Promise<string> {
  const { outcome } = await readCertificate(files(changes))
  return outcome.kind === 'problem' ? outcome.problem.replaceAll(here, '.') : 'none'
}

async function serving(changes: Partial<CertificateFiles> = {}, at = NOW) {
  const clock = new ManualClock(at)
  const said: string[] = []
  const say = (sentence: string): void => void said.push(sentence.replaceAll(here, '.'))
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const served = new ServedCertificate({ what: 'the port', files: files(changes), clock, log })
  await served.start()
  const taken: string[] = []
  served.onChange(({ chain }) => void taken.push(/CN=.*/.exec(chain[0]?.subject ?? '')?.[0] ?? ''))
  // The tests look themselves: a clock that moves by days would look a million times.
  await served.stop()
  return { served, clock, said, taken }
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)

it('says of every unusable set of files what is wrong with which', async () => {
  expect(await problemOf()).toBe('./tls.crt cannot be read: there is no such file or folder')
  put(first)
  expect(await problemOf()).toBe('none')
  copyFileSync(second.key, path.join(here, 'tls.key'))
  expect(await problemOf()).toBe('./tls.key is not the key of the certificate in ./tls.crt')
  writeFileSync(path.join(here, 'tls.key'), 'nothing')
  expect(await problemOf()).toBe('./tls.key holds no private key in PEM that can be read')
  writeFileSync(path.join(here, 'tls.crt'), 'nothing')
  expect(await problemOf()).toBe('./tls.crt holds no certificate in PEM')
  put(first)
  writeFileSync(path.join(here, 'ca.pem'), 'nothing')
  expect(await problemOf({ clientCa: path.join(here, 'ca.pem') })).toBe('./ca.pem holds no certificate in PEM')
  expect(await problemOf({ clientCa: ca.cert, crl: path.join(here, 'ca.pem') })).toBe(
    './ca.pem holds no revocation list in PEM that can be read'
  )
  mkdirSync(path.join(here, 'folder'))
  expect(await problemOf({ clientCa: path.join(here, 'folder') })).toBe('./folder cannot be read: it is a folder, not a file')
})

it('opens an encrypted key by its passphrase, and says none of it', async () => {
  put(ca.issue('locked', { passphrase: 'a passphrase of length' }))
  expect(await problemOf()).toBe('./tls.key is encrypted, and no passphrase is given')
  expect(await problemOf({ passphrase: new Secret('another') })).toBe('./tls.key cannot be decrypted by the passphrase that is given')
  expect(await problemOf({ passphrase: new Secret('a passphrase of length') })).toBe('none')
})

it('takes up new files however they get there: written, renamed, or a folder swapped by a link as Kubernetes does', async () => {
  for (const [name, issued] of [
    ['v1', first],
    ['v2', second]
  ] as const) {
    mkdirSync(path.join(here, name))
    copyFileSync(issued.cert, path.join(here, name, 'tls.crt'))
    copyFileSync(issued.key, path.join(here, name, 'tls.key'))
  }
  symlinkSync('v1', path.join(here, '..data'))
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, path.join(here, name))
  const { served, said, taken } = await serving()
  symlinkSync('v2', path.join(here, '..next'))
  renameSync(path.join(here, '..next'), path.join(here, '..data'))
  await served.look(false)
  expect(taken).toEqual(['CN=second'])
  expect(said).toEqual([`A new certificate is served by the port, valid until ${day(NOW + 180 * DAY)}; open connections go on.`])
  copyFileSync(first.cert, path.join(here, 'v2', 'tls.crt.new'))
  copyFileSync(first.key, path.join(here, 'v2', 'tls.key.new'))
  for (const name of ['tls.crt', 'tls.key']) renameSync(path.join(here, 'v2', `${name}.new`), path.join(here, 'v2', name))
  await served.look(false)
  await served.look(false)
  expect([taken, served.problem]).toEqual([['CN=second', 'CN=first'], null])
})

it('waits out a set of files that is half written, and refuses one that stays unusable, once', async () => {
  put(first)
  const { served, said, taken } = await serving()
  copyFileSync(second.cert, path.join(here, 'tls.crt'))
  await served.look(false)
  expect([said, served.problem]).toEqual([[], null])
  copyFileSync(second.key, path.join(here, 'tls.key'))
  await served.look(false)
  expect(taken).toEqual(['CN=second'])
  copyFileSync(first.key, path.join(here, 'tls.key'))
  for (let i = 0; i < 4; i++) await served.look(false)
  const sentence = `The new certificate of the port is not used: ./tls.key is not the key of the certificate in ./tls.crt. The one before is served on, until ${day(NOW + 180 * DAY)}.`
  expect([said.slice(1), served.problem?.replaceAll(here, '.')]).toEqual([[sentence], sentence])
  copyFileSync(second.key, path.join(here, 'tls.key'))
  await served.look(false)
  expect([taken, served.problem]).toEqual([['CN=second', 'CN=second'], null])
})

it.each([
  ['expired', () => old, `it ended on ${day(NOW - DAY)}`],
  ['not valid yet', () => later, `it is not valid before ${day(NOW + DAY)}`],
  ['unreadable', () => null, './tls.crt cannot be read: there is no such file or folder']
])('keeps the certificate in use where the new one is %s, and says so at once when asked', async (_, next, why) => {
  put(first)
  const { served, said, taken } = await serving()
  const issued = next()
  if (issued === null) rmSync(path.join(here, 'tls.crt'))
  else put(issued)
  await served.look(true)
  const sentence = `The new certificate of the port is not used: ${why}. The one before is served on, until ${day(NOW + 90 * DAY)}.`
  expect([said, taken, served.problem?.replaceAll(here, '.')]).toEqual([[sentence], [], sentence])
  expect(served.current.chain[0]?.subject).toMatch(/CN=first/)
})

it('takes the new one up when its time comes, where it was refused for being early', async () => {
  put(first)
  const { served, clock, taken } = await serving()
  put(later)
  await served.look(true)
  expect(taken).toEqual([])
  clock.moveTo(NOW + 2 * DAY)
  await served.look(false)
  expect([taken, served.problem]).toEqual([['CN=later'], null])
})

it('says fourteen days ahead when certificate and CA end, two days ahead when the revocation list does, and that they have', async () => {
  put(first)
  const crl = ca.list('short.pem', 30)
  const { served, clock } = await serving({ clientCa: ca.cert, crl })
  const listEnd = readRevocationList(derOf(crl)).nextUpdate as number
  expect(served.problem).toBeNull()
  clock.moveTo(listEnd - 2 * DAY)
  expect(served.problem).toBeNull()
  clock.moveTo(listEnd - 2 * DAY + 1)
  expect(served.problem).toBe(
    `The revocation list of the port ends on ${day(listEnd)}, in 1 day. Issue a new one: without it no client is let in.`
  )
  const plain = await serving()
  plain.clock.moveTo(NOW + 76 * DAY)
  expect([plain.served.problem, plain.served.expiresInSeconds]).toEqual([null, 14 * 86_400])
  plain.clock.moveTo(NOW + 78 * DAY)
  expect(plain.served.problem).toBe(
    `The certificate of the port ends on ${day(NOW + 90 * DAY)}, in 12 days. Renew it: it is taken up without a restart.`
  )
  plain.clock.moveTo(NOW + 91 * DAY)
  expect([plain.served.problem, plain.served.expiresInSeconds]).toEqual([
    `The certificate of the port ended on ${day(NOW + 90 * DAY)}. Renew it: it is taken up without a restart.`,
    -86_400
  ])
})

it('is not started on unusable files, and is on an expired certificate, which is said', async () => {
  await expect(serving()).rejects.toThrow(
    /^TLS for the port cannot be served: .*tls\.crt cannot be read: there is no such file or folder\.$/
  )
  put(old)
  const { served } = await serving()
  expect(served.problem).toBe(`The certificate of the port ended on ${day(NOW - DAY)}. Renew it: it is taken up without a restart.`)
  put(second)
  await served.look(false)
  expect(served.problem).toBeNull()
})

it('reads from a revocation list whom it revokes, as the certificates themselves are numbered', async () => {
  const [one, two] = [ca.issue('gone-1'), ca.issue('gone-2')]
  ca.revoke(one)
  const list = readRevocationList(derOf(ca.list('reading.pem', 7)))
  expect(list.revoked).toEqual([certificateNumber(derOf(one.cert))])
  expect(list.revoked).not.toContain(certificateNumber(derOf(two.cert)))
  const days = ((list.nextUpdate as number) - Date.now()) / DAY
  expect(Math.round(days)).toBe(7)
  put(first)
  const { outcome } = await readCertificate(files({ clientCa: ca.cert, crl: path.join(ca.folder, 'reading.pem') }))
  expect(outcome.kind === 'certificate' && [...outcome.revoked]).toEqual(list.revoked)
})

it('reads nothing out of bytes that are cut short or no list at all', () => {
  const der = derOf(ca.list('cut.pem'))
  for (let length = 0; length < der.length; length += 7) expect(() => readRevocationList(der.subarray(0, length))).toThrow()
  for (const bytes of ['3084ffffffff', '3080', '30030201', '0400']) expect(() => certificateNumber(Buffer.from(bytes, 'hex'))).toThrow()
})

// The super-user may read everything.
it.skipIf(process.getuid?.() === 0)('names a file that may not be read', async () => {
  put(first)
  chmodSync(path.join(here, 'tls.key'), 0)
  expect(await problemOf()).toBe('./tls.key cannot be read: access is not permitted')
})

function derOf(file: string): Buffer {
  const [, base64 = ''] = /-----BEGIN [A-Z0-9 ]+-----([\s\S]+?)-----END/.exec(readFileSync(file, 'latin1')) ?? []
  return Buffer.from(base64, 'base64')
}

it('looks by itself, every few seconds', async () => {
  put(first)
  const clock = new ManualClock(NOW)
  const served = new ServedCertificate({ what: 'the port', files: files(), clock, log: silentLog })
  await served.start()
  const changed = new Promise<void>((resolve) => void served.onChange(() => resolve()))
  put(second)
  clock.moveTo(NOW + LIMITS.tls.lookMs)
  await changed
  expect(served.current.chain[0]?.subject).toMatch(/CN=second/)
  await served.stop()
})
