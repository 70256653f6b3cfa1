// The external MQTT broker: whether we get in, by the protocol that is set, and may read and write what the service must. It is
// tried by a message of our own that comes back: brokers grant subscriptions whose messages they then keep to themselves.

import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { credentialsOf, shownAddress, type UpstreamSettings } from '../../ingest/upstreamSettings.ts'
import type { Clock } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { openLink } from '../../platform/mqttLink.ts'
import { messageOf } from '../../platform/problem.ts'
import { secretText } from '../../platform/random.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const CHECK = 'MQTT broker'
const ANSWER_MS = 3_000

export async function checkUpstream(settings: UpstreamSettings, clock: Clock): Promise<Finding[]> {
  const { address, clientId, protocol } = settings
  const where = shownAddress(address)
  const topic = `fh/1/${clientId}-doctor/rejects`
  const mark = secretText(12)
  let returned: () => void = () => {}
  const back = new Promise<boolean>((resolve) => {
    returned = () => resolve(true)
    clock.after(ANSWER_MS, () => resolve(false))
  })
  try {
    const link = await openLink({
      ...{ address, credentials: credentialsOf(settings), clientId: `${clientId}-doctor-${secretText(4)}`, protocol, clean: true, clock },
      ...{ keepAliveS: 10, expiryS: 0, inFlight: 10, longest: LIMITS.mqtt.packetBytes, connectMs: ANSWER_MS },
      ears: {
        publish(delivery) {
          delivery.settle()
          if (delivery.frame.body.toString() === mark) returned()
        },
        mayRead: () => true,
        lost() {}
      }
    })
    try {
      const refused = await link.subscribe([topic], false)
      link.publish(topic, mark, () => {})
      const version = protocol === 5 ? 'MQTT 5' : 'MQTT 3.1.1'
      if (refused.length === 0 && (await back))
        return [
          ok(CHECK, `${where} lets us in by ${version}, and our user reads and writes what it must.`),
          ...(await checkLasting(settings, clock))
        ]
      return [
        fail(
          CHECK,
          `${where} lets us in by ${version}, but a message of ours to ${topic} does not come back.`,
          'Give our user the right to read fh/1/# and to write fh/1/+/rejects; fenghuo broker export mosquitto writes such rights.'
        )
      ]
    } finally {
      await link.end()
    }
  } catch (thrown) {
    const sentence = (thrown as { sentence?: string }).sentence ?? messageOf(thrown).replace(/\.$/, '')
    return [
      fail(CHECK, `${where}: ${sentence}.`, 'Until then no gateway is heard by MQTT: correct mqtt.url and mqtt.broker, or the broker.')
    ]
  }
}

/** How long the broker's certificate lasts, and our own. */
async function checkLasting(settings: UpstreamSettings, clock: Clock): Promise<Finding[]> {
  const { scheme, host, port } = settings.address
  if (scheme !== 'mqtts' && scheme !== 'wss') return []
  const { ca, cert, key } = credentialsOf(settings)
  const pem = { ...(ca === null ? {} : { ca }), ...(cert === null ? {} : { cert }), ...(key === null ? {} : { key }) }
  const findings: Finding[] = []
  const until = await new Promise<string | null>((resolve) => {
    const socket = connect({ host, port, ...(isIP(host) > 0 ? {} : { servername: host }), ...pem }, () => {
      resolve(socket.getPeerCertificate().valid_to)
      socket.destroy()
    })
    socket.once('error', () => resolve(null))
    socket.once('close', () => resolve(null))
    clock.after(ANSWER_MS, () => socket.destroy())
  })
  if (until !== null) findings.push(lasting('Its certificate', Date.parse(until), clock))
  if (cert !== null) findings.push(lasting('Our own certificate (mqtt.broker.cert)', Date.parse(new X509Certificate(cert).validTo), clock))
  return findings
}

function lasting(which: string, until: number, clock: Clock): Finding {
  const said = `${which} is valid until ${new Date(until).toISOString().slice(0, 10)}.`
  return until - clock.now() < LIMITS.tls.expiryWarnMs ? warn(CHECK, said, 'Have it renewed.') : ok(CHECK, said)
}
