// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/**
 * Makes what others take of `src/`, three times:
 *
 * - `lib/`: modules with types, for npm; not committed;
 * - `oarepo_s3/static/oarepo_s3/`: all in one file, for pages without a bundler; committed;
 * - `oarepo_s3/assets/semantic-ui/js/oarepo_s3/`: the modules for an instance's own webpack;
 *   committed.
 *
 * `--check` writes none of them, and fails when what is committed differs from what would be.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const packages = join(here, '..', 'oarepo_s3')
const committed = {
  bundle: join(packages, 'static', 'oarepo_s3'),
  modules: join(packages, 'assets', 'semantic-ui', 'js', 'oarepo_s3'),
}

/** Modules that a browser loads by their own address, beside the bundle. */
const workers = readdirSync(join(here, 'src'))
  .filter((name) => name.endsWith('.worker.ts'))
  .map((name) => name.slice(0, -'.ts'.length))

/**
 * Uppy's styles have their pictures as `data:`, which Invenio's Content-Security-Policy refuses.
 * Here they become files of the same origin.
 */
const picturesAsFiles = {
  name: 'pictures-as-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^data:image\/svg\+xml[^,]*,/ }, ({ path }) => {
      const picture = decodeURIComponent(path.slice(path.indexOf(',') + 1))
      const digest = createHash('sha256').update(picture).digest('hex').slice(0, 8)
      return { path: `${digest}.svg`, namespace: 'picture', pluginData: picture }
    })
    onLoad({ filter: /.*/, namespace: 'picture' }, ({ pluginData }) => ({
      contents: pluginData,
      loader: 'file',
    }))
  },
}

/** Compile to modules with types, and put the styles beside them. */
function compile(target) {
  rmSync(target, { recursive: true, force: true })
  const tsc = join(here, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--outDir', target], {
    cwd: here,
    stdio: 'inherit',
  })
  // The compiler has said what is wrong.
  if (status !== 0) process.exit(1)
  cpSync(join(here, 'src', 'style.css'), join(target, 'style.css'))
}

/** Copy the modules without the types, which nobody but a TypeScript compiler reads. */
function copyModules(lib, target) {
  rmSync(target, { recursive: true, force: true })
  cpSync(lib, target, { recursive: true, filter: (name) => !name.endsWith('.d.ts') })
}

/** Put all into one script and one style sheet, with the licenses of what is in them. */
async function bundle(target) {
  rmSync(target, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: [
      { in: 'src/page.ts', out: 'uploader' },
      ...workers.map((name) => ({ in: `src/${name}.ts`, out: name })),
    ],
    outdir: target,
    bundle: true,
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    minify: true,
    legalComments: 'none',
    banner: { js: '/*! oarepo-s3; see LICENSES.txt */', css: '/*! oarepo-s3; see LICENSES.txt */' },
    metafile: true,
    plugins: [picturesAsFiles],
    assetNames: 'picture-[name]',
    logLevel: 'warning',
  })
  writeFileSync(join(target, 'LICENSES.txt'), licenses(Object.keys(metafile.inputs)))
}

/** The licenses of our own and of every package that one of the files is of. */
function licenses(files) {
  const names = new Set(files.map(packageOf).filter(Boolean))
  const own = ['oarepo-s3', readFileSync(join(here, 'LICENSE'), 'utf8')]
  return [own, ...[...names].sort().map(licenseOf)]
    .map(([title, text]) => `${title}\n${'-'.repeat(title.length)}\n\n${text.trim()}\n`)
    .join('\n\n')
}

function packageOf(file) {
  return file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/)?.[1]
}

function licenseOf(name) {
  const folder = join(here, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[sc]e(\.md|\.txt)?$/i.test(each))
  // Some packages name their license and have no text of it.
  return [`${name} ${version}`, file ? readFileSync(join(folder, file), 'utf8') : license]
}

/** Make all below a folder. */
async function make({ lib, bundle: bundleFolder, modules }) {
  compile(lib)
  copyModules(lib, modules)
  await bundle(bundleFolder)
}

/** Name the files in which two folders differ, by bytes. */
function differences(made, kept) {
  const names = new Set([...list(made), ...list(kept)])
  return [...names].sort().filter((name) => !same(join(made, name), join(kept, name)))
}

function list(folder) {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function same(one, other) {
  try {
    return readFileSync(one).equals(readFileSync(other))
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

async function check() {
  const temporary = mkdtempSync(join(tmpdir(), 'oarepo-s3-js-'))
  try {
    const made = Object.fromEntries(
      ['lib', 'bundle', 'modules'].map((name) => [name, join(temporary, name)]),
    )
    await make(made)
    const stale = ['bundle', 'modules'].flatMap((name) =>
      differences(made[name], committed[name]).map((file) => join(committed[name], file)),
    )
    if (stale.length === 0) return
    const names = stale.map((file) => file.slice(join(here, '..').length + 1)).join(', ')
    console.error(`Not what js/src makes: ${names}. Run "npm run build" in js/, and commit them.`)
    process.exitCode = 1
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function showSizes() {
  for (const name of list(committed.bundle)) {
    const content = readFileSync(join(committed.bundle, name))
    console.log(`${name}: ${content.length} bytes, ${gzipSync(content).length} by gzip`)
  }
}

if (process.argv.includes('--check')) {
  await check()
} else {
  await make({ lib: join(here, 'lib'), ...committed })
  showSizes()
}
