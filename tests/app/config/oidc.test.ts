// `oidc` in fenghuo.yaml: its defaults, and what is refused by which sentence.

import { expect, test } from 'vitest'
import { GOOD, lines, load } from './folders.ts'

const written = (more: string): string => `oidc:
  issuer: https://login.example.com/realms/plant
  clientId: fenghuo
  clientSecret: env:OIDC_SECRET
  mapping: [{ value: crew, role: operator, sites: [tank-farm-a] }]
  redirectUrl: https://alarms.example.com/api/v1/session/oidc/callback
${more}`
const read = (yaml: string, env: Record<string, string> = { OIDC_SECRET: 'hush' }) => load({ ...GOOD, 'fenghuo.yaml': yaml }, env)

test('sign-in elsewhere comes out with its defaults, and with its secret out of sight', () => {
  const { config, problems } = read(written(''))
  expect(problems).toEqual([])
  expect(config?.oidc).toMatchObject({
    name: { zh: 'OpenID Connect', en: 'OpenID Connect' },
    scopes: 'openid profile email',
    roleClaim: 'roles',
    mapping: [{ value: 'crew', role: 'operator', enterprises: null, sites: ['tank-farm-a'] }],
    hosts: [],
    allowLoopback: false
  })
  expect(JSON.stringify(config)).not.toContain('hush')
  expect(config?.oidc?.clientSecret?.reveal()).toBe('hush')
})

test.each([
  ['an issuer without TLS', written('').replace('https://login', 'http://login'), /oidc\.issuer must begin with https:\/\//],
  ['an issuer on this machine', written('').replace('login.example.com', '127.0.0.1:9'), /set oidc\.allowLoopback: true/],
  [
    'a callback that is not ours',
    written('').replace('/oidc/callback', '/else'),
    /oidc\.redirectUrl must end with \/api\/v1\/session\/oidc\/callback/
  ],
  ['scopes without openid', written('  scopes: profile\n'), /oidc\.scopes must name openid/],
  ['nobody who may come in', written('').replace(/mapping: .*/, 'mapping: []'), /must have an entry/]
])('%s is refused with its place', (_what, yaml, sentence) => {
  const { config, problems } = read(yaml)
  expect(config).toBe(null)
  expect(lines(problems).join('\n')).toMatch(sentence)
  expect(lines(problems).join('\n')).toMatch(/fenghuo\.yaml:\d+:\d+: /)
})

test('a secret that is not in the environment is refused, and an issuer on this machine taken where it is meant', () => {
  expect(lines(read(written(''), {}).problems).join()).toMatch(/oidc\.clientSecret names the environment variable OIDC_SECRET/)
  const here = written('  allowLoopback: true\n').replace('https://login.example.com', 'http://127.0.0.1:9')
  expect(read(here).config?.oidc?.issuer).toBe('http://127.0.0.1:9/realms/plant')
})
