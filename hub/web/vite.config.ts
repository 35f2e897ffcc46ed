import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The hub serves the built files itself, under a content security policy that allows nothing inline:
// no inlined scripts, styles or data: assets.
export default defineConfig({
  plugins: [react()],
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      // Libraries change rarely: browsers keep them over many releases of the console.
      output: { codeSplitting: { groups: [{ name: "libraries", test: /node_modules/ }] } },
    },
  },
  server: {
    // For work on the console: `certwright hub serve --insecure-http` beside `npm run dev`.
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./tests/setup.ts"],
    include: ["tests/**/*.test.{ts,tsx}"],
  },
});
