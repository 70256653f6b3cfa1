// Aliyun SMS and voice: the signature against the documentation's own example and against what Aliyun's SDK sends to the same
// server; codes inside a 200; receipts and replies as they are pushed.

import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { AliyunSms, AliyunVoice, acs3Headers } from '../../../src/alerts/channels/aliyun.ts'
import type { AliyunSmsSettings, AliyunVoiceSettings } from '../../../src/alerts/channels/settings.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { acs3Holds } from './signatures.ts'
import { endpoint, GO_ON, groundOf, MESSAGE } from './yard.ts'

const require = createRequire(import.meta.url)

const settings = (url: string): AliyunSmsSettings => ({
  id: 'sms-aliyun',
  kind: 'sms',
  provider: 'aliyun',
  perSecond: null,
  accessKeyId: new Secret('LTAItest'),
  accessKeySecret: new Secret('aliyun-secret'),
  endpoint: url,
  signName: '大榭化工',
  templates: [
    {
      code: 'SMS_1',
      language: 'zh',
      reasons: null,
      variables: [
        { name: 'site', word: 'where' },
        { name: 'event', word: 'what' },
        { name: 'action', word: 'toDo' }
      ]
    },
    { code: 'SMS_2', language: 'zh', reasons: ['cleared'], variables: [{ name: 'site', word: 'where' }] }
  ],
  variableLength: 12,
  callbackSecret: new Secret('path secret')
})

const voice = (url: string): AliyunVoiceSettings => {
  const { signName: _, ...rest } = settings(url)
  return { ...rest, id: 'voice-aliyun', kind: 'voice', showNumber: null, playTimes: 2 }
}

test('the signature of the documentation', () => {
  const headers = acs3Headers(
    {
      method: 'POST',
      host: 'ecs.cn-shanghai.aliyuncs.com',
      query: { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' },
      action: 'RunInstances',
      version: '2014-05-26',
      date: '2023-10-26T10:22:32Z',
      nonce: '3156853299f313e23d1673dc12e1703d',
      body: ''
    },
    'YourAccessKeyId',
    'YourAccessKeySecret'
  )
  expect(headers.authorization).toBe(
    'ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0'
  )
})

test("the vendor's SDK and our request say the same to the same server, both rightly signed", async () => {
  const server = await endpoint()
  server.answer = { status: 200, body: '{"Code":"OK","Message":"OK","BizId":"900619746936498440^0","RequestId":"F655A8D5"}' }
  const { default: Client, SendSmsRequest } = require('@alicloud/dysmsapi20170525')
  const { Config } = require('@alicloud/openapi-client')
  const client = new Client(
    new Config({ accessKeyId: 'LTAItest', accessKeySecret: 'aliyun-secret', endpoint: new URL(server.url).host, protocol: 'HTTP' })
  )
  const templateParam = JSON.stringify({ site: 'A 罐区 T-101', event: '储罐液位 红色', action: '立即停止进料' })
  await client.sendSms(
    new SendSmsRequest({ phoneNumbers: '13800000001', signName: '大榭化工', templateCode: 'SMS_1', templateParam, outId: MESSAGE.id })
  )
  const channel = new AliyunSms(settings(server.url), groundOf())
  expect(await channel.send(MESSAGE, GO_ON)).toEqual({ kind: 'accepted', providerId: '900619746936498440^0' })
  const [theirs, ours] = server.arrived
  if (theirs === undefined || ours === undefined) throw new Error('two requests must have arrived')
  expect([acs3Holds(theirs, 'aliyun-secret'), acs3Holds(ours, 'aliyun-secret')]).toEqual([true, true])
  expect([acs3Holds(theirs, 'other'), acs3Holds(ours, 'other')]).toEqual([false, false])
  const said = ({ path, method, headers }: typeof ours) => ({
    method,
    resource: path.split('?')[0],
    query: Object.fromEntries(new URLSearchParams(path.split('?')[1])),
    action: headers['x-acs-action'],
    version: headers['x-acs-version']
  })
  expect(said(ours)).toEqual(said(theirs))
})

test('a call says the same words; a value that is too long is cut, a drill is marked', async () => {
  const server = await endpoint()
  server.answer = { status: 200, body: '{"Code":"OK","CallId":"116012354148^103806487148"}' }
  const channel = new AliyunVoice(voice(server.url), groundOf())
  const message = {
    ...MESSAGE,
    to: '010-12345678',
    drill: true,
    words: { ...MESSAGE.words, toDo: '立即停止进料并派人到现场确认液位与阀门位置' }
  }
  expect(await channel.send(message, GO_ON)).toEqual({ kind: 'accepted', providerId: '116012354148^103806487148' })
  const query = new URLSearchParams(server.arrived[0]?.path.split('?')[1])
  expect(Object.fromEntries(query)).toEqual({
    CalledNumber: '01012345678',
    TtsCode: 'SMS_1',
    TtsParam: JSON.stringify({ site: 'A 罐区 T-101', event: '演练 储罐液位 红色', action: '立即停止进料并派人到现…' }),
    PlayTimes: '2',
    OutId: expect.stringMatching(/^[\w.:/#@-]{1,64}$/)
  })
})

test.each([
  [
    200,
    '{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发分钟级流控"}',
    { kind: 'failed', problem: 'it answered isv.BUSINESS_LIMIT_CONTROL (触发分钟级流控)', retryAfterMs: 10_000 }
  ],
  [
    200,
    '{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"号码不合法"}',
    { kind: 'refused', about: 'recipient', problem: 'it answered isv.MOBILE_NUMBER_ILLEGAL (号码不合法)' }
  ],
  [200, '{"Code":"isv.DAY_LIMIT_CONTROL"}', { kind: 'refused', about: 'provider', problem: 'it answered isv.DAY_LIMIT_CONTROL' }],
  [200, '{"Code":"isv.AMOUNT_NOT_ENOUGH"}', { kind: 'refused', about: 'provider', problem: 'it answered isv.AMOUNT_NOT_ENOUGH' }],
  [200, '{"Code":"isp.SYSTEM_ERROR"}', { kind: 'failed', problem: 'it answered isp.SYSTEM_ERROR', retryAfterMs: null }],
  [400, '{"Code":"Throttling.User"}', { kind: 'failed', problem: 'it answered Throttling.User', retryAfterMs: 10_000 }],
  [
    404,
    '{"Code":"InvalidAccessKeyId.NotFound"}',
    { kind: 'refused', about: 'provider', problem: 'it answered InvalidAccessKeyId.NotFound' }
  ],
  [500, 'oops', { kind: 'failed', problem: 'it answered 500 (oops)', retryAfterMs: null }],
  [504, '', { kind: 'doubtful', problem: 'it answered 504 with something that cannot be read' }],
  [200, '<html>\n\u001b[2J', { kind: 'doubtful', problem: 'it answered 200 with something that cannot be read (<html> [2J)' }],
  [200, '{"Hello":1}', { kind: 'doubtful', problem: 'it answered 200 with something that cannot be read ({"Hello":1})' }]
])('%i %s', async (status, body, outcome) => {
  const server = await endpoint()
  server.answer = { status, body }
  expect(await new AliyunSms(settings(server.url), groundOf()).send(MESSAGE, GO_ON)).toEqual(outcome)
})

const pushed = (body: unknown, url = '/api/v1/callbacks/sms-aliyun/path%20secret') => ({
  method: 'POST',
  url,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
})

test('receipts and replies are pushed in batches, proven by the secret in their path', () => {
  const channel = new AliyunSms(settings('http://x'), groundOf())
  const report = { phone_number: '13800000001', send_time: '2017-01-01 00:00:00', sms_size: '1', out_id: '67890' }
  const batch = [
    { ...report, biz_id: '12345^0', success: true, err_code: 'DELIVERED', err_msg: '用户接收成功' },
    { ...report, biz_id: '12346^0', success: false, err_code: 'MK:0001', err_msg: '空号' },
    { phone_number: '13800000001', content: '1', sequence_id: '9', dest_code: '1069', sign_name: '大榭化工' },
    'nonsense',
    {}
  ]
  expect(channel.callback(pushed(batch))).toEqual({
    kind: 'taken',
    receipts: [
      { providerId: '12345^0', state: 'delivered', problem: null },
      { providerId: '12346^0', state: 'failed', problem: 'not delivered: MK:0001 空号' }
    ],
    answers: [{ from: '+8613800000001', text: '1', providerId: '9' }],
    reply: { contentType: 'application/json', body: '{"code":0,"msg":"OK"}' }
  })
  expect(channel.callback(pushed('not json'))).toMatchObject({ kind: 'taken', receipts: [], answers: [] })
  for (const url of ['/api/v1/callbacks/sms-aliyun/wrong', '/api/v1/callbacks/sms-aliyun/', '/api/v1/callbacks/sms-aliyun/%E0%A4%A', ''])
    expect(channel.callback(pushed(batch, url)).kind).toBe('refused')
  const open = new AliyunSms({ ...settings('http://x'), callbackSecret: null }, groundOf())
  expect([open.receipts, open.callback(pushed(batch)).kind]).toEqual([false, 'refused'])
})

test('a call that was heard to its end is delivered, one that was not failed; a key pressed is an answer', () => {
  const channel = new AliyunVoice(voice('http://x'), groundOf())
  const batch = [
    { call_id: '1^1', status_code: '200000', status_msg: '用户听完', duration: '11', out_id: 'a' },
    { call_id: '2^2', status_code: '200003', status_msg: '用户未接', duration: '0', out_id: 'b' },
    { call_id: '3^3', status_code: '300000', dtmf: '1', callee: '13800000001' },
    { call_id: '4^4', status_code: '200001', status_msg: '用户提前挂机', duration: '2' },
    { call_id: '5^5', status_code: '200010', status_msg: '关机' },
    { call_id: '6^6', status_code: '200000', dtmf: '1', callee: '13800000002', duration: '9' }
  ]
  expect(channel.callback(pushed(batch))).toMatchObject({
    receipts: [
      { providerId: '1^1', state: 'delivered', problem: null },
      { providerId: '2^2', state: 'failed', problem: 'the call was not heard to its end: 200003 用户未接' },
      { providerId: '4^4', state: 'failed', problem: 'the call was not heard to its end: 200001 用户提前挂机' },
      { providerId: '5^5', state: 'failed', problem: 'the call was not heard to its end: 200010 关机' },
      { providerId: '6^6', state: 'delivered', problem: null }
    ],
    answers: [
      { from: '+8613800000001', text: '1', providerId: '3^3' },
      { from: '+8613800000002', text: '1', providerId: '6^6' }
    ]
  })
})

test('what is said of a call that goes on is no receipt: begun, ringing, picked up, hung up', () => {
  const channel = new AliyunVoice(voice('http://x'), groundOf())
  const states = ['200101', '200201', '200102', '200100', '300000']
  const batch = states.map((status_code) => ({ call_id: '1^1', status_code, status_time: '2021-04-28 09:55:02', out_id: 'a' }))
  expect(channel.callback(pushed(batch))).toMatchObject({ kind: 'taken', receipts: [], answers: [] })
})

test('secrets do not show, whatever is printed of a channel or its settings', () => {
  const given = settings('http://x')
  expect(JSON.stringify(given)).not.toMatch(/aliyun-secret|LTAItest|path secret/)
  expect(`${given.accessKeySecret} ${JSON.stringify(new AliyunSms(given, groundOf()))}`).not.toContain('aliyun-secret')
})
