// Which server a message goes to, where the way lets every address have one of its own: one that is dead must not hold up others.

import type { ChannelKind } from '../model/notification.ts'

const LONGEST = 255

/** The host behind an address; '' where the provider itself answers for all of them. */
export function hostOf(kind: ChannelKind, address: string | null): string {
  if (address === null) return ''
  if (kind === 'webhook') return (URL.parse(address)?.host ?? address).slice(0, LONGEST)
  return kind === 'push' ? endpointHost(address).slice(0, LONGEST) : ''
}

/** Ways of which every address may have a server of its own. */
export function hasHosts(kind: ChannelKind): boolean {
  return kind === 'webhook' || kind === 'push'
}

function endpointHost(subscription: string): string {
  try {
    const { endpoint } = JSON.parse(subscription) as { endpoint?: unknown }
    return typeof endpoint === 'string' ? (URL.parse(endpoint)?.host ?? '') : ''
  } catch {
    return ''
  }
}
