// The console in a real browser, on the real service, fed over real MQTT.

import { mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test, vi } from 'vitest'
import { ADMIN_PASSWORD } from '../liveService.ts'
import { PHONE, pageFaults, SIZES, SOON, standOn } from './browser.ts'
import { writePlant } from './plant.ts'

const stand = standOn((folder) => writePlant(folder))
const signIn = (password = ADMIN_PASSWORD): Promise<void> => stand.tryToSignIn('admin', password)
const report = stand.report.bind(stand)

const row = (device: string) => stand.page.locator(`.alarm[data-alarm^="tank-level/${device}#"]`)
const partsOf = (selector: string): Promise<string[]> => stand.page.locator(`${selector} > *`).allTextContents()

describe('signing in', () => {
  test('a wrong password is said in a sentence, the right one opens the alarm list', async () => {
    const { page } = stand
    await signIn('not-the-password')
    expect(await page.locator('[role=alert]').textContent()).toBe('用户名或密码不对，请重新输入。')
    await signIn()
    await page.getByRole('heading', { name: '实时告警' }).waitFor(SOON)
  })

  test('without one device heard, no alarm is not called well', async () => {
    await signIn()
    await stand.page.locator('.nothing strong').waitFor(SOON)
    expect(await partsOf('.nothing')).toEqual(['当前没有告警', '没有设备在线：没有告警不等于安全。'])
  })

  test('a session that ends leads to the sign-in page and back to the same place', async () => {
    const { page, context } = stand.seat
    await signIn()
    await page.goto(`${stand.service.httpAddress}/#/devices/T-1`)
    await page.getByRole('heading', { name: /甲醇储罐/ }).waitFor(SOON)
    await context.request.delete(`${stand.service.httpAddress}/api/v1/session`, { headers: { origin: stand.service.httpAddress } })
    await page.getByText('会话已过期').waitFor(SOON)
    await signIn()
    await page.getByRole('heading', { name: /甲醇储罐/ }).waitFor(SOON)
    expect(new URL(page.url()).hash).toBe('#/devices/T-1')
  })
})

describe('alarms', () => {
  test('one appears by itself, is announced, and is acknowledged by one press', async () => {
    const { page } = stand
    await signIn()
    await page.locator('.nothing strong').waitFor(SOON)
    await report('T-1', { level_pct: 96.5 })
    await row('T-1').waitFor(SOON)
    expect(await row('T-1').getAttribute('data-state')).toBe('unacknowledged')
    expect(await row('T-1').getByRole('img').getAttribute('aria-label')).toBe('红色 I 级')
    expect(await row('T-1').textContent()).toContain('液位 96.5% > 95%')
    await vi.waitFor(
      async () => expect(await page.locator('[data-announcer]').textContent()).toContain('新告警，红色 I 级，甲醇储罐'),
      SOON
    )
    expect(await page.title()).toBe('(1 未确认 / 1) 烽火')

    await vi.waitFor(async () => {
      await row('T-1')
        .getByRole('button', { name: /^确认告警/ })
        .click({ timeout: 500 })
      expect(await row('T-1').getAttribute('data-state')).toBe('acknowledged')
    }, SOON)
    await row('T-1').getByText('已确认 · admin').waitFor(SOON)
    await vi.waitFor(async () => expect(await page.title()).toBe('(0 未确认 / 1) 烽火'), SOON)
    const { items } = await stand.service.get<{ items: { acknowledged: { by: string } | null }[] }>('/api/v1/alarms?state=active')
    expect(items.map(({ acknowledged }) => acknowledged?.by)).toEqual(['admin'])
  })

  test('the highest tier stands first; the arrows walk and a acknowledges only the one walked to', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 90 })
    await report('T-2', { level_pct: 97 })
    await signIn()
    await row('T-1').waitFor(SOON)
    const order = await page.locator('.alarm').evaluateAll((rows) => rows.map((one) => one.getAttribute('data-tier')))
    expect(order).toEqual(['red', 'yellow'])
    await page.keyboard.press('a')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('a')
    await row('T-1').getByText('已确认 · admin').waitFor(SOON)
    expect(await row('T-2').getAttribute('data-state')).toBe('unacknowledged')
  })

  test('returned but not acknowledged stays and looks different; acknowledged with a note, it leaves', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { level_pct: 90 })
    await row('T-1').waitFor(SOON)
    await report('T-1', { level_pct: 50 })
    await vi.waitFor(async () => expect(await row('T-1').getAttribute('data-state')).toBe('returned'), SOON)
    await row('T-1').getByText('已恢复 · 未确认').waitFor(SOON)
    const id = await row('T-1').getAttribute('data-alarm')
    await row('T-1').getByRole('button', { name: '附言' }).click()
    await page.getByLabel('附言（可不填）').fill('已到现场核实')
    await page.getByRole('button', { name: '确认并附言' }).click()
    await row('T-1').waitFor({ state: 'detached', ...SOON })
    const alarm = await stand.service.get<{ acknowledged: { note: string } }>(`/api/v1/alarms/${encodeURIComponent(id ?? '')}`)
    expect(alarm.acknowledged.note).toBe('已到现场核实')
  })

  test('guidance opens with what to do first; filters narrow the list and stay in the address', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 90 })
    await report('T-2', { level_pct: 97 })
    await signIn()
    await row('T-2').waitFor(SOON)
    await row('T-2').getByRole('button', { name: '处置指引' }).click()
    expect(await row('T-2').locator('.guidance dt').allTextContents()).toEqual(['处置', '时限', '原因', '后果'])
    await page.getByLabel('搜索设备、区域、原因').fill('甲苯')
    await row('T-1').waitFor({ state: 'detached', ...SOON })
    expect(await page.locator('.alarm').count()).toBe(1)
    expect(new URL(page.url()).hash).toContain('q=')
  })
})

describe('devices', () => {
  test('a faulty, a missing and a good value look different, and are live', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 40.25, temperature_c: null })
    await signIn()
    await page.getByRole('link', { name: '设备', exact: true }).click()
    const line = (id: string) => page.locator('.device-table tbody tr').filter({ hasText: id })
    await line('T-1').getByText('40.25').waitFor(SOON)
    const trusts = (id: string) =>
      line(id)
        .locator('.value')
        .evaluateAll((values) => values.map((value) => value.getAttribute('data-trust')))
    expect(await trusts('T-1')).toEqual(['good', 'sensorFault'])
    expect(await trusts('T-3')).toEqual(['never', 'never'])
    expect(await line('T-1').textContent()).toContain('传感器故障')
    await report('T-1', { level_pct: 41.75, temperature_c: 20 })
    await line('T-1').getByText('41.75').waitFor(SOON)
    await vi.waitFor(async () => expect(await trusts('T-1')).toEqual(['good', 'good']), SOON)
  })

  test('a device shows its limits, its trend and its alarms', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 80, temperature_c: 20 })
    await report('T-1', { level_pct: 90, temperature_c: 21 })
    await signIn()
    await page.goto(`${stand.service.httpAddress}/#/devices/T-1`)
    const level = page.getByRole('region', { name: '液位' })
    await level.locator('.limits').waitFor(SOON)
    expect(await level.locator('.limits li').allTextContents()).toEqual(['I红色 > 95 %', 'III黄色 > 85 %'])
    await vi.waitFor(async () => {
      await page.getByRole('button', { name: '15 分钟' }).click()
      const label = await level.locator('.chart').getAttribute('aria-label')
      expect(label).toBe('液位，最近15 分钟：最小 80，最大 90，最新 90')
    }, SOON)
    expect(await page.locator('.alarm-table tbody tr').count()).toBe(1)
  })

  test('a rule opens to why it did not fire, and then why it did', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 71.5, temperature_c: 20 })
    await signIn()
    await page.goto(`${stand.service.httpAddress}/#/devices/T-1`)
    const why = page.locator('.why[data-rule=tank-level]')
    await why.locator('summary').click(SOON)
    await why.locator('.why-sentence', { hasText: '未报警。' }).waitFor(SOON)
    expect(await why.locator('.why-sentence').textContent()).toBe('未报警。 黄色: 未达到:液位 71.5% ≤ 85%')
    expect(await why.locator('.why-tier').last().locator('tr').allTextContents()).toEqual([
      expect.stringMatching(/^level_pct > limits\.level_high✗ 不成立/),
      expect.stringMatching(/^level_pct71\.5/),
      expect.stringMatching(/^limits\.level_high85/)
    ])
    await report('T-1', { level_pct: 88 })
    await why.locator('.why-sentence', { hasText: '保持' }).waitFor(SOON)
    expect(await why.locator('.why-sentence').textContent()).toMatch(/黄色: 保持:液位 88% > 83%$/)
    expect(await pageFaults(page)).toEqual([])
  })
})

describe('the link', () => {
  test('when the service is gone the page says since when it is old; when it is back it recovers by itself', async () => {
    const { page } = stand
    await stand.stop()
    const data = await mkdtemp(path.join(stand.folder, 'data-'))
    await stand.start({}, data)
    await report('T-1', { level_pct: 90 })
    await signIn()
    await row('T-1').waitFor(SOON)

    const port = new URL(stand.service.httpAddress).port
    await stand.service.kill()
    await page.locator('.banner-link').waitFor(SOON)
    expect(await partsOf('.banner-link')).toEqual([
      '与服务的通信中断',
      expect.stringMatching(/^以下数据停留在 \d\d:\d\d:\d\d（\d+ 秒前），不是当前状态。$/),
      expect.any(String)
    ])
    expect(await page.title()).toBe('(中断) 烽火')
    expect(await page.locator('.frame').getAttribute('data-link')).toBe('lost')

    await stand.gateway.end()
    await stand.start({ FENGHUO_HTTP_PORT: port }, data)
    await page.locator('.banner-link').waitFor({ state: 'detached', timeout: 30_000 })
    await row('T-1').waitFor(SOON)
    await report('T-2', { level_pct: 97 })
    await row('T-2').waitFor(SOON)
  })
})

describe('health', () => {
  async function unwell(page: Page, health: readonly { part: string; state: string; problem: string | null }[]): Promise<void> {
    await page.route('**/api/v1/overview', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...((await response.json()) as object), health } })
    })
    await signIn()
    await page.locator('.banner-health').waitFor(SOON)
  }

  test('a part that the console has never heard of is said by its name, as text', async () => {
    await unwell(stand.page, [
      { part: 'role', state: 'degraded', problem: 'the lease is held by <b>another</b>' },
      { part: 'toString', state: 'no such state', problem: null }
    ])
    expect(await partsOf('.banner-health')).toEqual([
      'role 不正常。the lease is held by <b>another</b>',
      'toString 不正常。',
      '共 2 项，查看详情'
    ])
  })

  test('the worst is said first, the same once, and on a small screen the rest is one press away', async () => {
    const page = await stand.anew(PHONE)
    await unwell(page, [
      { part: 'duty day', state: 'degraded', problem: 'a hole of day' },
      { part: 'duty night', state: 'degraded', problem: 'a hole of night' },
      { part: 'people', state: 'degraded', problem: 'nobody' },
      { part: 'journal', state: 'full', problem: 'no space' }
    ])
    const lines = page.locator('.banner-health p')
    const seen = () => lines.filter({ visible: true }).allInnerTexts()
    expect(await seen()).toEqual([expect.stringMatching(/^磁盘已满：.*自动继续。$/)])
    await page.getByRole('button', { name: '共 3 项，查看详情' }).click()
    expect(await seen()).toEqual([
      expect.stringMatching(/^磁盘已满：.*\s*no space$/),
      expect.stringMatching(/^有未确认的告警没有通知到任何人.*\s*nobody$/),
      expect.stringMatching(/^值班表有空岗：.*\s*a hole of day\s*a hole of night$/)
    ])
    expect(await pageFaults(page)).toEqual([])
  })
})

describe('sites', () => {
  test('where an alarm has returned and nobody has taken note of it, the site is not called quiet', async () => {
    const { page } = stand
    await signIn()
    const site = page.locator('.site', { hasText: '北罐区' })
    await report('T-1', { level_pct: 97 })
    const marked = async () => {
      const mark = site.getByRole('img')
      return [await mark.getAttribute('aria-label'), await mark.getAttribute('data-state'), await site.locator('b').allTextContents()]
    }
    await vi.waitFor(async () => expect(await marked()).toEqual(['红色 I 级', 'unacknowledged', ['1']]), SOON)
    await report('T-1', { level_pct: 50 })
    await vi.waitFor(async () => expect(await marked()).toEqual(['红色 I 级', 'returned', ['1']]), SOON)
  })
})

describe('for everybody', () => {
  test('the language is switched and remembered', async () => {
    const { page } = stand
    await report('T-1', { level_pct: 97 })
    await signIn()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Live alarms' }).waitFor(SOON)
    await row('T-1').getByText('Unacknowledged').waitFor(SOON)
    expect(await row('T-1').textContent()).toContain('Methanol tank')
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await page.reload()
    await page.getByRole('heading', { name: 'Live alarms' }).waitFor(SOON)
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('heading', { name: '实时告警' }).waitFor(SOON)
  })

  test.each(SIZES)('no page has a serious fault of accessibility or is wider than the window (%s)', async (_, viewport) => {
    const page = await stand.anew(viewport)
    await report('T-1', { level_pct: 90, temperature_c: 300 })
    await report('T-2', { level_pct: 97, temperature_c: null })
    const faults: Record<string, unknown> = {}
    const look = async (name: string): Promise<void> => {
      faults[name] = await pageFaults(page)
    }
    await page.goto(stand.service.httpAddress)
    await page.locator('.sign-in').waitFor(SOON)
    await look('sign in')
    await signIn()
    await row('T-2').waitFor(SOON)
    await row('T-2').getByRole('button', { name: '处置指引' }).click()
    await look('alarms')
    await page.goto(`${stand.service.httpAddress}/#/devices`)
    await page.locator('.device-table tbody tr').first().waitFor(SOON)
    await look('devices')
    await page.goto(`${stand.service.httpAddress}/#/devices/T-1`)
    await page.locator('.metric').first().waitFor(SOON)
    await look('device')
    await page.evaluate(() => document.documentElement.setAttribute('data-theme', 'light'))
    await look('device, light')
    expect(faults).toEqual({ 'sign in': [], alarms: [], devices: [], device: [], 'device, light': [] })
  })
})
