/** A name or sentence in the two languages of the console and the messages. */
export interface Text {
  readonly zh: string
  readonly en: string
}

export type Language = keyof Text
