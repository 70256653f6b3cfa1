// Web push to the console: encrypted for the browser (RFC 8291), signed for its push service (VAPID, RFC 8292), sent by our own
// guarded way out, since a subscription's address comes from outside. A further try replaces what the first one left waiting.

import { createHash } from 'node:crypto'
import webPush, { type PushSubscription } from 'web-push'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import { byStatus, objectIn, refused } from './answers.ts'
import type { OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import type { PushSettings } from './settings.ts'
import { cutBytes } from './texts.ts'

/** A push that could not be handed to the browser for this long has been overtaken by other ways. */
const TTL_SECONDS = 3600

export class WebPush extends OverHttp<PushSettings> {
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const subscription = subscriptionIn(message.to)
    if (subscription === null) return refused('the address is not a push subscription', 'recipient')
    let details: ReturnType<typeof webPush.generateRequestDetails>
    try {
      details = this.#details(subscription, message)
    } catch (thrown) {
      // Keys of the wrong length or not on the curve: as the subscription came.
      return refused(`the push subscription cannot be used: ${messageOf(thrown)}`, 'recipient')
    }
    const headers = Object.fromEntries(Object.entries(details.headers).map(([name, value]) => [name, String(value)]))
    return this.post({ url: subscription.endpoint, headers, body: details.body, signal }, 'recipient', (answer, now) =>
      answer.status === 404 || answer.status === 410
        ? refused('the browser no longer takes pushes: the subscription has ended', 'recipient')
        : byStatus(answer, 'recipient', answer.headers.location ?? null, now)
    )
  }

  #details(subscription: PushSubscription, message: OutgoingMessage): ReturnType<typeof webPush.generateRequestDetails> {
    const { subject, publicKey, privateKey } = this.settings
    const { id, title, tier, reason, drill, ackUrl } = message
    const content = { id, title, text: cutBytes(message.text, LIMITS.channels.pushBytes / 2), tier, reason, drill, url: ackUrl }
    return webPush.generateRequestDetails(subscription, JSON.stringify(content), {
      vapidDetails: { subject, publicKey, privateKey: privateKey.reveal() },
      TTL: TTL_SECONDS,
      urgency: tier === 'red' || tier === 'orange' ? 'high' : 'normal',
      // A message of the same topic that still waits is replaced: trying again does not double it.
      topic: createHash('sha256').update(id).digest('base64url').slice(0, 32),
      contentEncoding: 'aes128gcm'
    })
  }
}

function subscriptionIn(address: string): PushSubscription | null {
  const value = objectIn(address)
  const { endpoint, keys } = (value ?? {}) as { endpoint?: unknown; keys?: { p256dh?: unknown; auth?: unknown } | null }
  if (typeof endpoint !== 'string' || typeof keys?.p256dh !== 'string' || typeof keys.auth !== 'string') return null
  return URL.parse(endpoint) === null ? null : { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }
}
