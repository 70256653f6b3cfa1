// Reasons in the words of people: every form that the judge can give, with the names and units of the plant.

import { describe, expect, it } from 'vitest'
import { measured } from '../../src/alerts/wordingMeasure.ts'
import type { Metric, Profile } from '../../src/model/plant.ts'
import type { Explanation } from '../../src/rules/explain.ts'
import { PROFILE, type RuleText, rule, type Values, World } from '../rules/world.ts'

const metric = (id: string, zh: string, unit: string, min: number, max: number): Metric => ({
  ...{ id, name: { zh, en: zh }, unit, min, max, stuckAfterMs: id === 'b' ? 30_000 : null }
})
const METRICS = [metric('level_pct', '液位', '%', 0, 110), metric('a', '压力', 'kPa', -1000, 1000), metric('b', '阀位', '1', -1000, 1000)]
const KNOWN = new Map([...METRICS, metric('fire', '火警', '1', 0, 1)].map((one) => [one.id, one]))

describe('a reason in Chinese', () => {
  it.each([
    ['level_pct 86.1 > 85 for 5s', '液位 86.1% > 85%,持续 5 秒'],
    ['level_pct 86.1 > 85 and fire 1 == 1 for 1m30s', '液位 86.1% > 85%,火警,持续 1 分钟 30 秒'],
    ['fire 0 == 0, reset by an operator', '火警:否,由操作员复位'],
    ['level_pct 5 in [1, 5]', '液位 5% 属于 [1, 5]'],
    ['level_pct 5 not in [1, 2]', '液位 5% 不属于 [1, 2]'],
    ['(level_pct or 3) 5 > 2', '(液位 或 3) 5 > 2'],
    ['timeTo(level_pct, 95, 5m) Infinity > 5', '到达限值的分钟数(液位, 95, 5 分钟) 无穷大 > 5'],
    ['nothing received for 3m', '3 分钟未收到数据'],
    ['received within 3m', '3 分钟内收到过数据'],
    ['level_pct 7 unchanged for 10m', '液位 7%持续 10 分钟无变化'],
    ['2 of 3 devices: G-1 nothing received for 3m, G-2 nothing received for 3m', '3 台中 2 台:G-1 3 分钟未收到数据, G-2 3 分钟未收到数据'],
    ['level_pct is not out of range and a is faulty', '液位未超量程,压力故障'],
    ['its clock is wrong', '设备时钟错误'],
    ['true', '恒成立'],
    ['2 of 3 devices: G-1 level_pct 31 > 25, G-3 level_pct 40 > 25', '3 台中 2 台:G-1 液位 31% > 25%, G-3 液位 40% > 25%'],
    [
      '1 of 2 devices (degraded from 2oo3 to 1oo2: G-3 unknown): G-1 level_pct 31 > 25 and 3 more',
      '2 台中 1 台 (由 3 取 2 降为 2 取 1:G-3 未知):G-1 液位 31% > 25% 等另 3 台'
    ],
    ['only 1 of 3 devices', '3 台中仅 1 台'],
    ['rule removed', '规则已移除'],
    ['tank-level/T-1: level_pct 96 > 95', 'tank-level/T-1: 液位 96% > 95%'],
    ['tank-level/T-1 is over: level_pct 60 <= 95', 'tank-level/T-1 已结束:液位 60% ≤ 95%'],
    ['red is above orange', '红色高于橙色'],
    ['its hours have begun', '时段已开始'],
    ['it does not hold back this alarm any more', '不再抑制这条告警'],
    ['switched on by li: level_pct 5 is stuck and unknown', '由 li 进入: level_pct 5 is stuck and unknown'],
    ['the device has not reported yet', '设备从未上报'],
    ['level_pct was last reported too long ago', '液位太久没有上报'],
    ['D has no limit odd', 'D 没有限值 odd'],
    ['something else entirely', 'something else entirely']
  ])('%s', (because, said) => {
    expect(measured(because, KNOWN, 'zh')).toBe(said)
  })

  const CONDITIONS: readonly string[] = [
    ...['level_pct > 85', 'level_pct >= limits.high && a < 5', '!(level_pct > 85 || a > 3)', 'level_pct in [1, 2, 90]', 'a != 3'],
    ...['-a > 1', 'abs(a) > 1', 'a + b > 2', "delta(a, '1m') > 0", "rate(a, '1m') > 0", "avg(a, '1m') > 0", "min(a, '1m') > 0"],
    ...["max(a, '1m') > 0", "timeTo(a, 5, '1m') < 5", '(a > 1 ? a : b) > 2', 'a > 1 ? b > 1 : b < 1', '(a > 1) == (b > 1)', 'faulty(a)'],
    ...[
      '!faulty(a)',
      'outOfRange(a)',
      '!outOfRange(a)',
      "stuck(a, '10s')",
      'stuck(b)',
      "!stuck(a, '10s')",
      "silent('20s')",
      "!silent('20s')"
    ],
    ...['clockWrong()', '!clockWrong()']
  ]
  const RULES: readonly RuleText[] = CONDITIONS.flatMap((when, index): RuleText[] => {
    const clear = `!(${when})`
    return [
      { id: `plain${index}`, tiers: { yellow: { when, clear } } },
      { id: `patient${index}`, tiers: { yellow: { when, clear, for: '5s', clearFor: '5s' } } },
      { id: `latched${index}`, latched: true, tiers: { yellow: { when, clear } } },
      { id: `voted${index}`, per: 'area', tiers: { yellow: { when: `voted(2, ${when})`, clear: `!voted(2, ${when})` } } }
    ]
  })

  it('is Chinese throughout, whatever is judged', () => {
    const profile: Profile = { ...PROFILE, metrics: METRICS }
    const devices = ['D', 'E', 'F'].map((id) => ({ id, area: 'A' }))
    const world = new World(RULES.map(rule), devices, [profile])
    const heard = new Set<string>()
    const listen = (): void => {
      for (const { id = '', per = 'device' } of RULES) {
        const told = world.engine.explain(id, per === 'area' ? { device: null, area: 'A' } : { device: 'D', area: null }) as Explanation
        for (const { sentence, when, clear } of told.tiers) {
          heard.add(`${told.tiers[0]?.tier}: ${sentence}`)
          for (const { unknown, degraded = '' } of [...when.parts, ...clear.parts]) for (const one of [...unknown, degraded]) heard.add(one)
        }
      }
    }
    const values: readonly Values[] = [
      { level_pct: 90, a: 4, b: 4 },
      { level_pct: 90, a: 4, b: 4 },
      { level_pct: 20, a: -4, b: 0.5 },
      { level_pct: 120, a: null, b: 2000 },
      { level_pct: 20 },
      { level_pct: 90, a: 4, b: 4 }
    ]
    listen()
    for (const [round, said] of values.entries()) {
      for (const [place, { id }] of devices.entries())
        if (place < 2 || round > 1) world.say(round * 12 + 1, said, id, { clockWrong: round === 1 })
      listen()
      world.pass(round * 12 + 8)
      listen()
    }
    world.pass(200)
    listen()
    for (const { because } of world.events) heard.add(because)
    const english = [...heard]
      .map((text) => measured(text, KNOWN, 'zh'))
      .filter((text) => /[A-Za-z]{2,}|[,;](?:内|未收到|无变化)/.test(text.replaceAll(WRITTEN, '')))
    expect(english).toEqual([])
    expect(heard.size).toBeGreaterThan(150)
  })
})

/** What stays as it is written in the rule: units, and conditions that are quoted. */
const WRITTEN = /kPa|limits\.\w+|(?:level_pct|abs|delta|faulty|outOfRange|stuck|silent|clockWrong|voted)\(.*?\)/g
