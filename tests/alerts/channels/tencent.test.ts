// Tencent SMS: the signature against the documentation's own example and against what Tencent's SDK sends to the same server.

import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type { TencentSmsSettings } from '../../../src/alerts/channels/settings.ts'
import { TencentSms, tc3Authorization } from '../../../src/alerts/channels/tencent.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { tc3Holds } from './signatures.ts'
import { endpoint, GO_ON, groundOf, kindOf, MESSAGE } from './yard.ts'

const require = createRequire(import.meta.url)

const settings = (url: string): TencentSmsSettings => ({
  id: 'sms-tencent',
  kind: 'sms',
  provider: 'tencent',
  perSecond: 30,
  secretId: new Secret('AKIDtest'),
  secretKey: new Secret('tencent-secret'),
  appId: '1400006666',
  signName: '大榭化工',
  region: 'ap-guangzhou',
  endpoint: url,
  templates: [
    {
      code: '449739',
      language: 'zh',
      reasons: null,
      variables: [
        { name: '1', word: 'where' },
        { name: '2', word: 'what' }
      ]
    }
  ],
  variableLength: 35,
  callbackSecret: new Secret('s')
})

test('the signature of the documentation', () => {
  const body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
  const request = {
    service: 'cvm',
    host: 'cvm.tencentcloudapi.com',
    contentType: 'application/json; charset=utf-8',
    body,
    timestamp: 1551113065
  }
  expect(tc3Authorization(request, 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE', 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE')).toBe(
    'TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168'
  )
})

test("the vendor's SDK and our request say the same to the same server, both rightly signed", async () => {
  const server = await endpoint()
  server.answer = {
    status: 200,
    body: '{"Response":{"SendStatusSet":[{"SerialNo":"5000:1045710669157053657849499619","PhoneNumber":"+8613800000001","Fee":1,"SessionContext":"","Code":"Ok","Message":"send success","IsoCode":"CN"}],"RequestId":"a0aabda6"}}'
  }
  const { sms } = require('tencentcloud-sdk-nodejs-sms')
  const client = new sms.v20210111.Client({
    credential: { secretId: 'AKIDtest', secretKey: 'tencent-secret' },
    region: 'ap-guangzhou',
    profile: { httpProfile: { endpoint: new URL(server.url).host, protocol: 'http://' } }
  })
  await client.SendSms({
    PhoneNumberSet: ['+8613800000001'],
    SmsSdkAppId: '1400006666',
    SignName: '大榭化工',
    TemplateId: '449739',
    TemplateParamSet: ['A 罐区 T-101', '储罐液位 红色'],
    SessionContext: MESSAGE.id
  })
  const outcome = await new TencentSms(settings(server.url), groundOf()).send(MESSAGE, GO_ON)
  expect(outcome).toEqual({ kind: 'accepted', providerId: '5000:1045710669157053657849499619' })
  const [theirs, ours] = server.arrived
  if (theirs === undefined || ours === undefined) throw new Error('two requests must have arrived')
  expect([tc3Holds(theirs, 'tencent-secret'), tc3Holds(ours, 'tencent-secret')]).toEqual([true, true])
  expect([tc3Holds(theirs, 'other'), tc3Holds(ours, 'other')]).toEqual([false, false])
  const said = ({ method, path, body, headers }: typeof ours) => ({
    method,
    path,
    body: JSON.parse(body),
    headers: ['x-tc-action', 'x-tc-version', 'x-tc-region', 'host'].map((name) => headers[name])
  })
  expect(said(ours)).toEqual(said(theirs))
})

const status = (Code: string) => JSON.stringify({ Response: { SendStatusSet: [{ SerialNo: '', Code, Message: 'm' }], RequestId: 'r' } })
const error = (Code: string) => JSON.stringify({ Response: { Error: { Code, Message: 'm' }, RequestId: 'r' } })

test.each([
  [status('LimitExceeded.PhoneNumberThirtySecondLimit'), 'failed', 10_000],
  [status('InvalidParameterValue.IncorrectPhoneNumber'), 'refused: recipient', undefined],
  [status('FailedOperation.PhoneNumberInBlacklist'), 'refused: recipient', undefined],
  [status('FailedOperation.InsufficientBalanceInSmsPackage'), 'refused: provider', undefined],
  [status('LimitExceeded.PhoneNumberDailyLimit'), 'refused: provider', undefined],
  [status('LimitExceeded.PhoneNumberOneHourLimit'), 'refused: provider', undefined],
  [status('LimitExceeded.AppCountryOrRegionDailyLimit'), 'refused: provider', undefined],
  [status('LimitExceeded.AppCountryOrRegionInBlacklist'), 'refused: provider', undefined],
  [status('LimitExceeded.DeliveryFrequencyLimit'), 'failed', 10_000],
  [status('InvalidParameterValue.TemplateParameterLengthLimit'), 'refused: provider', undefined],
  [error('AuthFailure.SignatureFailure'), 'refused: provider', undefined],
  [error('RequestLimitExceeded'), 'failed', 10_000],
  [error('InternalError.SendAndRecvFail'), 'failed', null],
  ['{"Response":{}}', 'doubtful', undefined],
  ['garbage', 'doubtful', undefined]
])('a 200 with %s', async (body, kind, retryAfterMs) => {
  const server = await endpoint()
  server.answer = { status: 200, body }
  const outcome = await new TencentSms(settings(server.url), groundOf()).send(MESSAGE, GO_ON)
  expect([kindOf(outcome), (outcome as { retryAfterMs?: number | null }).retryAfterMs]).toEqual([kind, retryAfterMs])
})

test('receipts and replies, proven by the secret in their path', () => {
  const channel = new TencentSms(settings('http://x'), groundOf())
  const push = (body: unknown, secret: string) =>
    channel.callback({
      method: 'POST',
      url: `/api/v1/callbacks/sms-tencent/${secret}?x=1`,
      headers: {},
      body: Buffer.from(JSON.stringify(body))
    })
  const receipt = { user_receive_time: '2015-10-17 08:03:04', nationcode: '86', mobile: '13800000001' }
  const batch = [
    { ...receipt, report_status: 'SUCCESS', errmsg: 'DELIVRD', description: '用户短信送达成功', sid: '5000:1' },
    { ...receipt, report_status: 'FAIL', errmsg: 'REJECTD', description: '黑名单', sid: '5000:2' }
  ]
  expect(push(batch, 's')).toEqual({
    kind: 'taken',
    receipts: [
      { providerId: '5000:1', state: 'delivered', problem: null },
      { providerId: '5000:2', state: 'failed', problem: 'not delivered: REJECTD 黑名单' }
    ],
    answers: [],
    reply: { contentType: 'application/json', body: '{"result":0,"errmsg":"OK"}' }
  })
  expect(push({ extend: '', mobile: '13800000001', nationcode: '86', sign: '大榭化工', text: '1', time: 1457336869 }, 's')).toMatchObject({
    answers: [{ from: '+8613800000001', text: '1', providerId: '+8613800000001/1457336869/1' }]
  })
  expect(push(batch, 'wrong').kind).toBe('refused')
})
