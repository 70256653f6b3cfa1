// The registry: which class serves which kind and provider.

import { secretsIn, withoutSecrets } from '../../platform/secret.ts'
import { AliyunSms, AliyunVoice } from './aliyun.ts'
import type { Channel } from './channel.ts'
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
  return settings.map((one) => discreet(channelOf(one, ground), secretsIn(one)))
}

/** What a provider says may hold what it was sent: it is kept and shown, so its secrets are taken out first. */
function discreet(channel: Channel, secrets: readonly string[]): Channel {
  const send = channel.send.bind(channel)
  channel.send = async (message, signal) => {
    const outcome = await send(message, signal)
    return 'problem' in outcome ? { ...outcome, problem: withoutSecrets(outcome.problem, secrets) } : outcome
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
