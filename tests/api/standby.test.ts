// The doors of an instance that waits: over TLS they let in whom the service's own let in, and a port that is taken is refused
// in the same sentence.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { StandbyServer } from '../../src/api/standby.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { ServedCertificate } from '../../src/platform/servedCertificate.ts'
import { Authority, type Issued } from '../authority.ts'

const clock = new SystemClock()
let folder: string
let certificate: ServedCertificate
let server: StandbyServer
let ca: Authority

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-standby-'))
  ca = new Authority(folder)
  const { cert, key } = ca.issue('http', { san: 'IP:127.0.0.1' })
  const files = { cert, key, passphrase: null, clientCa: ca.cert, crl: null, minVersion: 'TLSv1.2' as const }
  certificate = new ServedCertificate({ what: 'the HTTP port', files, clock, log: silentLog })
  await certificate.start()
  server = standby(0)
})
afterEach(async () => {
  await server.close()
  await certificate.stop()
  rmSync(folder, { recursive: true, force: true })
})

const standby = (port: number) =>
  new StandbyServer({ host: '127.0.0.1', port, tls: { certificate, clients: true, requireClientCert: true } }, '1.0.0', clock)

/** The status, or the code of why none came. */
function status(url: string, own: Issued | null): Promise<number | string> {
  const credentials = own === null ? {} : { cert: readFileSync(own.cert), key: readFileSync(own.key) }
  return new Promise((resolve) => {
    const asked = request(url, { ca: readFileSync(ca.cert), agent: false, ...credentials }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code ?? ''))
    asked.end()
  })
}

it('asks for a certificate where the service does', async () => {
  const address = await server.open()
  expect(await status(`${address}/healthz`, null)).toMatch(/^E/)
  expect(await status(`${address}/healthz`, ca.issue('probe', { usage: 'clientAuth' }))).toBe(200)
})

it('says who has the port', async () => {
  const port = Number(new URL(await server.open()).port)
  await expect(standby(port).open()).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is in use by another program. Choose another with FENGHUO_HTTP_PORT or FENGHUO_HTTP_HOST, or in fenghuo.yaml under http, or stop that program.`
  )
})
