// The page behind a one-time link: plain HTML for any phone, no script, nothing loaded from elsewhere.

import type { LinkState } from '../alerts/telling.ts'
import { withoutReminder } from '../alerts/wording.ts'
import type { NotificationWords } from '../model/notification.ts'

const TEXTS = {
  zh: {
    title: '报警确认',
    drill: '演练，不是真实报警',
    button: '收到，我来处理',
    used: '已经确认。',
    again: '这个链接已经用过,报警现在又未确认。请用最新一条消息确认,或登录控制台。',
    done: '已确认，谢谢。请按要求处置。',
    by: '确认人',
    unknown: '这个链接无效。请登录控制台查看报警。',
    expired: '这个链接已过期。请登录控制台查看报警。'
  },
  en: {
    title: 'Acknowledge an alarm',
    drill: 'DRILL, not a real alarm',
    button: 'I have it',
    used: 'It has been acknowledged.',
    again: 'This link has been used, and the alarm is not acknowledged now. Answer the newest message, or sign in to the console.',
    done: 'Acknowledged, thank you. Do what is asked.',
    by: 'Acknowledged by',
    unknown: 'This link is not valid. Sign in to the console to see the alarm.',
    expired: 'This link has ended. Sign in to the console to see the alarm.'
  }
} as const

/** `pressed`: the button was pressed just now. */
export function linkPage(link: LinkState, pressed: boolean): string {
  if (link.kind === 'unknown' || link.kind === 'expired') {
    return page('zh', TEXTS.zh.title, `<p>${TEXTS.zh[link.kind]}</p><p lang="en">${TEXTS.en[link.kind]}</p>`)
  }
  const { row, acknowledged } = link
  const language = row.language === 'en' ? 'en' : 'zh'
  const texts = TEXTS[language]
  const { what: told, where, howMuch, toDo, when } = JSON.parse(row.words) as NotificationWords
  const what = link.kind === 'used' ? withoutReminder(told) : told
  const lines = [where, howMuch, toDo, when].filter((line) => line !== '').map((line) => `<p>${escaped(line)}</p>`)
  const drill = row.drill === 1 ? `<p><strong>${texts.drill}</strong></p>` : ''
  const by = acknowledged === null ? '' : `<p>${texts.by} ${escaped(acknowledged.by)}</p>`
  const end =
    link.kind === 'open'
      ? `${by}<form method="post"><button type="submit" style="font-size:1.4em;padding:.8em 1em;width:100%">${texts.button}</button></form>`
      : `<p><strong>${row.drill === 0 && acknowledged === null ? texts.again : pressed ? texts.done : texts.used}</strong></p>${by}`
  return page(language, what, `${drill}<h1 style="font-size:1.3em">${escaped(what)}</h1>${lines.join('')}${end}`)
}

function page(language: 'zh' | 'en', title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>`
  return `<!DOCTYPE html><html lang="${language}"><head>${head}</head><body style="font-family:sans-serif;margin:1em;font-size:1.1em">${body}</body></html>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
