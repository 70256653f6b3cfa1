// One's own account in a real browser: the password, and signing in and out at somebody else's (a real OpenID Connect provider).

import { appendFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { IdentityProvider, type People } from '../api/identityProvider.ts'
import { ADMIN_PASSWORD } from '../liveService.ts'
import { PHONE, pageFaults, passwordOf, SIZES, SOON, standOn } from './browser.ts'
import { writePlant } from './plant.ts'

const people: People = {}
let provider: IdentityProvider
const stand = standOn(async (folder, { env }) => {
  // The provider sends people back to a port that has to be known beforehand.
  const port = await freePort()
  env.FENGHUO_HTTP_PORT = String(port)
  env.OIDC_SECRET = 'a secret of the client'
  const here = `http://127.0.0.1:${port}`
  provider = await IdentityProvider.open(people, `${here}/api/v1/session/oidc/callback`, `${here}/`)
  const config = await writePlant(folder)
  await appendFile(
    config,
    `
oidc:
  issuer: ${provider.issuer}
  clientId: fenghuo
  clientSecret: env:OIDC_SECRET
  name: { zh: 统一登录, en: Company sign-in }
  scopes: openid profile
  roleClaim: groups
  mapping: [{ value: farm-crew, role: operator, enterprises: [chem] }]
  redirectUrl: ${here}/api/v1/session/oidc/callback
  signedOutUrl: ${here}/
  allowLoopback: true
`
  )
  return config
})
afterAll(() => provider?.close())
beforeEach(() => {
  Object.assign(people, { mei: { roles: ['farm-crew'] }, stranger: { roles: [] } })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** From the console's sign-in page through the provider's own pages. */
async function signInElsewhere(page: Page, person: string): Promise<void> {
  await page.getByRole('link', { name: '使用统一登录' }).click(SOON)
  await page.waitForURL((url) => url.origin === provider.issuer, SOON)
  await page.fill('input[name=login]', person)
  await page.fill('input[name=password]', 'any')
  await page.click('button[type=submit]')
  await page.getByRole('button', { name: 'Continue' }).click(SOON)
}

describe('signing in elsewhere', () => {
  test('leads through the provider back to where one was; signing out ends it there too', async () => {
    const { page } = stand
    await stand.goto('devices/T-1?range=15m')
    await signInElsewhere(page, 'mei')
    await page.getByRole('heading', { name: /甲醇储罐/ }).waitFor(SOON)
    expect(new URL(page.url()).hash).toBe('#/devices/T-1?range=15m')
    await page.getByRole('link', { name: '我的账号：mei' }).click()
    await page.getByText('您通过统一身份登录，密码请在那里修改。').waitFor(SOON)
    expect(await page.locator('input[type=password]').count()).toBe(0)

    await page.getByRole('button', { name: '退出' }).click()
    await page.waitForURL((url) => url.origin === provider.issuer, SOON)
    await page.getByRole('button', { name: /yes/i }).click(SOON)
    await page.locator('.sign-in').waitFor(SOON)
    expect(page.url()).toBe(`${stand.service.httpAddress}/`)
    // The next at this desk is asked who they are.
    await page.getByRole('link', { name: '使用统一登录' }).click()
    await page.locator('input[name=login]').waitFor(SOON)
    expect(await page.evaluate(() => document.cookie)).not.toContain('fenghuo_session')
  })

  test('whom the mapping does not know is told so in both languages, and comes back to the same place', async () => {
    const page = await stand.anew(PHONE)
    await stand.goto('rules')
    await signInElsewhere(page, 'stranger')
    await page.getByRole('heading', { name: '登录未成功 · Not signed in' }).waitFor(SOON)
    expect(await page.getByText('has no role here').count()).toBe(1)
    expect(await pageFaults(page)).toEqual([])
    await page.getByRole('link', { name: '返回登录' }).click()
    await page.locator('.sign-in').waitFor(SOON)
    expect(new URL(page.url()).hash).toBe('#/rules')
    await stand.tryToSignIn('admin', ADMIN_PASSWORD)
    await page.getByRole('heading', { name: '规则' }).waitFor(SOON)
  })

  test('while the provider is away the page says so, and the password works', async () => {
    const { page } = stand
    provider.down = true
    try {
      await stand.stop()
      await stand.start()
      await stand.goto('')
      await page.getByText('统一登录').waitFor(SOON)
      await vi.waitFor(async () => {
        await page.reload()
        await page.getByText('暂时不可用').waitFor({ timeout: 1000 })
      }, SOON)
      expect(await pageFaults(page)).toEqual([])
      await stand.signIn()
    } finally {
      provider.down = false
    }
  })
})

describe('the own password', () => {
  test('is changed with the keyboard alone; the other sessions end, the old password is of no use', async () => {
    const { page } = stand
    await stand.makeUser('olga', 'viewer')
    const login = (password: string): Promise<Response> =>
      fetch(`${stand.service.httpAddress}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'olga', password })
      })
    const other = (await login(passwordOf('olga'))).headers.getSetCookie()[0]?.split(';')[0] ?? ''
    await stand.signIn('account', 'olga', passwordOf('olga'))
    await page.locator('main tbody tr').nth(1).waitFor(SOON)
    const form = page.getByRole('form', { name: '修改密码' })
    const type = async (present: string, password: string, again: string): Promise<void> => {
      await form.getByLabel('现在的密码').focus()
      for (const text of [present, password, again]) {
        await page.keyboard.press('ControlOrMeta+A')
        await page.keyboard.type(text)
        await page.keyboard.press('Tab')
      }
      await form.getByLabel('再输入一次新密码').press('Enter')
    }
    await type('not the password', 'seven purple kettles', 'seven purple kettles')
    await form.getByText('现在的密码不对，密码没有修改。').waitFor(SOON)
    await type(passwordOf('olga'), 'password1', 'password1')
    await form.getByText('新密码不合要求').waitFor(SOON)
    await type(passwordOf('olga'), 'seven purple kettles', 'seven purple kittens')
    await form.getByText('两次输入的新密码不一致。').waitFor(SOON)
    await type(passwordOf('olga'), 'seven purple kettles', 'seven purple kettles')
    await form.getByText('密码已修改，您的其他会话已结束。').waitFor(SOON)
    await vi.waitFor(async () => expect(await page.locator('main tbody tr').count()).toBe(1), SOON)
    const mine = await fetch(`${stand.service.httpAddress}/api/v1/session`, { headers: { cookie: other } })
    expect([mine.status, (await login(passwordOf('olga'))).status, (await login('seven purple kettles')).status]).toEqual([401, 401, 200])
    const { items } = await stand.service.get<{ items: { who: string; what: string }[] }>('/api/v1/audit?limit=20')
    expect(items.filter(({ what }) => what.includes('password')).map(({ who }) => who)).toEqual(['olga'])
  })

  test.each(SIZES)('the page has no serious fault of accessibility and is not wider than the window (%s)', async (_, viewport) => {
    const page = await stand.anew(viewport)
    await stand.signIn('account')
    await page.locator('main tbody tr').first().waitFor(SOON)
    for (const language of ['zh-CN', 'en']) {
      expect(await page.locator('html').getAttribute('lang')).toBe(language)
      expect(await pageFaults(page)).toEqual([])
      if (language === 'en') break
      const menu = page.getByRole('button', { name: '设置' })
      if (await menu.isVisible()) await menu.click()
      await page.locator('.settings button').first().click()
    }
  })
})
