// Texts as a carrier takes them over SMPP (3GPP TS 23.038, 23.040): GSM 7-bit where the text allows, else UCS-2; longer ones in
// parts with a user data header. Pure: the same text and reference give the same bytes at every try, so a phone joins the parts
// of two tries into one message.

import { cutText } from './texts.ts'

/** One submit_sm. */
export interface SmsPart {
  readonly dataCoding: number
  /** Null where the text fits into one. */
  readonly header: Buffer | null
  readonly body: Buffer
}

export const GSM7 = 0x00
export const UCS2 = 0x08

// In the order of their codes.
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const ESCAPE = 0x1b
const EXTENDED: Readonly<Record<string, number>> = {
  '\f': 0x0a,
  '^': 0x14,
  '{': 0x28,
  '}': 0x29,
  '\\': 0x2f,
  '[': 0x3c,
  '~': 0x3d,
  ']': 0x3e,
  '|': 0x40,
  '€': 0x65
}
const CODES = new Map<string, readonly number[]>([
  ...[...BASIC].map((sign, code) => [sign, [code]] as const).filter(([, [code]]) => code !== ESCAPE),
  ...Object.entries(EXTENDED).map(([sign, code]) => [sign, [ESCAPE, code]] as const)
])

/** Octets of the user data of one short message. */
const OCTETS = 140
const SEPTETS = 160

/**
 * The parts of a text, at most `maxParts`; what is longer ends in an ellipsis. `reference` joins them, of `bits` bits.
 * A UCS-2 part holds 67 units with an 8-bit reference, 66 with a 16-bit one; a GSM part 153 or 152 septets.
 */
export function smsParts(text: string, reference: number, bits: 8 | 16, maxParts: number): SmsPart[] {
  const signs = [...text]
  const gsm = signs.every((sign) => CODES.has(sign))
  const headerOctets = bits === 8 ? 6 : 7
  const single = gsm ? SEPTETS : OCTETS / 2
  // The header's octets take the place of whole septets.
  const each = gsm ? SEPTETS - Math.ceil((headerOctets * 8) / 7) : Math.floor((OCTETS - headerOctets) / 2)
  const pieces = inPieces(signs, (sign) => (gsm ? (CODES.get(sign)?.length ?? 1) : sign.length), single, each)
  if (pieces.length > maxParts) return smsParts(cutText(text, shortened(pieces, maxParts)), reference, bits, maxParts)
  return pieces.map((piece, index) => ({
    dataCoding: gsm ? GSM7 : UCS2,
    header: pieces.length === 1 ? null : partHeader(reference, bits, pieces.length, index + 1),
    body: gsm ? Buffer.from(piece.flatMap((sign) => CODES.get(sign) ?? [])) : ucs2(piece.join(''))
  }))
}

/** No character is torn, so a piece may hold a little less than it could. */
function inPieces(signs: readonly string[], sizeOf: (sign: string) => number, single: number, each: number): string[][] {
  const total = signs.reduce((sum, sign) => sum + sizeOf(sign), 0)
  if (total <= single) return [[...signs]]
  const pieces: string[][] = []
  let room = 0
  for (const sign of signs) {
    const size = sizeOf(sign)
    if (size > room) {
      pieces.push([])
      room = each
    }
    pieces.at(-1)?.push(sign)
    room -= size
  }
  return pieces
}

/** A length of text that fits: of what the first parts hold, with the ellipsis counted as UCS-2 forces it. */
function shortened(pieces: readonly (readonly string[])[], maxParts: number): number {
  const units = pieces.slice(0, maxParts).reduce((sum, piece) => sum + piece.join('').length, 0)
  // The ellipsis is no GSM sign: a GSM text that is cut is sent as UCS-2, where a part holds 66.
  return Math.min(units, maxParts * 66)
}

function partHeader(reference: number, bits: 8 | 16, total: number, number: number): Buffer {
  return bits === 8
    ? Buffer.from([5, 0x00, 3, reference & 0xff, total, number])
    : Buffer.from([6, 0x08, 4, (reference >> 8) & 0xff, reference & 0xff, total, number])
}

function ucs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

/** What a user data header says of a part; null where the message is whole. */
export interface PartPlace {
  readonly reference: number
  readonly total: number
  readonly number: number
}

/** Reads the information elements of a header. */
export function partPlace(elements: readonly Buffer[]): PartPlace | null {
  for (const element of elements) {
    const long = element[0] === 0x08 && element.length >= 6
    const short = element[0] === 0x00 && element.length >= 5
    if (!long && !short) continue
    const [total, number] = [element[long ? 4 : 3] as number, element[long ? 5 : 4] as number]
    const reference = long ? element.readUInt16BE(2) : (element[2] as number)
    if (total > 1 && number >= 1 && number <= total) return { reference, total, number }
  }
  return null
}
