// The pages behind a one-time link: plain HTML for any phone, no script, nothing loaded from elsewhere. Whatever goes wrong, a
// person reads it, with what to do: never a machine's answer.

import type { LinkState, OpenLink } from '../alerts/telling.ts'
import { withoutReminder } from '../alerts/wording.ts'
import type { NotificationWords } from '../model/notification.ts'
import type { Language } from '../model/text.ts'
import { escaped } from '../platform/html.ts'

const TEXTS = {
  zh: {
    title: '报警确认',
    drill: '演练，不是真实报警',
    button: '收到，我来处理',
    used: '已经确认，不必再按。请按要求处置。',
    again: '这个链接已经用过,报警现在又未确认。请用最新一条消息确认,或登录控制台。',
    done: '已确认，谢谢。请按要求处置。',
    drillUsed: '演练已经确认，不必再按。',
    drillDone: '演练已确认，谢谢。',
    over: '这次演练已经结束，现在按不再算数。',
    about: '这次确认的是：',
    by: '确认人'
  },
  en: {
    title: 'Acknowledge an alarm',
    drill: 'DRILL, not a real alarm',
    button: 'I have it',
    used: 'It has been acknowledged; there is nothing more to press. Do what is asked.',
    again: 'This link has been used, and the alarm is not acknowledged now. Answer the newest message, or sign in to the console.',
    done: 'Acknowledged, thank you. Do what is asked.',
    drillUsed: 'The drill has been acknowledged; there is nothing more to press.',
    drillDone: 'The drill is acknowledged, thank you.',
    over: 'This drill is over: a press does not count any more.',
    about: 'This is about:',
    by: 'Acknowledged by'
  }
} as const

/**
 * Why a link cannot be used. - unknown: not one of this service, or copied in part. - gone: ours, but its message is not kept
 * any more. - expired. - refused: nothing can be accepted at the moment. - late: not certain yet. - tooMany. - tooLarge: more than a press was sent. - fault: of ours.
 */
export type LinkTrouble = 'unknown' | 'gone' | 'expired' | 'refused' | 'late' | 'tooMany' | 'tooLarge' | 'fault'

const TROUBLES: Readonly<Record<LinkTrouble, { readonly status: number; readonly zh: string; readonly en: string }>> = {
  unknown: {
    status: 404,
    zh: '这个链接不是本系统发出的，或者复制时少了几个字。请从收到的消息里重新点开，或登录控制台确认报警。',
    en: 'This link is not one of this service, or a part of it is missing. Open it from the message again, or acknowledge the alarm in the console.'
  },
  gone: {
    status: 410,
    zh: '这个链接对应的消息已不再保留。请用最新一条消息确认，或登录控制台查看报警。',
    en: 'The message of this link is not kept any more. Answer the newest message, or sign in to the console to see the alarm.'
  },
  expired: {
    status: 410,
    zh: '这个链接已过期，没有确认任何报警。请用最新一条消息确认，或登录控制台查看报警。',
    en: 'This link has ended, and nothing was acknowledged by it. Answer the newest message, or sign in to the console to see the alarm.'
  },
  refused: {
    status: 503,
    zh: '系统暂时无法记录，报警还没有确认。请过一分钟再按一次；仍不行就打电话给值班室。',
    en: 'The service cannot record anything at the moment: the alarm is NOT acknowledged. Press again in a minute; if it still fails, call the control room.'
  },
  late: {
    status: 503,
    zh: '确认还没有写入，尚不能确定。请过一分钟再打开这个链接看看；仍未确认就再按一次，或打电话给值班室。',
    en: 'It is not certain yet that the alarm is acknowledged. Open this link again in a minute; if it is not, press again, or call the control room.'
  },
  tooMany: {
    status: 429,
    zh: '来自您网络的请求太多，报警还没有确认。请过一分钟再按一次，或直接回复短信 1。',
    en: 'Too many requests come from your network: the alarm is NOT acknowledged. Press again in a minute, or answer the message by 1.'
  },
  tooLarge: {
    status: 413,
    zh: '发来的内容太大，报警还没有确认。请从收到的消息里重新打开链接，只按页面上的按钮。',
    en: 'Too much was sent: the alarm is NOT acknowledged. Open the link from the message again, and press nothing but its button.'
  },
  fault: {
    status: 500,
    zh: '系统出错，报警还没有确认。请再按一次；仍不行就打电话给值班室。',
    en: 'The service has failed: the alarm is NOT acknowledged. Press again; if it still fails, call the control room.'
  }
}

/** A page and the status it is answered with. */
export interface LinkAnswer {
  readonly status: number
  readonly page: string
}

/** `pressed`: the button was pressed just now. */
export function linkPage(link: LinkState, pressed: boolean): LinkAnswer {
  if (link.kind === 'unknown' || link.kind === 'gone') return troublePage(link.kind, null)
  if (link.kind === 'expired') return troublePage('expired', link.language)
  const { row, name, acknowledged } = link
  const language = row.language === 'en' ? 'en' : 'zh'
  const texts = TEXTS[language]
  const { what: told, where, howMuch, toDo, when } = JSON.parse(row.words) as NotificationWords
  const what = link.kind === 'used' ? withoutReminder(told) : told
  const lines = [where, howMuch, toDo, when].filter((line) => line !== '').map((line) => `<p>${escaped(line)}</p>`)
  const drill = row.drill === 1 ? `<p><strong>${texts.drill}</strong></p>` : ''
  const by = acknowledged === null ? '' : `<p>${texts.by} ${escaped(acknowledged.by)}</p>`
  const about = name === null ? '' : `<p>${texts.about} ${escaped(name)}</p>`
  const end =
    link.kind === 'open'
      ? `${by}<form method="post"><button type="submit" style="font-size:1.4em;padding:.8em 1em;width:100%">${texts.button}</button></form>`
      : `<p><strong>${texts[whatIsSo(link, pressed)]}</strong></p>${by}`
  const body = `${drill}<h1 style="font-size:1.3em">${escaped(what)}</h1>${lines.join('')}${about}${end}`
  // A press that acknowledged nothing is none, whatever the page shows.
  const nothing = link.kind !== 'open' && ['again', 'over'].includes(whatIsSo(link, pressed))
  return { status: pressed && nothing ? 409 : 200, page: page(language, what, body) }
}

/** What a page says whose button is gone. */
function whatIsSo({ kind, row, acknowledged }: OpenLink, pressed: boolean): keyof (typeof TEXTS)[Language] {
  if (kind === 'over') return 'over'
  if (row.drill === 1) return pressed ? 'drillDone' : 'drillUsed'
  // It was taken back: the alarm has risen since, or was announced as new.
  if (acknowledged === null) return 'again'
  return pressed ? 'done' : 'used'
}

/** What went wrong and what to do, in the language of the message; null: it is not known whose it is, so in both. */
export function troublePage(trouble: LinkTrouble, language: Language | null): LinkAnswer {
  const { status, ...sentences } = TROUBLES[trouble]
  const languages: readonly Language[] = language === null ? ['zh', 'en'] : [language]
  const body = languages.map((one) => `<p lang="${one}">${escaped(sentences[one])}</p>`).join('')
  const shown = languages[0] as Language
  return { status, page: page(shown, TEXTS[shown].title, body) }
}

function page(language: Language, title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>`
  return `<!DOCTYPE html><html lang="${language}"><head>${head}</head><body style="font-family:sans-serif;margin:1em;font-size:1.1em">${body}</body></html>`
}
