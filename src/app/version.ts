// The version of this program, from package.json.

import { readFileSync } from 'node:fs'
import path from 'node:path'

const packageFile = path.join(import.meta.dirname, '..', '..', 'package.json')

export const VERSION: string = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version
