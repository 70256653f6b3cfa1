// The page behind a one-time link, as an old phone shows it: small, without scripts, in the language of its message.

import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { BrowserContext, Page } from 'playwright-core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { AckLinks } from '../../src/alerts/ackLinks.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { pageFaults, SOON, standOn } from './browser.ts'
import { writePlant } from './plant.ts'

const OLD_PHONE = { width: 320, height: 480 }
const DUTY = `
zone: Asia/Shanghai
people:
  - { id: zhang, name: { zh: 张值班, en: Zhang }, enterprise: chem, addresses: { email: zhang@chem.example } }
  - { id: lee, name: { zh: 李夜班, en: Lee }, enterprise: chem, language: en, addresses: { email: lee@chem.example } }
ladders:
  - { id: farm, appliesTo: { site: farm }, steps: [{ after: 0s, tell: [person:zhang, person:lee], by: [email] }] }
`

const stand = standOn((folder) => writePlant(folder, { 'duty.yaml': DUTY }))
let phone: BrowserContext | null = null

afterEach(async () => {
  await phone?.close()
  phone = null
})

/** The link of the message to this person, given out `agoMs` ago. */
async function linkOf(person: string, agoMs = 0): Promise<string> {
  const state = new DatabaseSync(path.join(stand.data, 'state.db'), { readOnly: true })
  const found = state.prepare(
    `select n, secret from notifications, service_secrets where person = ? and name = 'links' and withheld is null order by n limit 1`
  )
  const row = await vi.waitFor(() => {
    const told = found.get(person)
    expect(told).toBeDefined()
    return told
  }, SOON)
  state.close()
  const links = new AckLinks(String(row?.secret), stand.service.httpAddress, new ManualClock(stand.clock.now() - agoMs))
  return links.url(Number(row?.n)) as string
}

async function open(link: string): Promise<Page> {
  phone ??= await stand.browser.newContext({ viewport: OLD_PHONE, javaScriptEnabled: false, locale: 'zh-CN' })
  const page = await phone.newPage()
  await page.goto(link)
  return page
}

const textOf = (page: Page): Promise<string[]> => page.locator('h1, p').allTextContents()
/** Looked at by a browser that runs the checks' scripts. */
async function faultsOf(page: Page): Promise<unknown[]> {
  const looker = await stand.browser.newPage({ viewport: OLD_PHONE })
  await looker.setContent(await page.content())
  const faults = await pageFaults(looker)
  await looker.close()
  return faults
}
const acknowledgedBy = async (): Promise<string | undefined> =>
  (await stand.service.get<{ items: { acknowledged: { by: string } | null }[] }>('/api/v1/alarms?state=active')).items[0]?.acknowledged?.by

describe('the page of a one-time link', () => {
  test('one press acknowledges; the second press and the other link say who has it', async () => {
    await stand.report('T-1', { level_pct: 97 })
    const page = await open(await linkOf('zhang'))
    expect(await page.locator('html').getAttribute('lang')).toBe('zh')
    expect(await faultsOf(page)).toEqual([])
    const button = page.getByRole('button', { name: '收到，我来处理' })
    // Seen and pressed without scrolling, by a thumb.
    expect(await button.evaluate((one) => one.getBoundingClientRect().height)).toBeGreaterThanOrEqual(44)
    expect(await acknowledgedBy()).toBeUndefined()
    const second = await open(await linkOf('zhang'))
    await button.click()
    expect(await textOf(page)).toEqual(expect.arrayContaining(['已确认，谢谢。请按要求处置。', '确认人 zhang']))
    expect([await acknowledgedBy(), await faultsOf(page)]).toEqual(['zhang', []])
    await second.getByRole('button').click()
    expect((await textOf(second)).join(' ')).toContain('已确认')
    const english = await open(await linkOf('lee'))
    expect(await english.locator('html').getAttribute('lang')).toBe('en')
    expect(await textOf(english)).toContain('Acknowledged by zhang')
    expect(await faultsOf(english)).toEqual([])
  })

  test('in English for whom it was sent in English', async () => {
    await stand.report('T-1', { level_pct: 97 })
    const page = await open(await linkOf('lee'))
    expect([await page.locator('html').getAttribute('lang'), await faultsOf(page)]).toEqual(['en', []])
    await page.getByRole('button', { name: 'I have it' }).click()
    expect((await textOf(page)).join(' ')).toContain('Acknowledged, thank you.')
    expect(await acknowledgedBy()).toBe('lee')
  })

  test('a link that has ended, is cut short, or was never ours says what to do, and acknowledges nothing', async () => {
    await stand.report('T-1', { level_pct: 97 })
    const ended = await open(await linkOf('zhang', LIMITS.courier.linkMs + 1000))
    const cut = await open((await linkOf('zhang')).slice(0, -3))
    expect((await textOf(ended)).join(' ')).toMatch(/已过期.*登录控制台/)
    expect((await textOf(cut)).join(' ')).toMatch(/登录控制台.*console/)
    for (const page of [ended, cut]) expect([await page.getByRole('button').count(), await faultsOf(page)]).toEqual([0, []])
    expect(await acknowledgedBy()).toBeUndefined()
  })
})
