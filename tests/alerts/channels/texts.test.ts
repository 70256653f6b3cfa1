// What fills the variables of a vendor's template: never nothing, never a drill unmarked, and always which device.

import { describe, expect, it } from 'vitest'
import type { TemplateWord, VendorTemplate } from '../../../src/alerts/channels/settings.ts'
import { valuesFor } from '../../../src/alerts/channels/texts.ts'
import { MESSAGE } from './yard.ts'

const template = (...words: TemplateWord[]): VendorTemplate => ({
  ...{ code: 'SMS_1', language: 'zh', reasons: null },
  variables: words.map((word) => ({ name: word, word }))
})
const filled = (words: TemplateWord[], message: Partial<typeof MESSAGE>, length = 35, spoken = false): string[] =>
  valuesFor(template(...words), { ...MESSAGE, ...message }, length, spoken).map(({ value }) => value)
const WORDS = MESSAGE.words

describe('a drill', () => {
  const drill = { drill: true, reason: 'drill', words: { ...WORDS, what: '演练,不是真实报警(红色)', howMuch: '季度演练' } } as const

  it('is marked in what has happened, once', () => {
    expect(filled(['where', 'what'], drill)).toEqual(['A 罐区 T-101', '演练,不是真实报警(红色)'])
    expect(filled(['where', 'what'], { drill: true })).toEqual(['A 罐区 T-101', '演练 储罐液位 红色'])
  })
  it('is marked also by a template that does not say what has happened', () => {
    expect(filled(['where', 'toDo'], drill)).toEqual(['演练 A 罐区 T-101', '立即停止进料'])
    expect(filled(['ackCode', 'howMuch', 'where'], { ...drill, ackUrl: 'https://a.test/a/xyz' })).toEqual([
      ...['xyz', '演练 季度演练', 'A 罐区 T-101']
    ])
    expect(filled(['where'], { ...drill, language: 'en' })).toEqual(['DRILL A 罐区 T-101'])
    // The mark is not what is cut.
    expect(filled(['where'], drill, 8)).toEqual(['演练 A…101'])
  })
})

describe('a value that is too long', () => {
  const where = 'Tank farm A Bund 1 Methanol tank T-101'

  it('keeps both ends of the place: the device is named last', () => {
    expect(filled(['where'], { words: { ...WORDS, where } })).toEqual(['Tank farm A…d 1 Methanol tank T-101'])
    expect(filled(['where'], { words: { ...WORDS, where } }, 38)).toEqual([where])
  })
  it('is cut at its end where it is anything else', () => {
    expect(filled(['toDo'], { words: { ...WORDS, toDo: '处置:停止进料,核对液位计' } }, 8)).toEqual(['处置:停止进料…'])
  })
})

it('nothing to say is a dash, which vendors do not refuse', () => {
  expect(filled(['howMuch', 'toDo'], { words: { ...WORDS, howMuch: '', toDo: ' ' } })).toEqual(['-', '-'])
})

it('is read out by a call as one speaks', () => {
  const words = { ...WORDS, where: 'A 罐区 1# 围堰 T-1', what: '储罐液位(红色,尚未确认)', howMuch: '液位 97% > 95%' }
  expect(filled(['where', 'what', 'howMuch'], { words }, 35, true)).toEqual([
    'A 罐区 1号 围堰 T-1',
    '储罐液位,红色,尚未确认',
    '液位 百分之97高于百分之95'
  ])
  expect(filled(['where', 'howMuch'], { words })).toEqual(['A 罐区 1# 围堰 T-1', '液位 97% > 95%'])
})
