import binaryen from "binaryen"; import { readFileSync, writeFileSync } from "node:fs";
const m = binaryen.readBinary(readFileSync("/tmp/exp/skuflow_bg.wasm"));
const names=[]; for (let i=0;i<m.getNumExports();i++){ const e=binaryen.getExportInfo(m.getExportByIndex(i)); names.push(e.name);} 
console.log(names.join(" "));
for (const n of names) if (/intounderlying/.test(n)) m.removeExport(n);
writeFileSync("/tmp/exp/pruned.wasm", m.emitBinary());
