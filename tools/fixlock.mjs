// Completes package-lock.json after `npm install`: npm leaves out the optional packages of foreign
// platforms that its registry did not serve, and `npm ci` then refuses the lockfile. Run by `npm run lock`.
import fs from 'node:fs'

const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
const packages = lock.packages

for (const holder of Object.values(packages)) {
  // An address of whichever registry this machine used is of no use to the next one; npm derives it from the name.
  delete holder.resolved
  for (const [name, range] of Object.entries(holder.optionalDependencies ?? {})) {
    const at = `node_modules/${name}`
    if (packages[at] || Object.keys(packages).some((path) => path.endsWith(`/${at}`))) continue
    const os = /(android|darwin|freebsd|linux|openharmony|win32|netbsd|openbsd|sunos|aix)/.exec(name)?.[1]
    const cpu = /(arm64|x64|ia32|riscv64|ppc64|s390x|loong64|wasm32|arm)(?![a-z0-9]*64)/.exec(name)?.[1]
    packages[at] = {
      version: range.replace(/^[\^~]/, ''),
      ...(cpu && { cpu: [cpu] }),
      ...(holder.dev && { dev: true }),
      optional: true,
      ...(os && { os: [os] }),
      ...(/musl/.test(name) && { libc: ['musl'] })
    }
  }
}

lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
fs.writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
