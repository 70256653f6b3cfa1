// As much of DER (X.690) as it takes to read who issued a certificate, under which number, and what a revocation list revokes.
// Signatures are not looked at here: certificates are verified by TLS, lists come from a file of whoever runs the service.

interface Item {
  readonly tag: number
  readonly body: Buffer
  /** With tag and length. */
  readonly whole: Buffer
}

const INTEGER = 0x02
const SEQUENCE = 0x30
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const VERSION = 0xa0

/** What a list of revoked certificates says. */
export interface RevocationList {
  readonly issuer: string
  /** Epoch ms from which on the list no longer counts; null: it does not say. */
  readonly nextUpdate: number | null
  /** As `certificateNumber` writes them. */
  readonly revoked: readonly string[]
}

/** Reads a certificate revocation list (RFC 5280 5.1). Throws where it is none. */
export function readRevocationList(der: Buffer): RevocationList {
  const [list] = itemsOf(sequence(der))
  const fields = itemsOf(need(list, SEQUENCE).body)
  if (fields[0]?.tag === INTEGER) fields.shift()
  // Algorithm, issuer, this update, and then what may be missing.
  const issuer = need(fields[1], SEQUENCE).whole.toString('hex')
  const rest = fields.slice(3)
  const next = rest[0]?.tag === UTC_TIME || rest[0]?.tag === GENERALIZED_TIME ? instantOf(rest.shift() as Item) : null
  const entries = rest[0]?.tag === SEQUENCE ? itemsOf((rest[0] as Item).body) : []
  const revoked = entries.map((entry) => numberOf(issuer, need(itemsOf(need(entry, SEQUENCE).body)[0], INTEGER)))
  return { issuer, nextUpdate: next, revoked }
}

/** Issuer and serial number of a certificate: no two certificates share them. Throws where it is none. */
export function certificateNumber(der: Buffer): string {
  const [certificate] = itemsOf(sequence(der))
  const fields = itemsOf(need(certificate, SEQUENCE).body)
  if (fields[0]?.tag === VERSION) fields.shift()
  return numberOf(need(fields[2], SEQUENCE).whole.toString('hex'), need(fields[0], INTEGER))
}

function numberOf(issuer: string, serial: Item): string {
  return `${issuer} ${serial.body.toString('hex')}`
}

function sequence(der: Buffer): Buffer {
  return need(itemsOf(der)[0], SEQUENCE).body
}

function need(item: Item | undefined, tag: number): Item {
  if (item === undefined || item.tag !== tag) throw new Error('it is not of the expected structure')
  return item
}

function itemsOf(bytes: Buffer): Item[] {
  const items: Item[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    let length = bytes[at + 1] ?? 0
    let head = 2
    if (length >= 0x80) {
      const digits = length & 0x7f
      if (digits === 0 || digits > 4 || at + 2 + digits > bytes.length) throw new Error('it is cut short')
      length = bytes.readUIntBE(at + 2, digits)
      head += digits
    }
    const end = at + head + length
    if (end > bytes.length) throw new Error('it is cut short')
    items.push({ tag, body: bytes.subarray(at + head, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return items
}

/** RFC 5280 4.1.2.5: UTC, to the second; years of two digits are those from 1950 to 2049. */
function instantOf({ tag, body }: Item): number {
  const text = body.toString('latin1')
  const long = tag === UTC_TIME ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(long) ?? []
  if (year === undefined) throw new Error('it has a time that cannot be read')
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
}
