// Gives what the module imports from its JavaScript short names, in both: wasm-bindgen names each after a hash, which no
// compression makes smaller.
// Use: node shorten.mjs MODULE.wasm SCRIPT.js

import { readFileSync, writeFileSync } from "node:fs";

/** The section of imports (WebAssembly Core 2.0, section 5.5.5). */
const IMPORTS = 2;
/** What wasm-bindgen names so. */
const HASHED = /^__wb(g|indgen)_\w+_[0-9a-f]{16}$/;

const [modulePath, scriptPath] = process.argv.slice(2);
const bytes = readFileSync(modulePath);
let at = 8;

function number() {
  for (let value = 0, shift = 1; ; shift *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) return value;
  }
}

function asNumber(value) {
  const out = [];
  do {
    out.push((value & 127) | (value > 127 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(out);
}

function text() {
  const length = number();
  at += length;
  return bytes.subarray(at - length, at).toString();
}

const asText = (text) => Buffer.concat([asNumber(Buffer.byteLength(text)), Buffer.from(text)]);

/** What an import is, behind its names: passed on as it is. */
function description() {
  const from = at;
  const kind = bytes[at++];
  const limits = () => {
    const has = number();
    number();
    if (has & 1) number();
  };
  if (kind === 0) number();
  else if (kind === 1) at++, limits();
  else if (kind === 2) limits();
  else if (kind === 3) at += 2;
  else throw new Error(`an import of kind ${kind} is not known here`);
  return bytes.subarray(from, at);
}

let script = readFileSync(scriptPath, "utf8");
const parts = [bytes.subarray(0, 8)];
while (at < bytes.length) {
  const start = at;
  const id = bytes[at++];
  const end = number() + at;
  if (id !== IMPORTS) {
    at = end;
    parts.push(bytes.subarray(start, end));
    continue;
  }
  const entries = [];
  const count = number();
  for (let n = 0; n < count; n++) {
    const module = text();
    let name = text();
    if (HASHED.test(name)) {
      const short = `$${n.toString(36)}`;
      const found = script.split(name).length - 1;
      if (found !== 1) throw new Error(`${name} stands ${found} times in ${scriptPath}, and not once`);
      script = script.replace(name, () => short);
      name = short;
    }
    entries.push(Buffer.concat([asText(module), asText(name), description()]));
  }
  const body = Buffer.concat([asNumber(count), ...entries]);
  parts.push(Buffer.from([id]), asNumber(body.length), body);
}
writeFileSync(modulePath, Buffer.concat(parts));
writeFileSync(scriptPath, script);
