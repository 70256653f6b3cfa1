// Why the HTTP port cannot be opened, for whoever starts the service.

import { messageOf } from '../platform/problem.ts'

/** Why the port cannot be had, and what to do. */
export function portSentence(cause: unknown, host: string, port: number): string {
  const code = (cause as NodeJS.ErrnoException).code
  const change = 'Choose another with FENGHUO_HTTP_PORT or FENGHUO_HTTP_HOST, or in fenghuo.yaml under http'
  if (code === 'EADDRINUSE') return `Port ${port} of ${host} is in use by another program. ${change}, or stop that program.`
  if (code === 'EACCES') return `Port ${port} of ${host} may not be opened by this user. ${change}.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine. ${change}.`
  return `The HTTP port ${port} of ${host} cannot be opened: ${messageOf(cause)}. ${change}.`
}
