// JSON Schemas of the configuration files, for editors: completion and red underlines while writing.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { dutyShape } from './dutySchema.ts'
import { plantShape, profileShape, rulesShape } from './schema.ts'
import { writtenServiceShape } from './serviceShape.ts'

const FILE_SHAPES = {
  'fenghuo.schema.json': writtenServiceShape,
  'plant.schema.json': plantShape,
  'profile.schema.json': profileShape,
  'rules.schema.json': rulesShape,
  'duty.schema.json': dutyShape
} as const

/** File name -> its text, draft 2020-12, describing what may be written (defaults not filled in). */
export function editorSchemas(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(FILE_SHAPES).map(([file, shape]) => [
      file,
      `${JSON.stringify(z.toJSONSchema(shape, { target: 'draft-2020-12', io: 'input' }), null, 2)}\n`
    ])
  )
}

/** Writes the schemas into `folder` and answers their paths. */
export function writeEditorSchemas(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  return Object.entries(editorSchemas()).map(([file, text]) => {
    const target = path.join(folder, file)
    writeFileSync(target, text)
    return target
  })
}
