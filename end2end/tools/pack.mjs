// Lays a brotli and a gzip twin next to every file of the site that shrinks by it, and weighs the first load.
// Use: node pack.mjs SITE [--enforce]     With --enforce, a first load over its budget is an error.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const BUDGET_KB = 350;
const FIRST_LOAD = ["skuflow.wasm", "skuflow.js", "skuflow.css"];
const COMPRESSIBLE = new Set([".wasm", ".js", ".css", ".svg", ".html", ".json", ".txt", ".webmanifest"]);

const site = process.argv[2];
const kb = (bytes) => (bytes / 1000).toFixed(1).padStart(8) + " KB";

/** As small as it gets: which size of block is best differs from file to file, by half a percent; 0 is brotli's own choice. */
function brotli(bytes) {
  const sizes = bytes.length > 500_000 ? [0, 20] : [0];
  const packed = sizes.map((size) =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 24,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        [constants.BROTLI_PARAM_LGBLOCK]: size,
      },
    }),
  );
  return packed.reduce((least, one) => (one.length < least.length ? one : least));
}

/** Whether the twin was made from this very version of the file. */
function isFresh(path) {
  try {
    return statSync(`${path}.br`).mtimeMs >= statSync(path).mtimeMs;
  } catch {
    return false;
  }
}

const files = readdirSync(site, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

let firstLoad = 0;
for (const path of files) {
  if (!COMPRESSIBLE.has(extname(path))) continue;
  if (!isFresh(path)) {
    const bytes = readFileSync(path);
    for (const [suffix, twin] of [[".br", brotli(bytes)], [".gz", gzipSync(bytes, { level: 9 })]]) {
      if (twin.length < bytes.length) writeFileSync(path + suffix, twin);
      else rmSync(path + suffix, { force: true });
    }
  }
  if (FIRST_LOAD.includes(basename(path))) {
    const compressed = statSync(`${path}.br`).size;
    firstLoad += compressed;
    console.log(`${basename(path).padEnd(14)} ${kb(statSync(path).size)}   brotli ${kb(compressed)}`);
  }
}

console.log(`first load ${" ".repeat(19)} brotli ${kb(firstLoad)}   of at most ${BUDGET_KB} KB`);
if (firstLoad > BUDGET_KB * 1000) {
  console.error(`The first load is over its budget by ${kb(firstLoad - BUDGET_KB * 1000).trim()}.`);
  if (process.argv.includes("--enforce")) process.exit(1);
}
