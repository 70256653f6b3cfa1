// What somebody who answered by SMS is told: which alarm that acknowledged, and what to do where it acknowledged none.

import type { NotificationWords, PlannedNotification } from '../model/notification.ts'
import type { NotificationRow } from '../store/schema.ts'
import type { ReplyOutcome } from './replies.ts'
import { withoutReminder } from './wording.ts'
import { marked } from './wordingText.ts'

export interface AnswerBack {
  readonly id: string
  readonly at: number
  readonly outcome: ReplyOutcome
  /** The message that the answer was about, or the newest that its sender had. */
  readonly row: NotificationRow
  /** What the alarm is called, where the message is about several; else null. */
  readonly name: string | null
  /** Where the sender is known to be: never where an answer merely claims to come from. */
  readonly address: string | null
  /** Who had acknowledged it before; null: nobody. */
  readonly by: string | null
  /** Alarms that are still open besides. */
  readonly more: number
}

export function backId(answer: number, outcome: ReplyOutcome): string {
  return `answer~${answer}~${outcome}`
}

export function answerBack({ id, at, outcome, row, name, address, by, more }: AnswerBack): PlannedNotification {
  const language = row.language === 'en' ? 'en' : 'zh'
  const drill = outcome === 'drill'
  const words = JSON.parse(row.words) as NotificationWords
  const what = withoutReminder(words.what)
  const subject = name ?? `${words.where} ${what}`
  const said = language === 'zh' ? zh(outcome, subject, by, more) : en(outcome, subject, by, more)
  return {
    ...{
      id,
      at,
      reason: 'answer',
      alarms: [],
      tier: 'blue',
      site: row.site,
      enterprise: row.enterprise,
      ladder: '',
      rung: 0,
      occurrence: 1
    },
    ...{ person: row.person, channel: 'sms', address, language, withheld: null, drill },
    words: { where: words.where, what: said, howMuch: '', toDo: '', when: '' },
    text: marked(said, language, drill)
  }
}

function zh(outcome: ReplyOutcome, subject: string, by: string | null, more: number): string {
  switch (outcome) {
    case 'acknowledged':
      return `已确认:${subject}。${more === 0 ? '' : `还有${more}条未确认,再回复1确认下一条。`}`
    case 'drill':
      return `已确认演练,谢谢。${more === 0 ? '' : `另有${more}条真实报警未确认,再回复1确认。`}`
    case 'nothingOpen':
      return by === null
        ? '没有待您确认的报警。'
        : `${subject}已由${by}确认。${more === 0 ? '没有其他待您确认的报警。' : `还有${more}条未确认,再回复1确认下一条。`}`
    default:
      return '没有看懂这条回复,什么也没有确认。回复1确认报警。'
  }
}

function en(outcome: ReplyOutcome, subject: string, by: string | null, more: number): string {
  switch (outcome) {
    case 'acknowledged':
      return `Acknowledged: ${subject}.${more === 0 ? '' : ` ${more} more not acknowledged: reply 1 again for the next.`}`
    case 'drill':
      return `The drill is acknowledged, thank you.${more === 0 ? '' : ` ${more} real ${more === 1 ? 'alarm is' : 'alarms are'} not: reply 1 again.`}`
    case 'nothingOpen':
      return by === null
        ? 'There is no alarm for you to acknowledge.'
        : `${subject} was acknowledged by ${by}. ${more === 0 ? 'There is none besides.' : `${more} more not acknowledged: reply 1 again for the next.`}`
    default:
      return 'This reply was not understood, and nothing was acknowledged. Reply 1 to acknowledge.'
  }
}
