// `oidc` of fenghuo.yaml: sign-in at an OpenID Connect provider beside local accounts.

import { z } from 'zod'
import { isLoopback, type OidcSettings } from '../../access/oidc.ts'
import { ROLES } from '../../access/roles.ts'
import { problem } from '../../platform/problem.ts'
import { Secret } from '../../platform/secret.ts'
import type { Findings } from './findings.ts'
import { flag, id, plainText, text } from './schema.ts'
import type { SourceFile } from './source.ts'
import { nameOr } from './written.ts'

const url = z.url({ protocol: /^https?$/, error: 'must be an address such as https://login.example.com' })
const ids = z.array(id).min(1).nullable().default(null)

export const oidcShape = z.strictObject({
  issuer: url,
  clientId: plainText,
  clientSecret: plainText.optional().describe('env:NAME; left out for a public client, which PKCE alone protects'),
  name: text.default('OpenID Connect').describe('What the button of the sign-in page says.'),
  scopes: plainText.default('openid profile email'),
  roleClaim: plainText.default('roles').describe('The claim that decides who may come in as what; with dots for what lies deeper.'),
  mapping: z
    .array(z.strictObject({ value: plainText, role: z.enum(ROLES), enterprises: ids, sites: ids }), {
      error: 'must be a list of entries { value, role, enterprises, sites }'
    })
    .min(1, { error: 'must have an entry: without one nobody can come in' })
    .describe('The first entry whose value is in the claim gives role and scope; whom none fits is refused.'),
  redirectUrl: url.describe('This service as browsers reach it, with /api/v1/session/oidc/callback at its end.'),
  signedOutUrl: url
    .optional()
    .describe('Where the provider may send people once they have signed out, as registered there; left out: its own page is the last.'),
  hosts: z.array(plainText).default([]).describe('Hosts beside the one of the issuer that its description may name.'),
  allowLoopback: flag.default(false).describe('Lets the issuer be on this machine, without TLS.')
})

const CALLBACK = '/api/v1/session/oidc/callback'

/** The settings; null where there are none, or where they have a problem. */
export function readOidc(
  written: z.output<typeof oidcShape> | undefined,
  clientSecret: string | null,
  source: SourceFile | null,
  findings: Findings
): OidcSettings | null {
  if (written === undefined) return null
  const before = findings.problems.length
  const wrong = (key: string, sentence: string): void => findings.problem(problem(sentence, source?.place(['oidc', key]) ?? null))
  const { protocol, hostname } = new URL(written.issuer)
  if (isLoopback(hostname) && !written.allowLoopback)
    wrong('issuer', 'oidc.issuer is on this machine; set oidc.allowLoopback: true if that is meant')
  else if (protocol !== 'https:' && !isLoopback(hostname))
    wrong('issuer', 'oidc.issuer must begin with https://: what it says decides who comes in')
  if (!written.redirectUrl.endsWith(CALLBACK)) wrong('redirectUrl', `oidc.redirectUrl must end with ${CALLBACK}`)
  if (!written.scopes.split(' ').includes('openid')) wrong('scopes', 'oidc.scopes must name openid')
  if (findings.problems.length > before) return null
  const { name, mapping, hosts, ...rest } = written
  const secret = clientSecret === null ? null : new Secret(clientSecret)
  return Object.freeze({
    ...{ ...rest, name: nameOr(name, ''), clientSecret: secret, signedOutUrl: rest.signedOutUrl ?? null },
    mapping: Object.freeze(mapping.map((entry) => Object.freeze(entry))),
    hosts: Object.freeze(hosts)
  })
}
