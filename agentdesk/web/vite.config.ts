import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';
import { designSystem } from './designSystem.ts';

const backend = process.env['C3I_BACKEND'] ?? 'http://127.0.0.1:8080';

// Nothing is inlined into pages or style sheets: the server's content security
// policy allows files of this origin only.
export default defineConfig({
  appType: 'mpa',
  plugins: [preact({ reactAliasesEnabled: false, devToolsEnabled: false })],
  css: {
    postcss: { plugins: [designSystem()] },
    lightningcss: { errorRecovery: true },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rollupOptions: { input: ['index.html', 'desk.html', 'call.html'] },
  },
  server: {
    proxy: {
      '/api': backend,
      '/ws': { target: backend, ws: true },
      '/sip': { target: backend, ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    testTimeout: 10_000,
  },
});
