// Guidance is one text in the plant's rules, written as cause, consequence, what to do, in how long. An operator in a
// hurry needs the last two first.

/** One labelled part of a guidance; the label as it was written, empty for text before any label. */
export interface GuidancePart {
  readonly label: string
  readonly text: string
  /** What to do and in how long. */
  readonly urgent: boolean
}

const LABEL = /(原因|后果|处置|时限|(?<![A-Za-z])(?:Cause|Consequence|Do|Within))\s*[:：]\s*/
const URGENT = new Set(['处置', '时限', 'Do', 'Within'])

/** The parts of a guidance, urgent ones first; a text without labels is one part. */
export function guidanceParts(text: string): GuidancePart[] {
  const pieces = text.split(LABEL)
  const parts: GuidancePart[] = []
  const before = (pieces[0] ?? '').trim()
  if (before !== '') parts.push({ label: '', text: before, urgent: true })
  for (let index = 1; index + 1 < pieces.length; index += 2) {
    const label = pieces[index]!
    parts.push({ label, text: pieces[index + 1]!.trim(), urgent: URGENT.has(label) })
  }
  return [...parts.filter(({ urgent }) => urgent), ...parts.filter(({ urgent }) => !urgent)]
}
