// Where the operator is, kept in the address after '#', so that back, reload and a shared link work on any web server.

import { useSyncExternalStore } from 'react'

/** Pages of one thing: the thing's id stands behind the list it is of (`#/devices/T-101`). */
const DETAILS = { alarms: 'alarm', devices: 'device', rules: 'rule' } as const
const LISTS = ['alarms', 'devices', 'states', 'notifications', 'duty', 'rules', 'hazards', 'people', 'account'] as const
export type ListName = (typeof LISTS)[number]
export type PageName = ListName | (typeof DETAILS)[keyof typeof DETAILS]

export interface Route {
  readonly page: PageName
  /** Of the device, alarm … that the page is about; otherwise empty. */
  readonly id: string
  readonly search: Readonly<Record<string, string>>
}

/** Reads an address such as `#/devices/T-101` or `#/alarms?tier=red`; anything unknown is the alarm list. */
export function parseRoute(hash: string): Route {
  const [path = '', searchText = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const search = Object.fromEntries(new URLSearchParams(searchText))
  const [first, ...rest] = path.split('/')
  const page = LISTS.find((one) => one === first) ?? 'alarms'
  const id = page in DETAILS ? decoded(rest.join('/')) : ''
  return { page: id === '' ? page : DETAILS[page as keyof typeof DETAILS], id, search }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** The address of a page; empty search values are left out. */
export function addressOf(page: PageName, id = '', search: Readonly<Record<string, string>> = {}): string {
  const list = Object.entries(DETAILS).find(([, detail]) => detail === page)?.[0]
  const path = list === undefined ? page : `${list}/${encodeURIComponent(id)}`
  const given = Object.entries(search).filter(([, value]) => value !== '')
  return given.length === 0 ? `#/${path}` : `#/${path}?${new URLSearchParams(given)}`
}

/** Changes the search part without a new step in the browser's history. */
export function replaceSearch(route: Route, search: Readonly<Record<string, string>>): void {
  const address = addressOf(route.page, route.id, { ...route.search, ...search })
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

const PLACE = 'fenghuo.place'

/** Before this page is left for the sign-in page of somebody else: what stands after '#' does not come back from there. */
export function rememberPlace(): void {
  try {
    window.sessionStorage.setItem(PLACE, window.location.hash)
  } catch {
    // Whoever lets nothing be kept comes back to the alarm list.
  }
}

/** Back to where one was, where the address does not say where to go. */
export function returnToPlace(): void {
  try {
    const place = window.sessionStorage.getItem(PLACE) ?? ''
    window.sessionStorage.removeItem(PLACE)
    if (window.location.hash.length <= 1 && place.startsWith('#/')) window.history.replaceState(null, '', place)
  } catch {
    // As above.
  }
}
