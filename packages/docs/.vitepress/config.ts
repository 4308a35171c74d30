/** The settings of the site: its pages lie in `docs`, those of the API in `docs/api`, which the generator makes. */

import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitepress'
import { slugOf } from '../src/slug.ts'
import { leadOutside } from './links.ts'
import { navigation, sidebar } from './sidebar.ts'

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A holster, drawn in two strokes. */
const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#3a4cb8" stroke-width="4" ' +
      'stroke-linecap="round" stroke-linejoin="round"><path d="M6 6h20v8h-9l-3 12H8z"/><path d="M20 14v5h-4"/></svg>',
  )

/** The pages lie outside of this package, where nothing is installed. */
const vueOfThisPackage: Plugin = {
  name: 'vue-of-this-package',
  enforce: 'pre',
  resolveId(source, _importer, options) {
    if (source !== 'vue' && !source.startsWith('vue/')) return null
    return this.resolve(source, fileURLToPath(import.meta.url), { ...options, skipSelf: true })
  },
}

export default defineConfig({
  title: 'Holster',
  description: "Gun's HTTP and WebSocket client, and the OTP that it stands on, in TypeScript",
  lang: 'en',
  head: [['link', { rel: 'icon', href: ICON }]],
  srcDir: folder('../../../docs'),
  outDir: folder('../../../build/docs'),
  cacheDir: folder('../node_modules/.cache/vitepress'),
  cleanUrls: true,
  lastUpdated: false,
  // Data that all pages share is loaded once.
  metaChunk: true,
  markdown: {
    config: markdown => markdown.use(leadOutside),
    anchor: { slugify: slugOf },
    // The colours of VitePress's own themes miss the contrast that WCAG 2 asks for.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vite: { publicDir: false, plugins: [vueOfThisPackage], build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    nav: navigation,
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    externalLinkIcon: true,
    search: { provider: 'local' },
  },
})
