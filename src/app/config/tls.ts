// `tls` of http and mqtt in fenghuo.yaml: files are named here, and read when the service starts. What opens a port to a network
// without TLS is said aloud, since passwords and secrets go over it.

import path from 'node:path'
import { isLoopback } from '../../access/oidc.ts'
import type { CertificateFiles } from '../../platform/certificate.ts'
import { problem } from '../../platform/problem.ts'
import { Secret } from '../../platform/secret.ts'
import type { Findings } from './findings.ts'
import type { SourceFile } from './source.ts'

export interface TlsSettings {
  readonly files: CertificateFiles
  readonly requireClientCert: boolean
}

export interface MqttTlsSettings extends TlsSettings {
  readonly host: string
  readonly port: number
  readonly gatewayName: 'cn' | 'san'
  readonly secretToo: boolean
}

interface WrittenTls {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
  readonly crl?: string | undefined
  readonly requireClientCert: boolean
  readonly minVersion: CertificateFiles['minVersion']
}

/** The settings; null where there are none. A problem is in `findings`. */
export function readTls(
  written: WrittenTls | undefined,
  passphrase: string | null,
  where: 'http' | 'mqtt',
  folder: string,
  source: SourceFile | null,
  findings: Findings
): TlsSettings | null {
  if (written === undefined) return null
  const { cert, key, clientCa, crl, requireClientCert, minVersion } = written
  const wrong = (name: string, sentence: string): void =>
    findings.problem(problem(`${where}.tls.${name} ${sentence}`, source?.place([where, 'tls', name]) ?? null))
  if (crl !== undefined && clientCa === undefined) wrong('crl', 'needs clientCa: without it no client is asked for a certificate')
  const at = (file: string | undefined): string | null => (file === undefined ? null : path.resolve(folder, file))
  const files: CertificateFiles = Object.freeze({
    cert: path.resolve(folder, cert),
    key: path.resolve(folder, key),
    passphrase: passphrase === null ? null : new Secret(passphrase),
    ...{ clientCa: at(clientCa), crl: at(crl), minVersion }
  })
  return Object.freeze({ files, requireClientCert: clientCa !== undefined && requireClientCert })
}

interface Opened {
  readonly http: { readonly host: string; readonly tls: unknown; readonly trustProxy: readonly string[] }
  readonly mqtt: {
    readonly enabled: boolean
    readonly plain: boolean
    readonly host: string
    readonly url: string | null
    readonly tls: unknown
  }
}

/** What is wrong with how ports and TLS go together. */
export function checkPorts({ http, mqtt }: Opened, source: SourceFile | null, findings: Findings): void {
  const at = (...keys: string[]) => source?.place(keys) ?? null
  if (!mqtt.plain && mqtt.tls === null) {
    findings.problem(
      problem(
        'mqtt.plain is false and there is no mqtt.tls: no gateway could connect; mqtt.enabled: false turns MQTT off',
        at('mqtt', 'plain')
      )
    )
  }
  if (mqtt.url !== null && mqtt.tls !== null) {
    findings.problem(
      problem(
        'mqtt.tls is for the embedded broker, and mqtt.url names another one, which has its own: remove one of them',
        at('mqtt', 'tls')
      )
    )
  }
  if (!isLoopback(http.host) && http.tls === null && http.trustProxy.length === 0) {
    const todo = 'set http.tls, or http.trustProxy where a proxy with TLS stands before it'
    findings.warning(
      problem(`http.host ${http.host} opens API and console to a network without TLS, passwords included: ${todo}`, at('http', 'host'))
    )
  }
  if (mqtt.enabled && mqtt.url === null && mqtt.plain && !isLoopback(mqtt.host)) {
    const todo = mqtt.tls === null ? 'set mqtt.tls' : 'set mqtt.plain: false once every gateway uses the port with TLS'
    findings.warning(
      problem(`mqtt.host ${mqtt.host} opens MQTT to a network without TLS, secrets of gateways included: ${todo}`, at('mqtt', 'host'))
    )
  }
}
