// Which addresses a request from outside may not reach (SSRF): everything that is not plainly public, in every spelling,
// save what the deployment itself names.

import { BlockList, isIP } from 'node:net'

/** After the special-purpose registries of IANA (RFC 6890 and its followers), and everything that can carry an IPv4 address inside. */
const FORBIDDEN: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // "this network"; reaches the machine itself on many systems
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT; 100.100.100.200 is a cloud's metadata
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local; 169.254.169.254 is a cloud's metadata
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96], // NAT64
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23], // Teredo and other protocol assignments
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7], // unique local; fd00:ec2::254 is a cloud's metadata
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8]
]

const forbidden = blockListOf(FORBIDDEN)

/** A host name, an address, or a network in CIDR form. */
export function isHostEntry(text: string): boolean {
  const [address = '', bits] = text.split('/')
  const family = isIP(address)
  if (bits !== undefined) return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  return family !== 0 || /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i.test(text)
}

export class PrivateHosts {
  readonly #names = new Set<string>()
  readonly #networks: BlockList

  constructor(allowed: readonly string[]) {
    const networks: [string, number][] = []
    for (const entry of allowed) {
      const [address = '', bits] = entry.split('/')
      const family = isIP(address)
      if (family === 0) this.#names.add(entry.toLowerCase())
      else networks.push([address, bits === undefined ? (family === 4 ? 32 : 128) : Number(bits)])
    }
    this.#networks = blockListOf(networks)
  }

  /** Whether the deployment names this host. */
  allowsName(host: string): boolean {
    return this.#names.has(host.toLowerCase())
  }

  /** Whether the deployment names this address, or a network that it lies in. */
  allowsAddress(address: string): boolean {
    const plain = withoutZone(address)
    return this.#networks.check(plain, familyOf(plain))
  }

  /** Whether this address must not be called. What is no address is forbidden. */
  isForbidden(address: string): boolean {
    const plain = withoutZone(address)
    if (isIP(plain) === 0) return true
    return forbidden.check(plain, familyOf(plain)) && !this.#networks.check(plain, familyOf(plain))
  }
}

function blockListOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [address, bits] of networks) list.addSubnet(address, bits, familyOf(address))
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** IPv6 without its zone. The block list itself sees the IPv4 address inside an IPv4-mapped one. */
function withoutZone(address: string): string {
  return address.split('%')[0] as string
}
