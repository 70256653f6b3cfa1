// What each way of reaching a person has to be told: the shape that fenghuo.yaml's `channels` come to once checked.
// Secrets are Secret, so that no log, export or error can carry them.

import type { NotificationReason } from '../../model/notification.ts'
import type { Secret } from '../../platform/secret.ts'

/** What a vendor's template can be filled with: the words of the notification, its title and text, or the end of the link to acknowledge by. */
export const TEMPLATE_WORDS = ['where', 'what', 'howMuch', 'toDo', 'when', 'title', 'text', 'ackCode'] as const
export type TemplateWord = (typeof TEMPLATE_WORDS)[number]

/** A text that a vendor has approved beforehand; only its variables are ours. */
export interface VendorTemplate {
  /** The vendor's id of it. */
  readonly code: string
  readonly language: 'zh' | 'en'
  /** The reasons it serves; null: every reason that no other template serves. */
  readonly reasons: readonly NotificationReason[] | null
  /** In the order of the text. Tencent counts them, Aliyun names them. */
  readonly variables: readonly { readonly name: string; readonly word: TemplateWord }[]
}

interface Common {
  readonly id: string
  /** Sends per second, at most. */
  readonly perSecond: number | null
}

export interface AliyunCredentials {
  readonly accessKeyId: Secret
  readonly accessKeySecret: Secret
  /** Origin of the API. */
  readonly endpoint: string
}

interface Templated {
  readonly templates: readonly VendorTemplate[]
  /** Longest value of a variable, in characters; longer ones are cut. */
  readonly variableLength: number
  /** The last step of the callback's path; null: callbacks are refused. */
  readonly callbackSecret: Secret | null
}

export interface AliyunSmsSettings extends Common, AliyunCredentials, Templated {
  readonly kind: 'sms'
  readonly provider: 'aliyun'
  readonly signName: string
}

export interface AliyunVoiceSettings extends Common, AliyunCredentials, Templated {
  readonly kind: 'voice'
  readonly provider: 'aliyun'
  /** The number that is shown; null: of the vendor's common pool. */
  readonly showNumber: string | null
  readonly playTimes: number
}

export interface TencentSmsSettings extends Common, Templated {
  readonly kind: 'sms'
  readonly provider: 'tencent'
  readonly secretId: Secret
  readonly secretKey: Secret
  readonly appId: string
  readonly signName: string
  readonly region: string
  readonly endpoint: string
}

export interface TwilioSmsSettings extends Common {
  readonly kind: 'sms'
  readonly provider: 'twilio'
  readonly accountSid: string
  readonly authToken: Secret
  /** A number, or the sid of a messaging service (MG…). */
  readonly from: string
  readonly endpoint: string
  /** Our address as Twilio calls it, without the query; null: no receipts, no answers. */
  readonly callbackUrl: string | null
  /** Longest text in characters. */
  readonly maxLength: number
}

export interface SmppSettings extends Common {
  readonly kind: 'sms'
  readonly provider: 'smpp'
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly systemId: string
  readonly password: Secret
  readonly systemType: string
  /** Our own number or name. */
  readonly source: string
  /** digits: 8613800000000; national: 13800000000 for numbers of `countryCode`. */
  readonly numbers: 'digits' | 'national'
  readonly countryCode: string
  /** Submits on their way at most. */
  readonly window: number
  /** Width of the reference that joins the parts of a long text. */
  readonly referenceBits: 8 | 16
  /** How the ids in receipts relate to those in answers to a submit. */
  readonly receiptIds: 'auto' | 'same' | 'decimal' | 'hex'
  readonly maxParts: number
  readonly enquireLinkMs: number
  /** Whether people can reply: the text then says so. */
  readonly answers: boolean
}

export interface WebhookSettings extends Common {
  readonly kind: 'webhook'
  readonly provider: 'standard'
  /** `whsec_` and base64, or any text. */
  readonly secret: Secret
}

export interface RobotSettings extends Common {
  readonly kind: 'dingtalk' | 'feishu' | 'wecom'
  readonly provider: 'robot'
  /** The robot's address with its token: whoever knows it can post. */
  readonly url: Secret
  /** Signing secret; null: the robot is guarded by its address, key words or the sender's address alone. */
  readonly secret: Secret | null
}

export interface EmailSettings extends Common {
  readonly kind: 'email'
  readonly provider: 'smtp'
  readonly host: string
  readonly port: number
  /** starttls: refused where the server offers none. none: for a relay on this machine or in the plant's own network. */
  readonly tls: 'starttls' | 'implicit' | 'none'
  readonly user: string | null
  readonly password: Secret | null
  /** `Fenghuo <alarms@example.com>`. */
  readonly from: string
}

export interface PushSettings extends Common {
  readonly kind: 'push'
  readonly provider: 'vapid'
  readonly publicKey: string
  readonly privateKey: Secret
  /** mailto: or https: address by which a push service reaches whoever runs this. */
  readonly subject: string
}

export type ChannelSettings =
  | AliyunSmsSettings
  | AliyunVoiceSettings
  | TencentSmsSettings
  | TwilioSmsSettings
  | SmppSettings
  | WebhookSettings
  | RobotSettings
  | EmailSettings
  | PushSettings
