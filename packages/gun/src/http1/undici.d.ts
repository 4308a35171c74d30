// The builds of llhttp that undici holds, which it does not describe.

declare module 'undici/lib/llhttp/llhttp_simd-wasm.js' {
  const bytes: Uint8Array
  export default bytes
}

declare module 'undici/lib/llhttp/llhttp-wasm.js' {
  const bytes: Uint8Array
  export default bytes
}
