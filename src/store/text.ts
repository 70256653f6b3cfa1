// Text as databases keep it.

/** Text that every database gives back as it was: well-formed Unicode, and without NUL (which PostgreSQL refuses). */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
