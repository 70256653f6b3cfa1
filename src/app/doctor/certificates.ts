// The certificates of the ports with TLS: readable by us and by nobody else, key and chain fitting, the names that people and
// gateways use, how long they last.

import type { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { type Certificate, type CertificateFiles, readCertificate } from '../../platform/certificate.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Config } from '../config/service.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

interface Port {
  readonly check: string
  readonly files: CertificateFiles
  /** Names by which it must be reached. */
  readonly names: readonly string[]
}

export async function checkCertificates({ http, mqtt, notifications }: Config, now: number): Promise<Finding[]> {
  const findings: Finding[] = []
  if (http.tls !== null) {
    const { publicUrl } = notifications
    const names = [http.host, ...(publicUrl?.startsWith('https:') ? [new URL(publicUrl).hostname] : [])]
    findings.push(...(await checkPort({ check: 'HTTP certificate', files: http.tls.files, names: names.filter(isName) }, now)))
  }
  if (mqtt.tls !== null && mqtt.enabled && mqtt.url === null) {
    const names = [mqtt.tls.host].filter(isName)
    findings.push(...(await checkPort({ check: 'MQTT certificate', files: mqtt.tls.files, names }, now)))
  }
  return findings
}

/** Not an address that only says on which interfaces to listen. */
function isName(host: string): boolean {
  return host !== '0.0.0.0' && host !== '::'
}

async function checkPort({ check, files, names }: Port, now: number): Promise<Finding[]> {
  const { outcome } = await readCertificate(files)
  if (outcome.kind === 'problem') {
    return [
      fail(check, `${outcome.problem}.`, 'Correct the file or its rights, or its path in fenghuo.yaml; the service does not start on it.')
    ]
  }
  const findings = [
    validity(check, outcome, now),
    ...clientSide(check, outcome, now),
    ...chain(check, outcome),
    ...(await keyMode(check, files.key))
  ]
  const own = outcome.chain[0] as X509Certificate
  const missing = names.filter((name) => (isIP(name) > 0 ? own.checkIP(name) : own.checkHost(name)) === undefined)
  if (missing.length > 0) {
    const said = `It does not name ${missing.join(', ')}, by which it is reached; it names ${own.subjectAltName ?? 'nobody'}.`
    findings.push(warn(check, said, 'Have it issued for that name too, or let clients use a name that it has.'))
  }
  return findings
}

function validity(check: string, { validFrom, validTo }: Certificate, now: number): Finding {
  if (validTo <= now)
    return fail(check, `It ended on ${day(validTo)}: clients refuse it.`, 'Renew it; a running service takes it up by itself.')
  if (validFrom > now)
    return fail(check, `It is not valid before ${day(validFrom)}.`, 'See whether the clock is right; if it is, use the one before.')
  const said = `It fits its key and is valid until ${day(validTo)}.`
  return validTo - now < LIMITS.tls.expiryWarnMs ? warn(check, said, 'Renew it; a running service takes it up by itself.') : ok(check, said)
}

function clientSide(check: string, { clientCaTo, crlTo }: Certificate, now: number): Finding[] {
  const findings: Finding[] = []
  if (clientCaTo !== null && clientCaTo - now < LIMITS.tls.expiryWarnMs) {
    const said = `The CA of its clients ${clientCaTo <= now ? 'ended' : 'ends'} on ${day(clientCaTo)}.`
    findings.push(
      (clientCaTo <= now ? fail : warn)(check, said, 'Put its successor into clientCa beside it, and renew the certificates of clients.')
    )
  }
  if (crlTo !== null && crlTo - now < LIMITS.tls.crlWarnMs) {
    const said = `Its revocation list ${crlTo <= now ? 'ended' : 'ends'} on ${day(crlTo)}: after that no client with a certificate is let in.`
    findings.push((crlTo <= now ? fail : warn)(check, said, 'Issue a new list, and let that be done regularly.'))
  }
  return findings
}

/** Whether each certificate of the file was issued by the next. */
function chain(check: string, { chain: all }: Certificate): Finding[] {
  const broken = all.findIndex((one, n) => n + 1 < all.length && !one.checkIssued(all[n + 1] as X509Certificate))
  if (broken === -1) return []
  return [
    warn(
      check,
      `Certificate ${broken + 2} of its file has not issued certificate ${broken + 1}: clients may not find the way to its root.`,
      'Put the own certificate first, then each issuer after what it has issued.'
    )
  ]
}

async function keyMode(check: string, file: string): Promise<Finding[]> {
  const { mode } = await stat(file)
  if ((mode & 0o007) === 0) return []
  return [warn(check, `Everybody on this machine may read its key ${file}.`, `Close it: chmod 640 ${file}`)]
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
