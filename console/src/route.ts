// Where the operator is, kept in the address after '#', so that back, reload and a shared link work on any web server.

import { useSyncExternalStore } from 'react'

export type PageName = 'alarms' | 'devices' | 'device'

export interface Route {
  readonly page: PageName
  /** The device of the device page; otherwise empty. */
  readonly device: string
  readonly search: Readonly<Record<string, string>>
}

/** Reads an address such as `#/devices/T-101` or `#/alarms?tier=red`; anything unknown is the alarm list. */
export function parseRoute(hash: string): Route {
  const [path = '', searchText = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const search = Object.fromEntries(new URLSearchParams(searchText))
  const [first, ...rest] = path.split('/')
  if (first !== 'devices') return { page: 'alarms', device: '', search }
  const device = decoded(rest.join('/'))
  return device === '' ? { page: 'devices', device, search } : { page: 'device', device, search }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** The address of a page; empty search values are left out. */
export function addressOf(page: PageName, device = '', search: Readonly<Record<string, string>> = {}): string {
  const path = page === 'device' ? `devices/${encodeURIComponent(device)}` : page
  const given = Object.entries(search).filter(([, value]) => value !== '')
  return given.length === 0 ? `#/${path}` : `#/${path}?${new URLSearchParams(given)}`
}

/** Changes the search part without a new step in the browser's history. */
export function replaceSearch(route: Route, search: Readonly<Record<string, string>>): void {
  const address = addressOf(route.page, route.device, { ...route.search, ...search })
  window.history.replaceState(null, '', address)
  window.dispatchEvent(new HashChangeEvent('hashchange'))
}

let read = ''
let route: Route = parseRoute('')

function current(): Route {
  if (window.location.hash !== read) {
    read = window.location.hash
    route = parseRoute(read)
  }
  return route
}

function follow(changed: () => void): () => void {
  window.addEventListener('hashchange', changed)
  return () => window.removeEventListener('hashchange', changed)
}

export const useRoute = (): Route => useSyncExternalStore(follow, current)
