// The topics of contract 3, and nothing else.

export interface TelemetryTopic {
  readonly gateway: string
  /** Null on the gateway's own topic: each sample names its device. */
  readonly device: string | null
  readonly leaf: 'telemetry' | 'status' | 'rejects'
}

const ID = '([A-Za-z0-9._-]{1,64})'
const GATEWAY_TOPIC = new RegExp(`^fh/1/${ID}/(telemetry|status|rejects)$`)
const DEVICE_TOPIC = new RegExp(`^fh/1/${ID}/${ID}/telemetry$`)

/** What a topic names, or null where it is none of `fh/1/{gateway}/telemetry|status|rejects`, `fh/1/{gateway}/{device}/telemetry`. */
export function parseTelemetryTopic(topic: string): TelemetryTopic | null {
  const own = GATEWAY_TOPIC.exec(topic)
  if (own !== null) return { gateway: own[1] as string, device: null, leaf: own[2] as TelemetryTopic['leaf'] }
  const device = DEVICE_TOPIC.exec(topic)
  return device === null ? null : { gateway: device[1] as string, device: device[2] as string, leaf: 'telemetry' }
}
