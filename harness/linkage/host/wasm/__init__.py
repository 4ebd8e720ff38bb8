"""Programs that run WebAssembly modules, for steps that run what a case has built for wasm32."""
