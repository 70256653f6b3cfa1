// `channels` and `outgoing` of fenghuo.yaml: each entry held against the shape of its kind and provider, secrets fetched from the
// environment, templates held against what they are filled with. Every problem with its place.

import { createECDH } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { z } from 'zod'
import { type ChannelSettings, TEMPLATE_WORDS, type TemplateWord, type VendorTemplate } from '../../alerts/channels/settings.ts'
import { CHANNEL_KINDS, NOTIFICATION_REASONS } from '../../model/notification.ts'
import { parseDuration } from '../../platform/duration.ts'
import { problem, whyNot } from '../../platform/problem.ts'
import { Secret } from '../../platform/secret.ts'
import { CHANNEL_SHAPES, type countedTemplateShape, type namedTemplateShape, type outgoingShape } from './channelShapes.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { Environment } from './service.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { claimedId } from './written.ts'

export interface OutgoingConfig {
  /** Host names, addresses and networks that may be called although they are private. */
  readonly allowPrivate: readonly string[]
  /** Certificates (PEM) trusted beside the system's own; null: none. */
  readonly ca: string | null
}

type Key = keyof typeof CHANNEL_SHAPES
type Written<One extends Key> = z.output<(typeof CHANNEL_SHAPES)[One]>

/** The keys of each shape that hold env:NAME. */
const SECRETS = [
  'accessKeyId',
  'accessKeySecret',
  'secretId',
  'secretKey',
  'authToken',
  'password',
  'secret',
  'url',
  'privateKey',
  'callbackSecret'
]

/** Reads `channels`. What has a problem is left out. */
export function readChannels(list: readonly unknown[], source: SourceFile, env: Environment, findings: Findings): ChannelSettings[] {
  const ids = new Set<string>()
  return list.flatMap((entry, index) => {
    const id = claimedId(entry)
    if (id !== null && ids.has(id)) {
      const sentence = `the channel id ${id} is given twice; give each channel its own`
      findings.problem(problem(sentence, source.place(['channels', index, 'id'])))
    }
    if (id !== null) ids.add(id)
    const settings = readChannel(entry, ['channels', index], source, env, findings)
    return settings === null ? [] : [settings]
  })
}

function readChannel(entry: unknown, at: Path, source: SourceFile, env: Environment, findings: Findings): ChannelSettings | null {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    findings.problem(problem('a channel must be a mapping with id, kind and provider', source.place(at)))
    return null
  }
  const { id, kind, provider } = entry as Record<string, unknown>
  const thing = typeof id === 'string' && id !== '' ? `channel ${id}` : `channel ${Number(at.at(-1)) + 1}`
  const key = keyOf(kind, provider, thing, at, source, findings)
  if (key === null) return null
  const shape = CHANNEL_SHAPES[key]
  if (!hasShape(shape, entry, thing, source, at, findings)) return null
  const written = shape.parse(entry) as Record<string, unknown>
  const before = findings.problems.length
  const secrets = SECRETS.filter((name) => name in shape.shape)
  const complete = { ...written, ...secretsOf(secrets, written, thing, at, source, env, findings) }
  const settings = settingsOf(key, complete, { thing, at, source, findings })
  return findings.problems.length > before ? null : Object.freeze(settings)
}

function keyOf(kind: unknown, provider: unknown, thing: string, at: Path, source: SourceFile, findings: Findings): Key | null {
  const keys = Object.keys(CHANNEL_SHAPES) as Key[]
  const providers = keys.filter((key) => key.startsWith(`${String(kind)}/`)).map((key) => key.split('/')[1] as string)
  if (providers.length === 0) {
    const hint = typeof kind === 'string' ? didYouMean(kind, CHANNEL_KINDS) : ''
    findings.problem(problem(`kind of ${thing} must be one of ${CHANNEL_KINDS.join(', ')}${hint}`, source.place([...at, 'kind'])))
    return null
  }
  if (provider === undefined && providers.length === 1) return `${String(kind)}/${providers[0]}` as Key
  if (typeof provider === 'string' && providers.includes(provider)) return `${String(kind)}/${provider}` as Key
  const hint = typeof provider === 'string' ? didYouMean(provider, providers) : ''
  findings.problem(
    problem(`provider of ${thing} must be ${providers.join(' or ')} for ${String(kind)}${hint}`, source.place([...at, 'provider']))
  )
  return null
}

function secretsOf(
  keys: readonly string[],
  written: Readonly<Record<string, unknown>>,
  thing: string,
  at: Path,
  source: SourceFile,
  env: Environment,
  findings: Findings
): Record<string, Secret | null> {
  const secrets: Record<string, Secret | null> = {}
  for (const key of keys) {
    const reference = written[key]
    secrets[key] = null
    if (typeof reference !== 'string' || !reference.startsWith('env:')) continue
    const value = env[reference.slice('env:'.length)]
    if (value === undefined || value === '') {
      const sentence = `${key} of ${thing} names the environment variable ${reference.slice('env:'.length)}, which is not set`
      findings.problem(problem(sentence, source.place([...at, key])))
    } else {
      secrets[key] = new Secret(value)
    }
  }
  return secrets
}

interface Where {
  readonly thing: string
  readonly at: Path
  readonly source: SourceFile
  readonly findings: Findings
}

/** From what is written, secrets fetched, to what channels take: absent keys become null, durations milliseconds. */
function settingsOf(key: Key, written: Readonly<Record<string, unknown>>, where: Where): ChannelSettings {
  const common = { ...written, provider: key.split('/')[1], perSecond: written.perSecond ?? null }
  const report = (keys: Path, sentence: string): void =>
    where.findings.problem(problem(sentence, where.source.place([...where.at, ...keys])))
  switch (key) {
    case 'sms/aliyun':
    case 'voice/aliyun': {
      const { templates, showNumber = null } = written as Partial<Written<'voice/aliyun'>>
      return { ...common, showNumber, templates: templatesOf(templates ?? [], namedVariables, where) } as unknown as ChannelSettings
    }
    case 'sms/tencent': {
      const { templates } = written as Written<'sms/tencent'>
      return { ...common, templates: templatesOf(templates, countedVariables, where) } as unknown as ChannelSettings
    }
    case 'sms/twilio':
      return { ...common, callbackUrl: written.callbackUrl ?? null } as unknown as ChannelSettings
    case 'sms/smpp': {
      const { enquireLink } = written as Written<'sms/smpp'>
      return { ...common, enquireLinkMs: parseDuration(enquireLink) } as unknown as ChannelSettings
    }
    case 'dingtalk/robot':
    case 'feishu/robot':
    case 'wecom/robot': {
      const { url } = written as unknown as { url: Secret | null }
      if (url !== null && URL.parse(url.reveal())?.protocol.startsWith('http') !== true)
        report(['url'], `the environment variable that url of ${where.thing} names does not hold an https address`)
      return common as unknown as ChannelSettings
    }
    case 'email/smtp': {
      const { tls, port, user = null, password } = written as Written<'email/smtp'>
      if ((user === null) !== (password === null)) report(['user'], `user and password of ${where.thing} go together; give both or neither`)
      return { ...common, user, port: port ?? { starttls: 587, implicit: 465, none: 25 }[tls] } as unknown as ChannelSettings
    }
    case 'push/vapid': {
      const { publicKey, privateKey } = written as unknown as { publicKey: string; privateKey: Secret | null }
      if (privateKey !== null && !isKeyPair(publicKey, privateKey.reveal()))
        report(['publicKey'], `publicKey of ${where.thing} does not belong to its privateKey; make a new pair of VAPID keys`)
      return common as unknown as ChannelSettings
    }
    case 'webhook/standard':
      return common as unknown as ChannelSettings
  }
}

type WrittenTemplate = z.output<typeof namedTemplateShape> | z.output<typeof countedTemplateShape>
type Variables = VendorTemplate['variables']

function templatesOf<Shape extends WrittenTemplate>(
  list: readonly Shape[],
  variablesOf: (template: Shape, name: string, report: (keys: Path, sentence: string) => void) => Variables,
  { thing, at, source, findings }: Where
): VendorTemplate[] {
  const served = new Set(list.flatMap(({ reasons }) => reasons ?? NOTIFICATION_REASONS))
  const missing = NOTIFICATION_REASONS.filter((reason) => !served.has(reason))
  if (missing.length > 0) {
    const sentence = `no template of ${thing} serves ${missing.join(', ')}; leave out reasons of one template, so that it serves the rest`
    findings.problem(problem(sentence, source.place([...at, 'templates'])))
  }
  return list.map((template, index) => {
    const report = (keys: Path, sentence: string): void =>
      findings.problem(problem(sentence, source.place([...at, 'templates', index, ...keys])))
    const variables = variablesOf(template, `template ${template.code} of ${thing}`, report)
    return { code: template.code, language: template.language, reasons: template.reasons ?? null, variables }
  })
}

/** ${where}: named in the text; a variable that is called like a word is filled by it. */
function namedVariables(
  { text, variables = {} }: z.output<typeof namedTemplateShape>,
  name: string,
  report: (keys: Path, sentence: string) => void
): Variables {
  const named = [...new Set([...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] as string))]
  for (const extra of Object.keys(variables).filter((variable) => !named.includes(variable)))
    report(['variables', extra], `the text of ${name} has no variable \${${extra}}${didYouMean(extra, named)}`)
  return named.flatMap((variable) => {
    const word = variables[variable] ?? (WORDS.has(variable) ? (variable as TemplateWord) : undefined)
    if (word !== undefined) return [{ name: variable, word }]
    report(['text'], `variables of ${name} does not say what fills \${${variable}}; add it with one of ${[...WORDS].join(', ')}`)
    return []
  })
}

const WORDS = new Set<string>(TEMPLATE_WORDS)

/** {1}, {2}: counted in the text, filled in the order of the list. */
function countedVariables(
  { text, variables }: z.output<typeof countedTemplateShape>,
  name: string,
  report: (keys: Path, sentence: string) => void
): Variables {
  const counted = [...new Set([...text.matchAll(/\{(\d+)\}/g)].map((match) => Number(match[1])))].sort((a, b) => a - b)
  if (counted.some((number, index) => number !== index + 1))
    report(['text'], `the text of ${name} must count its variables {1}, {2}, … without a gap`)
  else if (counted.length !== variables.length)
    report(
      ['variables'],
      `the text of ${name} has ${counted.length} variables, and variables fills ${variables.length}; they must be equal`
    )
  return variables.map((word, index) => ({ name: String(index + 1), word }))
}

function isKeyPair(publicKey: string, privateKey: string): boolean {
  const point = Buffer.from(publicKey, 'base64url')
  if (point.length !== 65 || point[0] !== 4) return false
  try {
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(Buffer.from(privateKey, 'base64url'))
    return pair.getPublicKey().equals(point)
  } catch {
    return false
  }
}

/** Reads `outgoing`; the file of certificates is read here, once. */
export function readOutgoing(
  { allowPrivate, ca }: z.output<typeof outgoingShape>,
  folder: string,
  source: SourceFile | null,
  findings: Findings
): OutgoingConfig {
  if (ca === undefined) return Object.freeze({ allowPrivate: Object.freeze(allowPrivate), ca: null })
  try {
    const pem = readFileSync(path.resolve(folder, ca), 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return Object.freeze({ allowPrivate: Object.freeze(allowPrivate), ca: pem })
    findings.problem(problem(`outgoing.ca: ${ca} holds no certificate in PEM form`, source?.place(['outgoing', 'ca']) ?? null))
  } catch (thrown) {
    findings.problem(problem(`outgoing.ca: ${ca} cannot be read: ${whyNot(thrown)}`, source?.place(['outgoing', 'ca']) ?? null))
  }
  return { allowPrivate, ca: null }
}
