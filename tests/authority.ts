// A certificate authority for tests, made with the openssl command: certificates of any name and any stretch of time, encrypted
// keys, and revocation lists.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Wanted {
  /** Default: the name of the files. */
  readonly cn?: string | null
  /** As openssl writes them: `DNS:localhost,IP:127.0.0.1`, or one of any text: `URI.1=a, b`. */
  readonly san?: string
  readonly from?: Date
  readonly to?: Date
  readonly usage?: 'serverAuth' | 'clientAuth'
  readonly passphrase?: string
}

const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = issued
serial = serial
crlnumber = crlnumber
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`

function openssl(folder: string, ...args: string[]): void {
  try {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw new Error('These tests need the openssl command: apt-get install openssl')
    throw new Error(`openssl ${args.join(' ')}: ${String((cause as { stderr?: unknown }).stderr)}`)
  }
}

const stamp = (at: Date): string => `${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`

export class Authority {
  readonly folder: string
  readonly cert: string
  #index = 0

  constructor(folder: string, name = 'Test CA') {
    this.folder = folder
    mkdirSync(path.join(folder, 'issued'), { recursive: true })
    for (const [file, text] of Object.entries({ 'ca.cnf': CONFIG, 'index.txt': '', serial: '1000\n', crlnumber: '10\n' }))
      writeFileSync(path.join(folder, file), text)
    this.cert = path.join(folder, 'ca.pem')
    openssl(folder, 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'ca.key')
    const args = ['-x509', '-new', '-key', 'ca.key', '-subj', `/CN=${name}`, '-days', '3650', '-config', 'ca.cnf', '-extensions', 'root']
    openssl(folder, 'req', ...args, '-out', 'ca.pem')
  }

  /** A certificate and its key, as `NAME.pem` and `NAME.key` in the folder. */
  issue(name: string, { cn = name, san, from = new Date(Date.now() - 3_600_000), to, usage, passphrase }: Wanted = {}): Issued {
    const until = to ?? new Date(Date.now() + 90 * 86_400_000)
    const [key, request, cert, extensions] = [`${name}.key`, `${name}.csr`, `${name}.pem`, `${name}-${this.#index++}.ext`] as const
    openssl(this.folder, 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key)
    const subject = cn === null ? '/O=Fenghuo' : `/O=Fenghuo/CN=${cn}`
    openssl(this.folder, 'req', '-new', '-key', key, '-subj', subject, '-config', 'ca.cnf', '-out', request)
    const lines = [
      'basicConstraints=CA:false',
      ...(san === undefined ? [] : [`subjectAltName=${san.includes('=') ? '@names' : san}`]),
      ...(usage === undefined ? [] : [`extendedKeyUsage=${usage}`])
    ]
    writeFileSync(path.join(this.folder, extensions), `${[...lines, ...(san?.includes('=') ? ['[names]', san] : [])].join('\n')}\n`)
    const when = ['-startdate', stamp(from), '-enddate', stamp(until)]
    this.#ca('-notext', '-extfile', extensions, ...when, '-in', request, '-out', cert)
    if (passphrase !== undefined) {
      openssl(this.folder, 'pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', key, '-out', `${key}.enc`, '-passout', `pass:${passphrase}`)
      return { cert: path.join(this.folder, cert), key: path.join(this.folder, `${key}.enc`) }
    }
    return { cert: path.join(this.folder, cert), key: path.join(this.folder, key) }
  }

  revoke({ cert }: Issued): void {
    this.#ca('-revoke', cert)
  }

  /** Writes the revocation list to `NAME` in the folder. */
  list(name = 'crl.pem', days = 30): string {
    this.#ca('-gencrl', '-crldays', `${days}`, '-out', name)
    return path.join(this.folder, name)
  }

  #ca(...args: string[]): void {
    openssl(this.folder, 'ca', '-config', 'ca.cnf', '-batch', '-cert', 'ca.pem', '-keyfile', 'ca.key', ...args)
  }
}
