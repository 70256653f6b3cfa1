// E-mail over SMTP: plain text with a simple HTML twin. The Message-ID comes from the notification's id, so mail systems know a
// repeat; Auto-Submitted keeps absence notes from answering.

import { createHash } from 'node:crypto'
import { createTransport } from 'nodemailer'
import type { Logger } from 'nodemailer/lib/shared'
import type SMTPTransport from 'nodemailer/lib/smtp-transport'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import { doubtful, failed, refused } from './answers.ts'
import type { Channel, OutgoingMessage, SendOutcome } from './channel.ts'
import type { ChannelGround } from './ground.ts'
import type { EmailSettings } from './settings.ts'
import { textWithAnswers } from './texts.ts'

/** One address and nothing else: no list, no name, no line break. */
const ADDRESS = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/

export class Email implements Channel {
  readonly id: string
  readonly kind = 'email'
  readonly perSecond: number | null
  readonly receipts = false
  readonly problem = null
  readonly #settings: EmailSettings
  readonly #ground: ChannelGround

  constructor(settings: EmailSettings, ground: ChannelGround) {
    this.id = settings.id
    this.perSecond = settings.perSecond
    this.#settings = settings
    this.#ground = ground
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    if (!ADDRESS.test(message.to)) return refused('the address is not one e-mail address', 'recipient')
    if (signal.aborted) return failed('it was given up before it was sent')
    const progress = { handedOver: false }
    const late = Promise.withResolvers<SendOutcome>()
    const giveUp = (): void => late.resolve(unanswered('it was given up before the mail server answered', progress))
    const timer = this.#ground.clock.after(LIMITS.channels.mailMs, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    // One for each message: a connection of its own, whose end is this message's alone.
    const transport = createTransport({ ...transportOptions(this.#settings, this.#ground.ca), logger: watching(progress) })
    const sending = transport.sendMail(this.#mail(message)).then(
      ({ messageId }): SendOutcome => ({ kind: 'accepted', providerId: messageId ?? null }),
      (thrown: unknown) => outcomeOf(thrown, progress)
    )
    try {
      return await Promise.race([sending, late.promise])
    } finally {
      transport.close()
      timer.cancel()
      signal.removeEventListener('abort', giveUp)
    }
  }

  #mail(message: OutgoingMessage): SMTPTransport.MailOptions {
    const text = textWithAnswers(message, false)
    const { from } = this.#settings
    const domain = /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? 'fenghuo.invalid'
    return {
      from,
      to: { name: '', address: message.to },
      subject: message.title.replaceAll(/\s+/g, ' '),
      text,
      html: `<!doctype html><html lang="${message.language}"><body>${htmlOf(message, text)}</body></html>`,
      messageId: `<${createHash('sha256').update(message.id).digest('hex').slice(0, 32)}@${domain}>`,
      date: new Date(this.#ground.clock.now()),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      disableFileAccess: true,
      disableUrlAccess: true
    }
  }
}

function transportOptions(settings: EmailSettings, ca: string | null): SMTPTransport.Options {
  const { host, port, tls, user, password } = settings
  const { connectMs } = LIMITS.outgoing
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: LIMITS.channels.mailMs,
    tls: { ...(ca === null ? {} : { ca }), minVersion: 'TLSv1.2' },
    ...(user === null ? {} : { auth: { user, pass: password?.reveal() ?? '' } })
  }
}

interface Progress {
  /** The last byte of the content has left. */
  handedOver: boolean
}

/** The mailer tells its log alone how far it has come. Nothing of it is written anywhere. */
function watching(progress: Progress): Logger {
  const note = (entry: unknown): void => {
    if ((entry as { tnx?: unknown } | null)?.tnx === 'message') progress.handedOver = true
  }
  return { trace: note, debug: note, info: note, warn: note, error: note, fatal: note }
}

/** Without its last byte no server delivers a message; after it, silence leaves open whether it does. */
function unanswered(sentence: string, { handedOver }: Progress): SendOutcome {
  return handedOver ? doubtful(sentence) : failed(sentence)
}

function outcomeOf(thrown: unknown, progress: Progress): SendOutcome {
  const { responseCode, code, command } = thrown as { responseCode?: number; code?: string; command?: string }
  const sentence = messageOf(thrown).replaceAll(/\s+/g, ' ').slice(0, LIMITS.channels.excerptLength)
  if (code === 'EAUTH') return refused(`the mail server does not let us in: ${sentence}`, 'provider')
  if (responseCode !== undefined && responseCode >= 500) {
    // 5.7.x at the recipient is the server's policy: it does not relay for us.
    const recipient = command === 'RCPT TO' && !/\b5\.7\./.test(sentence)
    return refused(`the mail server refused it: ${sentence}`, recipient ? 'recipient' : 'provider')
  }
  if (responseCode !== undefined) return failed(`the mail server does not take it now: ${sentence}`)
  return unanswered(`the mail server gave no answer: ${sentence}`, progress)
}

function htmlOf({ ackUrl, language }: OutgoingMessage, text: string): string {
  const body = text.split('\n').map((line) => `<p>${escaped(line)}</p>`)
  if (ackUrl !== null) {
    body.pop()
    body.push(`<p><a href="${escaped(ackUrl)}">${language === 'zh' ? '确认' : 'Acknowledge'}</a></p>`)
  }
  return body.join('')
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] as string)
}
