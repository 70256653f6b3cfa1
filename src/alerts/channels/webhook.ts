// A webhook after Standard Webhooks: the body of contract 6, signed over id, time and body. The id is the notification's, the
// same at every try, so a receiver knows a repeat; a further try after silence does no harm.

import { createHmac } from 'node:crypto'
import type { Secret } from '../../platform/secret.ts'
import { byStatus, refused } from './answers.ts'
import type { OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import type { WebhookSettings } from './settings.ts'

/** The three headers. `timestamp` in epoch seconds. */
export function webhookHeaders(secret: Secret, id: string, timestamp: number, body: string): Record<string, string> {
  const signature = createHmac('sha256', keyOf(secret.reveal())).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}

/** `whsec_` and base64, as the specification writes secrets; anything else is taken by its bytes. */
function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
}

export class Webhook extends OverHttp<WebhookSettings> {
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    if (URL.parse(message.to) === null) return refused('the address is not a URL', 'recipient')
    const body = JSON.stringify(message.body ?? bodyOf(message))
    const signed = webhookHeaders(this.settings.secret, message.id, Math.floor(this.ground.clock.now() / 1000), body)
    const headers = { ...signed, 'content-type': 'application/json' }
    return this.post({ url: message.to, headers, body, signal }, 'recipient', (answer, now) =>
      byStatus(answer, 'recipient', message.id, now)
    )
  }
}

/** Where nothing better was planned: a digest, a drill, a fault of our own. */
function bodyOf({ reason, text, title, drill }: OutgoingMessage): Readonly<Record<string, unknown>> {
  return { type: `notification.${reason}`, title, text, drill }
}
