// Secrets by files: FENGHUO_NAME_FILE names the file that holds what FENGHUO_NAME would, as Docker and Kubernetes hand them out.

import { readFileSync } from 'node:fs'
import { problem, whyNot } from '../../platform/problem.ts'
import type { Findings } from './findings.ts'
import type { Environment } from './service.ts'

const NAMES_A_FILE = /^(FENGHUO_\w+)_FILE$/
const LONGEST = 64 * 1024

/**
 * The environment with what those files hold; white space at their end does not count, and an empty file counts as unset. A
 * variable that is set itself stands over its file. Files that cannot be read are problems.
 */
export function withSecretFiles(env: Environment, findings: Findings): Environment {
  const all: Record<string, string | undefined> = { ...env }
  for (const [variable, file] of Object.entries(env)) {
    const name = NAMES_A_FILE.exec(variable)?.[1]
    if (name === undefined || file === undefined || file === '' || (env[name] ?? '') !== '') continue
    try {
      const text = readFileSync(file, 'utf8')
      if (text.length > LONGEST) findings.problem(problem(`${variable} names ${file}, which is too long for a secret`))
      else all[name] = text.trimEnd()
    } catch (cause) {
      findings.problem(problem(`${variable} names ${file}, which cannot be read: ${whyNot(cause)}`))
    }
  }
  return all
}
