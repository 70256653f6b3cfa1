// Mistakes in `channels` and `outgoing` of fenghuo.yaml: each is said, with its place; secrets are not.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: vendors write their variables like this.

import { createECDH } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { CHANNEL_SHAPES } from '../../../src/app/config/channelShapes.ts'
import { GOOD, lines, load } from './folders.ts'

const ENV = { KEY: 'k', SECRET: 's' }

function problemsOf(yaml: string, env: Record<string, string> = ENV): string[] {
  const { config, problems } = load({ ...GOOD, 'fenghuo.yaml': yaml }, env)
  expect(config === null).toBe(problems.length > 0)
  return lines(problems)
}

const ALIYUN = (templates: string): string => `channels:
  - id: sms
    kind: sms
    provider: aliyun
    accessKeyId: env:KEY
    accessKeySecret: env:SECRET
    signName: 大榭化工
    templates:
${templates}
`

test('what holds is there, secrets behind a veil', () => {
  const { config, problems } = load(
    {
      ...GOOD,
      'fenghuo.yaml': `${ALIYUN(`      - { code: SMS_1, text: "\${where}发生\${event}", variables: { event: what } }
      - { code: SMS_2, text: "\${where}已恢复", reasons: [cleared] }`)}  - { id: hook, kind: webhook, secret: "env:SECRET", perSecond: 5 }
outgoing: { allowPrivate: [10.1.0.0/16, mes.plant.local] }
`
    },
    ENV
  )
  expect(problems).toEqual([])
  expect(JSON.parse(JSON.stringify(config?.channels))).toEqual([
    {
      id: 'sms',
      kind: 'sms',
      provider: 'aliyun',
      perSecond: null,
      accessKeyId: '[secret]',
      accessKeySecret: '[secret]',
      callbackSecret: null,
      endpoint: 'https://dysmsapi.aliyuncs.com',
      signName: '大榭化工',
      showNumber: null,
      variableLength: 35,
      templates: [
        {
          code: 'SMS_1',
          language: 'zh',
          reasons: null,
          variables: [
            { name: 'where', word: 'where' },
            { name: 'event', word: 'what' }
          ]
        },
        { code: 'SMS_2', language: 'zh', reasons: ['cleared'], variables: [{ name: 'where', word: 'where' }] }
      ]
    },
    { id: 'hook', kind: 'webhook', provider: 'standard', perSecond: 5, secret: '[secret]' }
  ])
  expect(config?.outgoing).toEqual({ allowPrivate: ['10.1.0.0/16', 'mes.plant.local'], ca: null })
})

test('a template whose variables do not fit is a problem, at its place', () => {
  expect(problemsOf(ALIYUN('      - { code: SMS_1, text: "${where}发生${event}", variables: { evnt: what } }'))).toEqual([
    'fenghuo.yaml:9:30: variables of template SMS_1 of channel sms does not say what fills ${event}; add it with one of where, what, howMuch, toDo, when, title, text, ackCode',
    'fenghuo.yaml:9:71: the text of template SMS_1 of channel sms has no variable ${evnt}; did you mean event?'
  ])
  expect(problemsOf(ALIYUN('      - { code: SMS_1, text: "${where}", reasons: [raised, cleared] }'))).toEqual([
    'fenghuo.yaml:9:7: no template of channel sms serves escalated, eased, reminder, digest, drill, self, answer; leave out reasons of one template, so that it serves the rest'
  ])
  expect(problemsOf(ALIYUN('      - { code: SMS_1, text: "${a}", variables: { a: whom } }'))).toEqual([
    'fenghuo.yaml:9:54: templates[0].variables.a of channel sms must be where, what, howMuch, toDo, when, title, text or ackCode, not the text "whom"'
  ])
})

test('Tencent counts its variables', () => {
  const tencent = (text: string, variables: string): string[] =>
    problemsOf(
      `channels: [{ id: t, kind: sms, provider: tencent, secretId: "env:KEY", secretKey: "env:SECRET", appId: "14", signName: s, templates: [{ code: "1", text: "${text}", variables: ${variables} }] }]`
    ).map((line) => line.replace(/^[^ ]+ /, ''))
  expect(tencent('{1}发生{2}', '[where, what]')).toEqual([])
  expect(tencent('{1}发生{2}', '[where]')).toEqual([
    'the text of template 1 of channel t has 2 variables, and variables fills 1; they must be equal'
  ])
  expect(tencent('{1}发生{3}', '[where, what]')).toEqual([
    'the text of template 1 of channel t must count its variables {1}, {2}, … without a gap'
  ])
})

test('every other mistake is said, and no secret with it', () => {
  const yaml = `channels:
  - { id: a, kind: smss }
  - { id: b, kind: sms, provider: alyun }
  - { id: c, kind: webhook, secret: whsec_not_in_a_file }
  - { id: d, kind: webhook, secret: "env:UNSET" }
  - { id: d, kind: webhook, secret: "env:SECRET" }
  - { id: d, kind: webhook, secret: "env:SECRET", secrt: 1 }
  - just text
  - { id: e, kind: email, host: h, from: "alarms@example.com", user: me }
  - { id: f, kind: dingtalk, url: "env:SECRET" }
  - { id: g, kind: push, publicKey: ${'B'.padEnd(87, 'A')}, privateKey: "env:SECRET", subject: "mailto:a@b.c" }
  - { id: h, kind: wecom, url: "env:URL", secret: "env:SECRET" }
outgoing: { allowPrivate: [10.0.0.0/33], ca: nowhere.pem }
`
  const env = { ...ENV, URL: 'https://qyapi.weixin.qq.com/x' }
  const lines = problemsOf(yaml.replace('[10.0.0.0/33]', '[10.0.0.0/8]'), env)
  expect(lines).toEqual([
    'fenghuo.yaml:2:20: kind of channel a must be one of sms, voice, email, webhook, dingtalk, feishu, wecom, push; did you mean sms?',
    'fenghuo.yaml:3:35: provider of channel b must be aliyun or tencent or smpp or twilio for sms; did you mean aliyun?',
    'fenghuo.yaml:4:37: secret of channel c must be env:NAME, naming the environment variable that holds it',
    'fenghuo.yaml:5:37: secret of channel d names the environment variable UNSET, which is not set',
    'fenghuo.yaml:6:11: the channel id d is given twice; give each channel its own',
    'fenghuo.yaml:7:11: the channel id d is given twice; give each channel its own',
    'fenghuo.yaml:7:51: channel d has the unknown key secrt; did you mean secret?',
    'fenghuo.yaml:8:5: a channel must be a mapping with id, kind and provider',
    'fenghuo.yaml:9:70: user and password of channel e go together; give both or neither',
    'fenghuo.yaml:10:35: the environment variable that url of channel f names does not hold an https address',
    'fenghuo.yaml:11:37: publicKey of channel g does not belong to its privateKey; make a new pair of VAPID keys',
    'fenghuo.yaml:12:43: channel h has the unknown key secret; known here: id, perSecond, kind, provider, url',
    'fenghuo.yaml:13:45: outgoing.ca: nowhere.pem cannot be read: there is no such file or folder'
  ]) // A mistake elsewhere in the file hides none of them.
  expect(problemsOf(yaml, env)).toEqual([
    ...lines.slice(0, -1),
    'fenghuo.yaml:13:28: outgoing.allowPrivate[0] of the service must be a host name, an address or a network such as 10.1.0.0/16, not the text "10.0.0.0/33"'
  ])
})

test('the example of docs/channels.md holds, and shows every provider', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/channels.md'), 'utf8')
  const keys = createECDH('prime256v1')
  keys.generateKeys()
  const yaml = (/```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '').replace(/publicKey: \S+/, `publicKey: ${keys.getPublicKey('base64url')}`)
  const names = [...yaml.matchAll(/env:(\w+)/g)].map((match) => match[1] as string)
  const env = Object.fromEntries(names.map((name) => [name, name.endsWith('_URL') ? 'https://robot.example.com/send' : 's']))
  const files = { ...GOOD, 'fenghuo.yaml': yaml }
  const { config, problems } = load(files, { ...env, VAPID_PRIVATE_KEY: keys.getPrivateKey('base64url') })
  expect(lines(problems)).toEqual([])
  const shown = new Set(config?.channels.map(({ kind, provider }) => `${kind}/${provider}`))
  expect(shown).toEqual(new Set(Object.keys(CHANNEL_SHAPES)))
})
