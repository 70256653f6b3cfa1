// `tls` and `trustProxy` in fenghuo.yaml: what is read, what is refused by which sentence, and what is only warned of.

import path from 'node:path'
import { expect, it } from 'vitest'
import { GOOD, lines, load } from './folders.ts'

function said(yaml: string, env: Record<string, string> = {}): string[] {
  const { problems, warnings } = load({ ...GOOD, 'fenghuo.yaml': `${yaml}\n` }, env)
  return [...lines(problems), ...lines(warnings).map((line) => `warning: ${line}`)]
}

const PAIR = 'cert: tls/tls.crt, key: tls/tls.key'

it('reads files from the plant folder, and keeps the passphrase to itself', () => {
  const yaml = `http: { tls: { ${PAIR}, passphrase: "env:PASS", minVersion: TLSv1.3 }, trustProxy: [10.0.0.1, "fd00::/8"] }
mqtt: { host: 127.0.0.2, tls: { ${PAIR}, clientCa: /etc/ca.pem, crl: crl.pem, gatewayName: san, secretToo: true } }`
  const { config, problems } = load({ ...GOOD, 'fenghuo.yaml': yaml }, { PASS: 'hush hush' })
  expect(problems).toEqual([])
  const folder = config?.folder ?? ''
  expect(config?.http.tls).toMatchObject({
    requireClientCert: false,
    files: { cert: path.join(folder, 'tls/tls.crt'), clientCa: null, minVersion: 'TLSv1.3' }
  })
  expect(config?.http.trustProxy).toEqual(['10.0.0.1', 'fd00::/8'])
  expect(config?.mqtt.tls).toMatchObject({
    ...{ host: '127.0.0.2', port: 8883, gatewayName: 'san', secretToo: true, requireClientCert: true },
    files: { clientCa: '/etc/ca.pem', crl: path.join(folder, 'crl.pem'), minVersion: 'TLSv1.2' }
  })
  expect(JSON.stringify(config)).not.toContain('hush hush')
  expect(config?.http.tls?.files.passphrase?.reveal()).toBe('hush hush')
})

it.each([
  [
    `http: { tls: { ${PAIR}, minVersion: TLSv1.1 } }`,
    /tls\.minVersion of the service must be TLSv1\.2 or TLSv1\.3: older ones are broken, not the text "TLSv1\.1"/
  ],
  ['http: { tls: { cert: a.pem } }', /tls of (http of )?the service has no key/],
  [`http: { tls: { ${PAIR}, crl: crl.pem } }`, 'http.tls.crl needs clientCa: without it no client is asked for a certificate'],
  [`http: { tls: { ${PAIR}, passphrase: "env:NOT_SET" } }`, 'http.tls.passphrase names the environment variable NOT_SET, which is not set'],
  ['http: { trustProxy: ["0.0.0.0/0"] }', /must be an address or a network such as 10\.0\.0\.7/],
  ['http: { trustProxy: [proxy.example.com] }', /must be an address or a network such as 10\.0\.0\.7/],
  ['http: { trustProxy: ["10.0.0.1/33"] }', /must be an address or a network such as 10\.0\.0\.7/],
  ['mqtt: { plain: false }', 'mqtt.plain is false and there is no mqtt.tls: no gateway could connect; mqtt.enabled: false turns MQTT off'],
  [`mqtt: { url: "mqtts://broker:8883", tls: { ${PAIR} } }`, /mqtt\.tls is for the embedded broker/]
])('%s', (yaml, sentence) => {
  const all = said(yaml)
  expect(all.length).toBe(1)
  expect(all[0]).toMatch(sentence)
})

it('warns of every port that is opened to a network without TLS, and of none else', () => {
  expect(said('http: { host: 0.0.0.0 }\nmqtt: { host: "::" }').map((line) => line.replace(/^(warning: ).*?: /, '$1'))).toEqual([
    'warning: http.host 0.0.0.0 opens API and console to a network without TLS, passwords included: set http.tls, or http.trustProxy where a proxy with TLS stands before it',
    'warning: mqtt.host :: opens MQTT to a network without TLS, secrets of gateways included: set mqtt.tls'
  ])
  expect(said(`http: { host: 0.0.0.0, tls: { ${PAIR} } }\nmqtt: { host: 0.0.0.0, plain: false, tls: { ${PAIR} } }`)).toEqual([])
  expect(said('http: { host: 0.0.0.0, trustProxy: [10.0.0.1] }\nmqtt: { enabled: false, host: 0.0.0.0 }')).toEqual([])
  expect(said(`mqtt: { host: 10.0.0.5, tls: { ${PAIR} } }`)[0]).toMatch(/set mqtt\.plain: false once every gateway uses the port with TLS$/)
  expect(said('http: { host: localhost }\nmqtt: { host: 127.0.0.9 }')).toEqual([])
})
