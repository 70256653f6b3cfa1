// The console's pages of those who run the place, in a real browser on the real service: messages, drills, duty, rules, people.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { DESK, pageFaults, passwordOf, SIZES, SOON, standOn } from './browser.ts'
import { writeOperationsPlant } from './operations-plant.ts'

const LATER = { timeout: 30_000 }

let carrier: Server
/** What the carrier answers, by the last part of the path. */
let answers: Record<string, number>
const stand = standOn(async (folder, { env }) => {
  env.HOOK_SECRET = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`
  carrier = createServer((request, response) => {
    request.resume()
    response.writeHead(answers[request.url?.slice(1) ?? ''] ?? 204).end()
  })
  await new Promise<void>((resolve) => carrier.listen(0, '127.0.0.1', resolve))
  return writeOperationsPlant(folder, `http://127.0.0.1:${(carrier.address() as AddressInfo).port}`)
})
const signIn = stand.signIn.bind(stand)
const send = stand.report.bind(stand)
const makeUser = stand.makeUser.bind(stand)

afterAll(() => {
  carrier?.close()
})
beforeEach(() => {
  answers = {}
})

describe('messages', () => {
  test('nothing yet, then who was told what; a dead letter is sent again by hand', async () => {
    const { page } = stand
    answers = { zhang: 400, li: 400 }
    await signIn('notifications')
    await page.getByText('没有通知记录').waitFor(SOON)
    await send('T-1', { level_pct: 97 })
    const row = page.locator('.notice-table tbody tr[data-state=failed]')
    await vi.waitFor(async () => {
      await page.getByRole('button', { name: '只看失败' }).click()
      await row.first().waitFor({ timeout: 1500 })
    }, LATER)
    expect(await row.first().textContent()).toContain('系统接口')
    answers = {}
    await row
      .first()
      .getByRole('button', { name: /^重新发送给/ })
      .click()
    await page.goto(`${stand.service.httpAddress}/#/notifications?state=sent`)
    await page.locator('.notice-table tbody tr[data-state=sent]').first().waitFor(LATER)
    const { items } = await stand.service.get<{ items: { what: string }[] }>('/api/v1/audit')
    expect(items.some(({ what }) => what.startsWith('notification.retry '))).toBe(true)
  })

  test('a drill is asked twice, sent for real, and leaves its record', async () => {
    const { page } = stand
    await signIn('notifications?tab=drills')
    await page.getByText('没有演练记录').waitFor(SOON)
    await page.getByText('请选择场所，或填写设备编号或人员编号。').waitFor(SOON)
    expect(await page.getByRole('button', { name: '举行演练' }).count()).toBe(0)
    await page.getByLabel('设备编号（可不填）').fill('no-such')
    await page.getByRole('button', { name: '举行演练' }).click()
    await page.getByRole('button', { name: '确认发送' }).click()
    await page.getByText('没有这个场所、设备或人员').waitFor(SOON)
    await page.getByLabel('场所').last().selectOption('farm')
    await page.getByLabel('说明（可不填）').fill('季度演练')
    await page.getByRole('button', { name: '举行演练' }).click()
    await page.getByText('将真实发送，确定吗？').waitFor(SOON)
    expect((await stand.service.get<{ items: object[] }>('/api/v1/drills')).items).toEqual([])
    await page.getByRole('button', { name: '确认发送' }).click()
    await page.getByText('演练已开始：立即发出 1 条').waitFor(SOON)
    const record = page.locator('.drill')
    await record.getByText('季度演练').waitFor(LATER)
    await vi.waitFor(async () => expect(await record.locator('tbody time').count()).toBeGreaterThan(0), LATER)
    await record.getByRole('button', { name: '确认演练（结束）' }).click()
    await vi.waitFor(async () => expect(await record.getAttribute('data-outcome')).toBe('acknowledged'), LATER)
    expect((await stand.service.get<{ items: object[] }>('/api/v1/alarms?state=active')).items).toEqual([])
  })
})

describe('duty', () => {
  test('who is on duty, the holes ahead, who is responsible and who is not named', async () => {
    const { page } = stand
    await signIn('duty')
    const rota = (id: string) => page.locator(`tr[data-rota=${id}]`)
    await rota('gate').getByText('今后 90 天无空岗').waitFor(SOON)
    expect(await rota('night').textContent()).toMatch(/今后 90 天内有 \d+ 处空岗/)
    await page.getByRole('link', { name: '三级包保' }).click()
    const line = page.locator('.paper-table tbody tr:not([data-rota])')
    await line.waitFor(SOON)
    expect(await line.locator('.outcome').allTextContents()).toEqual(['张值班', '李备班', '未指定'])
  })

  test('who would be told of a present alarm, when and by what', async () => {
    const { page } = stand
    await send('T-1', { level_pct: 97 })
    await signIn('duty?tab=preview')
    const choice = page.getByLabel('按当前告警')
    await choice.waitFor(SOON)
    await choice.selectOption({ index: 1 })
    await page.getByText('阶梯 farm').waitFor(SOON)
    const told = page.locator('.paper-table tbody tr')
    expect(await told.count()).toBe(2)
    expect(await told.nth(1).locator('td').nth(2).textContent()).toBe('李备班')
    expect(await told.nth(1).locator('td').nth(1).textContent()).toBe('第 2 级')
  })
})

describe('rules', () => {
  const text = (page: Page) => page.getByLabel('规则内容（YAML）')

  test('a mistake is shown at its line; a change is checked, saved with a note, listed and taken back', async () => {
    const { page } = stand
    await send('T-1', { level_pct: 70 })
    await signIn('rules')
    await page.getByRole('link', { name: '储罐液位超高' }).click()
    await text(page).waitFor(SOON)
    const before = await text(page).inputValue()
    const line = before.split('\n').findIndex((one) => one.includes('limits.level_high_high'))
    await text(page).fill(before.replace('limits.level_high_high', 'limits.no_such'))
    await page.getByRole('button', { name: '检查' }).click()
    await page.locator('.problem-line').first().waitFor(SOON)
    expect(await page.locator('.problem-line').allTextContents()).toContain(`第 ${line + 1} 行`)
    expect(await page.locator('.numbered li[data-bad=true]').allTextContents()).toContain(String(line + 1))

    await text(page).fill(before.replace('limits.level_high', '65'))
    await page.getByRole('button', { name: '检查' }).click()
    const trial = page.locator('.trial')
    await trial.waitFor(SOON)
    expect(await trial.textContent()).toContain('按当前数值，保存后 1 处立即变化')
    expect(await trial.locator('.turns li').allTextContents()).toEqual([expect.stringMatching(/^T-1 .* 液位 70% > 65%$/)])
    await page.getByPlaceholder('为什么改：随版本保存').fill('试生产期间收紧')
    await page.getByRole('button', { name: '保存并生效' }).click()
    await page.getByText('已保存为第 1 版，立即生效。').waitFor(SOON)
    const version = page.locator('tr[data-version="1"]')
    await version.getByText('试生产期间收紧').waitFor(SOON)
    await vi.waitFor(
      async () => expect((await stand.service.get<{ items: object[] }>('/api/v1/alarms?state=active')).items).toHaveLength(1),
      SOON
    )

    await page.getByRole('button', { name: '恢复为文件内容' }).click()
    await page.getByRole('button', { name: '确定' }).click()
    await page.locator('tr[data-version="2"]').waitFor(SOON)
    expect(await text(page).inputValue()).toBe(before)
  })

  test('a rule taken out of force is found again and brought back', async () => {
    const { page } = stand
    await signIn('rules/tank-level')
    await page.getByRole('button', { name: '停用规则' }).click()
    await page.getByRole('button', { name: '确定' }).click()
    await page.getByText('没有规则 tank-level').waitFor(SOON)
    await page.getByRole('link', { name: '返回规则列表' }).click()
    await page.getByText('已在控制台停用').waitFor(SOON)
    await page.getByRole('link', { name: 'tank-level' }).click()
    await page.getByRole('button', { name: '恢复为文件内容' }).click()
    await page.getByRole('button', { name: '确定' }).click()
    await text(page).waitFor(SOON)
  })

  test('what somebody else has changed meanwhile is not overwritten', async () => {
    const { page } = stand
    await signIn('rules/tank-level')
    await text(page).waitFor(SOON)
    const before = await text(page).inputValue()
    const headers = { cookie: await stand.service.cookie(), 'content-type': 'text/yaml' }
    const body = before.replace('limits.level_high_high', '94')
    const other = await fetch(`${stand.service.httpAddress}/api/v1/rules/tank-level`, { method: 'PUT', headers, body })
    expect(other.status).toBe(200)
    const mine = before.replace('limits.level_high_high', '93')
    await text(page).fill(mine)
    await page.getByRole('button', { name: '保存并生效' }).click()
    await page.getByText('这条规则已被别人修改').waitFor(SOON)
    expect(await text(page).inputValue()).toBe(mine)
    await page.getByRole('button', { name: '载入最新版本' }).click()
    await vi.waitFor(async () => expect(await text(page).inputValue()).toContain('> 94'), SOON)
  })

  test('an operator reads; an engineer turns the rule into a shadow', async () => {
    const { page } = stand
    await makeUser('olga', 'operator')
    await makeUser('emil', 'engineer')
    await signIn('rules/tank-level', 'olga', passwordOf('olga'))
    await page.getByText('只有工程师可以修改规则。').waitFor(SOON)
    expect(await text(page).getAttribute('readonly')).not.toBeNull()
    const other = await stand.anew(DESK)
    await signIn('rules/tank-level', 'emil', passwordOf('emil'))
    await other.getByRole('button', { name: '转为影子运行' }).click()
    await other.getByRole('button', { name: '确定' }).click()
    await other.getByText('影子运行：照常判断，不报警、不通知').waitFor(SOON)
    const { shadow } = await stand.service.get<{ shadow: boolean }>('/api/v1/rules/tank-level')
    expect(shadow).toBe(true)
  })
})

describe('hazard sources', () => {
  test('the grade by design and by the levels now, and which levels are not known', async () => {
    const { page } = stand
    await send('T-1', { level_pct: 50 })
    await signIn('hazards')
    const source = page.locator('[data-hazard=bund-methanol]')
    await source.waitFor(SOON)
    await source.getByText('1 种物质的液位未知，按满罐计').waitFor(SOON)
    // R = 2.0 × (2000 t / 500 t + 1000 t / 500 t) by design; half of the methanol now.
    expect((await source.locator('.grading').allTextContents()).map((one) => /R = (\S+?)S/.exec(one)?.[1])).toEqual(['8', '12'])
    expect(await source.locator('.doubt').count()).toBe(1)
  })
})

describe('people and access', () => {
  test('a user is made, disabled, and what was done is in the audit log', async () => {
    const { page } = stand
    await signIn('people')
    await page.getByRole('button', { name: '新建用户' }).click()
    await page.fill('input[name=new-name]', 'li')
    await page.fill('input[name=new-password]', 'a long password of li')
    await page.getByLabel('角色').selectOption('operator')
    await page.getByRole('button', { name: '新建用户' }).click()
    const row = page.locator('tr[data-user=li]')
    await row.waitFor(SOON)
    expect(await row.textContent()).toContain('操作员')
    await row.getByRole('button', { name: '停用' }).click()
    await row.getByRole('button', { name: '确定' }).click()
    await row.getByText('已停用').waitFor(SOON)
    await page.getByRole('link', { name: '审计日志' }).click()
    await page.getByText('user.change li').waitFor(SOON)
  })

  test('a token is shown once and revoked', async () => {
    const { page } = stand
    await signIn('people?tab=tokens')
    await page.getByLabel('名称').fill('city map')
    await page.getByRole('button', { name: '新建令牌' }).click()
    const secret = (await page.locator('.secret').textContent(SOON)) ?? ''
    const asked = (): Promise<Response> =>
      fetch(`${stand.service.httpAddress}/api/v1/session`, { headers: { authorization: `Bearer ${secret}` } })
    expect((await asked()).status).toBe(200)
    await page.getByRole('button', { name: '吊销' }).click()
    await page.getByRole('button', { name: '吊销' }).click()
    await page.getByText('已吊销').waitFor(SOON)
    expect((await asked()).status).toBe(401)
  })

  test('who is no administrator is not shown the way there', async () => {
    const { page } = stand
    await makeUser('olga', 'operator')
    await signIn('people', 'olga', passwordOf('olga'))
    await page.getByText('只有管理员可以查看和修改人员与权限。').waitFor(SOON)
    expect(await page.getByRole('link', { name: '人员与权限' }).count()).toBe(0)
  })
})

describe('when something fails', () => {
  test('a way of telling people that fails is said on every page, and the lost link too', async () => {
    const { page } = stand
    answers = { zhang: 503, li: 503 }
    await send('T-1', { level_pct: 97 })
    await signIn('duty')
    const unwell = page.locator('.banner-health')
    await unwell.getByText('有通知渠道发不出去').waitFor(LATER)
    await unwell.getByText(/^hook to .*：一再发送失败，仍在重试。$/).waitFor(SOON)
    await unwell.getByText(/^值班表 night .*无人值班.*请补班次或替班。$/).waitFor(SOON)
    await stand.service.kill()
    await page.locator('.banner-link').getByText('与服务的通信中断').waitFor(LATER)
    await page.locator('.frame[data-link=lost] .paper-table').waitFor(SOON)
    // A page that was never open cannot come now; the alarms stay.
    await page.goto(`${page.url().split('#')[0]}#/hazards`)
    await page.getByText('本页没有打开').waitFor(SOON)
    await page.getByRole('link', { name: '实时告警' }).click()
    await page.locator('.alarm').first().waitFor(SOON)
    expect(await page.locator('.banner-link').count()).toBe(1)
    stand.seat.complaints.length = 0
  })
})

const PAGES = [
  ...['notifications', 'notifications?tab=answers', 'notifications?tab=drills', 'duty', 'duty?tab=responsible', 'duty?tab=ladders'],
  ...['duty?tab=preview&rule=tank-level&device=T-1', 'rules', 'rules/tank-level', 'hazards'],
  ...['people', 'people?tab=sessions', 'people?tab=tokens', 'people?tab=audit']
]

describe('every page', () => {
  for (const [name, size] of SIZES) {
    test(`is free of serious faults of accessibility and not wider than the screen: ${name}`, async () => {
      const page = await stand.anew(size)
      await send('T-1', { level_pct: 97 })
      await signIn('duty')
      for (const language of ['zh', 'en']) {
        for (const where of PAGES) {
          await page.goto(`${stand.service.httpAddress}/#/${where}`)
          await page.locator('.paper h1, .rule-acts').first().waitFor(SOON)
          await page.waitForLoadState('networkidle')
          expect([language, where, ...(await pageFaults(page))]).toEqual([language, where])
        }
        const menu = page.getByRole('button', { name: language === 'zh' ? '设置' : 'Settings' })
        if (await menu.isVisible()) await menu.click()
        await page.locator('.settings button').first().click()
      }
    })
  }
})
