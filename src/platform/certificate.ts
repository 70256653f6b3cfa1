// The files that a port with TLS is served from: read, held against each other, and made into what node:tls takes.
// Invariant: what comes out can be served; whether it has expired is for the caller to weigh.

import { constants, createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { readRevocationList } from './der.ts'
import { LIMITS } from './limits.ts'
import { messageOf, type Problem, problem, whyNot } from './problem.ts'
import type { Secret } from './secret.ts'

export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

/** Where a port's certificate lies, absolute. */
export interface CertificateFiles {
  /** The certificate and what leads from it to the root, PEM. */
  readonly cert: string
  readonly key: string
  readonly passphrase: Secret | null
  /** Who signs the certificates of clients; null: clients are not asked for one. */
  readonly clientCa: string | null
  /** Certificates of clients that no longer count. */
  readonly crl: string | null
  readonly minVersion: (typeof TLS_VERSIONS)[number]
}

/** What was read, ready to be served. */
export interface Certificate {
  readonly kind: 'certificate'
  /** The service's own first, then the rest of its chain. */
  readonly chain: readonly X509Certificate[]
  /** Epoch ms: the latest beginning and the earliest end in the chain. */
  readonly validFrom: number
  readonly validTo: number
  /** The earliest end among those who sign for clients; null: there are none. */
  readonly clientCaTo: number | null
  /** When the first of the revocation lists no longer counts; null: never, or there is none. */
  readonly crlTo: number | null
  /** By `certificateNumber`. */
  readonly revoked: ReadonlySet<string>
  readonly context: SecureContextOptions
}

/** What the files held, whether they can be used or not. */
export interface ReadFiles {
  /** Equal for equal files. */
  readonly fingerprint: string
  readonly outcome: Certificate | Problem
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const LISTS = /-----BEGIN X509 CRL-----([\s\S]+?)-----END X509 CRL-----/g
const NO_RESUMPTION = constants.SSL_OP_NO_TICKET
const NO_RENEGOTIATION = constants.SSL_OP_NO_RENEGOTIATION

/** Reads the files. Never throws. */
export async function readCertificate(files: CertificateFiles): Promise<ReadFiles> {
  const texts = new Map<string, string>()
  const hash = createHash('sha256')
  let missing: Problem | null = null
  for (const file of [files.cert, files.key, files.clientCa, files.crl]) {
    if (file === null) continue
    try {
      const text = await textOf(file)
      texts.set(file, text)
      hash.update(`${text.length} ${text}`)
    } catch (cause) {
      const why = whyNot(cause)
      hash.update(`${file} ${why}`)
      missing ??= problem(`${file} cannot be read: ${why}`)
    }
  }
  return { fingerprint: hash.digest('hex'), outcome: missing ?? usable(files, (file) => texts.get(file) ?? '') }
}

async function textOf(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    if (size > LIMITS.tls.fileBytes) throw new Error(`it is longer than ${LIMITS.tls.fileBytes} bytes`)
    return await handle.readFile('latin1')
  } finally {
    await handle.close()
  }
}

function usable(files: CertificateFiles, text: (file: string) => string): Certificate | Problem {
  const chain = certificatesIn(text(files.cert))
  const [own] = chain
  if (own === undefined) return problem(`${files.cert} holds no certificate in PEM`)
  const wrong = keyProblem(files, own, text(files.key))
  if (wrong !== null) return wrong
  const authorities = files.clientCa === null ? [] : certificatesIn(text(files.clientCa))
  if (files.clientCa !== null && authorities.length === 0) return problem(`${files.clientCa} holds no certificate in PEM`)
  const lists = files.crl === null ? [] : listsIn(text(files.crl))
  if (lists === null) return problem(`${files.crl} holds no revocation list in PEM that can be read`)
  const context: SecureContextOptions = {
    cert: text(files.cert),
    key: text(files.key),
    ...(files.passphrase === null ? {} : { passphrase: files.passphrase.reveal() }),
    ...(files.clientCa === null ? {} : { ca: text(files.clientCa) }),
    ...(files.crl === null ? {} : { crl: text(files.crl) }),
    minVersion: files.minVersion,
    honorCipherOrder: true,
    // A resumed session would not be held against a newer revocation list.
    secureOptions: files.clientCa === null ? NO_RENEGOTIATION : NO_RENEGOTIATION | NO_RESUMPTION
  }
  try {
    createSecureContext(context)
  } catch (cause) {
    return problem(`${files.cert} cannot be served: ${messageOf(cause)}`)
  }
  const until = lists.flatMap(({ nextUpdate }) => nextUpdate ?? [])
  return {
    kind: 'certificate',
    chain,
    validFrom: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    validTo: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    clientCaTo: authorities.length === 0 ? null : Math.min(...authorities.map(({ validTo }) => Date.parse(validTo))),
    crlTo: until.length === 0 ? null : Math.min(...until),
    revoked: new Set(lists.flatMap(({ revoked }) => revoked)),
    context
  }
}

function keyProblem({ cert, key, passphrase }: CertificateFiles, own: X509Certificate, pem: string): Problem | null {
  try {
    const secret = createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase: passphrase.reveal() }) })
    return own.checkPrivateKey(secret) ? null : problem(`${key} is not the key of the certificate in ${cert}`)
  } catch {
    if (!/ENCRYPTED/.test(pem)) return problem(`${key} holds no private key in PEM that can be read`)
    if (passphrase === null) return problem(`${key} is encrypted, and no passphrase is given`)
    return problem(`${key} cannot be decrypted by the passphrase that is given`)
  }
}

/** Throws nothing: what cannot be read is left out. */
function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATES) ?? []).flatMap((one) => {
    try {
      return [new X509Certificate(one)]
    } catch {
      return []
    }
  })
}

function listsIn(pem: string): ReturnType<typeof readRevocationList>[] | null {
  try {
    const lists = [...pem.matchAll(LISTS)].map(([, base64 = '']) => readRevocationList(Buffer.from(base64, 'base64')))
    return lists.length === 0 ? null : lists
  } catch {
    return null
  }
}
