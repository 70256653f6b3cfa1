// docker-compose.yml as compose understands it: anchors merged, variables replaced, services in the order in which they start.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'

export interface ComposeService {
  readonly image?: string
  readonly build?: string
  readonly profiles?: readonly string[]
  readonly restart?: string
  readonly user?: string
  readonly group_add?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly security_opt?: readonly string[]
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly healthcheck?: object
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export const COMPOSE_FILE = path.join(import.meta.dirname, '..', '..', 'docker-compose.yml')
export const composeText = readFileSync(COMPOSE_FILE, 'utf8')

/** The file with these variables set, as in `.env`. */
export function composeWith(variables: Readonly<Record<string, string>> = {}): Compose {
  const replaced = (text: string): string =>
    text.replace(/\$\{(\w+)(:?)-([^}]*)\}/g, (_, name: string, colon: string, otherwise: string) => {
      const given = variables[name]
      return given === undefined || (given === '' && colon !== '') ? otherwise : given
    })
  const walked = (value: unknown): unknown => {
    if (typeof value === 'string') return replaced(value)
    if (Array.isArray(value)) return value.map(walked)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, walked(held)]))
  }
  return walked(parse(composeText, { merge: true })) as Compose
}

/** What starts by `up` alone, each after those it waits for. */
export function startOrder({ services }: Compose): string[] {
  const order: string[] = []
  const visit = (name: string): void => {
    for (const before of Object.keys(services[name]?.depends_on ?? {})) visit(before)
    if (!order.includes(name)) order.push(name)
  }
  for (const [name, { profiles }] of Object.entries(services)) if (profiles === undefined) visit(name)
  return order
}
