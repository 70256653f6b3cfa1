// The files by which a Mosquitto 2 lets in exactly the gateways of the plant, each below its own prefix, and the service. Pure but
// for the salts.

import { isMosquittoHash, looksHashed, mosquittoHashOf } from '../../access/phc.ts'
import type { Gateway } from '../../model/plant.ts'
import { LIMITS } from '../../platform/limits.ts'

export interface ExportedFiles {
  readonly conf: string
  readonly passwords: string
  readonly acl: string
}

export interface ExportOptions {
  /** Where the files will lie, as Mosquitto sees it. */
  readonly folder: string
  /** Where Mosquitto keeps what it holds for us. */
  readonly persistence: string
  readonly port: number
  /** Null: all addresses of the machine. */
  readonly bind: string | null
  readonly tls: boolean
  readonly websockets: boolean
  readonly user: { readonly name: string; readonly password: string }
}

/** Why a gateway has no line: of its secret only a hash is known that Mosquitto cannot check, or it has none. */
export type Leaving = 'hashed' | 'none'

export interface Exported extends ExportedFiles {
  /** Gateways without a line of their own. */
  readonly left: readonly { readonly gateway: string; readonly why: Leaving }[]
  /** Of those known by a hash: the ones that keep the line they had. */
  readonly kept: readonly string[]
}

/** `before`: the lines of an older password file by user; those of gateways whose secret is known as a hash only stay. */
export async function mosquittoFiles(
  gateways: readonly Gateway[],
  before: ReadonlyMap<string, string>,
  options: ExportOptions
): Promise<Exported> {
  const { user } = options
  const lines = [`${user.name}:${await mosquittoHashOf(user.password)}`]
  const left: { gateway: string; why: Leaving }[] = []
  const kept: string[] = []
  for (const { id, secret } of gateways) {
    if (secret === null || secret === '') left.push({ gateway: id, why: 'none' })
    else if (isMosquittoHash(secret)) lines.push(`${id}:${secret}`)
    else if (!looksHashed(secret)) lines.push(`${id}:${await mosquittoHashOf(secret)}`)
    else {
      const line = before.get(id)
      if (line === undefined) left.push({ gateway: id, why: 'hashed' })
      else {
        lines.push(line)
        kept.push(id)
      }
    }
  }
  return { conf: confOf(options), passwords: `${lines.join('\n')}\n`, acl: aclOf(user.name), left, kept }
}

/** The lines of a password file by user. */
export function passwordLines(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line]))
}

function aclOf(user: string): string {
  return `# Made by "fenghuo broker export mosquitto".

# The service: hears every gateway, and tells each what of its messages could not be used.
user ${user}
topic read fh/1/#
topic write fh/1/+/rejects

# Each gateway, below its own id (%u is the name it has signed in with).
# All of it: Mosquitto would close the connection of a 3.1.1 client over a topic that nobody reads; we tell it by its rejects.
pattern readwrite fh/1/%u/#
`
}

function confOf({ folder, persistence, port, bind, tls, websockets }: ExportOptions): string {
  const days = LIMITS.upstream.sessionExpiryS / 86_400
  const secure = tls
    ? `
# The certificate of this broker; both files must be readable for the user that Mosquitto runs as.
certfile ${folder}/server.crt
keyfile ${folder}/server.key
`
    : ''
  return `# Made by "fenghuo broker export mosquitto", for Mosquitto 2.0 and later. Changed passwords: reload with SIGHUP.

listener ${port}${bind === null ? '' : ` ${bind}`}
${websockets ? 'protocol websockets\n' : ''}${secure}
allow_anonymous false
password_file ${folder}/passwords
acl_file ${folder}/acl

# What waits for the service while it is away must outlive a restart of the broker. Mosquitto writes all it holds at once, every so
# many seconds and when it ends: a power loss can take what came after the last time.
persistence true
persistence_location ${persistence.replace(/\/?$/, '/')}
autosave_interval 10

# An outage of the service must not make the broker drop what it holds: no bound by number, one by bytes for each session.
max_queued_messages 0
max_queued_bytes 1073741824
queue_qos0_messages true
# Messages on their way to the service at once; the default of 20 is one for each flush of the journal's disk.
max_inflight_messages ${LIMITS.upstream.inFlight}
persistent_client_expiration ${days}d

message_size_limit ${LIMITS.mqtt.packetBytes - 1024}
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
`
}
