// Runs a WebAssembly command with Node.js: `node node_runner.mjs PROGRAM.wasm ARGUMENT…`.
//
// The module sees the folder in which it is run, the arguments and the environment. Its exit status is this
// process's; a trap is 134. A module without `_start` is called through `main`.
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const TRAP = 134;
const args = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args, env: process.env, preopens: { ".": "." }, returnOnExit: true });
try {
    const module = new WebAssembly.Module(readFileSync(args[0]));
    const instance = new WebAssembly.Instance(module, wasi.getImportObject());
    const { _start: start, main } = instance.exports;
    process.exitCode = (start ? wasi.start(instance) : main(0, 0)) || 0;
} catch (error) {
    console.error(`error: ${args[0]}: ${error}`);
    process.exitCode = TRAP;
}
