// Handling alarms in a real browser: acknowledged with a note, shelved, assigned, closed, reset, suppressed, out of service,
// the story they leave behind, and the sound.

import type { Locator } from 'playwright-core'
import { describe, expect, test, vi } from 'vitest'
import { pageFaults, passwordOf, SIZES, SOON, standOn } from './browser.ts'
import { writePlant } from './plant.ts'

const RULES = `
rules:
  - id: tank-hot
    title: { zh: 储罐超温, en: Tank too hot }
    appliesTo: { profile: tank }
    acknowledgeNote: required
    tiers: { orange: { when: temperature_c > 60 } }
    guidance: { zh: 处置:喷淋降温。, en: "Do: cool it." }
  - id: tank-empty
    title: { zh: 储罐抽空, en: Tank drawn empty }
    appliesTo: { profile: tank }
    latched: true
    tiers: { blue: { when: level_pct < 5 } }
    guidance: { zh: 处置:停泵。, en: "Do: stop the pump." }
states:
  - id: cleaning
    title: { zh: 清洗作业, en: Being cleaned }
    appliesTo: { profile: tank }
    manual: { atMost: 8h }
    suppresses: { rules: all, upTo: orange }
`

const stand = standOn((folder) => writePlant(folder, { 'rules/handling.yaml': RULES }))
const signIn = stand.signIn.bind(stand)
const report = stand.report.bind(stand)

const row = (rule: string, device = 'T-1') => stand.page.locator(`.alarm[data-alarm^="${rule}/${device}#"]`)
const press = (where: Locator, name: string | RegExp) => where.getByRole('button', { name, exact: true }).click(SOON)
const choices = (where: Locator, label: string): Promise<string[]> => where.getByLabel(label).locator('option').allTextContents()
const tab = (name: string) => stand.page.locator('.tabs a', { hasText: name })
const counts = () => stand.page.locator('.tabs b').allTextContents()

async function opened(rule: string, device = 'T-1'): Promise<Locator> {
  await row(rule, device).waitFor(SOON)
  await press(row(rule, device), '处置指引')
  return row(rule, device)
}

/** The story of the alarm on the page, each event without its time. */
async function story(): Promise<string[]> {
  return stand.page.locator('.story li > div').allInnerTexts()
}

async function toStory(of: Locator): Promise<void> {
  await of.getByRole('link', { name: '全部经过与处置' }).click(SOON)
  await stand.page.locator('.story li').first().waitFor(SOON)
}

describe('handling one alarm', () => {
  test('where the rule asks for a note, the press asks for it, and the keyboard sends it', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { temperature_c: 70 })
    await row('tank-hot').waitFor(SOON)
    await row('tank-hot').focus()
    await page.keyboard.press('a')
    await row('tank-hot').getByText('这条规则要求确认时写明看到了什么或将怎么做。').waitFor(SOON)
    await page.keyboard.type('喷淋已开')
    await page.keyboard.press('Enter')
    await row('tank-hot').getByText('已确认 · admin').waitFor(SOON)
    await press(row('tank-hot'), '处置指引')
    await toStory(row('tank-hot'))
    expect(await story()).toEqual(
      ['发生，橙色 II 级\n温度 70°C > 60°C', '确认 admin\n喷淋已开'].map((text) => expect.stringContaining(text))
    )
  })

  test('shelved with a reason it leaves the active list, counts down under its tab, and comes back by a press', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { level_pct: 90 })
    const alarm = await opened('tank-level')
    await press(alarm, '搁置…')
    await press(alarm, '30 分')
    await press(alarm, '搁置')
    expect(await alarm.getByLabel('原因（必填）').evaluate((field: HTMLInputElement) => field.validity.valueMissing)).toBe(true)
    await press(alarm, '仪表故障待修')
    await press(alarm, '搁置')
    await row('tank-level').waitFor({ state: 'detached', ...SOON })
    expect(await counts()).toEqual(['0', '1', '0', '0'])
    await page.locator('.withheld-figures', { hasText: '1 搁置' }).waitFor(SOON)
    expect(await page.title()).toBe('(0 未确认 / 0) 烽火')
    await tab('搁置').click()
    await row('tank-level')
      .getByText(/已搁置 · 还剩 29 分/)
      .waitFor(SOON)
    expect(await row('tank-level').getAttribute('data-state')).toBe('withheld')

    await press(row('tank-level'), '取消搁置')
    await row('tank-level').waitFor({ state: 'detached', ...SOON })
    await tab('活动').click()
    await toStory(row('tank-level'))
    expect(await story()).toEqual([
      expect.stringContaining('发生，黄色 III 级'),
      expect.stringMatching(/^搁置 至 .* admin\n仪表故障待修$/),
      '取消搁置 admin'
    ])
  })

  test('an operator may not shelve a red alarm, nor be the one who verifies the own closing', async () => {
    const { page } = stand
    await stand.makeUser('li', 'operator')
    await signIn('alarms', 'li', passwordOf('li'))
    await report('T-1', { level_pct: 97 })
    const alarm = await opened('tank-level')
    await press(alarm, '搁置…')
    await alarm.getByText('红色告警由工程师或管理员搁置，请联系他们。').waitFor(SOON)
    await report('T-1', { level_pct: 50 })
    await press(alarm, '结案…')
    await alarm.getByLabel('核实人（不能是本人）').waitFor(SOON)
    await vi.waitFor(async () => expect(await choices(alarm, '核实人（不能是本人）')).toEqual(['不填', 'admin']), SOON)
    expect(await page.locator('.alarm').count()).toBe(1)
  })

  test('assigned, commented, closed with what it was and who verified it: all of it in the story', async () => {
    const { page } = stand
    await stand.makeUser('wang', 'operator')
    await signIn()
    await report('T-1', { level_pct: 90 })
    const alarm = await opened('tank-level')
    await toStory(alarm)
    const bar = page.locator('.handling')
    await press(bar, '指派…')
    await vi.waitFor(async () => expect(await choices(bar, '指派给')).toEqual(['不指派任何人', 'admin', 'wang']), SOON)
    await bar.getByLabel('指派给').selectOption('wang')
    await press(bar, '指派')
    await page.locator('.alarm-head', { hasText: '指派给 wang' }).waitFor(SOON)
    await press(bar, '备注…')
    await bar.getByLabel('说明').fill('液位计已复核')
    await page.keyboard.press('Enter')
    await report('T-1', { level_pct: 50 })
    await press(bar, '结案…')
    await bar.getByLabel('结论').selectOption({ label: '仪表故障' })
    await bar.getByLabel('核实人（不能是本人）').selectOption('wang', SOON)
    await press(bar, '结案')
    await page.locator('.alarm-head', { hasText: '已结案 · 仪表故障' }).waitFor(SOON)
    await vi.waitFor(
      async () =>
        expect(await story()).toEqual([
          expect.stringContaining('发生，黄色 III 级'),
          '指派 给 wang admin',
          '备注 admin\n液位计已复核',
          expect.stringContaining('消除（原黄色 III 级）'),
          '结案 仪表故障 · 核实人 wang admin'
        ]),
      SOON
    )
    await page.goto(`${stand.service.httpAddress}/#/alarms?tab=all`)
    await row('tank-level').waitFor(SOON)
  })

  test('a latched alarm stays until it is reset', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { level_pct: 2 })
    const alarm = await opened('tank-empty')
    await alarm.getByText('原因消除后复位，告警才解除。').waitFor(SOON)
    await press(alarm, '复位')
    await alarm.getByText(/is still on/).waitFor(SOON)
    await report('T-1', { level_pct: 50 })
    // A press just after the row has moved only asks to press again.
    await vi.waitFor(async () => {
      if ((await alarm.getAttribute('data-state')) === 'unacknowledged') {
        await alarm.getByRole('button', { name: /^确认告警/ }).click({ timeout: 1000 })
      }
      expect(await alarm.getAttribute('data-state')).toBe('acknowledged')
    }, SOON)
    await alarm.getByText(/已确认|原因已消除，待复位 · admin/).waitFor(SOON)
    await press(alarm, '复位')
    await row('tank-empty').waitFor({ state: 'detached', ...SOON })
    expect(await page.title()).toBe('(0 未确认 / 0) 烽火')
  })
})

describe('what is withheld by plan', () => {
  test('a state entered by hand suppresses, is named on the alarm, and ends by a press', async () => {
    const { page } = stand
    await signIn()
    await report('T-2', { level_pct: 90 })
    await row('tank-level', 'T-2').waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/states`)
    const state = page.getByRole('region', { name: '清洗作业' })
    await press(state, '进入…')
    await state.getByLabel('对象').selectOption('area')
    await state.getByLabel('编号').selectOption({ label: '1# 围堰' })
    await press(state, '进入')
    await state.getByText('已进入').waitFor(SOON)
    await state.getByRole('link', { name: '正在抑制 1 条告警' }).click(SOON)
    await row('tank-level', 'T-2').getByText('已抑制 · 清洗作业').waitFor(SOON)
    expect(await counts()).toEqual(['0', '0', '1', '0'])
    await page.goto(`${stand.service.httpAddress}/#/states`)
    await press(state, '退出')
    await state.getByText('未进入').waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/alarms`)
    await row('tank-level', 'T-2').waitFor(SOON)
    expect(await row('tank-level', 'T-2').getAttribute('data-state')).toBe('unacknowledged')
  })

  test('a device goes out of service from its page, a red alarm with it, and returns', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { level_pct: 97 })
    await row('tank-level').waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/devices/T-1`)
    const part = page.getByRole('region', { name: '停用' })
    await press(part, '停用…')
    await part.getByLabel('原因（必填）').fill('清罐')
    await press(part, '停用')
    await part.getByText('停用中').waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/alarms?tab=outOfService`)
    await row('tank-level')
      .getByText(/停用中 · 至/)
      .waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/states`)
    await press(page.locator('.windows li', { hasText: '清罐' }), '恢复使用')
    await page.getByText('没有停用或计划停用的设备、区域、场所。').waitFor(SOON)
    await page.goto(`${stand.service.httpAddress}/#/alarms`)
    await row('tank-level').waitFor(SOON)
  })
})

describe('what only several alarms tell', () => {
  test('the first is marked, then what chatters; a flood stands in a banner with since when and how many', async () => {
    const { page } = stand
    await signIn()
    await report('T-1', { level_pct: 90 })
    await row('tank-level').locator('[data-mark=firstOut]', { hasText: '首出' }).waitFor(SOON)
    for (let turn = 0; turn < 12; turn++) {
      await report('T-2', { level_pct: 50 })
      await report('T-2', { level_pct: 90 })
    }
    await page.locator('.alarm [data-mark=chattering]', { hasText: '抖动' }).first().waitFor(SOON)
    await page.locator('.banner-flood').waitFor(SOON)
    expect(await page.locator('.banner-flood strong').textContent()).toMatch(/^告警洪泛：自 \d\d:\d\d:\d\d 起 \d+ 条$/)
    expect(await pageFaults(page)).toEqual([])
  })
})

describe('for everybody', () => {
  test('the sound is off until somebody turns it on, sounds for the worst unacknowledged tier, and is silent once it is acknowledged', async () => {
    const { page } = stand
    const sound = page.locator('.sound')
    await signIn()
    expect(await sound.getAttribute('data-sound')).toBe('off')
    await sound.click()
    await vi.waitFor(async () => expect(await sound.getAttribute('data-sound')).toBe('on'), SOON)
    await report('T-1', { level_pct: 97 })
    await vi.waitFor(async () => expect(await sound.getAttribute('data-sounding')).toBe('red'), SOON)
    await row('tank-level').focus()
    await page.keyboard.press('a')
    await vi.waitFor(async () => expect(await sound.getAttribute('data-sounding')).toBe(''), SOON)
    await sound.click()
    expect(await sound.getAttribute('data-sound')).toBe('off')
  })

  test.each(SIZES)('no page of it has a serious fault of accessibility or is wider than the window (%s)', async (_, viewport) => {
    const page = await stand.anew(viewport)
    const faults: Record<string, unknown> = {}
    const look = async (name: string): Promise<void> => {
      faults[name] = await pageFaults(page)
    }
    await report('T-1', { level_pct: 90, temperature_c: 70 })
    await signIn()
    const alarm = await opened('tank-level')
    for (const form of ['搁置…', '指派…']) {
      await press(alarm, form)
      await look(form)
    }
    await toStory(alarm)
    await press(page.locator('.handling'), '备注…')
    await look('story')
    await page.goto(`${stand.service.httpAddress}/#/states`)
    await press(page.getByRole('region', { name: '清洗作业' }), '进入…')
    await page.getByRole('button', { name: '停用…' }).click()
    await look('states')
    await page.evaluate(() => document.documentElement.setAttribute('data-theme', 'light'))
    await look('states, light')
    await page.goto(`${stand.service.httpAddress}/#/alarms?tab=all`)
    await row('tank-level').waitFor(SOON)
    await look('record, light')
    expect(faults).toEqual({ '搁置…': [], '指派…': [], story: [], states: [], 'states, light': [], 'record, light': [] })
  })
})
