// The registry: which class serves which kind and provider.

import { LIMITS } from '../../platform/limits.ts'
import { secretsIn, withoutSecrets } from '../../platform/secret.ts'
import { plainText } from '../../store/text.ts'
import { AliyunSms, AliyunVoice } from './aliyun.ts'
import type { Channel, ChannelAnswer, ChannelReceipt, SendOutcome } from './channel.ts'
import { Email } from './email.ts'
import type { ChannelGround } from './ground.ts'
import { WebPush } from './push.ts'
import { Robot } from './robots.ts'
import type { ChannelSettings } from './settings.ts'
import { Smpp } from './smpp.ts'
import { TencentSms } from './tencent.ts'
import { TwilioSms } from './twilio.ts'
import { Webhook } from './webhook.ts'

/** One channel for each entry of the configuration, in its order: of several of one kind the first is tried first. */
export function channelsOf(settings: readonly ChannelSettings[], ground: ChannelGround): Channel[] {
  return settings.map((one) => tamed(channelOf(one, ground), secretsIn(one)))
}

/**
 * What a provider says is kept and shown, so whatever comes from it leaves here as text that every store takes, of bounded length,
 * and without our secrets: it may hold what it was sent.
 */
function tamed(channel: Channel, secrets: readonly string[]): Channel {
  const said = (text: string) => withoutSecrets(plainText(text.slice(0, LIMITS.channels.saidLength)), secrets)
  const name = <Given extends string | null>(given: Given) =>
    (given === null ? null : plainText(given.slice(0, LIMITS.channels.nameLength))) as Given
  const outcomeOf = (outcome: SendOutcome): SendOutcome =>
    outcome.kind === 'accepted'
      ? { ...outcome, providerId: name(outcome.providerId) }
      : { ...outcome, problem: withoutSecrets(plainText(outcome.problem), secrets) }
  const receiptOf = ({ providerId, state, problem }: ChannelReceipt): ChannelReceipt => ({
    ...{ providerId: name(providerId), state },
    problem: problem === null ? null : said(problem)
  })
  const answerOf = ({ from, text, providerId }: ChannelAnswer): ChannelAnswer => ({
    ...{ from: name(from), text: said(text) },
    providerId: name(providerId)
  })
  const send = channel.send.bind(channel)
  const start = channel.start.bind(channel)
  const callback = channel.callback?.bind(channel)
  channel.send = async (message, signal) => outcomeOf(await send(message, signal))
  channel.start = ({ receipt, answer }) => start({ receipt: (one) => receipt(receiptOf(one)), answer: (one) => answer(answerOf(one)) })
  if (callback !== undefined)
    channel.callback = (called, now) => {
      const outcome = callback(called, now)
      if (outcome.kind === 'refused') return outcome
      return { ...outcome, receipts: outcome.receipts.map(receiptOf), answers: outcome.answers.map(answerOf) }
    }
  return channel
}

function channelOf(settings: ChannelSettings, ground: ChannelGround): Channel {
  switch (settings.kind) {
    case 'sms':
      return smsOf(settings, ground)
    case 'voice':
      return new AliyunVoice(settings, ground)
    case 'webhook':
      return new Webhook(settings, ground)
    case 'dingtalk':
    case 'feishu':
    case 'wecom':
      return new Robot(settings, ground)
    case 'email':
      return new Email(settings, ground)
    case 'push':
      return new WebPush(settings, ground)
  }
}

function smsOf(settings: Extract<ChannelSettings, { kind: 'sms' }>, ground: ChannelGround): Channel {
  switch (settings.provider) {
    case 'aliyun':
      return new AliyunSms(settings, ground)
    case 'tencent':
      return new TencentSms(settings, ground)
    case 'twilio':
      return new TwilioSms(settings, ground)
    case 'smpp':
      return new Smpp(settings, ground)
  }
}
