// The ports: free, or held by the very service of this data folder, also where it stands by.

import { createServer } from 'node:net'
import { ControlLine, STANDBY_SOCKET, type Who } from '../control.ts'
import { type Finding, fail, ok } from './finding.ts'

export interface WantedPort {
  readonly check: string
  readonly host: string
  readonly port: number
  /** The setting by which another is chosen. */
  readonly setting: string
}

/** What runs on a data folder. */
export interface Running {
  readonly active: Who | null
  readonly standby: Who | null
}

/** The services that run on the data folder. */
export async function runningOn(data: string): Promise<Running> {
  return { active: await whoAt(data), standby: await whoAt(data, STANDBY_SOCKET) }
}

async function whoAt(data: string, socket?: string): Promise<Who | null> {
  const line = await ControlLine.open(data, socket)
  try {
    return line === null ? null : await line.ask<Who>('who')
  } catch {
    return null
  } finally {
    line?.end()
  }
}

export async function checkPorts(wanted: readonly WantedPort[], { active, standby }: Running): Promise<Finding[]> {
  const findings: Finding[] = []
  if (active !== null) findings.push(ok('service', `Fenghuo ${active.version} runs on this data folder (pid ${active.pid}).`))
  if (standby !== null) findings.push(ok('service', `Fenghuo ${standby.version} stands by on this data folder (pid ${standby.pid}).`))
  if (findings.length === 0) findings.push(ok('service', 'No service runs on this data folder at the moment.'))
  // MQTT may have two addresses: mqtt://… mqtts://…
  const ours = [active?.http ?? '', standby?.http ?? '', ...(active?.mqtt ?? '').split(' ')].map((address) =>
    Number(/:(\d+)$/.exec(address)?.[1] ?? 0)
  )
  for (const { check, host, port, setting } of wanted) {
    if (port === 0) {
      findings.push(ok(check, 'Any free port is taken (0 is set).'))
      continue
    }
    if (ours.includes(port)) {
      findings.push(ok(check, `Port ${port} of ${host} is served by this service.`))
      continue
    }
    const code = await whyNotOpened(host, port)
    if (code === null) findings.push(ok(check, `Port ${port} of ${host} is free.`))
    else findings.push(fail(check, sentence(code, host, port), `Stop what uses it, or choose another by ${setting}.`))
  }
  return findings
}

function whyNotOpened(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code ?? cause.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function sentence(code: string, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `Port ${port} of ${host} is used by another program.`
  if (code === 'EACCES') return `Port ${port} of ${host} may not be opened by this user.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine.`
  return `Port ${port} of ${host} cannot be opened (${code}).`
}
