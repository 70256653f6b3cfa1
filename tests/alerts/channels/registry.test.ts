// The registry: each kind and provider of the configuration gets its channel, and a carrier of our own takes what each sends.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: vendors write their variables like this.

import { createECDH } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { Carrier } from '../../../simulators/carrier/carrier.ts'
import { channelsOf } from '../../../src/alerts/channels/channels.ts'
import { CHANNEL_SHAPES } from '../../../src/app/config/channelShapes.ts'
import { readChannels } from '../../../src/app/config/channels.ts'
import { Findings } from '../../../src/app/config/findings.ts'
import { SourceFile } from '../../../src/app/config/source.ts'
import { CHANNEL_KINDS } from '../../../src/model/notification.ts'
import { SystemClock } from '../../../src/platform/clock.ts'
import { ear, endpoint, GO_ON, groundOf, later, MESSAGE } from './yard.ts'

const keys = createECDH('prime256v1')
keys.generateKeys()

test('every kind and provider serves, from its lines in fenghuo.yaml to the ledger of the carrier', async () => {
  const clock = new SystemClock()
  const carrier = new Carrier({ clock })
  await carrier.start()
  later(() => carrier.stop())
  const { url, smppPort } = carrier
  const named = [{ code: 'SMS_1', text: '${where}发生${what}' }]
  const endpoint = url
  const written = [
    {
      id: 'smpp',
      kind: 'sms',
      provider: 'smpp',
      host: '127.0.0.1',
      port: smppPort,
      systemId: 'fenghuo',
      password: 'env:S',
      source: '1069'
    },
    {
      id: 'ali',
      kind: 'sms',
      provider: 'aliyun',
      accessKeyId: 'env:S',
      accessKeySecret: 'env:S',
      signName: '化工',
      templates: named,
      endpoint
    },
    {
      id: 'tencent',
      kind: 'sms',
      provider: 'tencent',
      secretId: 'env:S',
      secretKey: 'env:S',
      appId: '14',
      signName: '化工',
      endpoint,
      templates: [{ code: '1', text: '{1}发生{2}', variables: ['where', 'what'] }]
    },
    {
      id: 'twilio',
      kind: 'sms',
      provider: 'twilio',
      accountSid: `AC${'0'.repeat(32)}`,
      authToken: 'env:S',
      from: '+15005550006',
      endpoint
    },
    { id: 'voice', kind: 'voice', provider: 'aliyun', accessKeyId: 'env:S', accessKeySecret: 'env:S', templates: named, endpoint },
    { id: 'hook', kind: 'webhook', secret: 'env:S' },
    { id: 'ding', kind: 'dingtalk', url: 'env:DING', secret: 'env:S' },
    { id: 'feishu', kind: 'feishu', url: 'env:FEISHU' },
    { id: 'wecom', kind: 'wecom', url: 'env:WECOM' },
    { id: 'mail', kind: 'email', host: '127.0.0.1', tls: 'none', from: 'alarms@example.com' },
    { id: 'push', kind: 'push', publicKey: keys.getPublicKey('base64url'), privateKey: 'env:VAPID', subject: 'mailto:ops@example.com' }
  ]
  const env = {
    S: 's3cret',
    DING: `${url}/robot/send?access_token=t`,
    FEISHU: `${url}/open-apis/bot/v2/hook/t`,
    WECOM: `${url}/cgi-bin/webhook/send?key=t`,
    VAPID: keys.getPrivateKey('base64url')
  }
  const findings = new Findings(true)
  const settings = readChannels(written, new SourceFile('fenghuo.yaml', JSON.stringify({ channels: written }), {}, null), env, findings)
  expect(findings.problems).toEqual([])
  expect(settings.map(({ kind, provider }) => `${kind}/${provider}`).sort()).toEqual(Object.keys(CHANNEL_SHAPES).sort())
  expect(new Set(settings.map(({ kind }) => kind))).toEqual(new Set(CHANNEL_KINDS))
  expect(JSON.stringify(settings)).not.toContain('s3cret')

  const channels = channelsOf(settings, groundOf({ clock }))
  expect(channels.map(({ id, kind }) => [id, kind])).toEqual(written.map(({ id, kind }) => [id, kind]))
  const heard = ear()
  for (const channel of channels) {
    await channel.start(heard)
    later(() => channel.stop())
  }
  await vi.waitFor(() => expect(channels[0]?.problem).toBeNull())
  const outcomes: Record<string, string> = {}
  for (const { id, kind, send } of channels.map((channel) => ({ id: channel.id, kind: channel.kind, send: channel.send.bind(channel) })))
    outcomes[id] = (await send({ ...MESSAGE, to: kind === 'webhook' ? `${url}/webhook` : MESSAGE.to }, GO_ON)).kind
  const { mail: _, push: __, ...others } = outcomes
  expect(new Set(Object.values(others))).toEqual(new Set(['accepted']))
  expect(carrier.ledger.map(({ way }) => way).sort()).toEqual(
    ['aliyun', 'aliyun', 'dingtalk', 'feishu', 'smpp', 'tencent', 'twilio', 'webhook', 'wecom'].sort()
  )
  const known = carrier.ledger.filter(({ way }) => ['aliyun', 'tencent', 'webhook'].includes(way)).map(({ reference }) => reference)
  expect(new Set(known)).toEqual(new Set([MESSAGE.id]))
})

test('what a provider says is text that every store takes, of bounded length, without our secrets', async () => {
  const server = await endpoint()
  const line = { id: 'ali', kind: 'sms', provider: 'aliyun', accessKeyId: 'env:S', accessKeySecret: 'env:S', signName: '化工' }
  const written = [{ ...line, endpoint: server.url, callbackSecret: 'env:CB', templates: [{ code: 'SMS_1', text: '${where}发生${what}' }] }]
  const file = new SourceFile('fenghuo.yaml', JSON.stringify({ channels: written }), {}, null)
  const settings = readChannels(written, file, { S: 's3cret-of-ours', CB: 'path' }, new Findings(true))
  const [channel] = channelsOf(settings, groundOf())
  const strange = `a\0b\ud800${'c'.repeat(70_000)}`
  const kept = `a\ufffdb\ufffd${'c'.repeat(251)}`
  server.answer = { status: 200, body: JSON.stringify({ Code: 'OK', BizId: strange.slice(0, 60_000) }) }
  expect(await channel?.send(MESSAGE, GO_ON)).toEqual({ kind: 'accepted', providerId: kept })
  const entries = [
    { biz_id: strange, success: false, err_code: 's3cret-of-ours', err_msg: strange },
    { phone_number: strange, content: strange, sequence_id: strange }
  ]
  const callback = { method: 'POST', url: '/path', headers: {}, body: Buffer.from(JSON.stringify(entries)) }
  const outcome = channel?.callback?.(callback, 0)
  expect(outcome).toMatchObject({
    receipts: [{ providerId: kept, problem: expect.stringMatching(/^not delivered: \[secret\] a\ufffdb\ufffdc+$/) }],
    answers: [{ from: kept, providerId: kept, text: expect.stringMatching(/^a\ufffdb\ufffdc+$/) }]
  })
  expect(JSON.stringify(outcome).length).toBeLessThan(2_500)
})
