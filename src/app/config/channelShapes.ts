// The shapes of fenghuo.yaml's `channels` and `outgoing`: one per kind and provider. Secrets are written as env:NAME only, so that
// no file holds one.

import { z } from 'zod'
import { isHostEntry } from '../../alerts/channels/privateHosts.ts'
import { TEMPLATE_WORDS } from '../../alerts/channels/settings.ts'
import { NOTIFICATION_REASONS } from '../../model/notification.ts'
import { parseDuration } from '../../platform/duration.ts'

const MUST_BE_ID = 'must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
const MUST_BE_SECRET = 'must be env:NAME, naming the environment variable that holds it'
const MUST_BE_HTTPS = 'must be an address such as https://host'
const MUST_BE_RATE = 'must be a number of messages per second above 0'

const text = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })
const secret = z.string({ error: MUST_BE_SECRET }).regex(/^env:[A-Za-z_][A-Za-z0-9_]*$/, { error: MUST_BE_SECRET })
const origin = z.string({ error: MUST_BE_HTTPS }).regex(/^https?:\/\/[^\s/?#@]+\/?$/, { error: MUST_BE_HTTPS })
const flag = z.boolean({ error: 'must be true or false' })
const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}
const oneOf = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  z.enum(words, { error: `must be ${words.slice(0, -1).join(', ')}${words.length > 1 ? ' or ' : ''}${words.at(-1)}` })
const duration = z
  .string({ error: 'must be a duration with a unit, such as 30s' })
  .refine((value) => (parseDuration(value) ?? 0) >= 1_000, { error: 'must be a duration with a unit of at least 1s, such as 30s' })
const word = oneOf(...TEMPLATE_WORDS)

const common = {
  id: z.string({ error: MUST_BE_ID }).regex(/^[A-Za-z0-9._-]{1,64}$/, { error: MUST_BE_ID }),
  perSecond: z.number({ error: MUST_BE_RATE }).gt(0, { error: MUST_BE_RATE }).optional().describe('Sends per second, at most.')
}

const templateCommon = {
  code: text.describe("The vendor's id of the approved template."),
  language: oneOf('zh', 'en').default('zh'),
  reasons: z
    .array(oneOf(...NOTIFICATION_REASONS), { error: 'must be a list of reasons' })
    .min(1, { error: 'must name at least one reason' })
    .optional()
    .describe('What it serves; left out: everything that no other template serves.')
}
const listOfTemplates = <Shape extends z.ZodType>(shape: Shape) =>
  z.array(shape, { error: 'must be a list of templates' }).min(1, { error: 'must hold at least one template' })

export const namedTemplateShape = z.strictObject({
  ...templateCommon,
  text: text.describe('As the vendor approved it, its variables in place: checked against `variables`.'),
  variables: z.record(z.string(), word, { error: 'must be a mapping of variables to words' }).optional()
})

export const countedTemplateShape = z.strictObject({
  ...templateCommon,
  text: text.describe('As the vendor approved it, with {1}, {2}, …: checked against `variables`.'),
  variables: z.array(word, { error: 'must be a list of words' })
})

const templated = {
  variableLength: whole(1, 1000).default(35).describe('Longest value of a variable; longer ones are cut.'),
  callbackSecret: secret.optional().describe('Last step of the path by which the vendor calls back; without it there are no receipts.')
}
const aliyunKeys = { accessKeyId: secret, accessKeySecret: secret }

const smsAliyun = z.strictObject({
  ...common,
  kind: z.literal('sms'),
  provider: z.literal('aliyun'),
  ...aliyunKeys,
  endpoint: origin.default('https://dysmsapi.aliyuncs.com'),
  signName: text,
  templates: listOfTemplates(namedTemplateShape),
  ...templated
})

const voiceAliyun = z.strictObject({
  ...common,
  kind: z.literal('voice'),
  provider: z.literal('aliyun'),
  ...aliyunKeys,
  endpoint: origin.default('https://dyvmsapi.aliyuncs.com'),
  showNumber: text.optional().describe("The number that is shown; left out: one of the vendor's common pool."),
  playTimes: whole(1, 3).default(2),
  templates: listOfTemplates(namedTemplateShape),
  ...templated
})

const smsTencent = z.strictObject({
  ...common,
  kind: z.literal('sms'),
  provider: z.literal('tencent'),
  secretId: secret,
  secretKey: secret,
  appId: text.describe('SmsSdkAppId.'),
  signName: text,
  region: text.default('ap-guangzhou'),
  endpoint: origin.default('https://sms.tencentcloudapi.com'),
  templates: listOfTemplates(countedTemplateShape),
  ...templated
})

const smsTwilio = z.strictObject({
  ...common,
  kind: z.literal('sms'),
  provider: z.literal('twilio'),
  accountSid: z.string().regex(/^AC[0-9a-f]{32}$/i, { error: 'must be an account sid: AC and 32 hexadecimal digits' }),
  authToken: secret,
  from: z
    .string({ error: 'must be a number such as "+15005550006", or the sid of a messaging service (MG…)' })
    .regex(/^(\+[1-9]\d{5,14}|MG[0-9a-f]{32})$/i, {
      error: 'must be a number such as "+15005550006", or the sid of a messaging service (MG…)'
    }),
  endpoint: origin.default('https://api.twilio.com'),
  callbackUrl: z
    .string({ error: MUST_BE_HTTPS })
    .regex(/^https:\/\/[^\s?#]+$/, { error: 'must be an https address without a query' })
    .optional()
    .describe('Our own address for its receipts and replies, as Twilio reaches it: https://…/api/v1/callbacks/<channel id>/twilio.'),
  maxLength: whole(70, 1600).default(500)
})

const smsSmpp = z.strictObject({
  ...common,
  kind: z.literal('sms'),
  provider: z.literal('smpp'),
  host: text,
  port: whole(1, 65535).default(2775),
  tls: flag.default(false),
  systemId: text.max(15, { error: 'must have at most 15 characters' }),
  password: secret,
  systemType: z.string({ error: 'must be text' }).max(12, { error: 'must have at most 12 characters' }).default(''),
  source: text.max(20, { error: 'must have at most 20 characters' }).describe('The number or name it comes from.'),
  numbers: oneOf('digits', 'national').default('digits').describe('digits: 8613800000000; national: 13800000000 within countryCode.'),
  countryCode: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, { error: 'must be a country code in quotes, such as "86"' })
    .default('86'),
  window: whole(1, 1000).default(10).describe('Submits on their way, at most.'),
  referenceBits: z.union([z.literal(8), z.literal(16)], { error: 'must be 8 or 16' }).default(16),
  receiptIds: oneOf('auto', 'same', 'decimal', 'hex')
    .default('auto')
    .describe('How ids in receipts are spelled, against those in answers.'),
  maxParts: whole(1, 20).default(6),
  enquireLink: duration.default('30s'),
  answers: flag.default(true).describe('People can reply to acknowledge; texts then say so.')
})

const webhook = z.strictObject({
  ...common,
  kind: z.literal('webhook'),
  provider: z.literal('standard').default('standard'),
  secret: secret.describe('whsec_ and base64, after Standard Webhooks.')
})

const robot = <Kind extends 'dingtalk' | 'feishu' | 'wecom'>(kind: Kind) =>
  z.strictObject({
    ...common,
    kind: z.literal(kind),
    provider: z.literal('robot').default('robot'),
    url: secret.describe("The robot's address: whoever knows it can post."),
    ...(kind === 'wecom' ? {} : { secret: secret.optional().describe('Signing secret, where signing is on.') })
  })

const email = z.strictObject({
  ...common,
  kind: z.literal('email'),
  provider: z.literal('smtp').default('smtp'),
  host: text,
  port: whole(1, 65535).optional().describe('Default 587; 465 with implicit TLS, 25 without TLS.'),
  tls: oneOf('starttls', 'implicit', 'none').default('starttls'),
  user: text.optional(),
  password: secret.optional(),
  from: z
    .string({ error: 'must be an address such as alarms@example.com' })
    .regex(/^([^<>@\r\n]*<)?[^\s@<>]+@[^\s@<>]+>?$/, { error: 'must be an address such as "Fenghuo <alarms@example.com>"' })
})

const push = z.strictObject({
  ...common,
  kind: z.literal('push'),
  provider: z.literal('vapid').default('vapid'),
  publicKey: z.string().regex(/^[\w-]{87}$/, { error: 'must be a VAPID public key: 87 characters of base64url' }),
  privateKey: secret,
  subject: z.string().regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, { error: 'must be a mailto: or https: address' })
})

/** By kind and provider; the first of a kind is meant where no provider is written. */
export const CHANNEL_SHAPES = {
  'sms/aliyun': smsAliyun,
  'sms/tencent': smsTencent,
  'sms/smpp': smsSmpp,
  'sms/twilio': smsTwilio,
  'voice/aliyun': voiceAliyun,
  'webhook/standard': webhook,
  'dingtalk/robot': robot('dingtalk'),
  'feishu/robot': robot('feishu'),
  'wecom/robot': robot('wecom'),
  'email/smtp': email,
  'push/vapid': push
} as const

const MUST_BE_HOST = 'must be a host name, an address or a network such as 10.1.0.0/16'

export const outgoingShape = z.strictObject({
  allowPrivate: z
    .array(z.string({ error: MUST_BE_HOST }).refine(isHostEntry, { error: MUST_BE_HOST }), { error: 'must be a list' })
    .default([])
    .describe('Hosts and networks of the plant that webhooks and providers may reach although they are private, also without TLS.'),
  ca: text.optional().describe('A file of certificates (PEM) to be trusted beside those of the system; seen from this file.')
})

/** For editors: what may stand in `channels`. */
export const channelListShape = z.array(z.union(Object.values(CHANNEL_SHAPES) as unknown as [z.ZodType, z.ZodType, ...z.ZodType[]]))
