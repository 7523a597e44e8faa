// Takes out of a WASM module what a dependency exports and this page never calls, so that wasm-opt can drop what is
// behind it: the classes with which server functions stream their bodies.
// Use: node prune.mjs MODULE.wasm

import binaryen from "binaryen";
import { readFileSync, writeFileSync } from "node:fs";

const NEVER_CALLED = /^(__wbg_)?intounderlying/;

const path = process.argv[2];
const wasm = binaryen.readBinary(readFileSync(path));
const names = Array.from({ length: wasm.getNumExports() }, (_, at) => binaryen.getExportInfo(wasm.getExportByIndex(at)).name);
for (const name of names.filter((name) => NEVER_CALLED.test(name))) wasm.removeExport(name);
writeFileSync(path, wasm.emitBinary());
