// What a message says by each way: the planned text as it is, a vendor's template filled, or cut to what fits. Pure.
// Nothing is added to what was planned except how to answer.

import { speakable } from '../wordingText.ts'
import type { OutgoingMessage } from './channel.ts'
import type { TemplateWord, VendorTemplate } from './settings.ts'

/** Less of a text than this says nothing: the link gives way. */
const LEAST_TEXT = 30

/**
 * The text with the ways to answer it: the link where there is one, and that one can reply where one can. Where it does not fit, the
 * text is cut before them; a link is whole or left out, a part of one leads nowhere.
 */
export function textWithAnswers(message: OutgoingMessage, canReply: boolean, fits: (text: string) => boolean = () => true): string {
  const { text, ackUrl, language } = message
  const link = ackUrl === null ? '' : language === 'zh' ? `\n确认：${ackUrl}` : `\nAcknowledge: ${ackUrl}`
  const reply = !canReply || !awaitsAnswer(message) ? '' : language === 'zh' ? '\n回复1确认' : '\nReply 1 to acknowledge'
  for (const answers of [link + reply, reply]) {
    if (fits(text + answers)) return text + answers
    // The longest beginning that fits; halving finds it.
    let [low, high] = [0, text.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (fits(cutText(text, middle) + answers)) low = middle
      else high = middle - 1
    }
    if (low >= Math.min(LEAST_TEXT, text.length - 1)) return cutText(text, low) + answers
  }
  return text
}

/** Whether somebody is asked to take the alarm on. */
function awaitsAnswer({ reason }: OutgoingMessage): boolean {
  return reason === 'raised' || reason === 'escalated' || reason === 'reminder' || reason === 'drill'
}

/** Cut to `length` characters, the last of them an ellipsis; never inside a character of two units. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  const end = length - 1
  const inside = isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end
  return `${text.slice(0, inside)}…`
}

/** Cut to `bytes` of UTF-8. */
export function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let end = bytes - Buffer.byteLength('…')
  const raw = Buffer.from(text)
  while (end > 0 && ((raw[end] ?? 0) & 0xc0) === 0x80) end--
  return `${raw.subarray(0, end).toString('utf8')}…`
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/** The template for this message: of its language and reason, then of its reason, then of its language, then any that serves every reason. */
export function templateFor(templates: readonly VendorTemplate[], { language, reason }: OutgoingMessage): VendorTemplate | null {
  const named = templates.filter(({ reasons }) => reasons?.includes(reason))
  const general = templates.filter(({ reasons }) => reasons === null)
  const fits = (one: VendorTemplate): boolean => one.language === language
  return named.find(fits) ?? general.find(fits) ?? named[0] ?? general[0] ?? null
}

/**
 * The values of a template's variables, in its order, each cut to `length` and free of what vendors refuse in a value; `spoken`:
 * as they are read out. A drill says so in one of them, whichever the template has.
 */
export function valuesFor(
  template: VendorTemplate,
  message: OutgoingMessage,
  length: number,
  spoken = false
): { name: string; value: string }[] {
  const { language, drill } = message
  const words = template.variables.map(({ word }) => word)
  const marks = words.find((word) => SAYS_WHAT.has(word)) ?? words.find((word) => word !== 'ackCode')
  return template.variables.map(({ name, word }) => {
    const text = wordIn(word, message)
    const value = plain(spoken && word !== 'ackCode' ? speakable(text, language) : text)
    const mark = drill && word === marks && !(SAYS_WHAT.has(word) && /演练|drill/i.test(value)) ? DRILL[language] : ''
    const cut = word === 'where' ? cutMiddle : cutText
    return { name, value: mark + cut(value, length - mark.length) }
  })
}

const SAYS_WHAT: ReadonlySet<TemplateWord> = new Set(['what', 'title', 'text'])
const DRILL = { zh: '演练 ', en: 'DRILL ' } as const

/** Cut so that both ends stay: of a place, the site and the device. */
function cutMiddle(text: string, length: number): string {
  if (text.length <= length) return text
  const first = Math.floor(length / 3)
  const last = text.slice(text.length - (length - first - 1))
  return `${cutText(text, first + 1)
    .slice(0, -1)
    .trimEnd()}…${/^[\udc00-\udfff]/.test(last) ? last.slice(1) : last}`
}

function wordIn(word: TemplateWord, message: OutgoingMessage): string {
  switch (word) {
    case 'title':
      return message.title
    case 'text':
      return message.text
    case 'ackCode':
      return message.ackUrl?.replace(/\/+$/, '').split('/').at(-1) ?? '-'
    case 'what':
    case 'where':
    case 'howMuch':
    case 'toDo':
    case 'when':
      return message.words[word]
  }
}

/** One line, without the brackets that carriers keep for signatures; never empty, which vendors refuse. */
function plain(value: string): string {
  return (
    value
      .replaceAll(/[【】[\]]/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim() || '-'
  )
}
