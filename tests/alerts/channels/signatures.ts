// The vendors' signatures computed anew from a request as it arrived: written after their documentation, apart from our own
// signing, and tried on what their own SDKs send.

import { createHash, createHmac } from 'node:crypto'
import type { Arrived } from './yard.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Whether ACS3-HMAC-SHA256 holds, over whatever headers the request says it signed. */
export function acs3Holds({ method, path, headers, body }: Arrived, keySecret: string): boolean {
  const said = /^ACS3-HMAC-SHA256 Credential=[^,]+,\s*SignedHeaders=([^,]+),\s*Signature=(\w+)$/.exec(headers.authorization ?? '')
  if (said === null) return false
  const [, names = '', signature] = said
  const [resource = '', query = ''] = path.split('?')
  const lines = names.split(';').map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`)
  const pairs = query === '' ? [] : query.split('&').sort()
  const hash = sha256(body)
  if (headers['x-acs-content-sha256'] !== hash) return false
  const canonical = `${method}\n${resource}\n${pairs.join('&')}\n${lines.join('')}\n${names}\n${hash}`
  return hmac(keySecret, `ACS3-HMAC-SHA256\n${sha256(canonical)}`).toString('hex') === signature
}

/** Whether TC3-HMAC-SHA256 holds; of the host the name is signed, without its port. */
export function tc3Holds({ method, path, headers, body }: Arrived, secretKey: string): boolean {
  const said = /^TC3-HMAC-SHA256 Credential=[^/]+\/([^/]+)\/([^/]+)\/tc3_request, SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
    headers.authorization ?? ''
  )
  if (said === null) return false
  const [, date = '', service = '', names = '', signature] = said
  const value = (name: string): string => (name === 'host' ? String(headers.host).replace(/:\d+$/, '') : String(headers[name] ?? ''))
  const lines = names.split(';').map((name) => `${name}:${value(name).trim().toLowerCase()}\n`)
  const canonical = `${method}\n${path}\n\n${lines.join('')}\n${names}\n${sha256(body)}`
  const toSign = `TC3-HMAC-SHA256\n${String(headers['x-tc-timestamp'])}\n${date}/${service}/tc3_request\n${sha256(canonical)}`
  return hmac(hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request'), toSign).toString('hex') === signature
}
