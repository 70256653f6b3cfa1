// The certificates that the doors serve: made from the settings, in health before they end, in the metrics, and looked at again
// when somebody asks (SIGHUP).

import type { HttpTls, PartHealth } from '../api/parts.ts'
import type { BrokerTls } from '../ingest/brokerPorts.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Part } from '../platform/parts.ts'
import { ServedCertificate } from '../platform/servedCertificate.ts'
import type { Config } from './config/service.ts'

/** In metrics and in the names of parts of health. */
const WHICH = ['http', 'mqtt'] as const

export interface Certificates {
  readonly http: HttpTls | null
  readonly mqtt: BrokerTls | null
  /** To be started before the doors. */
  readonly parts: readonly Part[]
  readonly health: () => PartHealth[]
  /** Looks at all files at once. */
  readonly reload: () => Promise<void>
}

export function certificatesOf({ http, mqtt }: Config, clock: Clock, log: Log, metrics: Metrics): Certificates {
  const served = {
    http: http.tls === null ? null : new ServedCertificate({ what: 'the HTTP port', files: http.tls.files, clock, log }),
    mqtt:
      mqtt.tls === null || !mqtt.enabled || mqtt.url !== null
        ? null
        : new ServedCertificate({ what: 'the MQTT port', files: mqtt.tls.files, clock, log })
  }
  const all = WHICH.flatMap((which) => (served[which] === null ? [] : [{ which, certificate: served[which] }]))
  metrics.gauges(
    'fenghuo_certificate_expires_seconds',
    'Seconds until the certificate of a port with TLS ends; negative once it has.',
    'which',
    () => all.map(({ which, certificate }) => [which, certificate.expiresInSeconds])
  )
  return {
    http:
      http.tls === null || served.http === null
        ? null
        : { certificate: served.http, clients: http.tls.files.clientCa !== null, requireClientCert: http.tls.requireClientCert },
    mqtt:
      mqtt.tls === null || served.mqtt === null
        ? null
        : { ...mqtt.tls, certificate: served.mqtt, clients: mqtt.tls.files.clientCa !== null },
    parts: all.map(({ certificate }) => certificate),
    health: () =>
      all.map(({ which, certificate: { problem } }) => ({
        part: `certificate ${which}`,
        state: problem === null ? 'ok' : 'degraded',
        problem
      })),
    reload: async () => {
      if (all.length === 0) log.info('There is no certificate to be read again.')
      await Promise.all(all.map(({ certificate }) => certificate.look(true)))
    }
  }
}
