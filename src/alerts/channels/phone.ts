// Phone numbers: what people write, as one spelling (E.164). Chinese numbers may be written without their country.

const SEPARATORS = /[\s().-]/g

/** `+8613800000000` from what people write; null where it is no phone number. */
export function phoneNumber(written: string): string | null {
  const bare = written.replace(SEPARATORS, '').replace(/^00/, '+')
  if (/^\+[1-9]\d{5,14}$/.test(bare)) return bare
  if (/^1[3-9]\d{9}$/.test(bare)) return `+86${bare}`
  // A landline with its area code.
  if (/^0[1-9]\d{8,10}$/.test(bare)) return `+86${bare.slice(1)}`
  if (/^861[3-9]\d{9}$/.test(bare)) return `+${bare}`
  return null
}

/** A number that a carrier gave, which writes even foreign ones without `+`; unchanged where it is no number. */
export function carrierNumber(given: string): string {
  const known = phoneNumber(given)
  if (known !== null) return known
  return /^[1-9]\d{9,14}$/.test(given) ? `+${given}` : given
}
