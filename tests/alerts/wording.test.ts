// What messages say: every rule, tier and language of the sample plant gives a complete text, in order and within its length.

import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Wording } from '../../src/alerts/wording.ts'
import { adviceOf, TIER_NAMES } from '../../src/alerts/wordingGuidance.ts'
import { cut, type MessageParts, messageText, smsParts, toDoText, wordsFrom } from '../../src/alerts/wordingText.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { CHANNEL_KINDS } from '../../src/model/notification.ts'
import type { Plant } from '../../src/model/plant.ts'
import { LIMITS } from '../../src/platform/limits.ts'

const SAMPLE = loadPlant(path.join(import.meta.dirname, '../../config'), {}).plant as Plant
const WORDING = new Wording(SAMPLE)
const AT = Date.parse('2026-01-31T00:05:00Z')
const SHANGHAI = 'Asia/Shanghai'
const LEVEL = { rule: 'tank-level', device: 'T-101', area: null, tier: 'red' as const, because: 'level_pct 95.2 > 95 for 2s' }

describe('the sample catalogue', () => {
  const cases = SAMPLE.rules.flatMap((rule) => {
    const { profile } = rule.appliesTo
    const device = SAMPLE.devices.find((one) => one.profile === profile) ?? SAMPLE.devices[0]!
    const subject = rule.per === 'area' ? { device: null, area: SAMPLE.areas[0]!.id } : { device: device.id, area: null }
    return rule.tiers.flatMap(({ tier, when }) =>
      (['zh', 'en'] as const).map((language) => ({
        rule: rule.id,
        tier,
        language,
        alarm: { rule: rule.id, ...subject, tier, because: when }
      }))
    )
  })

  it.each(cases)('$rule $tier $language', ({ alarm, language, tier }) => {
    for (const reason of ['raised', 'escalated', 'eased', 'cleared', 'reminder'] as const) {
      const parts = WORDING.one({ alarm, reason, from: reason === 'raised' ? 'clear' : 'yellow' }, AT, language, SHANGHAI)
      expect(parts.where).not.toBe('')
      expect(parts.what).toMatch(language === 'zh' ? /[蓝黄橙红]色/ : new RegExp(tier))
      if (reason !== 'cleared') {
        expect(parts.todo).not.toBe('')
        expect(parts.within).not.toBe('')
        expect(parts.howMuch).not.toBe('')
        // A time that is stated for this tier stands alone; where there is none, the whole sentence is quoted.
        const stated = /(?:时限[::]|Within:)(.*)$/s.exec(SAMPLE.rules.find(({ id }) => id === alarm.rule)!.guidance[language])![1]!
        if (stated.includes(TIER_NAMES[tier][language])) expect(parts.within).not.toMatch(/[蓝黄橙红]色|\b(blue|yellow|orange|red)\b/)
        if (tier !== 'red') expect(parts.todo).not.toMatch(/(^|[;;])\s*(红色时|at red\b)/)
        expect(wordsFrom(parts, language).toDo).toBe(toDoText(parts, language))
      }
      for (const channel of CHANNEL_KINDS) {
        for (const drill of [false, true]) {
          const text = messageText(channel, parts, language, drill)
          expect(text).not.toMatch(/undefined|null|\[object/)
          if (drill) expect(text).toMatch(language === 'zh' ? /^【演练】[\s\S]*【演练】$/ : /^DRILL[\s\S]*DRILL\.$/)
          if (channel !== 'voice')
            expect(text.indexOf(parts.where)).toBe(
              drill ? (language === 'zh' ? 4 : 7) - (text.includes('\n') ? (language === 'zh' ? -1 : 1) : 0) : 0
            )
          else expect(text).not.toMatch(/[<>=≥≤#%°]/)
        }
      }
      expect(smsParts(messageText('sms', parts, language, true))).toBeLessThanOrEqual(LIMITS.wording.smsParts)
      expect(messageText('voice', parts, language, true).length).toBeLessThanOrEqual(LIMITS.wording.voiceLength * 1.4)
    }
  })
})

describe('a message', () => {
  const parts = (language: 'zh' | 'en', reason: 'raised' | 'escalated' | 'eased' | 'cleared' | 'reminder' = 'raised'): MessageParts =>
    WORDING.one({ alarm: LEVEL, reason, from: reason === 'raised' ? 'clear' : 'yellow' }, AT, language, SHANGHAI)

  it('says where, what, how much, what to do and in how long, in that order', () => {
    expect(messageText('webhook', parts('zh'), 'zh', false)).toBe(
      'A 罐区 1# 围堰(甲醇) 甲醇储罐 T-101:储罐高液位(红色),液位 95.2% > 95%,持续 2 秒。处置:核对现场液位计,关闭进料阀、停进料泵,倒罐至备用罐;红色时确认高高液位联锁已动作,疏散围堰内人员。时限:立即。1月31日 08:05'
    )
    expect(messageText('email', parts('en', 'escalated'), 'en', false)).toBe(
      [
        'Tank farm A Bund 1 (methanol) Methanol tank T-101',
        'Tank level high (red, up from yellow)',
        'Level 95.2% > 95% for 2s',
        'Do: compare with the local gauge, close the inlet, stop the feed pump, transfer to a spare tank; at red make sure the high-high interlock has acted and clear the bund of people.',
        'Within: at once.',
        '31 Jan 08:05'
      ].join('\n')
    )
  })
  it('is marked first and last where it is a drill', () => {
    expect(messageText('sms', parts('zh'), 'zh', true)).toMatch(/^【演练】.*【演练】$/)
    expect(messageText('dingtalk', parts('en'), 'en', true)).toMatch(/^DRILL\n[\s\S]*\nDRILL\.$/)
  })
  it('says no more than that it is over once it is over', () => {
    expect(messageText('sms', parts('zh', 'cleared'), 'zh', false)).toBe(
      'A 罐区 1# 围堰(甲醇) 甲醇储罐 T-101:储罐高液位(红色,已恢复)。1月31日 08:05'
    )
  })
  it('can be read out', () => {
    expect(messageText('voice', parts('zh'), 'zh', false)).toContain('液位 百分之95.2高于百分之95')
    expect(messageText('voice', parts('en'), 'en', false)).toContain('Level 95.2 percent above 95 percent')
  })
  it('names a few and counts the rest where it stands for many', () => {
    const all = Array.from({ length: 12 }, (_, i) => ({
      alarm: { ...LEVEL, tier: i === 0 ? ('orange' as const) : ('yellow' as const) },
      reason: 'raised' as const,
      from: 'clear' as const
    }))
    expect(
      messageText('sms', WORDING.many(all, { site: 'tank-farm-a', enterprise: 'daxie-chem' }, AT, 'en', SHANGHAI), 'en', false)
    ).toMatch(
      /^Tank farm A: 12 alarms: 1 orange, 11 yellow, Tank farm A Bund 1 \(methanol\) Methanol tank T-101 Tank level high \(orange\)/
    )
  })
})

describe('a short message', () => {
  it('is counted as the network counts it', () => {
    expect([smsParts('a'.repeat(160)), smsParts('a'.repeat(161)), smsParts('€'.repeat(80)), smsParts('€'.repeat(81))]).toEqual([1, 2, 1, 2])
    expect([smsParts('报'.repeat(70)), smsParts('报'.repeat(71)), smsParts('报'.repeat(134)), smsParts('报'.repeat(135))]).toEqual([
      1, 2, 2, 3
    ])
  })
  it('keeps where, however long the rest is', () => {
    const long: MessageParts = {
      where: '站点'.repeat(30),
      what: '名称'.repeat(60),
      howMuch: '9'.repeat(200),
      todo: '做'.repeat(300),
      within: '立即',
      when: '1月1日 00:00'
    }
    const text = messageText('sms', long, 'zh', true)
    expect(text).toContain(long.where)
    expect(text).toContain('时限:立即')
    expect(smsParts(text)).toBe(LIMITS.wording.smsParts)
  })
  it('in English keeps to the alphabet that fits twice as much: no sign of a unit cuts what is to be done', () => {
    const parts: MessageParts = {
      ...{ where: 'Tank farm A Bund 2 (aromatics) Styrene tank T-104', what: 'Tank temperature (orange, not yet acknowledged)' },
      ...{ howMuch: 'Temperature 31.2°C ≥ 31°C', within: '15 minutes', when: '31 Jan 08:05' },
      todo: 'start the cooling, stop the inflow, add inhibitor and keep people out of the bund'
    }
    const text = messageText('sms', parts, 'en', false)
    expect(text).toBe(
      'Tank farm A Bund 2 (aromatics) Styrene tank T-104: Tank temperature (orange, not yet acknowledged), Temperature 31.2 C >= 31 C. Do: start the cooling, stop the inflow, add inhibitor and keep people out of the bund. Within: 15 minutes. 31 Jan 08:05'
    )
    expect(smsParts(text)).toBe(2)
    const cutShort = messageText('sms', { ...parts, todo: 'open the valve, '.repeat(30) }, 'en', false)
    expect(cutShort).toMatch(/open the\.\.\. Within: 15 minutes\. 31 Jan 08:05$/)
    expect([smsParts(cutShort), cutShort.length > 280]).toEqual([2, true])
    expect(messageText('push', parts, 'en', false)).toContain('31.2°C ≥ 31°C')
  })
  it('is cut behind a clause', () => {
    expect(cut('关闭进料阀,停进料泵,倒罐', 10)).toBe('关闭进料阀…')
    expect(cut('short', 10)).toBe('short')
  })
})

it('guidance of another form is what to do, as it stands', () => {
  expect(adviceOf('Call the fitter.', 'blue', 'en')).toEqual({ todo: 'Call the fitter', within: '' })
  expect(adviceOf('', 'blue', 'zh')).toEqual({ todo: '到现场核实并确认', within: '' })
  expect(adviceOf('Do: look. Within: 15 minutes at yellow, 5 at orange.', 'orange', 'en')).toEqual({ todo: 'look', within: '5 minutes' })
})
