// duty.yaml and rules held against the channels of fenghuo.yaml.

import { expect, test } from 'vitest'
import { loadPlantFolder } from '../../../src/app/config/load.ts'
import { folderOf, GOOD, lines } from './folders.ts'

const DUTY = `people:
  - { id: ann, phone: "000 1", email: ann@example.com, user: ann, addresses: { wecom: "000 1" } }
  - { id: bob, language: en, email: bob@example.com }
ladders:
  - id: all
    steps:
      - { tell: [person:ann], by: [sms] }
      - { tell: [person:ann], by: [sms+email, push] }
      - { tell: [person:ann], by: [wecom] }
`
const ENV = { ID: 'id', KEY: 'key' }
const sms = (more = '') => `  - id: sms-1
    kind: sms
    provider: aliyun
    accessKeyId: env:ID
    accessKeySecret: env:KEY
    signName: s
    templates: [{ code: SMS_1, text: "\${where}发生\${what}，请\${toDo}" }]
${more}`

function warned(channels: string, rules = GOOD['rules/level.yaml'] as string): string[] {
  const files = { ...GOOD, 'fenghuo.yaml': channels === '' ? '' : `channels:\n${channels}`, 'duty.yaml': DUTY, 'rules/level.yaml': rules }
  const folder = folderOf(files)
  expect(loadPlantFolder(folder, ENV).warnings.filter(({ problem }) => problem.includes('channel'))).toEqual([])
  const { problems, warnings } = loadPlantFolder(folder, ENV, { strict: true })
  expect(lines(problems)).toEqual([])
  return lines(warnings)
}

test('a way that no channel serves is warned of', () => {
  expect(warned(sms())).toEqual([
    'duty.yaml:8:35: ladder all tells by email, push, but no channel serves that; add a channel under channels in fenghuo.yaml, or take it out',
    'duty.yaml:9:35: a step of ladder all reaches nobody: no channel serves wecom; add a channel under channels in fenghuo.yaml, or take it out'
  ])
  expect(warned('')).toEqual([
    'duty.yaml:5:3: nobody can be told of anything: no channel is configured; add them under channels in fenghuo.yaml'
  ])
})

test('a template that would cut what a rule asks for is warned of', () => {
  const guidance = '{ zh: "处置:立即关闭进料阀并停止卸车,疏散罐区全部作业人员,到现场核实液位后向值班长报告。时限:5 分钟", en: Look. }'
  const rules = (GOOD['rules/level.yaml'] as string).replace('guidance: Look.', `guidance: ${guidance}`)
  const cut = (all: string[]) => all.filter((line) => line.includes('cuts'))
  expect(cut(warned(sms(), rules))).toEqual([
    'fenghuo.yaml:2:5: channel sms-1 cuts what is to be done to 35 characters, and these rules ask for more: level (50); shorten "Do" and "Within" of their guidance, or raise variableLength as far as the vendor allows'
  ])
  expect(cut(warned(sms('    variableLength: 60\n'), rules))).toEqual([])
  expect(cut(warned(sms()))).toEqual([])
})

test('a template that does not say where to go is warned of, except of what asks nobody to go', () => {
  const more = `      - { code: SMS_2, text: "\${what}，请\${toDo}", reasons: [raised, cleared] }
      - { code: SMS_3, text: "来电请接听", language: en, reasons: [reminder] }
      - { code: SMS_4, text: "\${text}", reasons: [escalated] }
      - { code: SMS_5, text: "这是一次演练", reasons: [drill] }
      - { code: SMS_6, text: "\${what}", reasons: [eased, cleared, digest] }
`
  const channel = sms().replace(/templates: \[(.*)\]\n/, `templates:\n      - $1\n${more}`)
  expect(warned(channel).filter((line) => line.startsWith('fenghuo.yaml'))).toEqual([
    'fenghuo.yaml:10:9: template SMS_2 of channel sms-1 asks people to go and does not say where: add a variable that is filled by where, or by text',
    'fenghuo.yaml:11:9: template SMS_3 of channel sms-1 asks people to go and does not say where: add a variable that is filled by where, or by text'
  ])
})
