// fenghuo broker export mosquitto: what an external broker needs to let in the gateways of the plant and the service.

import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { credentialsOf } from '../../ingest/upstreamSettings.ts'
import { SystemClock } from '../../platform/clock.ts'
import { Refusal, whyNot } from '../../platform/problem.ts'
import { secretText } from '../../platform/random.ts'
import { amendedPlant } from '../amend/offline.ts'
import { type Exported, mosquittoFiles, passwordLines } from '../brokerExport/mosquitto.ts'
import type { Config, Environment } from '../config/service.ts'
import { configured } from '../configured.ts'
import type { Output } from './check.ts'

export interface BrokerExportOptions {
  readonly config: string
  readonly out: string
  readonly seenAs?: string
  readonly persistence: string
  readonly bind?: string
}

export function brokerCommand(program: Command): void {
  program
    .command('broker')
    .description('an external MQTT broker')
    .command('export')
    .description('writes what an external broker needs to let in the gateways of the plant and the service')
    .command('mosquitto')
    .description('mosquitto.conf, passwords and acl for Mosquitto 2.0 and later')
    .option('--config <file>', "a plant folder's fenghuo.yaml", 'config/fenghuo.yaml')
    .option('--out <dir>', 'where to', 'mosquitto')
    .option('--seen-as <dir>', 'where Mosquitto will find the files, in a container for instance; default: where they are written')
    .option('--persistence <dir>', 'where Mosquitto keeps what it holds', '/var/lib/mosquitto')
    .option('--bind <address>', 'the address it listens on; default: all')
    .action((options: BrokerExportOptions) => exportMosquitto(options, process.env, console))
}

const MOST_NAMED = 20
const ENV_FILE = 'fenghuo.env'

/** Writes the files, readable for their owner only. Throws a Refusal where it cannot. */
export async function exportMosquitto(options: BrokerExportOptions, env: Environment, out: Output): Promise<void> {
  const all = configured(options.config, env)
  const { config } = all
  const { plant } = await amendedPlant(all, new SystemClock(), {
    debug() {},
    info() {},
    warn: (sentence) => out.error(sentence),
    error: (sentence) => out.error(sentence)
  })
  const folder = path.resolve(options.out)
  const seenAs = options.seenAs ?? folder
  const user = userOf(config, folder)
  if (plant.gateways.some(({ id }) => id === user.name)) {
    throw new Refusal(`"${user.name}" is the user of the service and the id of a gateway too: set another mqtt.broker.username.`)
  }
  const { scheme, port } = config.mqtt.upstream?.address ?? { scheme: 'mqtt', port: 1883 }
  const files = await mosquittoFiles(plant.gateways, passwordLines(readIfThere(path.join(folder, 'passwords'))), {
    ...{ folder: seenAs, persistence: options.persistence, port, bind: options.bind ?? null },
    ...{ tls: scheme === 'mqtts' || scheme === 'wss', websockets: scheme === 'ws' || scheme === 'wss', user }
  })
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    write(path.join(folder, 'mosquitto.conf'), files.conf)
    write(path.join(folder, 'passwords'), files.passwords)
    write(path.join(folder, 'acl'), files.acl)
    if (user.isOurs) write(path.join(folder, ENV_FILE), `FENGHUO_MQTT_USERNAME=${user.name}\nFENGHUO_MQTT_PASSWORD=${user.password}\n`)
  } catch (cause) {
    throw new Refusal(`The files cannot be written to ${folder}: ${whyNot(cause)}. Name another folder with --out.`, { cause })
  }
  tell(files, plant.gateways.length, { folder, seenAs }, user, config, out)
}

interface Places {
  readonly folder: string
  /** The folder as Mosquitto sees it. */
  readonly seenAs: string
}

function tell(files: Exported, gateways: number, { folder, seenAs }: Places, user: User, config: Config, out: Output): void {
  const { left, kept } = files
  out.log(`${folder}: mosquitto.conf, passwords and acl for ${gateways - left.length} of ${gateways} gateways and the user ${user.name}.`)
  if (user.isOurs) out.log(`The password of ${user.name} is in ${path.join(folder, ENV_FILE)}: give both variables to the service.`)
  if (config.mqtt.upstream === null) out.log('The service does not use it yet: set FENGHUO_MQTT_URL, for instance mqtt://127.0.0.1:1883.')
  if (kept.length > 0) out.log(`Known here by a hash only, their lines stay as they were: ${named(kept)}.`)
  const hashed = left.filter(({ why }) => why === 'hashed').map(({ gateway }) => gateway)
  if (hashed.length > 0) {
    out.error(
      `Not exported, because only a hash of the secret is known here: ${named(hashed)}. Add each with its secret: mosquitto_passwd -b ${path.join(folder, 'passwords')} GATEWAY SECRET; the next export keeps that line.`
    )
  }
  const none = left.filter(({ why }) => why === 'none').map(({ gateway }) => gateway)
  if (none.length > 0)
    out.error(`Not exported, because they have no secret, or it was revoked: ${named(none)}. The broker will not let them in.`)
  out.log(
    `Let the user that Mosquitto runs as own the files (chown mosquitto ${folder} ${folder}/*). Start it: mosquitto -c ${seenAs}/mosquitto.conf. After a further export: kill -HUP its process; who is connected already stays until then.`
  )
}

interface User {
  readonly name: string
  readonly password: string
  /** Made here, or by an earlier export: no setting names it. */
  readonly isOurs: boolean
}

function userOf(config: Config, folder: string): User {
  const { upstream } = config.mqtt
  const given = upstream === null ? null : credentialsOf(upstream)
  const name = given?.username ?? 'fenghuo'
  if (given?.password != null) return { name, password: given.password, isOurs: false }
  const before = /^FENGHUO_MQTT_PASSWORD=(.+)$/m.exec(readIfThere(path.join(folder, ENV_FILE)))?.[1]
  return { name, password: before ?? secretText(24), isOurs: true }
}

function named(ids: readonly string[]): string {
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : ''
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more}`
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new Refusal(`${file} cannot be read: ${whyNot(cause)}.`, { cause })
  }
}

/** Never half there for a broker that reads it just now. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.part`, text, { mode: 0o600 })
  chmodSync(`${file}.part`, 0o600)
  renameSync(`${file}.part`, file)
}
