import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { check, checkCommand } from '../../../src/app/commands/check.ts'
import { loadPlantFolder } from '../../../src/app/config/load.ts'
import { folderOf, GOOD, output } from './folders.ts'

const BROKEN = { ...GOOD, 'fenghuo.yaml': 'http: { port: x }\nmqqt: {}\n' }

function checked(files: Readonly<Record<string, string>>, options: { json?: boolean; schemas?: boolean } = {}) {
  const folder = folderOf(files)
  const { out, printed, noted } = output()
  const schemas = options.schemas === true ? path.join(folder, 'schemas') : null
  const good = check({ config: path.join(folder, 'fenghuo.yaml'), json: options.json ?? false, schemas }, {}, out)
  const text = (lines: string[]) => lines.join('\n').replaceAll(`${folder}/`, '')
  return { folder, good, printed: text(printed), noted: text(noted) }
}

test('prints every problem and says that it does not hold', () => {
  expect(checked(BROKEN)).toMatchObject({
    good: false,
    printed: `fenghuo.yaml:1:15: http.port of the service must be a port number from 0 to 65535, not the text "x"
fenghuo.yaml:2:1: the service has the unknown key mqqt; did you mean mqtt?`,
    noted: '2 problems'
  })
})

test('prints warnings as such, and holds', () => {
  const files = { ...GOOD, 'plant.yaml': (GOOD['plant.yaml'] as string).replace('open-sesame', '"env:GW"') }
  const { good, noted } = checked(files)
  expect(good).toBe(true)
  expect(noted).toContain('plant.yaml:7:41: warning: the environment variable GW is not set, so gateway gw cannot sign in')
})

test('refuses rules that the service would run with a warning', () => {
  const rules = `rules:
  - id: level
    title: Level
    appliesTo: { profile: tank, labels: { medium: beer } }
    tiers:
      yellow: { when: level_pct > 80 }
`
  const files = { ...GOOD, 'rules/level.yaml': rules }
  const { folder, good, printed } = checked(files)
  expect({ good, printed }).toEqual({
    good: false,
    printed: 'rules/level.yaml:4:16: rule level applies to no device: all that is given here must match'
  })
  const { plant, problems, warnings } = loadPlantFolder(folder, {})
  expect([plant?.rules.length, problems.length, warnings.length]).toEqual([1, 0, 1])
})

test('answers in JSON', () => {
  const { good, printed } = checked(BROKEN, { json: true })
  expect(good).toBe(false)
  expect(JSON.parse(printed)).toMatchObject({
    ok: false,
    problems: [
      { file: 'fenghuo.yaml', line: 1, column: 15, problem: expect.stringContaining('http.port') },
      { file: 'fenghuo.yaml', line: 2, column: 1, problem: expect.stringContaining('mqqt') }
    ],
    warnings: [],
    plant: { devices: 2, rules: 1 }
  })
})

test('a folder without fenghuo.yaml can be checked', () => {
  const folder = folderOf(GOOD)
  rmSync(path.join(folder, 'fenghuo.yaml'))
  expect(check({ config: path.join(folder, 'fenghuo.yaml'), json: false, schemas: null }, {}, output().out)).toBe(true)
})

test('writes the schemas for editors', () => {
  const { folder, noted } = checked(GOOD, { schemas: true })
  expect(noted).toContain('wrote schemas/plant.schema.json')
  expect(existsSync(path.join(folder, 'schemas', 'rules.schema.json'))).toBe(true)
})

test('the command takes its options from the command line', async () => {
  const folder = folderOf(GOOD)
  const program = new Command()
  checkCommand(program)
  await program.parseAsync(['check', '--schemas', path.join(folder, 'out'), '--config', path.join(folder, 'fenghuo.yaml')], {
    from: 'user'
  })
  expect(existsSync(path.join(folder, 'out', 'fenghuo.schema.json'))).toBe(true)
})
