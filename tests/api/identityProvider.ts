// A real OpenID Connect provider on loopback, and a browser that goes through its pages by itself.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
// @ts-expect-error: it comes without types
import Provider from 'oidc-provider'

/** What the provider says of somebody, by their name there. */
export type People = Record<string, { roles: string[]; name?: string }>

export class IdentityProvider {
  readonly issuer: string
  readonly #server: Server
  down = false

  private constructor(server: Server, issuer: string) {
    this.#server = server
    this.issuer = issuer
  }

  static async open(people: People, redirectUrl: string, signedOutUrl: string | null = null): Promise<IdentityProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'fenghuo',
          client_secret: 'a secret of the client',
          redirect_uris: [redirectUrl],
          ...(signedOutUrl === null ? {} : { post_logout_redirect_uris: [signedOutUrl] }),
          grant_types: ['authorization_code'],
          response_types: ['code']
        }
      ],
      claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
      cookies: { keys: ['a key of the tests'] },
      pkce: { required: () => true },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: `sub-${id}`, preferred_username: people[id]?.name ?? id, groups: people[id]?.roles ?? [] })
      })
    })
    const here = new IdentityProvider(server, issuer)
    const answer = provider.callback()
    server.on('request', (request, response) => {
      if (here.down) return void request.socket.destroy()
      answer(request, response)
    })
    return here
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Follows the provider's pages from `url` on as this person; answers where it sends the browser back to. */
export async function signInThere(url: string, person: string, back: string): Promise<string> {
  const jar = new Map<string, string>()
  const ask = async (where: string, form?: Record<string, string>): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(where, { redirect: 'manual', headers: { cookie }, ...body })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
  let response = await ask(url)
  for (let steps = 0; steps < 12; steps++) {
    const location = response.headers.get('location')
    if (location !== null) {
      const next = new URL(location, response.url).href
      if (next.startsWith(back)) return next
      response = await ask(next)
      continue
    }
    const page = await response.text()
    const action = /action="([^"]+)"/.exec(page)?.[1]
    if (action === undefined) throw new Error(`the provider shows ${response.status}: ${page.slice(0, 500)}`)
    const prompt = page.includes('value="login"') ? 'login' : 'consent'
    const here = new URL(action, response.url).href
    response = await ask(here, prompt === 'login' ? { prompt, login: person, password: 'any' } : { prompt })
  }
  throw new Error('the provider goes round in circles')
}
