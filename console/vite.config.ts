// The build of the console: static files with hashed names, nothing inlined, so that a strict content policy holds.

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false }
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } }
})
