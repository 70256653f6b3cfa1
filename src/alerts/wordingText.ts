// The whole message for each way of telling, out of its parts: where, what, how much, what to do and in how long, in that
// order. Invariant: whatever has to be shortened, the "where" is not.

import type { ChannelKind, NotificationWords } from '../model/notification.ts'
import type { Language } from '../model/text.ts'
import { LIMITS } from '../platform/limits.ts'

/** The parts of a message, before they are put together. */
export interface MessageParts {
  readonly where: string
  readonly what: string
  readonly howMuch: string
  readonly todo: string
  readonly within: string
  readonly when: string
}

const DRILL: Readonly<Record<Language, { readonly first: string; readonly last: string }>> = {
  zh: { first: '【演练】', last: '【演练】' },
  en: { first: 'DRILL: ', last: ' DRILL.' }
}

/** What to do, and in how long, as sentences; empty where there is nothing to do. */
export function toDoText({ todo, within }: Pick<MessageParts, 'todo' | 'within'>, language: Language): string {
  const zh = language === 'zh'
  const parts = [
    todo === '' ? '' : zh ? `处置:${todo}。` : `Do: ${todo}.`,
    within === '' ? '' : zh ? `时限:${within}。` : `Within: ${within}.`
  ]
  return parts.filter((part) => part !== '').join(zh ? '' : ' ')
}

export function wordsFrom(parts: MessageParts, language: Language): NotificationWords {
  const { where, what, howMuch, when } = parts
  return { where, what, howMuch, toDo: toDoText(parts, language), when }
}

/** The message as this way carries it. */
export function messageText(channel: ChannelKind, parts: MessageParts, language: Language, drill: boolean): string {
  switch (channel) {
    case 'sms':
      return fitted(parts, language, drill, fitsSms, language === 'en' ? inGsm : undefined)
    case 'push':
      return fitted(parts, language, drill, (text) => text.length <= LIMITS.wording.pushLength)
    case 'voice':
      return speakable(
        fitted(spoken(parts), language, drill, (text) => text.length <= LIMITS.wording.voiceLength),
        language
      )
    case 'webhook':
      return marked(oneLine(parts, language), language, drill)
    case 'email':
    case 'dingtalk':
    case 'feishu':
    case 'wecom':
      return manyLines(parts, language, drill)
  }
}

/** How many short messages a text takes: 160 characters of the GSM alphabet or 70 others in one, 153 or 67 in each of several. */
export function smsParts(text: string): number {
  let units = 0
  let gsm = true
  for (const character of text) {
    if (GSM.has(character)) units += 1
    else if (GSM_EXTENDED.has(character)) units += 2
    else gsm = false
  }
  if (!gsm) return text.length <= 70 ? 1 : Math.ceil(text.length / 67)
  return units <= 160 ? 1 : Math.ceil(units / 153)
}

const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑܧ¿abcdefghijklmnopqrstuvwxyzäöñüà'
)
const GSM_EXTENDED = new Set('^{}\\[~]|€')

function fitsSms(text: string): boolean {
  return smsParts(text) <= LIMITS.wording.smsParts
}

/** A drill says first and last that it is one. */
export function marked(text: string, language: Language, drill: boolean): string {
  return drill ? `${DRILL[language].first}${text}${DRILL[language].last}` : text
}

function oneLine(parts: MessageParts, language: Language): string {
  const { where, what, howMuch, when } = parts
  const toDo = toDoText(parts, language)
  if (language === 'zh') return `${where}:${[what, howMuch].filter((part) => part !== '').join(',')}。${toDo}${when}`
  return `${where}: ${[what, howMuch].filter((part) => part !== '').join(', ')}. ${toDo === '' ? '' : `${toDo} `}${when}`
}

function manyLines(parts: MessageParts, language: Language, drill: boolean): string {
  const { where, what, howMuch, todo, within, when } = parts
  const zh = language === 'zh'
  const lines = [
    drill ? DRILL[language].first.replace(/: $/, '') : '',
    where,
    what,
    howMuch,
    todo === '' ? '' : zh ? `处置:${todo}。` : `Do: ${todo}.`,
    within === '' ? '' : zh ? `时限:${within}。` : `Within: ${within}.`,
    when,
    drill ? DRILL[language].last.trim() : ''
  ]
  return lines.filter((line) => line !== '').join('\n')
}

/** The message in one line, shortened until it fits: what to do is cut first, then how much, then what. */
function fitted(
  parts: MessageParts,
  language: Language,
  drill: boolean,
  fits: (text: string) => boolean,
  spelled: (text: string) => string = (text) => text
): string {
  const text = (now: MessageParts): string => spelled(marked(oneLine(now, language), language, drill))
  let now = parts
  for (const key of ['todo', 'howMuch', 'what'] as const) {
    if (fits(text(now))) break
    // The longest beginning that fits; lengths are few, and halving finds it at once.
    let [low, high] = [0, now[key].length]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (fits(text({ ...now, [key]: cut(now[key], middle) }))) low = middle
      else high = middle - 1
    }
    now = { ...now, [key]: cut(now[key], low) }
  }
  return text(now)
}

/** At most `length` characters, ended behind a clause where there is one in the second half, with a mark that it was cut. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  if (length < 4) return ''
  let short = text.slice(0, length - 1)
  // Half of a character outside the basic plane is no character.
  if (/[\ud800-\udbff]$/.test(short)) short = short.slice(0, -1)
  const ends = [...short.matchAll(/[,,;;。、]|(?<=[a-z)]) /gi)].map(({ index }) => index)
  const end = ends.findLast((place) => place >= short.length / 2)
  return `${(end === undefined ? short : short.slice(0, end)).trimEnd()}…`
}

function spoken(parts: MessageParts): MessageParts {
  return { ...parts, when: '' }
}

/** One sign that the GSM alphabet lacks more than halves what fits into a short message, and what to do is cut first. */
const GSM_SPELLING: readonly (readonly [RegExp, string])[] = [
  [/\s*°C/g, ' C'],
  [/°/g, ' deg'],
  [/²/g, '2'],
  [/³/g, '3'],
  [/[µμ]/g, 'u'],
  [/≥/g, '>='],
  [/≤/g, '<='],
  [/≠/g, 'not'],
  [/×/g, 'x'],
  [/·/g, '.'],
  [/[–—]/g, '-'],
  [/[‘’]/g, "'"],
  [/[“”]/g, '"'],
  [/…\.?/g, '...']
]

function inGsm(text: string): string {
  return GSM_SPELLING.reduce((now, [sign, spelling]) => now.replaceAll(sign, spelling), text)
}

const SPOKEN: Readonly<Record<Language, readonly (readonly [RegExp, string])[]>> = {
  zh: [
    [/(\d+)\s*#/g, '$1号'],
    [/#/g, '号'],
    [/\s*≥\s*/g, '不低于'],
    [/\s*≤\s*/g, '不高于'],
    [/\s*>\s*/g, '高于'],
    [/\s*<\s*/g, '低于'],
    [/\s*≠\s*/g, '不等于'],
    [/\s*=\s*/g, '等于'],
    [/(-?[\d.]+)\s*%\s*LEL/g, '爆炸下限的百分之$1'],
    [/(-?[\d.]+)\s*%/g, '百分之$1'],
    [/\s*°C/g, '摄氏度'],
    [/\s*mg\/m³/g, '毫克每立方米'],
    [/\s*m³\/h/g, '立方米每小时'],
    [/\s*m\/s/g, '米每秒'],
    [/\s*kPa/g, '千帕'],
    [/\s*MPa/g, '兆帕'],
    [/(\d)\s*Pa\b/g, '$1帕'],
    [/(\d)\s*mA\b/g, '$1毫安'],
    [/(?<![\w.])-(\d)/g, '负$1'],
    [/[((]/g, ','],
    [/[))…]/g, ''],
    [/[·|]/g, ',']
  ],
  en: [
    [/\s*≥\s*/g, ' at least '],
    [/\s*≤\s*/g, ' at most '],
    [/\s*>\s*/g, ' above '],
    [/\s*<\s*/g, ' below '],
    [/\s*≠\s*/g, ' not '],
    [/\s*=\s*/g, ' equal to '],
    [/\s*%\s*LEL/g, ' percent of the lower explosive limit'],
    [/\s*%/g, ' percent'],
    [/\s*°C/g, ' degrees'],
    [/\s*mg\/m³/g, ' milligrams per cubic metre'],
    [/\s*m³\/h/g, ' cubic metres per hour'],
    [/\s*m\/s/g, ' metres per second'],
    [/(?<![\w.])-(\d)/g, 'minus $1'],
    [/#/g, ' number '],
    [/\s*[(]/g, ', '],
    [/[)…]/g, ''],
    [/[·|]/g, ',']
  ]
}

/** The text as a voice can read it out: signs and units as words. */
export function speakable(text: string, language: Language): string {
  let spokenText = text
  for (const [sign, words] of SPOKEN[language]) spokenText = spokenText.replaceAll(sign, words)
  return spokenText
    .replaceAll(/,(?=[,。:])/g, '')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
}
