// What a server says that was sent secrets: without them, however they are spelled, and with everything else.

import { expect, it } from 'vitest'
import { Secret, secretsIn, withoutSecrets } from '../../src/platform/secret.ts'

const SECRET = 'correct-horse-battery'

it.each([
  ['as it is', `wrong password ${SECRET}, go away`, 'wrong password [secret], go away'],
  ['for a URL', `asked /x?k=${encodeURIComponent('söme secret')} now`, 'asked /x?k=[secret] now'],
  ['cut off by the end', `you sent ${SECRET.slice(0, 12)}`, 'you sent [secret]'],
  ['cut off before an ellipsis', `you sent ${SECRET.slice(0, 12)}…`, 'you sent [secret]…'],
  ['not at all', 'all is well with horses', 'all is well with horses']
])('takes a secret out that stands there %s', (_, text, left) => {
  expect(withoutSecrets(text, [SECRET, 'söme secret', 'a'])).toBe(left)
})

it('takes it out of base64, behind and before whatever else', () => {
  for (const before of ['', 'u:', 'us:', 'usr:', '\0fenghuo\0']) {
    for (const after of ['', '!', '!!', '!!!']) {
      const coded = Buffer.from(`${before}${SECRET}${after}`).toString('base64')
      const left = withoutSecrets(`AUTH ${coded} refused`, [SECRET])
      expect(left).toMatch(/^AUTH .*\[secret\].* refused$/)
      expect(Buffer.from(left, 'base64').toString()).not.toMatch(/orse-batt/)
    }
  }
})

it('knows the secrets of settings, and of an address that is one also its parts', () => {
  const settings = {
    id: 'ding',
    keys: [{ password: new Secret(SECRET) }],
    url: new Secret('https://oapi.example.com/robot/send?access_token=0123456789abcdef')
  }
  expect(secretsIn(settings)).toEqual([SECRET, 'https://oapi.example.com/robot/send?access_token=0123456789abcdef', '0123456789abcdef'])
})
